/* The kernel's worker threads, which run what the kernel does in the background. */
#ifndef BOOTRACE_WORKERS_H
#define BOOTRACE_WORKERS_H

#include <stdbool.h>

/* True where every worker waits for work. */
bool workers_idle(void);

#endif
