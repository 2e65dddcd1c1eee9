/*
 * Does what the list of ASKS says, one instruction after the other, and prints through the PL011 at CONSOLE what each left in
 * x2, and "lost" where it changed a register that it does not name. Then powers off.
 */
#include "header.S"
	.macro	prepare address:req, value:req
	ldr	x1, =\address
	ldr	x2, =\value
	bl	fill
	mov	x30, #30
	movk	x30, #0x5a5a, lsl #48
	.endm
	.macro	report
	mov	x3, x30
	bl	say
	.endm

	/* A load into x2 from x1, or a store of it. */
	.macro	access instruction:req, address:req, value=0
	prepare	\address, \value
	\instruction
	report
	.endm

	/* The same instruction, again and again; what it leaves at the end. */
	.macro	repeat times:req, instruction:req, address:req
	prepare	\address, 0
	mov	x3, #\times
1:	\instruction
	sub	x3, x3, #1
	cbnz	x3, 1b
	report
	.endm

	/* A call of the monitor. */
	.macro	call function:req, argument=0
	prepare	\argument, 0
	ldr	x0, =\function
	mov	x3, #0
	smc	#0
	mov	x2, x0
	report
	.endm

	/* Asks for the plan as the init does (firmware/calls.c, read_file()), where a snapshot is taken; at EL0 from here on. */
	.set	is_init, 0
	.macro	snapshot
	.set	is_init, 1
	adr	x0, 1f
	msr	elr_el1, x0
	msr	spsr_el1, xzr
	eret
1:	prepare	0, 0
	mov	x0, #0			// FILE_PLAN
	mov	x3, #0
	brk	#0xb007
	mov	x2, x0
	report
	.endm

#include ASKS

	.if	is_init
	brk	#0xb00e			// end_of_init()
	.else
	ldr	x0, =0x84000008		// PSCI SYSTEM_OFF
	smc	#0
	.endif
1:	b	1b

	.macro	each what
	.irp	n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	\what	\n
	.endr
	.endm
	.macro	own n
	mov	x\n, #\n
	movk	x\n, #0x5a5a, lsl #48
	.endm
	.macro	compare register, n
	mov	x1, #\n
	movk	x1, #0x5a5a, lsl #48
	eor	x1, x1, \register
	orr	x0, x0, x1
	.endm
	.macro	compare_own n
	compare	x\n, \n
	.endm

	/* x4 to x29 get values of their own. */
fill:	each	own
	ret

	/* x3 is what was in x30. */
say:	mov	x0, #0
	each	compare_own
	compare	x3, 30
	ldr	x3, =CONSOLE
	mov	x4, #60
1:	lsr	x5, x2, x4
	and	x5, x5, #15
	cmp	x5, #10
	add	x6, x5, #'0'
	add	x5, x5, #'a' - 10
	csel	x5, x6, x5, lo
	strb	w5, [x3]
	subs	x4, x4, #4
	b.pl	1b
	cbz	x0, 3f
	adr	x4, lost
2:	ldrb	w5, [x4], #1
	cbz	w5, 3f
	strb	w5, [x3]
	b	2b
3:	mov	w5, #'\n'
	strb	w5, [x3]
	ret
lost:	.asciz	" lost"
	.balign	4
	.ltorg
	.balign	4096
	.space	0x120000
