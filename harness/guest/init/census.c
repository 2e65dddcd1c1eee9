#include "census.h"

#include "devices.h"
#include "report.h"

#define ATTRIBUTE_SIZE 32 /* `/modalias` and its like */
/* printk() cuts a line at 1024 bytes less its prefix (kernel/printk/printk.c: LOG_LINE_MAX). */
#define MODALIAS_SIZE 512
/* Where sysfs shows the tree (drivers/of/kobj.c). */
static const char tree_root[] = "devicetree/base";

static bool attribute(struct text *path, const char *device, const char *name)
{
	text_clear(path);
	text_add(path, device);
	text_add(path, name);
	return !path->cut;
}

/* The path of a node that a link of the device leads to, as the tree has it; false where there is none. */
static bool node_of(int directory, const char *device, const char *link, char target[PATH_SIZE], const char **node)
{
	char storage[NAME_SIZE + ATTRIBUTE_SIZE];
	struct text path = TEXT(storage);
	long length;

	if (!attribute(&path, device, link))
		return false;
	length = sys_read_link_at(directory, path.bytes, target, PATH_SIZE - 1);
	if (length <= 0)
		return false;
	target[length] = '\0';
	for (long at = 0; at < length; at++) {
		size_t i = 0;

		while (tree_root[i] != '\0' && target[at + (long)i] == tree_root[i])
			i++;
		if (tree_root[i] == '\0') {
			*node = target + at + i;
			return true;
		}
	}
	return false;
}

/* Reads an attribute. Returns the number of bytes before the NUL, or a negative errno. */
static long read_attribute(int directory, const char *device, const char *name, char *buffer, size_t size)
{
	char storage[NAME_SIZE + ATTRIBUTE_SIZE];
	struct text path = TEXT(storage);
	long count;
	long fd;

	if (!attribute(&path, device, name))
		return -EINVAL;
	fd = sys_open_at(directory, path.bytes, O_RDONLY);
	if (fd < 0)
		return fd;
	count = sys_read((int)fd, buffer, size - 1);
	sys_close((int)fd);
	buffer[count < 0 ? 0 : count] = '\0';
	return count;
}

/* The value of a line `MODALIAS=` of a device's uevent, moved to the buffer's start. */
static void keep_modalias(char *uevent)
{
	static const char key[] = "MODALIAS=";
	char *line_start = uevent;

	while (line_start != NULL) {
		size_t i = 0;

		while (key[i] != '\0' && line_start[i] == key[i])
			i++;
		if (key[i] == '\0') {
			for (line_start += i; (*uevent = *line_start) != '\0'; uevent++)
				line_start++;
			return;
		}
		line_start = find_char(line_start, '\n');
		if (line_start != NULL)
			line_start++;
	}
	*uevent = '\0';
}

/* Some buses, AMBA's among them (drivers/amba/bus.c), tell the modalias in the event alone. */
static bool modalias_of(int directory, const char *device, char modalias[MODALIAS_SIZE])
{
	char *end;

	if (read_attribute(directory, device, "/modalias", modalias, MODALIAS_SIZE) < 0) {
		if (read_attribute(directory, device, "/uevent", modalias, MODALIAS_SIZE) < 0)
			return false;
		keep_modalias(modalias);
	}
	end = find_char(modalias, '\n');
	if (end != NULL)
		*end = '\0';
	return modalias[0] != '\0';
}

static void report_device(const char *bus, int directory, const char *device)
{
	static char target[PATH_SIZE];
	static char modalias[MODALIAS_SIZE];
	char driver[NAME_SIZE];
	const char *node;
	bool has_driver = driver_of(directory, device, driver);
	bool has_node = node_of(directory, device, "/of_node", target, &node);

	line("device");
	line_word(bus);
	line_word(device);
	line_word(has_driver ? driver : "-");
	line_word(has_node ? node : "-");
	line_word(modalias_of(directory, device, modalias) ? modalias : "-");
	/* The part of a device that its driver made (drivers/mfd/mfd-core.c): whose part it is. */
	if (!has_driver && !has_node && node_of(directory, device, "/../of_node", target, &node))
		line_word(node);
	line_send();
}

void report_census(void)
{
	line("census");
	line_word("begin");
	line_send();
	each_bus_device(report_device);
	line("census");
	line_word("end");
	line_send();
}
