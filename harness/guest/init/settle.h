/* Waiting for devices, in virtual time. */
#ifndef BOOTRACE_SETTLE_H
#define BOOTRACE_SETTLE_H

#include "plan.h"

/* Waits until the device has a driver whose probe has returned, at most `ms`. False on timeout. */
bool wait_bound(const char *device, uint64_t ms);

/* Waits until nothing has changed for `ms` and no probe is under way. False where that does not come about. */
bool settle(uint64_t ms);

/*
 * The file that lists deferred devices with their reasons, one a line (Linux drivers/base/dd.c: deferred_devs_show());
 * NULL where it cannot be read. Valid until the next call.
 */
char *deferred_devices(void);

bool is_deferred(const char *device);

#endif
