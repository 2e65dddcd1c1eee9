/*
 * Gates: probe order put on an unmodified kernel from EL2.
 *
 * The harness hands over a table (firmware/gates.ts writes it). Debug exceptions of EL1 are routed here (MDCR_EL2.TDE), one
 * hardware breakpoint stands on the bus's probe function, platform_probe(), and one on each function whose answer is
 * forced. Nothing in the kernel's text changes, so this works on any image whose symbols are known, and the debugger's
 * port stays free for the user.
 *
 * To delay a probe, its entry is left in favour of msleep() with the breakpoint as return address; the breakpoint is
 * then hit again with the same stack pointer, and the probe goes on. A hold sleeps like that until its condition is
 * true or its time is up. To see a probe return, the return address is replaced in the same way.
 * Everything happens in guest instructions, so a gated boot is as repeatable as any other, with any number of vCPUs.
 *
 * The same breakpoints take the kernel's console away from the UART's driver, a write at a time, and count instructions.
 *
 * A table may say that the guest is to be parked at the first moment at which a gate, or the plan of its init, would
 * matter. Its state is kept (snapshot.c), and cells that differ in nothing else go on from there, one after the other (serve.c).
 */
#include "firmware.h"

#define TABLE_MAGIC	0x53455441474d5242ul	/* "BRMGATES" */
#define NAME_SIZE	64
#define GATES		64
#define BREAKPOINTS	6			/* of a Cortex-A57 */

enum { DELAY = 1, HOLD_UNTIL_ENTERED = 2, HOLD_UNTIL_FINISHED = 3, PARK = 4 };

struct gate {
	u32 kind;
	u32 ms;			/* delay: how long; hold: at most how long */
	char device[NAME_SIZE];
	char until[NAME_SIZE];
};

enum {
	UNUSED,
	ON_PROBE,		/* a bus's probe function: x0 is the struct device */
	ON_FORCED,		/* returns value at once */
	ON_CONSOLE,		/* a console's write(): x1 is the text, w2 its size */
	ON_COUNTED,		/* says how many instructions there have been; value is a number of the harness's own */
};

struct table {
	u64 magic;
	u32 parks;
	u32 gates;
	u32 poll_ms;
	u32 reserved;
	u64 msleep;
	struct { u64 address, kind, value; } breakpoint[BREAKPOINTS];
	struct gate gate[GATES];
};

static struct table table;

/* A probe that sleeps in msleep() at the wish of a gate, or whose return is waited for. */
struct flight {
	u64 sp;
	u64 entry;		/* address of the breakpoint it came in by */
	u64 device;		/* EL1 pointer */
	u64 lr;
	u64 spsr;
	u64 deadline;		/* in counter ticks */
	u64 passed;		/* bit per gate: this one has let it through */
	u32 gate;		/* index of the gate it sleeps in */
	enum { FREE, SLEEPING, RUNNING } state;
};

#define FLIGHTS 64
static struct flight flights[FLIGHTS];

/* What has happened to the devices that gates wait for; by index of the gate. */
static u8 entered[GATES], finished[GATES];
static u8 forced[BREAKPOINTS];

/* One interrupted step over a breakpoint for each CPU. */
static struct { u64 daif; u32 breakpoint; } stepping[CPUS_MAX];

/* DDI 0487, D17.3 (debug registers) and D17.2 (PSTATE in SPSR) */
#define MDCR_TDE	(1 << 8)
#define MDCR_HPMN_MASK	0x1f
#define MDSCR_SS	(1 << 0)
#define MDSCR_MDE	(1 << 15)
#define BCR_EL1		0x1e3		/* E, PMC=1 (EL1 only), BAS=all four bytes */
#define SPSR_SS		(1 << 21)
#define SPSR_DAIF	(0xf << 6)
#define SPSR_BTYPE	(3 << 10)

/* D17.5 (performance monitors): instructions are counted at EL2 as well */
#define PMCR_ENABLE	(1 << 0)
#define PMEVTYPER_NSH	(1 << 27)
#define EVENT_INST_RETIRED	0x08

static void set_breakpoint(u32 n, u64 address, u32 control)
{
	switch (n) {
#define BREAKPOINT(i) case i: SYSREG_WRITE("dbgbvr" #i "_el1", address); SYSREG_WRITE("dbgbcr" #i "_el1", control); break;
	BREAKPOINT(0)
	BREAKPOINT(1)
	BREAKPOINT(2)
	BREAKPOINT(3)
	BREAKPOINT(4)
	BREAKPOINT(5)
	}
	asm volatile("isb");
}

