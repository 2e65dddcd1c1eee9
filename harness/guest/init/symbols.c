#include "symbols.h"

#include "mounts.h"
#include "report.h"

#define CHUNK_SIZE 32768

/*
 * KSYM_NAME_LEN is 512 in Linux 6.12, 128 and 512 before (include/linux/kallsyms.h); address, type and module around
 * it.
 */
#define SYMBOL_LINE_SIZE 640

/* True where `name` is one of the words of `names`. */
static bool is_wanted(const char *names, const char *name)
{
	while (*names != '\0') {
		size_t i = 0;

		while (name[i] != '\0' && names[i] == name[i])
			i++;
		if (name[i] == '\0' && (names[i] == ' ' || names[i] == '\0'))
			return true;
		while (*names != '\0' && *names != ' ')
			names++;
		while (*names == ' ')
			names++;
	}
	return false;
}

/* A line of /proc/kallsyms: ADDRESS TYPE NAME, and a tab and [module] where it is of a module. */
static void report_if_wanted(char *entry, const char *names)
{
	char *type = find_char(entry, ' ');
	char *name = type == NULL ? NULL : find_char(type + 1, ' ');
	char *module;

	if (name == NULL)
		return;
	*type++ = '\0';
	*name++ = '\0';
	module = find_char(name, '\t');
	if (module != NULL)
		*module++ = '\0';
	if (!is_wanted(names, name))
		return;
	line("symbol");
	line_word(name);
	line_word(entry);
	line_word(type);
	if (module != NULL)
		line_word(module);
	line_send();
}

void report_symbols(const char *names)
{
	static char chunk[CHUNK_SIZE];
	char storage[SYMBOL_LINE_SIZE];
	struct text entry = TEXT(storage);
	long fd;
	long count;

	need_proc();
	fd = sys_open("/proc/kallsyms", O_RDONLY);
	if (fd < 0) {
		line("symbols");
		line_result(fd);
		line_send();
		return;
	}
	text_clear(&entry);
	while ((count = sys_read((int)fd, chunk, sizeof(chunk))) > 0) {
		for (long i = 0; i < count; i++) {
			if (chunk[i] != '\n') {
				text_char(&entry, chunk[i]);
				continue;
			}
			report_if_wanted(entry.bytes, names);
			text_clear(&entry);
		}
	}
	sys_close((int)fd);
}
