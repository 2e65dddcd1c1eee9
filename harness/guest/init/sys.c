#include "sys.h"

/* include/uapi/asm-generic/unistd.h: the table arm64 uses. */
enum {
	NR_mount = 40,
	NR_openat = 56,
	NR_close = 57,
	NR_getdents64 = 61,
	NR_read = 63,
	NR_write = 64,
	NR_pread64 = 67,
	NR_readlinkat = 78,
	NR_exit_group = 94,
	NR_nanosleep = 101,
	NR_init_module = 105,
	NR_delete_module = 106,
	NR_clock_gettime = 113,
	NR_syslog = 116,
	NR_rt_sigprocmask = 135,
	NR_rt_sigtimedwait = 137,
	NR_reboot = 142,
	NR_getpid = 172,
	NR_munmap = 215,
	NR_clone = 220,
	NR_mmap = 222,
	NR_wait4 = 260,
};

#define AT_FDCWD (-100)
#define CLOCK_MONOTONIC 1
#define SIG_BLOCK 0
#define SIGCHLD 17
#define SIGNAL_SET_SIZE 8 /* bytes: _NSIG / 8, the size rt_sig* calls insist on */
#define WNOHANG 1
#define SYSLOG_ACTION_READ_ALL 3

/* include/uapi/linux/reboot.h */
#define LINUX_REBOOT_MAGIC1 0xfee1dead
#define LINUX_REBOOT_MAGIC2 672274793
#define LINUX_REBOOT_CMD_POWER_OFF 0x4321fedc
#define LINUX_REBOOT_CMD_RESTART 0x01234567

#define MS_PER_SECOND 1000
#define NS_PER_MS 1000000
#define NEW_FILE_MODE 0644

/* struct timespec as the 64-bit ABI has it. */
struct timespec {
	int64_t seconds;
	int64_t nanoseconds;
};

static const uint64_t child_signal = 1ULL << (SIGCHLD - 1);

/* include/uapi/asm-generic/mman-common.h */
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_ANONYMOUS 0x20
#define MAP_POPULATE 0x008000

/* arm64 procedure of a system call: number in x8, arguments in x0 to x5, result in x0; nothing else changes. */
static long call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
	return x0;
}

static long call5(long number, long a, long b, long c, long d, long e)
{
	return call6(number, a, b, c, d, e, 0);
}

static long call3(long number, long a, long b, long c)
{
	return call5(number, a, b, c, 0, 0);
}

long sys_open(const char *path, int flags)
{
	return sys_open_at(AT_FDCWD, path, flags);
}

long sys_open_at(int directory, const char *path, int flags)
{
	return call5(NR_openat, directory, (long)path, flags, NEW_FILE_MODE, 0);
}

void sys_close(int fd)
{
	call3(NR_close, fd, 0, 0);
}

long sys_read(int fd, void *buffer, size_t size)
{
	return call3(NR_read, fd, (long)buffer, (long)size);
}

long sys_read_at(int fd, void *buffer, size_t size, int64_t offset)
{
	return call5(NR_pread64, fd, (long)buffer, (long)size, offset, 0);
}

long sys_write(int fd, const void *bytes, size_t size)
{
	return call3(NR_write, fd, (long)bytes, (long)size);
}

long sys_read_directory(int fd, void *buffer, size_t size)
{
	return call3(NR_getdents64, fd, (long)buffer, (long)size);
}

long sys_read_link_at(int directory, const char *path, char *buffer, size_t size)
{
	return call5(NR_readlinkat, directory, (long)path, (long)buffer, (long)size, 0);
}

long sys_mount(const char *type, const char *target)
{
	return call5(NR_mount, (long)type, (long)target, (long)type, 0, 0);
}

long sys_load_module(const void *image, size_t size, const char *params)
{
	return call3(NR_init_module, (long)image, (long)size, (long)params);
}

void *sys_map(size_t size)
{
	return (void *)call6(NR_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

void *sys_map_shared(size_t size)
{
	return (void *)call6(NR_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

long sys_fork(void)
{
	return call5(NR_clone, SIGCHLD, 0, 0, 0, 0);
}

void sys_unmap(void *address, size_t size)
{
	call3(NR_munmap, (long)address, (long)size, 0);
}

long sys_unload_module(const char *name)
{
	/* O_NONBLOCK as rmmod does: a module in use is refused instead of waited for. */
	return call3(NR_delete_module, (long)name, O_NONBLOCK, 0);
}

long sys_kernel_log(char *buffer, size_t size)
{
	return call3(NR_syslog, SYSLOG_ACTION_READ_ALL, (long)buffer, (long)size);
}

long sys_wait_child(long pid)
{
	return call5(NR_wait4, pid, 0, WNOHANG, 0, 0);
}

long sys_process(void)
{
	return call3(NR_getpid, 0, 0, 0);
}

void sys_exit(int code)
{
	for (;;)
		call3(NR_exit_group, code, 0, 0);
}

void sys_restart(void)
{
	call5(NR_reboot, (long)LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, (long)LINUX_REBOOT_CMD_RESTART, 0, 0);
	sys_power_off();
}

void sys_power_off(void)
{
	/* No sync(): everything lives in the initramfs, and flushing nothing still wakes the writeback threads. */
	call5(NR_reboot, (long)LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, (long)LINUX_REBOOT_CMD_POWER_OFF, 0, 0);
	/* Only where the kernel has no way to power off: stay, since the death of PID 1 is a panic. */
	for (;;)
		sleep_ms(MS_PER_SECOND);
}

uint64_t now_ms(void)
{
	struct timespec now = {0, 0};

	call3(NR_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0);
	return (uint64_t)now.seconds * MS_PER_SECOND + (uint64_t)now.nanoseconds / NS_PER_MS;
}

static struct timespec duration(uint64_t ms)
{
	struct timespec time = {(int64_t)(ms / MS_PER_SECOND), (int64_t)(ms % MS_PER_SECOND) * NS_PER_MS};

	return time;
}

void sleep_ms(uint64_t ms)
{
	struct timespec time = duration(ms);

	call3(NR_nanosleep, (long)&time, 0, 0);
}

void sys_hold_child_signal(void)
{
	call5(NR_rt_sigprocmask, SIG_BLOCK, (long)&child_signal, 0, SIGNAL_SET_SIZE, 0);
}

void sleep_until_child(uint64_t ms)
{
	struct timespec time = duration(ms);

	call5(NR_rt_sigtimedwait, (long)&child_signal, 0, (long)&time, SIGNAL_SET_SIZE, 0);
}

/*
 * clone() is 220 and takes flags, stack, parent_tid, tls, child_tid (CONFIG_CLONE_BACKWARDS); exit() is 93.
 * 0x711 is CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD. The child has a copy of every register but x0 and sp.
 */
__asm__(
	".text\n"
	".global spawn_task\n"
	".type spawn_task, %function\n"
	"spawn_task:\n"
	"	mov	x9, x0\n"
	"	mov	x10, x1\n"
	"	mov	x1, x2\n"
	"	mov	x0, #0x711\n"
	"	mov	x2, #0\n"
	"	mov	x3, #0\n"
	"	mov	x4, #0\n"
	"	mov	x8, #220\n"
	"	svc	#0\n"
	"	cbz	x0, 1f\n"
	"	ret\n"
	"1:	mov	x29, #0\n"
	"	mov	x30, #0\n"
	"	mov	x0, x10\n"
	"	blr	x9\n"
	"	mov	x0, #0\n"
	"	mov	x8, #93\n"
	"	svc	#0\n"
	".size spawn_task, . - spawn_task\n");
