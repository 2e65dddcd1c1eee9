/* The steps of a plan. Each reports its result in one line. */
#ifndef BOOTRACE_STEPS_H
#define BOOTRACE_STEPS_H

#include "plan.h"

/* A shell is not one that this file knows: the shell runs steps itself. */
void run_step(const struct step *step);

/* Writes to a file that exists or, with O_CREAT in `flags`, may not. 0 or a negative errno. */
long write_file(const char *path, const char *value, int flags);

#endif
