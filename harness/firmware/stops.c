/*
 * Where the guest stops. Debug exceptions of EL1 are routed to EL2 (MDCR_EL2.TDE), so that a stop is one of the CPU's
 * breakpoints, or a BRK that is written over the instruction by its physical address: the guest sees its text
 * read-only, and a snapshot puts the page aside like any other. The kernel patches its own text while it boots
 * (alternatives, ftrace, jump labels), so BRKs come after that; modules are patched before do_init_module() is called.
 *
 * Behind a stop the guest executes the one instruction that stands there, as it was, with interrupts masked.
 */
#include "firmware.h"

/* DDI 0487, D17.3 (debug registers) and D17.2 (PSTATE in SPSR) */
#define MDCR_TDE	(1 << 8)
#define MDCR_HPMN_MASK	0x1f
#define MDSCR_SS	(1 << 0)
#define MDSCR_MDE	(1 << 15)
#define BCR_EL1		0x1e3		/* E, PMC=1 (EL1 only), BAS=all four bytes */
#define SPSR_SS		(1 << 21)
#define SPSR_DAIF	(0xf << 6)

/* D17.5 (performance monitors): instructions are counted at EL2 as well */
#define PMCR_ENABLE	(1 << 0)
#define PMEVTYPER_NSH	(1 << 27)
#define EVENT_INST_RETIRED	0x08

/*
 * C6.2: BRK #0xb008, and two first instructions that do nothing else: hints (BTI, NOP) and `mov x9, x30`, which ftrace
 * puts at most functions' entries
 */
#define BRK		0xd4360100u
#define IS_HINT(insn)	(((insn) & 0xfffff01f) == 0xd503201f)
#define MOV_X9_LR	0xaa1e03e9u

#define NO_SLOT		BREAKPOINTS

static struct { u32 slot, original; int is_patched; } ways[STOPS_MAX];

/* One interrupted step over a stop for each CPU. */
static struct { u64 daif; struct stop *stop; } stepping[CPUS_MAX];

/* Whether the kernel has patched its text; and whether it had when the snapshot was taken. */
static int is_ready, was_ready;