static void arm_breakpoint(u32 n)
{
	int is_set = table.breakpoint[n].kind != UNUSED && (table.breakpoint[n].kind != ON_CONSOLE || console_present());

	set_breakpoint(n, table.breakpoint[n].address, is_set ? BCR_EL1 : 0);
	if (is_set && table.breakpoint[n].kind == ON_COUNTED) {
		SYSREG_WRITE("pmevtyper0_el0", PMEVTYPER_NSH | EVENT_INST_RETIRED);
		SYSREG_WRITE("pmcntenset_el0", 1);
		SYSREG_WRITE("pmcr_el0", SYSREG_READ("pmcr_el0") | PMCR_ENABLE);
	}
}

/* The table of the guest's gates, or of the cell's that it goes on with; none is an empty one. */
static void load_table(void)
{
	struct file file;
	u8 *bytes = (u8 *)&table;

	for (u32 i = 0; i < sizeof(table); i++)
		bytes[i] = 0;
	for (u32 i = 0; i < GATES; i++)
		entered[i] = finished[i] = 0;
	for (u32 i = 0; i < FLIGHTS; i++)
		flights[i].state = FREE;
	for (u32 i = 0; i < BREAKPOINTS; i++)
		forced[i] = 0;
	if (!file_find(FILE_TABLE, &file))
		return;
	file_read(file, 0, (u64)&table, file.size < sizeof(table) ? file.size : sizeof(table));
	if (table.magic != TABLE_MAGIC || table.gates > GATES)
		die(0, (u64)&table);
}

void gates_init(void)
{
	load_table();
}

void gates_cpu_init(void)
{
	SYSREG_WRITE("mdcr_el2", (SYSREG_READ("mdcr_el2") & MDCR_HPMN_MASK) | MDCR_TDE);
	SYSREG_WRITE("oslar_el1", 0);	/* breakpoints are off while the OS lock is held, as it is after reset */
	SYSREG_WRITE("mdscr_el1", MDSCR_MDE);
	for (u32 n = 0; n < BREAKPOINTS; n++)
		arm_breakpoint(n);
}

/* What parked the guest, to be done again for every cell that goes on from there. */
static enum { BY_BREAKPOINT, BY_PLAN } parked_by;

static void serve(void)
{
	serve_next();
	load_table();
	gates_cpu_init();
}

static void park(const struct frame *f, int by)
{
	parked_by = by;
	snapshot_take(f);
	serve();
}

/* The init is about to read its plan. */
void gates_plan_is_wanted(struct frame *f)
{
	if (table.parks)
		park(f, BY_PLAN);
}

static void breakpoint(struct frame *f);

/* The guest wants to power off or restart. Where it was parked it goes on with the next cell instead. */
void gates_cell_is_over(struct frame *f)
{
	snapshot_restore(f);
	serve();
	if (parked_by == BY_PLAN)
		files_call(f);
	else
		breakpoint(f);
}

/* The kernel's own use of the debug registers is trapped with TDE: writes are ignored, reads give 0. */
void gates_debug_register(struct frame *f, u32 iss)
{
	u32 rt = (iss >> 5) & 0x1f;

	if ((iss & 1) && rt != 31)
		f->x[rt] = 0;
}

static u64 read_el1(u64 va)
{
	u64 pa = translate(va);

	return pa ? *(const volatile u64 *)pa : 0;
}

/* struct device begins with its kobject, and that with its name (include/linux/kobject.h). */
static void device_name(u64 device, char *name)
{
	u64 va = read_el1(device);
	u32 i = 0;

	for (; va && i < NAME_SIZE - 1; i++) {
		u64 pa = translate(va + i);

		if (!pa)
			break;
		name[i] = *(const volatile char *)pa;
		if (!name[i])
			break;
	}
	name[i] = 0;
}

/* Of two names that end in NUL, here or in fw_cfg's directory. */
int same(const char *a, const char *b)
{
	for (u32 i = 0; i < NAME_SIZE; i++) {
		if (a[i] != b[i])
			return 0;
		if (!a[i])
			return 1;
	}
	return 1;
}

