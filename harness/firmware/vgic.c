/*
 * The state of a board's interrupt controller, a GICv2 (IHI 0048) or GICv3 (IHI 0069) as far as CPUs without priorities
 * notice. Its line to a CPU is HCR_EL2.VI. The timers' interrupts come from QEMU's own controller, every other one from
 * a model or from another CPU.
 */
#include "vgic.h"

#define HCR_VI		(1ul << 7)
#define HCR_IMO		(1ul << 4)

GUEST_STATE struct vgic gic;

struct vgic_cpu *vgic_cpu(void)
{
	return &gic.cpus[cpu_index()];
}

/* The line of an interrupt as one of the CPUs numbers them. */
u32 vgic_line_of(u32 cpu, u32 interrupt)
{
	return interrupt >= PRIVATE || cpu == 0 ? interrupt : INTERRUPTS_MAX + PRIVATE * (cpu - 1) + interrupt;
}

static u32 interrupt_of(u32 line)
{
	return line < INTERRUPTS_MAX ? line : line % PRIVATE;
}

static u32 deliverable(u32 word)
{
	return (gic.pending[word] | gic.asserted[word]) & gic.enabled[word] & ~gic.active[word];
}

static void set_ready(struct vgic_cpu *cpu, u32 word, u32 is_ready)
{
	if (is_ready)
		cpu->ready |= 1u << word;
	else
		cpu->ready &= ~(1u << word);
}

/* Looks at a word of lines again, after something in it has changed. */
void vgic_look(u32 word)
{
	u32 lines = deliverable(word);

	if (word == 0)
		set_ready(&gic.cpus[0], 0, lines);
	else if (word >= SPIS_WORDS)
		set_ready(&gic.cpus[word - SPIS_WORDS + 1], 0, lines);
	else
		for (u32 cpu = 0; cpu < board->cpus; cpu++)
			set_ready(&gic.cpus[cpu], word, lines & gic.cpus[cpu].route[word]);
}

/* The line that a CPU is to have next, or SPURIOUS. */
static u32 best_of(u32 cpu)
{
	u32 ready = gic.cpus[cpu].ready, word;

	if (!ready || !(gic.distributor_control & 3))
		return SPURIOUS;
	word = __builtin_ctz(ready);
	if (word == 0)
		return vgic_line_of(cpu, __builtin_ctz(deliverable(vgic_line_of(cpu, 0) / 32)));
	return word * 32 + __builtin_ctz(deliverable(word) & gic.cpus[cpu].route[word]);
}

u32 vgic_best(void)
{
	return interrupt_of(best_of(cpu_index()));
}

static int is_wanted(u32 n)
{
	const struct vgic_cpu *cpu = &gic.cpus[n];
	int is_on = (board->gic_version == 3 ? cpu->group_enable : cpu->control) & 1;

	return is_on && cpu->running == SPURIOUS && cpu->priority_mask && best_of(n) != SPURIOUS;
}

/* Tells each CPU whether there is an interrupt for it: others have to be interrupted to look. */
void vgic_update(void)
{
	u32 self = cpu_index();
	u64 hcr = SYSREG_READ("hcr_el2");
	u64 wanted = hcr & ~HCR_VI;

	if (is_wanted(self))
		wanted |= HCR_VI;
	if (wanted != hcr)
		SYSREG_WRITE("hcr_el2", wanted);
	gic.cpus[self].is_told = (wanted & HCR_VI) != 0;
	for (u32 n = 0; n < board->cpus; n++) {
		u32 was_told = gic.cpus[n].is_told;

		if (n == self)
			continue;
		gic.cpus[n].is_told = is_wanted(n);
		if (gic.cpus[n].is_told && !was_told)
			board_timers_kick(n);
	}
}

/* IHI 0048, 4.4.4: GICC_IAR says which CPU has sent an SGI, and it stays pending for others that have. */
static u32 sender_of(struct vgic_cpu *cpu, u32 line)
{
	u32 interrupt = interrupt_of(line), sender;

	if (interrupt >= SGIS || !cpu->senders[interrupt])
		return 0;
	sender = __builtin_ctz(cpu->senders[interrupt]);
	cpu->senders[interrupt] &= ~(1u << sender);
	if (cpu->senders[interrupt])
		gic.pending[line / 32] |= BIT(line);
	return sender << 10;
}

