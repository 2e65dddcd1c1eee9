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
static int several;

/* By CPU: it waits for an interrupt; it was called and has not come yet. */
static u8 is_idle[CPUS_MAX], is_called[CPUS_MAX];

int cpus_are_several(void)
{
	return several;
}

/*
 * QEMU runs one CPU at a time, each until something is due, and a CPU may have to stop in the middle of the firmware.
 * From when on its time is hidden, all others are called before they go on at EL1: they wait here until it is done, and
 * have the new offset then. Who waits for an interrupt comes here anyway.
 */
static void call_others(u32 self)
{
	for (u32 cpu = 0; cpu < board->cpus; cpu++) {
		if (cpu == self || is_idle[cpu] || is_called[cpu])
			continue;
		is_called[cpu] = 1;
		board_timers_kick(cpu);
	}
}

/*
 * Comes into the firmware, and sets the time from which on time there is hidden. YIELD lets QEMU run the CPU that is
 * there (target/arm/translate-a64.c, trans_YIELD).
 */
void cpus_enter(u64 *time)
{
	u32 taken, self = cpu_index();

	if (!several)
		return;
	do {
		asm volatile("1: ldaxr %w0, [%1]\n cbz %w0, 2f\n yield\n b 1b\n2: stxr %w0, %w2, [%1]"
			     : "=&r"(taken) : "r"(&lock), "r"(1) : "memory");
	} while (taken);
	if (!board)
		return;
	is_called[self] = is_idle[self] = 0;
	call_others(self);
	*time = clock_enter();
}

/* How many turns a second: drivers give hardware 500 us (drivers/clk/qcom/gdsc.c), and the breaker wants some reads. */
#define TURNS	20000
#define CNTHP_ENABLE	1
#define CNTHP_MASK	2

/*
 * QEMU lets a CPU run until one of its timers is due, or for 100 ms, and a driver that polls for less would see the
 * time run out while another CPU runs. A timer that nobody hears of ends the turn.
 */
static void end_turn_soon(u32 self)
{
	for (u32 cpu = 0; cpu < board->cpus; cpu++)
		if (cpu != self && !is_idle[cpu]) {
			SYSREG_WRITE("cnthp_cval_el2", SYSREG_READ("cntpct_el0") + SYSREG_READ("cntfrq_el0") / TURNS);
			SYSREG_WRITE("cnthp_ctl_el2", CNTHP_ENABLE | CNTHP_MASK);
			return;
		}
}

void cpus_leave(u64 time)
{
	if (!several)
		return;
	if (board) {
		end_turn_soon(cpu_index());
		clock_leave(time);
	}
	asm volatile("stlr wzr, [%0]" : : "r"(&lock) : "memory");
}

#define HCR_TWI		(1ul << 13)
#define HCR_VI		(1ul << 7)
#define ISR_IRQ		(1ul << 7)

/*
 * A CPU waits for an interrupt here and not at EL1, so that the others know. With the new offset its timer may not have
 * come yet. YIELD has QEMU count what was executed, and its main loop end what it is at, before the CPU halts: virtual
 * time must not go on before (run/runner.ts, #differenceToReset()).
 */
void cpus_wait(struct frame *f)
{
	u32 self = cpu_index();

	while (!(SYSREG_READ("hcr_el2") & HCR_VI) && !(SYSREG_READ("isr_el1") & ISR_IRQ)) {
		is_idle[self] = 1;
		cpus_leave(f->time);
		asm volatile("yield\n wfi");
		cpus_enter(&f->time);
	}
}

/* A CPU is about to be off: it does not come back, and begins anew when it is started again. */
void cpus_off(u64 time)
{
	is_idle[cpu_index()] = 1;
	cpus_leave(time);
}

/* Of this CPU, beside others. */
void cpus_init(void)
{
	if (several && board)
		SYSREG_WRITE("hcr_el2", SYSREG_READ("hcr_el2") | HCR_TWI);
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
	if (!several) {
		clock_share();
		several = lock = 1;	/* who is here already has it */
		cpus_init();
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
