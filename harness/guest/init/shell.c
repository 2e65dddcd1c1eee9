#include "shell.h"

#include "devices.h"
#include "final.h"
#include "mounts.h"
#include "report.h"
#include "steps.h"
#include "writing.h"

#define CONSOLE_IN 0 /* both opened on /dev/console by the kernel: init/main.c, console_on_rootfs() */
#define CONSOLE_OUT 1
#define COMMAND_SIZE 1024
#define CHUNK_SIZE 4096
#define KERNEL_LOG_SIZE 262144

static const char help_text[] =
	"ls [PATH]             cat PATH              echo TEXT > PATH  write PATH TEXT\n"
	"load MODULE [PARAMS]  unload MODULE         autoprobe 0|1     probe DEVICE\n"
	"bind DRIVER DEVICE    unbind DRIVER DEVICE  wait DEVICE MS    settle MS\n"
	"devices               dmesg                 mount\n"
	"exit (go on with the plan)                  poweroff\n";

static void say(const char *text)
{
	sys_write(CONSOLE_OUT, text, length_of(text));
}

static void say_error(const char *what, long error)
{
	say(what);
	say(": ");
	say(error_text(-error));
	say("\n");
}

static char *skip_blanks(char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* Cuts the first word off `*rest` and moves `*rest` to the next one; an empty string at the end. */
static char *take_word(char **rest)
{
	char *word = skip_blanks(*rest);
	char *end = word;

	while (*end != '\0' && *end != ' ' && *end != '\t')
		end++;
	if (*end != '\0')
		*end++ = '\0';
	*rest = skip_blanks(end);
	return word;
}

static void show_directory(const char *path)
{
	char entries[CHUNK_SIZE] __attribute__((aligned(8)));
	long fd = sys_open(*path == '\0' ? "/" : path, O_RDONLY | O_DIRECTORY);
	long filled;

	if (fd < 0) {
		say_error(path, fd);
		return;
	}
	while ((filled = sys_read_directory((int)fd, entries, sizeof(entries))) > 0) {
		for (long at = 0; at < filled;) {
			const struct directory_entry *entry = (const void *)(entries + at);

			at += entry->length;
			say(entry->name);
			say("\n");
		}
	}
	sys_close((int)fd);
}

static void show_file(const char *path)
{
	char chunk[CHUNK_SIZE];
	long fd = sys_open(path, O_RDONLY);
	long count;

	if (fd < 0) {
		say_error(path, fd);
		return;
	}
	while ((count = sys_read((int)fd, chunk, sizeof(chunk))) > 0)
		sys_write(CONSOLE_OUT, chunk, (size_t)count);
	if (count < 0)
		say_error(path, count);
	sys_close((int)fd);
}

/* echo TEXT > PATH, without a newline at the end; without a path, to the console. */
static void echo(char *text)
{
	char *redirect = find_char(text, '>');
	char *end = redirect;
	const char *path;
	long result;

	if (redirect == NULL) {
		say(text);
		say("\n");
		return;
	}
	*redirect++ = '\0';
	path = take_word(&redirect);
	while (end > text && end[-1] == ' ')
		*--end = '\0';
	result = write_file(path, text, O_CREAT | O_TRUNC);
	if (result < 0)
		say_error(path, result);
}

static void show_kernel_log(void)
{
	static char log[KERNEL_LOG_SIZE];
	long size = sys_kernel_log(log, sizeof(log));

	if (size < 0)
		say_error("dmesg", size);
	else
		sys_write(CONSOLE_OUT, log, (size_t)size);
}

/* A step of a plan, typed by hand. */
static void type_step(const char *verb, char *rest)
{
	const char *words[STEP_WORDS] = {NULL, NULL};
	const char *forms = words_of_step(verb);
	struct step step = {STEP_END, {NULL, NULL}, 0};
	const char *problem;

	if (forms == NULL || same(verb, "shell")) {
		say("no such command; try help\n");
		return;
	}
	for (size_t i = 0; forms[i] != '\0'; i++)
		words[i] = forms[i] == 'T' ? rest : take_word(&rest);
	problem = make_step(&step, verb, words);
	if (problem != NULL) {
		say(problem);
		say("\n");
		return;
	}
	run_step(&step);
}

/* False when the loop is to end. */
static bool run_command(char *rest)
{
	const char *verb = take_word(&rest);

	if (same(verb, "exit"))
		return false;
	if (same(verb, "poweroff"))
		sys_power_off();
	if (same(verb, "help")) {
		say(help_text);
	} else if (same(verb, "ls")) {
		show_directory(rest);
	} else if (same(verb, "cat")) {
		show_file(rest);
	} else if (same(verb, "echo")) {
		echo(rest);
	} else if (same(verb, "dmesg")) {
		show_kernel_log();
	} else if (same(verb, "mount")) {
		need_proc();
		show_file("/proc/mounts");
	} else if (same(verb, "devices")) {
		report_devices(NULL, 0);
	} else if (verb[0] != '\0') {
		type_step(verb, rest);
	}
	return true;
}

void run_shell(void)
{
	static char command[COMMAND_SIZE];
	long count;

	say("bootrace: a shell on the guest's console; help lists its commands\n");
	for (;;) {
		char *end;

		say("# ");
		/* The terminal hands over a line at a time (ICANON is on in tty_std_termios). */
		count = sys_read(CONSOLE_IN, command, sizeof(command) - 1);
		if (count <= 0)
			return;
		command[count] = '\0';
		end = find_char(command, '\n');
		if (end != NULL)
			*end = '\0';
		if (!run_command(command))
			return;
	}
}
