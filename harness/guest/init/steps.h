/* The steps of a plan. Each reports its result in one line. */
#ifndef BOOTRACE_STEPS_H
#define BOOTRACE_STEPS_H

#include "plan.h"

void run_step(const struct step *step);

/* Mounts proc on /proc at the first call; few plans need it. */
void need_proc(void);

/* One line, where mounting fails. */
void mount_or_report(const char *type, const char *target);

/* Writes to a file that exists or, with O_CREAT in `flags`, may not. 0 or a negative errno. */
long write_file(const char *path, const char *value, int flags);

#endif