/* What the CPU reads from its acknowledge register. */
u32 vgic_acknowledge(void)
{
	struct vgic_cpu *cpu = vgic_cpu();
	u32 line = cpu->running == SPURIOUS ? best_of(cpu_index()) : SPURIOUS, sender;

	if (line == SPURIOUS)
		return SPURIOUS;
	gic.pending[line / 32] &= ~BIT(line);
	gic.active[line / 32] |= BIT(line);
	cpu->running = line;
	sender = sender_of(cpu, line);
	vgic_look(line / 32);
	return interrupt_of(line) | sender;
}

void vgic_deactivate(u32 line)
{
	if ((line >= SPECIAL && line < INTERRUPTS_MAX) || line >= LINES || !(gic.active[line / 32] & BIT(line)))
		return;
	gic.active[line / 32] &= ~BIT(line);
	for (u32 n = 0; n < board->cpus; n++)
		if (gic.cpus[n].running == line)
			gic.cpus[n].running = SPURIOUS;
	vgic_look(line / 32);
	if (line == vgic_line_of(cpu_index(), interrupt_of(line)))
		board_timers_deactivate(interrupt_of(line));
}

/* An edge; of a private interrupt, of the CPU that is here. */
void vgic_raise(u32 interrupt)
{
	u32 line;

	interrupt = interrupt_behind(interrupt);
	if (interrupt == NO_INTERRUPT || interrupt >= SPECIAL)
		return;
	line = vgic_line_of(cpu_index(), interrupt);
	gic.pending[line / 32] |= BIT(line);
	vgic_look(line / 32);
	vgic_update();
}

/* A level, of an interrupt that all CPUs share. */
void vgic_line(u32 interrupt, int level)
{
	interrupt = interrupt_behind(interrupt);
	if (interrupt == NO_INTERRUPT || interrupt >= SPECIAL)
		return;
	if (level)
		gic.asserted[interrupt / 32] |= BIT(interrupt);
	else
		gic.asserted[interrupt / 32] &= ~BIT(interrupt);
	vgic_look(interrupt / 32);
	vgic_update();
}

/* An SGI, to CPUs that have a bit each. */
void vgic_send(u32 interrupt, u32 cpus)
{
	for (u32 n = 0; n < board->cpus; n++) {
		u32 line = vgic_line_of(n, interrupt);

		if (!(cpus >> n & 1))
			continue;
		if (board->gic_version == 2)
			gic.cpus[n].senders[interrupt] |= 1u << cpu_index();
		gic.pending[line / 32] |= BIT(line);
		vgic_look(line / 32);
	}
}

/* Where an interrupt goes that all CPUs share; the first that acknowledges it has it. Nothing to choose for one CPU. */
void vgic_route(u32 interrupt, u32 cpus)
{
	if (board->cpus == 1 || interrupt < PRIVATE || interrupt >= SPECIAL)
		return;
	for (u32 n = 0; n < board->cpus; n++) {
		u32 *route = &gic.cpus[n].route[interrupt / 32];

		*route = cpus >> n & 1 ? *route | BIT(interrupt) : *route & ~BIT(interrupt);
	}
	vgic_look(interrupt / 32);
}

/* A timer's, or one that another CPU has sent by vgic_update(). */
void vgic_physical_interrupt(void)
{
	u32 interrupt = board_timers_acknowledge();

	if (interrupt == NO_INTERRUPT)
		vgic_update();
	else
		vgic_raise(interrupt);
}

static int is_live(u32 interrupt)
{
	return ((gic.pending[interrupt / 32] | gic.active[interrupt / 32]) & BIT(interrupt)) != 0;
}

/* After the state was put back, which is that of one CPU. */
void vgic_restore(void)
{
	board_timers_restore(is_live);
	vgic_update();
}

void vgic_init(void)
{
	for (u32 n = 0; n < CPUS_MAX; n++) {
		gic.cpus[n].waker = 6;	/* ProcessorSleep, ChildrenAsleep */
		gic.cpus[n].running = SPURIOUS;
		gic.enabled[vgic_line_of(n, 0) / 32] = 0xffff;	/* SGIs; a GICv2 may have them always on */
	}
	for (u32 i = 0; i < INTERRUPTS_MAX; i++)
		gic.target[i] = 1;
	for (u32 word = 0; word < SPIS_WORDS; word++)
		gic.cpus[0].route[word] = ~0u;
}

void vgic_cpu_init(void)
{
	board_timers_cpu_init();
	SYSREG_WRITE("hcr_el2", SYSREG_READ("hcr_el2") | HCR_IMO);
	vgic_update();
}
