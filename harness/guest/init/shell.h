/* A command loop on the guest's console, for a person. */
#ifndef BOOTRACE_SHELL_H
#define BOOTRACE_SHELL_H

/* Returns when the person says `exit` or the console ends; the plan goes on. */
void run_shell(void);

#endif