static void set_breakpoint(u32 n, u64 address, u32 control)
{
	switch (n) {
#define BREAKPOINT(i) \
	case i: SYSREG_WRITE("dbgbvr" #i "_el1", address); SYSREG_WRITE("dbgbcr" #i "_el1", control); break;
	BREAKPOINT(0)
	BREAKPOINT(1)
	BREAKPOINT(2)
	BREAKPOINT(3)
	BREAKPOINT(4)
	BREAKPOINT(5)
	}
	asm volatile("isb");
}

static void arm(u32 n)
{
	struct stop *stop = &stops[n];

	if (stop->kind == STOP_CONSOLE && !console_present())
		return;
	set_breakpoint(ways[n].slot, stop->address, BCR_EL1);
	if (stop->kind == STOP_COUNTED) {
		SYSREG_WRITE("pmevtyper0_el0", PMEVTYPER_NSH | EVENT_INST_RETIRED);
		SYSREG_WRITE("pmcntenset_el0", 1);
		SYSREG_WRITE("pmcr_el0", SYSREG_READ("pmcr_el0") | PMCR_ENABLE);
	}
}

static void write_instruction(u64 va, u32 insn)
{
	u64 ipa = translate_to_ipa(va);
	u64 pa = memory_physical(ipa);

	if (!pa)
		return;
	snapshot_will_write(ipa);
	*(volatile u32 *)pa = insn;
	asm volatile("dc cvau, %0\n dsb sy\n ic iallu\n dsb sy\n isb" : : "r"(pa) : "memory");
}

static void patch(u32 n)
{
	u64 pa = translate(stops[n].address);

	if (!pa || ways[n].is_patched)
		return;
	ways[n].original = *(const volatile u32 *)pa;
	ways[n].is_patched = 1;
	write_instruction(stops[n].address, BRK);
}

/* From here on the kernel's own text stays as it is. */
void stops_text_is_patched(void)
{
	if (is_ready)
		return;
	is_ready = 1;
	for (u32 n = 0; n < cell_table.stops; n++)
		if (stops[n].way == WAY_PATCH && stops[n].address)
			patch(n);
}

/* For the table that was loaded: which of the breakpoints stands where, and the BRKs where it is time. */
void stops_init(void)
{
	u32 slots = 0;

	for (u32 n = 0; n < cell_table.stops; n++) {
		ways[n].is_patched = 0;
		ways[n].slot = stops[n].way == WAY_HARDWARE && slots < BREAKPOINTS ? slots++ : NO_SLOT;
	}
	is_ready = 0;
	if (was_ready)
		stops_text_is_patched();
}

void stops_cpu_init(void)
{
	SYSREG_WRITE("mdcr_el2", (SYSREG_READ("mdcr_el2") & MDCR_HPMN_MASK) | MDCR_TDE);
	SYSREG_WRITE("oslar_el1", 0);	/* breakpoints are off while the OS lock is held, as it is after reset */
	SYSREG_WRITE("mdscr_el1", MDSCR_MDE);
	for (u32 slot = 0; slot < BREAKPOINTS; slot++)
		set_breakpoint(slot, 0, 0);
	for (u32 n = 0; n < cell_table.stops; n++)
		if (ways[n].slot != NO_SLOT)
			arm(n);
}

/* A function of a module has been placed. */
void stop_at(u32 n, u64 address)
{
	stops[n].address = address;
	ways[n].is_patched = 0;
	if (address)
		patch(n);
}

/* Before the guest is kept: its text as it was. */
void stops_take_out(void)
{
	for (u32 n = 0; n < cell_table.stops; n++)
		if (ways[n].is_patched)
			write_instruction(stops[n].address, ways[n].original);
	was_ready = is_ready;
}

struct stop *stop_here(u64 pc)
{
	for (u32 n = 0; n < cell_table.stops; n++)
		if (stops[n].address == pc && (stops[n].way == WAY_HARDWARE || ways[n].is_patched))
			return &stops[n];
	return 0;
}

/* Whether calls of a function of the image went unseen before its text could be written over. */
int stop_is_late(const struct stop *stop)
{
	const char *c = stop->name;

	while (*c && *c != ':')
		c++;
	return stop->way == WAY_PATCH && !*c;
}

/* Runs the instruction under a stop, then comes back by stepped(). */
void step_over(struct frame *f, struct stop *stop)
{
	u32 cpu = cpu_index(), n = stop - stops;
	u32 insn = ways[n].original;

	if (stop->way == WAY_PATCH && (IS_HINT(insn) || insn == MOV_X9_LR)) {
		if (insn == MOV_X9_LR)
			f->x[9] = f->x[30];
		f->elr += 4;
		f->time += instruction_ticks;	/* this one instruction shows */
		return;
	}
	stepping[cpu].stop = stop;
	stepping[cpu].daif = f->spsr & SPSR_DAIF;
	f->spsr |= SPSR_DAIF | SPSR_SS;
	if (stop->way == WAY_PATCH)
		write_instruction(stop->address, insn);
	else
		set_breakpoint(ways[n].slot, 0, 0);
	SYSREG_WRITE("mdscr_el1", MDSCR_MDE | MDSCR_SS);
}

/* Sends the guest into a function, which is not stopped at for that. */
void enter_function(struct frame *f, u64 address)
{
	struct stop *stop = stop_here(address);

	f->elr = address;
	if (stop)
		step_over(f, stop);
}

void stepped(struct frame *f)
{
	u32 cpu = cpu_index();
	struct stop *stop = stepping[cpu].stop;

	f->spsr = (f->spsr & ~(u64)(SPSR_DAIF | SPSR_SS)) | stepping[cpu].daif;
	SYSREG_WRITE("mdscr_el1", MDSCR_MDE);
	if (stop->way == WAY_PATCH)
		write_instruction(stop->address, BRK);
	else
		arm(stop - stops);
}
