/*
 * Time spent at EL2 does not show at EL1, so that what the firmware does, and how long it may have to wait, changes
 * nothing in the guest. Only with one CPU: each has its own offset, and theirs must be the same. Read by entry.S.
 */
#include "firmware.h"
#include "timing.h"

static int hides_time;
u64 hidden_rest;
u64 instruction_ticks;
u64 virtual_offset;

u64 ticks_of_instructions(void);	/* instructions.S */

void clock_init(void)
{
	hides_time = 1;
	hidden_rest = HIDDEN_REST * ticks_of_instructions() / MEASURED_INSTRUCTIONS;
	instruction_ticks = hidden_rest / HIDDEN_REST;
}

int clock_is_hidden(void)
{
	return hides_time;
}

/* From here on the clocks of several CPUs have to agree. */
void show_time(void)
{
	if (hides_time)
		virtual_offset = SYSREG_READ("cntvoff_el2");
	hides_time = 0;
}
