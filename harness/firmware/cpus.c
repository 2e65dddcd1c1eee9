/*
 * CPUs beside the first: PSCI starts them (DEN 0022, CPU_ON), or the spin table of a board's tree. From then on one at
 * a time is in the firmware, whose state they share.
 */
#include "board.h"

/* Read by entry.S: where a CPU goes at EL1, and the context it gets in x0. */
struct { u64 entry, context; } cpu_on[CPUS_MAX];

/* Where QEMU is to start it; entry.S says so. */
u64 secondary_entry;

static u32 lock;

/* YIELD lets QEMU run the CPU that has it (target/arm/translate-a64.c, trans_YIELD). */
void cpus_lock(void)
{
	u32 taken;

	if (clock_is_hidden())
		return;
	do {
		asm volatile("1: ldaxr %w0, [%1]\n cbz %w0, 2f\n yield\n b 1b\n2: stxr %w0, %w2, [%1]"
			     : "=&r"(taken) : "r"(&lock), "r"(1) : "memory");
	} while (taken);
}

void cpus_unlock(void)
{
	if (!clock_is_hidden())
		asm volatile("stlr wzr, [%0]" : : "r"(&lock) : "memory");
}

/*
 * Which of QEMU's CPUs has an affinity, as EL1 and the tree know it; CPUS_MAX for none. QEMU numbers as many as there
 * can be here in the lowest byte (hw/arm/virt.c, virt_cpu_mp_affinity()), as the tree of the stand-in does.
 */
u32 cpu_of(u64 affinity)
{
	if (!board)
		return affinity < CPUS_MAX ? affinity : CPUS_MAX;
	for (u32 cpu = 0; cpu < board->cpus; cpu++)
		if (board_cpus[cpu].affinity == affinity)
			return cpu;
	return CPUS_MAX;
}

/* Starts a CPU at an address of EL1. Returns what PSCI does. */
u64 cpu_start(u32 cpu, u64 entry, u64 context)
{
	static struct frame call;

	if (cpu >= CPUS_MAX)
		return PSCI_INVALID_PARAMETERS;
	if (clock_is_hidden()) {
		show_time();
		lock = 1;	/* by who is here already */
	}
	cpu_on[cpu].entry = entry;
	cpu_on[cpu].context = context;
	call.x[0] = PSCI_CPU_ON_64;
	call.x[1] = cpu;
	call.x[2] = secondary_entry;
	call.x[3] = (u64)&cpu_on[cpu];
	smc(&call);
	return call.x[0];
}

/* CPUs of a spin table wait at their release addresses: a write to one of these pages comes to cpus_release(). */
void cpus_watch_release(void)
{
	for (u32 cpu = 1; cpu < board->cpus; cpu++)
		if (board_cpus[cpu].release && memory_physical(board_cpus[cpu].release))
			*memory_entry(board_cpus[cpu].release) &= ~STAGE2_WRITE;
}

/* Something was written where CPUs of a spin table may wait. */
void cpus_release(u64 address, u32 size, u64 value)
{
	for (u32 cpu = 1; cpu < board->cpus; cpu++)
		if (board_cpus[cpu].release == address && size == sizeof(u64) && value)
			cpu_start(cpu, value, 0);
}
