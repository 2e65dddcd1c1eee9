/* Which devices are being probed. */
#ifndef BOOTRACE_PROBING_H
#define BOOTRACE_PROBING_H

#include "devices.h"

/*
 * Waits until no device of the list is being probed, at most `ms` of virtual time. False when one still is; those are
 * marked `probing`.
 *
 * The kernel has no list of probes under way, but it holds the device's lock for as long as a probe lasts, sleeps
 * included, and showing `driver_override` takes that lock (Linux 5.10 to 6.12: drivers/base/platform.c and
 * drivers/amba/bus.c, driver_override_show()). So a second task reads that file of each device in turn, and this one
 * waits for it with a time limit: the lock cannot be interrupted. A device without a driver is passed over: its driver
 * is set before the probe function is called (devices.h, driver_of()).
 */
bool wait_probes(struct device_list list, uint64_t ms);

#endif
