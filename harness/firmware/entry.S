/*
 * EL2 firmware of the stand-in SoC: entry, exception vectors, and the way down to EL1.
 *
 * Linux on a Qualcomm part runs at EL1 under a hypervisor that answers its secure monitor calls. QEMU's virt machine
 * (virtualization=on) starts the file given as -kernel at EL2 with x0 = device tree; this code takes that place, keeps
 * EL2 for itself and starts the real Image at EL1. Register and bit names are those of the Arm Architecture Reference
 * Manual (DDI 0487). LINUX_ENTRY, the firmware's own address and the number of CPUs come from the harness
 * (interface.ts).
 */

#define HCR_RW		(1 << 31)	/* EL1 is AArch64 */
#define HCR_TSC		(1 << 19)	/* trap SMC of EL1 to EL2 */
#define CNTHCTL_EL1	3		/* EL1PCTEN | EL1PCEN: EL1 reads the counter and programs its timer */
#define CPTR_RES1	0x33ff		/* nothing trapped */
#define SCTLR_EL1_RES1	0x30d00800	/* MMU and caches off, little endian */
#define SPSR_EL1H	0x3c5		/* EL1h, D A I F masked */
#define STACK_SHIFT	12		/* 4 KiB of EL2 stack a CPU */

	.section .head, "ax"
	.global _start
_start:
	/* arm64 Image header (Documentation/arm64/booting.rst), so that QEMU loads this at RAM + text_offset. */
	b	primary
	nop
	.quad	FIRMWARE_TEXT_OFFSET
	.quad	_firmware_size
	.quad	0xa
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.text
primary:
	mov	x19, x0
	ldr	x1, =secondary_entry
	ldr	x2, =secondary
	str	x2, [x1]
	ldr	x20, =LINUX_ENTRY
	b	enter_el1

	/* PSCI CPU_ON starts a secondary here with x0 = its slot in cpu_on[] (cpus.c). */
secondary:
	ldp	x20, x19, [x0]

/* x19: x0 for EL1, x20: address for EL1 */
enter_el1:
	mrs	x1, mpidr_el1
	and	x1, x1, #0xff
	ldr	x2, =stacks
	add	x1, x1, #1
	add	x2, x2, x1, lsl #STACK_SHIFT
	mov	sp, x2

	ldr	x1, =vectors
	msr	vbar_el2, x1
	ldr	x1, =(HCR_RW | HCR_TSC)
	msr	hcr_el2, x1
	mov	x1, #CNTHCTL_EL1
	msr	cnthctl_el2, x1
	mrs	x1, midr_el1
	msr	vpidr_el2, x1
	mrs	x1, mpidr_el1
	msr	vmpidr_el2, x1
	mov	x1, #CPTR_RES1
	msr	cptr_el2, x1
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	ldr	x1, =SCTLR_EL1_RES1
	msr	sctlr_el1, x1
	stp	x20, x19, [sp, #-16]!
	mov	x0, sp
	bl	cpu_init
	ldp	x20, x19, [sp], #16
	mov	x1, #SPSR_EL1H
	msr	spsr_el2, x1
	msr	elr_el2, x20
	isb
	/* EL1's virtual counter begins here, whatever there was to prepare; a secondary's agrees with the others'. */
	ldr	x1, =virtual_offset
	ldr	x0, [x1]
	cbnz	x0, 1f
	mrs	x0, cntpct_el0
1:	msr	cntvoff_el2, x0
	mov	x0, x19
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	eret

	.macro	vector target
	.balign	0x80
	b	\target
	.endm

	.balign	0x800
vectors:
	.rept	8
	vector	unexpected		/* from EL2 itself */
	.endr
	vector	from_el1		/* synchronous, lower EL, AArch64 */
	vector	interrupt_from_el1
	.rept	6
	vector	unexpected
	.endr

/*
 * struct frame in firmware.h: x0 .. x30, then ELR, SPSR and the stack pointer of EL1, and the time of the exception.
 *
 * The time that is spent here is taken out of EL1's virtual counter again (CNTVOFF_EL2) where handle() says so: EL1
 * then sees none of it. HIDDEN_REST counts the instructions before the first and behind the second reading of the
 * counter.
 */
#define FRAME_SIZE	(36 * 8)
#define FRAME_TIME	(34 * 8)
#define INTERRUPT	-1	/* handle() gets no ESR_EL2 for it; main.c */

	.macro	exception reason:vararg
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp, #(0 * 8)]
	mrs	x0, cntpct_el0
	str	x0, [sp, #FRAME_TIME]
	stp	x2, x3, [sp, #(2 * 8)]
	stp	x4, x5, [sp, #(4 * 8)]
	stp	x6, x7, [sp, #(6 * 8)]
	stp	x8, x9, [sp, #(8 * 8)]
	stp	x10, x11, [sp, #(10 * 8)]
	stp	x12, x13, [sp, #(12 * 8)]
	stp	x14, x15, [sp, #(14 * 8)]
	stp	x16, x17, [sp, #(16 * 8)]
	stp	x18, x19, [sp, #(18 * 8)]
	stp	x20, x21, [sp, #(20 * 8)]
	stp	x22, x23, [sp, #(22 * 8)]
	stp	x24, x25, [sp, #(24 * 8)]
	stp	x26, x27, [sp, #(26 * 8)]
	stp	x28, x29, [sp, #(28 * 8)]
	mrs	x1, elr_el2
	stp	x30, x1, [sp, #(30 * 8)]
	mrs	x0, spsr_el2
	mrs	x1, sp_el1
	stp	x0, x1, [sp, #(32 * 8)]
	mov	x0, sp
	\reason
	bl	handle
	ldr	x1, [sp, #(32 * 8)]
	msr	spsr_el2, x1
	ldp	x30, x1, [sp, #(30 * 8)]
	msr	elr_el2, x1
	ldp	x28, x29, [sp, #(28 * 8)]
	ldp	x26, x27, [sp, #(26 * 8)]
	ldp	x24, x25, [sp, #(24 * 8)]
	ldp	x22, x23, [sp, #(22 * 8)]
	ldp	x20, x21, [sp, #(20 * 8)]
	ldp	x18, x19, [sp, #(18 * 8)]
	ldp	x16, x17, [sp, #(16 * 8)]
	ldp	x14, x15, [sp, #(14 * 8)]
	ldp	x12, x13, [sp, #(12 * 8)]
	ldp	x10, x11, [sp, #(10 * 8)]
	ldp	x8, x9, [sp, #(8 * 8)]
	ldp	x6, x7, [sp, #(6 * 8)]
	ldp	x4, x5, [sp, #(4 * 8)]
	cbz	x0, 1f
	ldr	x2, =hidden_rest
	ldr	x2, [x2]
	ldr	x1, [sp, #FRAME_TIME]
	mrs	x0, cntpct_el0
	sub	x0, x0, x1
	add	x0, x0, x2
	mrs	x1, cntvoff_el2
	add	x0, x0, x1
	msr	cntvoff_el2, x0
1:	ldp	x2, x3, [sp, #(2 * 8)]
	ldp	x0, x1, [sp, #(0 * 8)]
	add	sp, sp, #FRAME_SIZE
	eret
	.endm

from_el1:
	exception mrs	x1, esr_el2
interrupt_from_el1:
	exception mov	x1, #INTERRUPT

unexpected:
	mrs	x0, esr_el2
	mrs	x1, elr_el2
	bl	die
1:	wfi
	b	1b

	.section .bss
	.balign	16
stacks:
	.space	((CPUS_MAX + 1) << STACK_SHIFT)
