/*
 * To wait, a call's entry or return is left in favour of msleep(), with the stop as return address: the stop is then
 * hit again with the same stack pointer. Where the kernel must not sleep it spins in __udelay() instead. Everything
 * happens in guest instructions, so a gated boot is as repeatable as any other, with any number of vCPUs.
 */
#include "firmware.h"

/* C6.2: MRS Xn, SP_EL0 (the current task, arch/arm64/include/asm/current.h); LDR Wt, [Xn, #offset] */
#define IS_MRS_CURRENT(insn)	(((insn) & ~31u) == 0xd5384100)
#define IS_LDR_WORD(insn)	(((insn) & 0xffc00000) == 0xb9400000)
#define RT(insn)		((insn) & 31)
#define RN(insn)		((insn) >> 5 & 31)
#define OFFSET(insn)		(((insn) >> 10 & 0xfff) * 4)
#define INSTRUCTIONS		64

#define UNKNOWN			0
/* Longer than that overflows in __udelay() (arch/arm64/lib/delay.c). */
#define SPIN_MS_MAX		1000

/*
 * Where a task has its preempt count (struct thread_info begins it, and has changed before it): the first word of the
 * task that a function reads which begins with it.
 */
static u64 count_offset(void)
{
	static u64 offset;
	u32 task = 32;

	for (u64 i = 0; cell_table.preempt && offset == UNKNOWN && i < INSTRUCTIONS; i++) {
		u64 pa = translate(cell_table.preempt + 4 * i);
		u32 insn = pa ? *(const volatile u32 *)pa : 0;

		if (IS_MRS_CURRENT(insn))
			task = RT(insn);
		else if (IS_LDR_WORD(insn) && RN(insn) == task)
			offset = OFFSET(insn);
	}
	return offset;
}

/*
 * Whether the guest must not sleep here, as far as it knows itself: without CONFIG_PREEMPT_COUNT it does not count its
 * spinlocks. The first task, which is the idle one later, never may (kernel/sched/idle.c, dequeue_task_idle()).
 */
int is_atomic(const struct frame *f)
{
	u64 task = SYSREG_READ("sp_el0"), offset = count_offset();
	u64 pa = offset == UNKNOWN ? 0 : translate(task + offset);

	return (f->spsr & SPSR_IRQ_MASKED) || task == cell_table.idle || (pa && *(const volatile u32 *)pa);
}

void sleep_in(struct frame *f, struct flight *flight, u32 ms)
{
	flight->state = SLEEPING;
	f->x[0] = flight->is_atomic ? 1000ul * (ms < SPIN_MS_MAX ? ms : SPIN_MS_MAX) : ms;
	f->x[30] = flight->entry;
	f->spsr = flight->spsr;
	enter_function(f, flight->is_atomic ? cell_table.udelay : cell_table.msleep);
}
