/* Files that are read for what the kernel does meanwhile, and not for what they say. */
#ifndef BOOTRACE_READING_H
#define BOOTRACE_READING_H

/* The file, or every file below the folder; a negative errno where it is neither. */
long read_all(const char *path);

#endif
