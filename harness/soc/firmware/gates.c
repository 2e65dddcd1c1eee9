/*
 * Gates: probe order put on an unmodified kernel from EL2.
 *
 * The harness loads a table at GATES_ADDRESS (soc/gates.ts writes it). Debug exceptions of EL1 are routed here
 * (MDCR_EL2.TDE), one hardware breakpoint stands on the bus's probe function, platform_probe(), and one on each
 * function whose answer is forced. Nothing in the kernel's text changes, so this works on any image whose symbols are
 * known, and the debugger's port stays free for the user.
 *
 * To delay a probe, its entry is left in favour of msleep() with the breakpoint as return address; the breakpoint is
 * then hit again with the same stack pointer, and the probe goes on. A hold sleeps like that until its condition is
 * true or its time is up. To see a probe return, the return address is replaced in the same way.
 * Everything happens in guest instructions, so a gated boot is as repeatable as any other, with any number of vCPUs.
 */
#include "firmware.h"

#define TABLE_MAGIC	0x53455441474d5242ul	/* "BRMGATES" */
#define NAME_SIZE	64
#define PROBES		2
#define FORCES		4

enum { DELAY = 1, HOLD_UNTIL_ENTERED = 2, HOLD_UNTIL_FINISHED = 3 };

struct gate {
	u32 kind;
	u32 ms;			/* delay: how long; hold: at most how long */
	char device[NAME_SIZE];
	char until[NAME_SIZE];
};

struct table {
	u64 magic;
	u32 gates;
	u32 poll_ms;
	u64 msleep;
	u64 probe[PROBES];	/* probe functions of buses: x0 is the struct device; 0 where unused */
	u64 force_address[FORCES];
	u64 force_value[FORCES];
	struct gate gate[];
};

static const struct table *const table = (const struct table *)GATES_ADDRESS;

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
static u8 entered[64], finished[64];
static u8 forced[FORCES];

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
#define PAR_FAULT	1
#define PAR_ADDRESS	0x0000fffffffff000ul

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

static u64 breakpoint_address(u32 n)
{
	return n < PROBES ? table->probe[n] : table->force_address[n - PROBES];
}

void gates_cpu_init(void)
{
	if (table->magic != TABLE_MAGIC)
		return;
	SYSREG_WRITE("mdcr_el2", (SYSREG_READ("mdcr_el2") & MDCR_HPMN_MASK) | MDCR_TDE);
	SYSREG_WRITE("oslar_el1", 0);	/* breakpoints are off while the OS lock is held, as it is after reset */
	SYSREG_WRITE("mdscr_el1", MDSCR_MDE);
	for (u32 n = 0; n < PROBES + FORCES; n++)
		if (breakpoint_address(n))
			set_breakpoint(n, breakpoint_address(n), BCR_EL1);
}

/* The kernel's own use of the debug registers is trapped with TDE: writes are ignored, reads give 0. */
void gates_debug_register(struct frame *f, u32 iss)
{
	u32 rt = (iss >> 5) & 0x1f;

	if ((iss & 1) && rt != 31)
		f->x[rt] = 0;
}

/* Physical address of a virtual one of EL1, or 0. */
static u64 translate(u64 va)
{
	u64 par;

	asm volatile("at s1e1r, %0; isb" : : "r"(va));
	par = SYSREG_READ("par_el1");
	return par & PAR_FAULT ? 0 : (par & PAR_ADDRESS) | (va & 0xfff);
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

static int same(const char *a, const char *b)
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
static void report(const char *verb, const char *device, const struct gate *gate)
{
	u64 ticks = SYSREG_READ("cntpct_el0");

	/* 62.5 MHz on this machine, which is no whole number of ticks a microsecond; good for days. */
	say_number(ticks * 1000000 / SYSREG_READ("cntfrq_el0"));
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
	set_breakpoint(n, breakpoint_address(n), 0);
	SYSREG_WRITE("mdscr_el1", MDSCR_MDE | MDSCR_SS);
}

void gates_stepped(struct frame *f)
{
	u32 cpu = cpu_index();
	u32 n = stepping[cpu].breakpoint;

	f->spsr = (f->spsr & ~(u64)(SPSR_DAIF | SPSR_SS)) | stepping[cpu].daif;
	SYSREG_WRITE("mdscr_el1", MDSCR_MDE);
	set_breakpoint(n, breakpoint_address(n), BCR_EL1);
}

static int is_open(u32 i, const struct flight *flight)
{
	const struct gate *gate = &table->gate[i];

	if (gate->kind == HOLD_UNTIL_ENTERED)
		return entered[i];
	if (gate->kind == HOLD_UNTIL_FINISHED)
		return finished[i];
	return SYSREG_READ("cntpct_el0") >= flight->deadline;
}

static void sleep_in(struct frame *f, struct flight *flight, u32 ms)
{
	f->x[0] = ms;
	f->x[30] = flight->entry;
	f->elr = table->msleep;
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
	for (u32 i = 0; i < table->gates; i++) {
		const struct gate *gate = &table->gate[i];

		if (same(gate->until, name)) {
			watched = 1;
			awaited |= gate->kind == HOLD_UNTIL_FINISHED;
		}
		if (!same(gate->device, name) || (flight->passed >> i & 1))
			continue;
		flight->gate = i;
		flight->deadline = SYSREG_READ("cntpct_el0") + ticks_of(gate->ms);
		if (gate->kind != DELAY && is_open(i, flight)) {
			report("open", name, gate);
			flight->passed |= 1ul << i;
			continue;
		}
		report(gate->kind == DELAY ? "delayed" : "held", name, gate);
		flight->state = SLEEPING;
		sleep_in(f, flight, gate->kind == DELAY ? gate->ms : table->poll_ms);
		return;
	}
	f->x[0] = flight->device;
	f->x[30] = flight->lr;
	f->spsr = flight->spsr;
	f->elr = flight->entry;
	flight->state = FREE;
	if (watched) {
		for (u32 i = 0; i < table->gates; i++)
			if (same(table->gate[i].until, name))
				entered[i] = 1;
		report("entered", name, 0);
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
	const struct gate *gate = &table->gate[flight->gate];
	int open = is_open(flight->gate, flight);
	char name[NAME_SIZE];

	if (!open && gate->kind != DELAY && SYSREG_READ("cntpct_el0") < flight->deadline) {
		sleep_in(f, flight, table->poll_ms);
		return;
	}
	device_name(flight->device, name);
	report(open || gate->kind == DELAY ? "released" : "timed-out", name, gate);
	flight->passed |= 1ul << flight->gate;
	go_on(f, flight, n);
}

static void returned(struct frame *f, struct flight *flight)
{
	char name[NAME_SIZE];
	long value = (int)f->x[0];

	device_name(flight->device, name);
	report(value == 0 ? "finished" : "refused", name, 0);
	if (value == 0)
		for (u32 i = 0; i < table->gates; i++)
			if (same(table->gate[i].until, name))
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

static void breakpoint(struct frame *f)
{
	for (u32 n = 0; n < PROBES + FORCES; n++) {
		if (!breakpoint_address(n) || breakpoint_address(n) != f->elr)
			continue;
		if (n < PROBES) {
			probe_breakpoint(f, n);
			return;
		}
		if (!forced[n - PROBES]) {
			forced[n - PROBES] = 1;
			say_number(n - PROBES);
			say(" forced\n");
		}
		f->x[0] = table->force_value[n - PROBES];
		f->elr = f->x[30];
		f->spsr &= ~(u64)SPSR_BTYPE;
		return;
	}
	/* Not ours: cannot be, as the kernel cannot set a breakpoint. */
	die(0, f->elr);
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