/* One line of the firmware's log: microseconds of virtual time, verb, device, what it waits for. */
static void report(const struct frame *f, const char *verb, const char *device, const struct gate *gate)
{
	/* 62.5 MHz on this machine, which is no whole number of ticks a microsecond; good for days. */
	say_number(now(f) * 1000000 / SYSREG_READ("cntfrq_el0"));
	say(" ");
	say(verb);
	say(" ");
	say(device);
	if (gate && gate->kind == DELAY) {
		say(" ");
		say_number(gate->ms);
	} else if (gate) {
		say(gate->kind == HOLD_UNTIL_ENTERED ? " entered " : " finished ");
		say(gate->until);
	}
	say("\n");
}

/* Run the instruction under breakpoint n with interrupts masked, then come back by gates_stepped(). */
static void step_over(struct frame *f, u32 n)
{
	u32 cpu = cpu_index();

	stepping[cpu].breakpoint = n;
	stepping[cpu].daif = f->spsr & SPSR_DAIF;
	f->spsr |= SPSR_DAIF | SPSR_SS;
	set_breakpoint(n, table.breakpoint[n].address, 0);
	SYSREG_WRITE("mdscr_el1", MDSCR_MDE | MDSCR_SS);
}

void gates_stepped(struct frame *f)
{
	u32 cpu = cpu_index();
	u32 n = stepping[cpu].breakpoint;

	f->spsr = (f->spsr & ~(u64)(SPSR_DAIF | SPSR_SS)) | stepping[cpu].daif;
	SYSREG_WRITE("mdscr_el1", MDSCR_MDE);
	arm_breakpoint(n);
}

static int is_open(const struct frame *f, u32 i, const struct flight *flight)
{
	const struct gate *gate = &table.gate[i];

	if (gate->kind == HOLD_UNTIL_ENTERED)
		return entered[i];
	if (gate->kind == HOLD_UNTIL_FINISHED)
		return finished[i];
	return now(f) >= flight->deadline;
}

static void sleep_in(struct frame *f, struct flight *flight, u32 ms)
{
	f->x[0] = ms;
	f->x[30] = flight->entry;
	f->elr = table.msleep;
	f->spsr = flight->spsr;
}

static u64 ticks_of(u32 ms)
{
	return (u64)ms * (SYSREG_READ("cntfrq_el0") / 1000);
}

/* Sleep in the next gate that holds this probe, or let it in. */
static void go_on(struct frame *f, struct flight *flight, u32 n)
{
	char name[NAME_SIZE];
	int watched = 0, awaited = 0;

	device_name(flight->device, name);
	for (u32 i = 0; i < table.gates; i++) {
		const struct gate *gate = &table.gate[i];

		if (same(gate->until, name)) {
			watched = 1;
			awaited |= gate->kind == HOLD_UNTIL_FINISHED;
		}
		if (!same(gate->device, name) || (flight->passed >> i & 1))
			continue;
		flight->gate = i;
		flight->deadline = now(f) + ticks_of(gate->ms);
		if (gate->kind != DELAY && is_open(f, i, flight)) {
			report(f, "open", name, gate);
			flight->passed |= 1ul << i;
			continue;
		}
		report(f, gate->kind == DELAY ? "delayed" : "held", name, gate);
		flight->state = SLEEPING;
		sleep_in(f, flight, gate->kind == DELAY ? gate->ms : table.poll_ms);
		return;
	}
	f->x[0] = flight->device;
	f->x[30] = flight->lr;
	f->spsr = flight->spsr;
	f->elr = flight->entry;
	flight->state = FREE;
	if (watched) {
		for (u32 i = 0; i < table.gates; i++)
			if (same(table.gate[i].until, name))
				entered[i] = 1;
		report(f, "entered", name, 0);
	}
	/* A back trace taken inside this probe shows the breakpoint instead of its caller, so only where it must be. */
	if (awaited) {
		flight->state = RUNNING;
		f->x[30] = flight->entry;
	}
	step_over(f, n);
}

static void woken(struct frame *f, struct flight *flight, u32 n)
{
	const struct gate *gate = &table.gate[flight->gate];
	int open = is_open(f, flight->gate, flight);
	char name[NAME_SIZE];

	if (!open && gate->kind != DELAY && now(f) < flight->deadline) {
		sleep_in(f, flight, table.poll_ms);
		return;
	}
	device_name(flight->device, name);
	report(f, open || gate->kind == DELAY ? "released" : "timed-out", name, gate);
	flight->passed |= 1ul << flight->gate;
	go_on(f, flight, n);
}

