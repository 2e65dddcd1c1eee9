/*
 * QEMU's own interrupt controller, with a board in place of QEMU's machine: all that it carries are the interrupts of
 * the timers, which have other numbers on a board, and one by which a CPU calls another into the firmware.
 */
#include "vgic.h"

#define OWN_VIRTUAL	27u	/* hw/arm/virt.h: ARCH_TIMER_VIRT_IRQ, ARCH_TIMER_NS_EL1_IRQ */
#define OWN_PHYSICAL	30u
#define OWN_KICK	0u	/* an SGI */
#define OWN_TIMERS	(1u << OWN_VIRTUAL | 1u << OWN_PHYSICAL)

/* hw/arm/virt.c, base_memmap */
#define OWN_GICD	0x08000000ul
#define OWN_GICC	0x08010000ul
#define OWN_GICR	0x080a0000ul

#define ICC_PMR		"S3_0_C4_C6_0"
#define ICC_IAR1	"S3_0_C12_C12_0"
#define ICC_EOIR1	"S3_0_C12_C12_1"
#define ICC_CTLR	"S3_0_C12_C12_4"
#define ICC_IGRPEN1	"S3_0_C12_C12_7"
#define ICC_DIR		"S3_0_C12_C11_1"
#define ICC_SGI1R	"S3_0_C12_C11_5"
#define ICC_SRE_EL2	"S3_4_C12_C9_5"
#define ICH_HCR		"S3_4_C12_C11_0"
#define SRE_ALL		0xf			/* SRE, DFB, DIB, Enable */
#define ICH_TRAP	(1 << 10 | 1 << 11 | 1 << 12)	/* TC, TALL0, TALL1 */

static u32 get(u64 address)
{
	return *(volatile u32 *)address;
}

static void put(u64 address, u32 value)
{
	*(volatile u32 *)address = value;
}

/* Each CPU's, of GICv3, are in a redistributor of its own. */
static u64 own_redistributor(void)
{
	return OWN_GICR + 2 * SGI_FRAME * cpu_index();
}

static u64 own_banked(void)
{
	return board->gic_version == 3 ? own_redistributor() + SGI_FRAME : OWN_GICD;
}

void board_timers_cpu_init(void)
{
	if (board->gic_version == 3) {
		SYSREG_WRITE(ICC_SRE_EL2, SRE_ALL);
		asm volatile("isb");
		put(OWN_GICD, 0x12);				/* ARE, EnableGrp1 */
		put(own_redistributor() + 0x14, 0);		/* GICR_WAKER */
		while (get(own_redistributor() + 0x14) & 4)
			;
		put(own_banked() + 0x80, ~0u);			/* all in group 1 */
		SYSREG_WRITE(ICC_PMR, 0xff);
		SYSREG_WRITE(ICC_CTLR, EOI_DROPS);
		SYSREG_WRITE(ICC_IGRPEN1, 1);
		SYSREG_WRITE(ICH_HCR, ICH_TRAP);
	} else {
		put(OWN_GICD, 1);
		put(OWN_GICC + 0x04, 0xff);			/* GICC_PMR */
		put(OWN_GICC, 1 << 9 | 1);			/* GICC_CTLR: EOImode, enable */
	}
	put(own_banked() + 0x100, OWN_TIMERS | 1u << OWN_KICK);
}

/* Has another of QEMU's CPUs come to the firmware. Their affinities are their numbers (hw/arm/virt.c). */
void board_timers_kick(u32 cpu)
{
	if (board->gic_version == 3)
		SYSREG_WRITE(ICC_SGI1R, (u64)OWN_KICK << 24 | 1u << cpu);
	else
		put(OWN_GICD + 0xf00, 1u << (16 + cpu) | OWN_KICK);
}

/* What the controller wants to hear again: with an SGI, a GICv2 says who has sent it. */
static u32 acknowledge(void)
{
	u32 own;

	if (board->gic_version == 3) {
		own = SYSREG_READ(ICC_IAR1) & 0xffffff;
		if (own < SPECIAL)
			SYSREG_WRITE(ICC_EOIR1, own);
	} else {
		own = get(OWN_GICC + 0x0c);
		if ((own & 0x3ff) < SPECIAL)
			put(OWN_GICC + 0x10, own);
	}
	return own;
}

static void deactivate(u32 own)
{
	if (board->gic_version == 3)
		SYSREG_WRITE(ICC_DIR, own);
	else
		put(OWN_GICC + 0x1000, own);
}

static u32 own_of(u32 interrupt)
{
	if (interrupt == board->virtual_timer)
		return OWN_VIRTUAL;
	return interrupt == board->physical_timer ? OWN_PHYSICAL : 0;
}

/* Returns the board's number for the timer that has come, or NO_INTERRUPT: this CPU was called, or it was nothing. */
u32 board_timers_acknowledge(void)
{
	u32 own = acknowledge();

	if (own == OWN_VIRTUAL)
		return board->virtual_timer;
	if (own == OWN_PHYSICAL)
		return board->physical_timer;
	if ((own & 0x3ff) < SPECIAL)
		deactivate(own);
	return NO_INTERRUPT;
}

/* A timer's interrupt stays active at QEMU's controller until the guest has dealt with it. Others are not its own. */
void board_timers_deactivate(u32 interrupt)
{
	if (own_of(interrupt))
		deactivate(own_of(interrupt));
}

/* After a guest's state was put back: `is_live` tells of an interrupt that its guest has not dealt with. */
void board_timers_restore(int (*is_live)(u32 interrupt))
{
	put(own_banked() + 0x380, OWN_TIMERS);	/* ICACTIVER */
	if (is_live(board->virtual_timer))
		put(own_banked() + 0x300, 1u << OWN_VIRTUAL);	/* ISACTIVER */
	if (is_live(board->physical_timer))
		put(own_banked() + 0x300, 1u << OWN_PHYSICAL);
}
