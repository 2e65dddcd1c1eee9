/* Modules that are loaded in a task of their own. */
#ifndef BOOTRACE_LOADING_H
#define BOOTRACE_LOADING_H

/* Loads a module and reports how that ended. What becomes of a task that has not come back stays open. */
void load_apart(const char *name, const char *params);

#endif
