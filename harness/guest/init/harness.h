/* What the harness has for this guest, handed over by the EL2 firmware (harness/firmware/calls.c). */
#ifndef BOOTRACE_HARNESS_H
#define BOOTRACE_HARNESS_H

#include "sys.h"

enum harness_file { HARNESS_PLAN, HARNESS_MODULES };

/*
 * Copies up to `size` bytes from `offset` on. Returns how many there were, or a negative errno. The plan's first byte
 * is what a guest that several cells go on from waits at: nothing may depend on a cell before.
 */
long harness_read(enum harness_file file, uint64_t offset, void *buffer, size_t size);

/* Ends a guest that plays a real board; on the stand-in it does nothing, and the kernel powers off. */
void harness_end(void);

/* Tells the firmware that the plan's n-th step, from 1, begins: gates may wait for it. */
void harness_say_step(uint64_t n);

/* Loads a module that the harness has a file of, by the name that lsmod shows. */
long harness_load_module(const char *name, const char *params);

#endif
