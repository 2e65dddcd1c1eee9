/* Which devices are being probed. */
#ifndef BOOTRACE_PROBING_H
#define BOOTRACE_PROBING_H

#include "devices.h"

/*
 * Waits until no device of the list is being probed, at most `ms` of virtual time. False when one still is; those that
 * are known by name are marked `probing`.
 *
 * No kernel lists the probes under way, and none of these signs is there on every one:
 * - The device's lock is held for as long as a probe lasts, sleeps included, and showing `driver_override` takes it
 *   (Linux 5.10 and 6.1, drivers/base/platform.c and drivers/amba/bus.c, driver_override_show(); no longer in Debian's
 *   6.12.117). The lock cannot be interrupted, so a second task reads the file and this one waits for it.
 * - `waiting_for_supplier` exists until the device is bound (devices.h), where `fw_devlink` is on: the default since
 *   5.13.
 * - What runs in the background is run by a worker thread, which is then not idle. That does not say which device.
 */
bool wait_probes(struct device_list list, uint64_t ms);

/*
 * Finds out from the list of all devices whether the kernel shows `waiting_for_supplier`; wait_probes() does so with
 * its list.
 */
void look_for_waiting(struct device_list all);

#endif
