#include "writing.h"

#include "devices.h"
#include "sys.h"
#include "text.h"

#define BUS_PATH_SIZE (sizeof("/sys/bus//drivers//unbind") + 2 * NAME_SIZE)

long write_file(const char *path, const char *value, int flags)
{
	long fd = sys_open(path, O_WRONLY | flags);
	long result;

	if (fd < 0)
		return fd;
	/* One write: a sysfs file takes its value whole. */
	result = sys_write((int)fd, value, length_of(value));
	sys_close((int)fd);
	return result < 0 ? result : 0;
}

long write_bus(const char *bus, const char *rest, const char *value)
{
	char storage[BUS_PATH_SIZE];
	struct text path = TEXT(storage);

	text_clear(&path);
	text_add(&path, "/sys/bus/");
	text_add(&path, bus);
	text_add(&path, rest);
	return write_file(path.bytes, value, 0);
}

long write_below(const char *bus, const char *folder, const char *name, const char *file, const char *text)
{
	char storage[BUS_PATH_SIZE];
	struct text rest = TEXT(storage);

	if (bus == NULL)
		return -ENODEV;
	text_clear(&rest);
	text_add(&rest, folder);
	text_add(&rest, name);
	text_add(&rest, file);
	return write_bus(bus, rest.bytes, text);
}

long write_driver(const char *driver, const char *action, const char *device)
{
	return write_below(bus_of_driver(driver), "/drivers/", driver, action, device);
}
