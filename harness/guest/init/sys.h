/*
 * System calls of arm64 Linux, without a C library: the guest pays for every instruction between the kernel's
 * "Run /init" and the first step of the plan, and a libc's start-up is most of what a small static program executes.
 * Every function returns the kernel's own value: a negative errno on failure.
 */
#ifndef BOOTRACE_SYS_H
#define BOOTRACE_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* include/uapi/asm-generic/errno-base.h and errno.h; the ones that the init itself decides on. */
#define ENOENT 2
#define ENODEV 19
#define EISDIR 21
#define EINVAL 22
#define EPROBE_DEFER 517 /* include/linux/errno.h: not for user space, but sysfs files let it through */

/* include/uapi/asm-generic/fcntl.h, with the values arm64 overrides (arch/arm64/include/uapi/asm/fcntl.h). */
#define O_RDONLY 00
#define O_WRONLY 01
#define O_RDWR 02
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_NONBLOCK 04000
#define O_DIRECTORY 040000

/* include/uapi/linux/limits.h */
#define PATH_SIZE 4096

/* include/linux/dirent.h: struct linux_dirent64. */
struct directory_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

long sys_open(const char *path, int flags);
long sys_open_at(int directory, const char *path, int flags);
void sys_close(int fd);
long sys_read(int fd, void *buffer, size_t size);
/* Reads from `offset` and leaves the file's position alone: sysfs and debugfs files show themselves anew at 0. */
long sys_read_at(int fd, void *buffer, size_t size, int64_t offset);
long sys_write(int fd, const void *bytes, size_t size);
long sys_read_directory(int fd, void *buffer, size_t size);
long sys_read_link_at(int directory, const char *path, char *buffer, size_t size);
long sys_mount(const char *type, const char *target);
long sys_load_module(const void *image, size_t size, const char *params);
/* Memory of its own, with every page there already; a negative errno as a pointer where there is none. */
void *sys_map(size_t size);
void sys_unmap(void *address, size_t size);
/* The same, shared with the tasks that sys_fork() makes. */
void *sys_map_shared(size_t size);
long sys_unload_module(const char *name);
/* Every line of the kernel's ring buffer that fits, oldest dropped first (SYSLOG_ACTION_READ_ALL). */
long sys_kernel_log(char *buffer, size_t size);
long sys_wait_child(long pid);
/* The number of this process: 1 for the init. */
long sys_process(void);
void sys_exit(int code) __attribute__((noreturn));
void sys_power_off(void) __attribute__((noreturn));
/* The same with a reset, which ends QEMU as well (-no-reboot). */
void sys_restart(void) __attribute__((noreturn));

/* Virtual time since boot, in milliseconds (CLOCK_MONOTONIC). */
uint64_t now_ms(void);
void sleep_ms(uint64_t ms);

/* Keeps SIGCHLD pending instead of delivered, so that sleep_until_child() can be woken by it. */
void sys_hold_child_signal(void);
/* Sleeps until a child ends or `ms` have passed; may return early. */
void sleep_until_child(uint64_t ms);

/* A task with a copy of this one's memory: 0 in it, its pid here, or a negative errno. */
long sys_fork(void);

/*
 * Starts a task that shares this one's memory and files, runs entry(argument) on the given stack, and ends.
 * Returns its pid. (Kernel: clone(CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD).)
 */
long spawn_task(void (*entry)(void *), void *argument, void *stack_top);

#endif
