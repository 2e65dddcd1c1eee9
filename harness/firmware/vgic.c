/*
 * The state of a board's interrupt controller, a GICv2 (IHI 0048) or GICv3 (IHI 0069) as far as one CPU without
 * priorities notices. Its line to the CPU is HCR_EL2.VI. The timers' interrupts come from QEMU's own controller, every
 * other one from a model.
 */
#include "vgic.h"

#define HCR_VI		(1ul << 7)
#define HCR_IMO		(1ul << 4)

GUEST_STATE struct vgic gic;

/* Looks at a word of interrupts again, after something in it has changed. */
void vgic_look(u32 word)
{
	if ((gic.pending[word] | gic.line[word]) & gic.enabled[word] & ~gic.active[word])
		gic.ready |= 1u << word;
	else
		gic.ready &= ~(1u << word);
}

u32 vgic_best(void)
{
	u32 word;

	if (!gic.ready || !(gic.distributor_control & 3))
		return SPURIOUS;
	word = __builtin_ctz(gic.ready);
	return word * 32 + __builtin_ctz((gic.pending[word] | gic.line[word]) & gic.enabled[word] & ~gic.active[word]);
}

void vgic_update(void)
{
	int is_on = board->gic_version == 3 ? gic.group_enable & 1 : gic.cpu_control & 1;
	u64 hcr = SYSREG_READ("hcr_el2");
	u64 wanted = hcr & ~HCR_VI;

	if (is_on && !gic.active_count && gic.priority_mask && vgic_best() != SPURIOUS)
		wanted |= HCR_VI;
	if (wanted != hcr)
		SYSREG_WRITE("hcr_el2", wanted);
}

u32 vgic_acknowledge(void)
{
	u32 interrupt = gic.active_count ? SPURIOUS : vgic_best();

	if (interrupt == SPURIOUS)
		return SPURIOUS;
	gic.pending[interrupt / 32] &= ~BIT(interrupt);
	gic.active[interrupt / 32] |= BIT(interrupt);
	gic.active_count++;
	vgic_look(interrupt / 32);
	return interrupt;
}

void vgic_deactivate(u32 interrupt)
{
	if (interrupt >= SPECIAL || !(gic.active[interrupt / 32] & BIT(interrupt)))
		return;
	gic.active[interrupt / 32] &= ~BIT(interrupt);
	gic.active_count--;
	vgic_look(interrupt / 32);
	board_timers_deactivate(interrupt);
}

/* An edge. */
void vgic_raise(u32 interrupt)
{
	if (interrupt == NO_INTERRUPT || interrupt >= SPECIAL)
		return;
	gic.pending[interrupt / 32] |= BIT(interrupt);
	vgic_look(interrupt / 32);
	vgic_update();
}

/* A level. */
void vgic_line(u32 interrupt, int level)
{
	if (interrupt == NO_INTERRUPT || interrupt >= SPECIAL)
		return;
	if (level)
		gic.line[interrupt / 32] |= BIT(interrupt);
	else
		gic.line[interrupt / 32] &= ~BIT(interrupt);
	vgic_look(interrupt / 32);
	vgic_update();
}

void vgic_physical_interrupt(void)
{
	vgic_raise(board_timers_acknowledge());
}

static int is_live(u32 interrupt)
{
	return ((gic.pending[interrupt / 32] | gic.active[interrupt / 32]) & BIT(interrupt)) != 0;
}

/* After the state was put back. */
void vgic_restore(void)
{
	board_timers_restore(is_live);
	vgic_update();
}

void vgic_init(void)
{
	gic.waker = 6;	/* ProcessorSleep, ChildrenAsleep */
	for (u32 i = 0; i < INTERRUPTS_MAX; i++)
		gic.target[i] = 1;
	gic.enabled[0] = 0xffff;	/* SGIs; a GICv2 may have them always on */
	board_timers_init();
	SYSREG_WRITE("hcr_el2", SYSREG_READ("hcr_el2") | HCR_IMO);
}
