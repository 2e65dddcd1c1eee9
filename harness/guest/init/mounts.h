/* Kernel file systems. */
#ifndef BOOTRACE_MOUNTS_H
#define BOOTRACE_MOUNTS_H

/* Mounts a kernel file system; says so in one line where that fails. */
void mount_or_report(const char *type, const char *target);

/* Mounts proc on /proc at the first call; few plans need it. */
void need_proc(void);

#endif
