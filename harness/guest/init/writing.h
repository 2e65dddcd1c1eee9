/* Files that are written to, those of sysfs above all. All return 0 or a negative errno. */
#ifndef BOOTRACE_WRITING_H
#define BOOTRACE_WRITING_H

/* Writes to a file that exists or, with O_CREAT in `flags`, may not. */
long write_file(const char *path, const char *value, int flags);

/* Writes to /sys/bus/BUS + rest. */
long write_bus(const char *bus, const char *rest, const char *value);

/* Writes to a file of something in a folder of a bus, which is NULL where there is none. */
long write_below(const char *bus, const char *folder, const char *name, const char *file, const char *text);

/* action: "/bind" or "/unbind" */
long write_driver(const char *driver, const char *action, const char *device);

#endif
