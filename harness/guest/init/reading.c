#include "reading.h"
#include "sys.h"
#include "text.h"

#define CHUNK_SIZE	4096

/* Folders of a device are nested like its children; what links lead to is read at its own place. */
#define DEEPEST		8

/* DT_DIR and DT_REG of getdents64(2) */
#define TYPE_FOLDER	4
#define TYPE_FILE	8

static long read_file(const char *path)
{
	char content[CHUNK_SIZE];
	long fd = sys_open(path, O_RDONLY);
	long result = fd < 0 ? fd : sys_read((int)fd, content, sizeof(content));

	if (fd >= 0)
		sys_close((int)fd);
	return result;
}

static void read_folder(struct text *path, size_t depth)
{
	/* Aligned for the 64-bit members of struct directory_entry. */
	char entries[CHUNK_SIZE] __attribute__((aligned(8)));
	size_t used = path->used;
	long fd = sys_open(path->bytes, O_RDONLY | O_DIRECTORY);
	long filled;

	if (fd < 0)
		return;
	while ((filled = sys_read_directory((int)fd, entries, sizeof(entries))) > 0) {
		for (long at = 0; at < filled;) {
			const struct directory_entry *entry = (const void *)(entries + at);

			at += entry->length;
			if (same(entry->name, ".") || same(entry->name, ".."))
				continue;
			text_char(path, '/');
			text_add(path, entry->name);
			if (!path->cut && entry->type == TYPE_FILE)
				read_file(path->bytes);
			else if (!path->cut && entry->type == TYPE_FOLDER && depth < DEEPEST)
				read_folder(path, depth + 1);
			path->used = used;
			path->bytes[used] = '\0';
			path->cut = false;
		}
	}
	sys_close((int)fd);
}

long read_all(const char *path)
{
	char storage[PATH_SIZE];
	struct text folder = TEXT(storage);
	long result = read_file(path);

	if (result != -EISDIR)
		return result;
	text_clear(&folder);
	text_add(&folder, path);
	if (folder.cut)
		return -EINVAL;
	read_folder(&folder, 0);
	return 0;
}
