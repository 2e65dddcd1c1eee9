/*
 * Time spent at EL2 does not show at EL1, so that what the firmware does, and how long it may have to wait, changes
 * nothing in the guest. With one CPU entry.S takes it out of EL1's virtual counter. Several CPUs of a board have one
 * offset between them, which each takes over when it comes here; cpus.c sees to it that a CPU comes here before it goes
 * on at EL1 with an old one. The stand-in's CPUs are not called into the firmware: from the second on time shows there.
 */
#include "firmware.h"
#include "timing.h"

u64 hidden_rest;
u64 instruction_ticks;
u64 virtual_offset;
static u64 hidden_around;

u64 ticks_of_instructions(void);	/* instructions.S */

void clock_init(void)
{
	u64 ticks = ticks_of_instructions();

	hidden_rest = HIDDEN_REST * ticks / MEASURED_INSTRUCTIONS;
	hidden_around = HIDDEN_AROUND * ticks / MEASURED_INSTRUCTIONS;
	instruction_ticks = hidden_rest / HIDDEN_REST;
}

/* From here on several CPUs have one offset. */
void clock_share(void)
{
	virtual_offset = SYSREG_READ("cntvoff_el2");
}

/* What happens in the firmware happens at this time of the physical counter, and at one of the virtual one. */
u64 clock_enter(void)
{
	SYSREG_WRITE("cntvoff_el2", virtual_offset);
	return SYSREG_READ("cntpct_el0");
}

void clock_leave(u64 time)
{
	virtual_offset += SYSREG_READ("cntpct_el0") - time + hidden_around;
	SYSREG_WRITE("cntvoff_el2", virtual_offset);
	asm volatile("isb");
}