static void returned(struct frame *f, struct flight *flight)
{
	char name[NAME_SIZE];
	long value = (int)f->x[0];

	device_name(flight->device, name);
	report(f, value == 0 ? "finished" : "refused", name, 0);
	if (value == 0)
		for (u32 i = 0; i < table.gates; i++)
			if (same(table.gate[i].until, name))
				finished[i] = 1;
	f->x[30] = flight->lr;
	f->elr = flight->lr;
	f->spsr &= ~(u64)SPSR_BTYPE;
	flight->state = FREE;
}

static void probe_breakpoint(struct frame *f, u32 n)
{
	/* A fresh call comes with another return address than the breakpoint's own. */
	int fresh = f->x[30] != f->elr;
	struct flight *unused = 0;

	for (u32 i = 0; i < FLIGHTS; i++) {
		struct flight *flight = &flights[i];

		if (flight->state != FREE && flight->sp == f->sp && flight->entry == f->elr) {
			if (!fresh) {
				if (flight->state == SLEEPING)
					woken(f, flight, n);
				else
					returned(f, flight);
				return;
			}
			/* The task that this one was of has died in an oops, and its stack is in use again. */
			flight->state = FREE;
		}
		if (flight->state == FREE && !unused)
			unused = flight;
	}
	if (!unused) {
		say("firmware-exception more probes are held at once than there is room for\n");
		step_over(f, n);
		return;
	}
	unused->sp = f->sp;
	unused->entry = f->elr;
	unused->device = f->x[0];
	unused->lr = f->x[30];
	unused->spsr = f->spsr;
	unused->passed = 0;
	go_on(f, unused, n);
}

/* Whether a table that parks wants the guest to stay here. */
static int parks_here(struct frame *f, u32 n)
{
	char name[NAME_SIZE];

	if (!table.parks)
		return 0;
	if (table.breakpoint[n].kind == ON_FORCED)
		return 1;
	if (table.breakpoint[n].kind != ON_PROBE)
		return 0;
	device_name(f->x[0], name);
	for (u32 i = 0; i < table.gates; i++)
		if (same(table.gate[i].device, name))
			return 1;
	return 0;
}

static void return_from_function(struct frame *f)
{
	f->elr = f->x[30];
	f->spsr &= ~(u64)SPSR_BTYPE;
}

static void breakpoint(struct frame *f)
{
	for (u32 n = 0; n < BREAKPOINTS; n++) {
		if (table.breakpoint[n].kind == UNUSED || table.breakpoint[n].address != f->elr)
			continue;
		if (parks_here(f, n)) {
			park(f, BY_BREAKPOINT);
			/* The cell's own table may have no breakpoint here: then the instruction is simply executed. */
			breakpoint(f);
			return;
		}
		switch (table.breakpoint[n].kind) {
		case ON_PROBE:
			probe_breakpoint(f, n);
			break;
		case ON_FORCED:
			if (!forced[n]) {
				forced[n] = 1;
				say_number(n);
				say(" forced\n");
			}
			f->x[0] = table.breakpoint[n].value;
			return_from_function(f);
			break;
		case ON_CONSOLE:
			console_write(f->x[1], (u32)f->x[2]);
			return_from_function(f);
			break;
		case ON_COUNTED:
			say("counted ");
			say_number(table.breakpoint[n].value);
			say(" ");
			say_number(SYSREG_READ("pmevcntr0_el0"));
			say("\n");
			step_over(f, n);
			break;
		}
		return;
	}
}

/* One vCPU at a time: they share what the gates know. YIELD lets QEMU run another one (target/arm, trans_YIELD). */
static u32 lock;

void gates_breakpoint(struct frame *f)
{
	u32 taken;

	do {
		asm volatile("1: ldaxr %w0, [%1]\n cbz %w0, 2f\n yield\n b 1b\n2: stxr %w0, %w2, [%1]"
			     : "=&r"(taken) : "r"(&lock), "r"(1) : "memory");
	} while (taken);
	breakpoint(f);
	asm volatile("stlr wzr, [%0]" : : "r"(&lock) : "memory");
}
