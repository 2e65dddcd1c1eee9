/* The state of the devices, reported at the end of a plan and by the shell. */
#ifndef BOOTRACE_FINAL_H
#define BOOTRACE_FINAL_H

#include "text.h"

/*
 * One line for each device that is bound (`bound DEVICE DRIVER`) or being probed (`probing DEVICE DRIVER`), sorted; for
 * each watched one that is neither (`unbound DEVICE` or `absent DEVICE`); and for each deferred one (`deferred DEVICE
 * REASON`). Or `busy`, where probes are under way and the kernel does not show whose (probing.h).
 */
void report_devices(const char *const *watched, size_t watched_count);

#endif
