#include "report.h"

/*
 * A write to /dev/kmsg may have LOG_LINE_MAX bytes, at least 1024 - 48 (Linux 6.1 kernel/printk/printk.c:
 * CONSOLE_LOG_MAX less PREFIX_MAX); beyond that it fails with EINVAL.
 */
#define LINE_SIZE 900

#define CONSOLE_FD 1 /* opened by the kernel: init/main.c, console_on_rootfs() */

/*
 * Priority "user.alert": facility 1, level 1 (Documentation/ABI/testing/dev-kmsg). The level is that low so that the
 * lines reach the console at every loglevel but 0 and 1; the facility cannot be the kernel's.
 */
static const char line_start[] = "<9>bootrace: ";

static char storage[LINE_SIZE];
static struct text current = {storage, sizeof(storage), 0, false};
static int kmsg_fd = CONSOLE_FD;

struct error_name {
	int error;
	const char *text;
};

/* Linux include/uapi/asm-generic/errno*.h. */
static const struct error_name errors[] = {
	{1, "Operation not permitted"},
	{2, "No such file or directory"},
	{5, "Input/output error"},
	{6, "No such device or address"},
	{8, "Exec format error"},
	{9, "Bad file descriptor"},
	{11, "Resource temporarily unavailable"},
	{12, "Out of memory"},
	{13, "Permission denied"},
	{14, "Bad address"},
	{16, "Device or resource busy"},
	{17, "File exists"},
	{19, "No such device"},
	{20, "Not a directory"},
	{21, "Is a directory"},
	{22, "Invalid argument"},
	{27, "File too large"},
	{28, "No space left on device"},
	{30, "Read-only file system"},
	{34, "Numerical result out of range"},
	{38, "Function not implemented"},
	{40, "Too many symbolic links"},
	{61, "No data available"},
	{74, "Bad message"},
	{95, "Operation not supported"},
	{110, "Connection timed out"},
	{114, "Operation already in progress"},
	{126, "Required key not available"},
	{129, "Key was rejected by service"},
	{EPROBE_DEFER, "Probe deferred"},
};

const char *error_text(long error)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].error == error)
			return errors[i].text;
	return "Unknown error";
}

void report_open(void)
{
	long fd = sys_open("/dev/kmsg", O_WRONLY);

	if (fd >= 0)
		kmsg_fd = (int)fd;
}

static void add_escaped(char byte)
{
	static const char digits[] = "0123456789abcdef";

	text_char(&current, '\\');
	text_char(&current, 'x');
	text_char(&current, digits[(unsigned char)byte >> 4]);
	text_char(&current, digits[byte & 15]);
}

static void add_printable(const char *string, char lowest)
{
	for (; *string != '\0'; string++) {
		if (*string < lowest || *string > '~' || *string == '\\')
			add_escaped(*string);
		else
			text_char(&current, *string);
	}
}

void line(const char *verb)
{
	text_clear(&current);
	text_add(&current, line_start);
	text_add(&current, verb);
}

void line_word(const char *word)
{
	text_char(&current, ' ');
	add_printable(word, '!');
}

void line_text(const char *text)
{
	text_char(&current, ' ');
	add_printable(text, ' ');
}

void line_number(uint64_t number)
{
	text_char(&current, ' ');
	text_number(&current, number);
}

void line_result(long result)
{
	if (result >= 0) {
		line_word("ok");
		return;
	}
	line_word("error");
	line_number((uint64_t)-result);
	line_text(error_text(-result));
}

void line_send(void)
{
	text_char(&current, '\n');
	sys_write(kmsg_fd, current.bytes, current.used);
}

void report_result(const char *verb, const char *first, const char *second, long result)
{
	line(verb);
	line_word(first);
	if (second != NULL)
		line_word(second);
	line_result(result);
	line_send();
}
