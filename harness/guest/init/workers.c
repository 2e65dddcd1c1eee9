#include "workers.h"

#include "mounts.h"
#include "text.h"

#define ENTRIES_SIZE 4096
#define PATH_STORAGE 64
#define STAT_SIZE 128 /* more than the pid, the name (64 bytes, fs/proc/array.c: proc_task_name()) and the state */

static const char worker_name[] = "kworker/";

/*
 * Reads the start of /proc/PID/stat: `PID (NAME) STATE ...`. A worker without work is in state I: it sleeps in
 * TASK_IDLE, which nothing else in a worker does (Linux kernel/workqueue.c: worker_thread()).
 */
static bool is_busy_worker(int directory, const char *pid)
{
	char storage[PATH_STORAGE];
	struct text path = TEXT(storage);
	char stat[STAT_SIZE];
	char *name;
	char *end;
	long fd;
	long size;

	text_clear(&path);
	text_add(&path, pid);
	text_add(&path, "/stat");
	fd = path.cut ? -ENOENT : sys_open_at(directory, path.bytes, O_RDONLY);
	if (fd < 0)
		return false;
	size = sys_read((int)fd, stat, sizeof(stat) - 1);
	sys_close((int)fd);
	stat[size < 0 ? 0 : size] = '\0';
	name = find_char(stat, '(');
	if (name == NULL)
		return false;
	name++;
	for (size_t i = 0; worker_name[i] != '\0'; i++)
		if (name[i] != worker_name[i])
			return false;
	end = find_char(name, ')');
	return end != NULL && end[1] == ' ' && end[2] != 'I';
}

bool workers_idle(void)
{
	char entries[ENTRIES_SIZE] __attribute__((aligned(8)));
	bool idle = true;
	long directory;
	long filled;

	need_proc();
	directory = sys_open("/proc", O_RDONLY | O_DIRECTORY);
	if (directory < 0)
		return true;
	while (idle && (filled = sys_read_directory((int)directory, entries, sizeof(entries))) > 0) {
		for (long at = 0; idle && at < filled;) {
			const struct directory_entry *entry = (const void *)(entries + at);

			at += entry->length;
			if (entry->name[0] >= '0' && entry->name[0] <= '9')
				idle = !is_busy_worker((int)directory, entry->name);
		}
	}
	sys_close((int)directory);
	return idle;
}
