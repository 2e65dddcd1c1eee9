/* The devices that sysfs lists. */
#ifndef BOOTRACE_DEVICES_H
#define BOOTRACE_DEVICES_H

#include "plan.h"

struct device {
	int directory; /* /sys/bus/BUS/devices */
	const char *name;
	const char *driver; /* NULL where it has none; a device being probed has one already */
	bool probing; /* set by wait_probes() */
};

struct device_list {
	struct device *devices;
	size_t count;
	bool cut; /* there were more than fit */
};

/* The devices of the platform and amba buses, sorted by name. The list is good until the next call. */
struct device_list list_devices(void);

/* Calls visit() for every device of every bus, with the descriptor of the bus's folder of devices. */
void each_bus_device(void (*visit)(const char *bus, int directory, const char *device));

/* A new descriptor of /sys/bus/BUS/devices for the bus that has this device; negative where none has it. */
int open_bus_of_device(const char *device);
/* The bus that has this driver, or NULL; valid until the next call. */
const char *bus_of_driver(const char *driver);
/* The bus that has this device, or NULL; valid until the next call. */
const char *bus_of_device(const char *device);

/* Calls report() for each tty, MMC host, network interface, adapter and clock that belongs to a device. */
void each_name(void (*report)(const char *class, const char *name, const char *device));

/*
 * The name of the device's driver in `name`; false where it has none. The link is there from just before the driver's
 * probe function is called (Linux 5.10 to 6.12, drivers/base/dd.c: really_probe() calls driver_sysfs_add() first), so
 * it alone does not say that the device is bound.
 */
bool driver_of(int directory, const char *device, char name[NAME_SIZE]);

/*
 * True where sysfs shows `waiting_for_supplier` for the device: it has a firmware node, `fw_devlink` is neither off nor
 * permissive, and the device is not bound (Linux 5.10 to 6.12, drivers/base/core.c: device_add() makes the file and
 * device_links_driver_bound() removes it). It must never be read: showing it takes the device's lock, which whoever
 * removes it holds while it waits for the readers.
 */
bool waits_to_bind(int directory, const char *device);

#endif
