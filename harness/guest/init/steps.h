/* The steps of a plan. Each reports its result in one line. */
#ifndef BOOTRACE_STEPS_H
#define BOOTRACE_STEPS_H

#include "plan.h"

/*
 * Runs steps[0], or where it says so the ones behind it beside what follows. Returns how many steps that were, at least
 * one and at most `count`. `number` is the first one's place in the plan, from 1, which the firmware is told before
 * each.
 */
size_t run_steps(const struct step *steps, size_t count, size_t number);

/* A shell is not one that this file knows: the shell runs steps itself. */
void run_step(const struct step *step);

/*
 * What the kernel starts for request_module() is this program by one of these names, which it finds in its first
 * argument: one only says what was asked for, the other loads it.
 */
#define SILENT_MODPROBE "/init"
#define ANSWERING_MODPROBE "/proc/1/exe"

#endif
