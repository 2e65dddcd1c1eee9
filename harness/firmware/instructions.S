/* What C has no words for; called from anywhere, and calls nothing. */
#include "timing.h"

	.text
/* u64 ticks_of_instructions(void): what the counter says of MEASURED_INSTRUCTIONS instructions. */
	.global ticks_of_instructions
ticks_of_instructions:
	mrs	x0, cntpct_el0
	.rept	(MEASURED_INSTRUCTIONS - 1)
	nop
	.endr
	mrs	x1, cntpct_el0
	sub	x0, x1, x0
	ret

/* void smc(struct frame *): forward EL1's call to QEMU's PSCI with EL1's registers x0 to x7. */
	.global smc
smc:
	stp	x29, x30, [sp, #-32]!
	str	x19, [sp, #16]
	mov	x19, x0
	ldp	x6, x7, [x19, #(6 * 8)]
	ldp	x4, x5, [x19, #(4 * 8)]
	ldp	x2, x3, [x19, #(2 * 8)]
	ldp	x0, x1, [x19]
	smc	#0
	stp	x0, x1, [x19]
	stp	x2, x3, [x19, #(2 * 8)]
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret
