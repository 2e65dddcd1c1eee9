/*
 * Gates: order put on an unmodified kernel from EL2, at probes of devices, at functions and at loads of modules. A call
 * that a gate holds sleeps at its entry or before its return (sleep.c) until the gate lets it go on. To see a call
 * return, its return address is replaced by the stop at its entry.
 */
#include "firmware.h"

/* By gate and by moment: how many calls there were that it is about, and whether it has acted or happened. */
static u32 calls[GATES_MAX], moment_calls[MOMENTS_MAX];
static u8 acted[GATES_MAX], happened[MOMENTS_MAX];

void gates_reset(void)
{
	for (u32 i = 0; i < GATES_MAX; i++)
		calls[i] = acted[i] = 0;
	for (u32 i = 0; i < MOMENTS_MAX; i++)
		moment_calls[i] = happened[i] = 0;
	flights_reset();
}

/* One line of the firmware's log: microseconds of virtual time, verb, what of, and what a gate waits for. */
static void report(const struct frame *f, const char *verb, u32 kind, u32 side, const char *name, const char *detail)
{
	say_time(f);
	say(" ");
	say(verb);
	say(" ");
	say(name);
	if (kind == STOP_CALL)
		say("()");
	if (side == SIDE_RETURN)
		say(":return");
	if (detail[0]) {
		say(" ");
		say(detail);
	}
	say("\n");
}

static void report_gate(const struct frame *f, const char *verb, const struct flight *flight, u32 i)
{
	acted[i] = 1;
	report(f, verb, gates[i].at.kind, flight->side, flight->name, gates[i].detail);
}

static int is_open(const struct frame *f, const struct gate *gate, const struct flight *flight)
{
	return gate->action == ACTION_HOLD ? happened[gate->moment] : now(f) >= flight->deadline;
}

static u64 ticks_of(u32 ms)
{
	return (u64)ms * (SYSREG_READ("cntfrq_el0") / 1000);
}

/*
 * A call that must not sleep keeps the only CPU to itself: nothing that it waits for can happen, or only in an
 * interrupt.
 */
#define ATOMIC_HOLD_MS	1000

static void wait(struct frame *f, struct flight *flight, u32 i)
{
	const struct gate *gate = &gates[i];
	u32 ms = gate->ms;

	if (gate->at.kind == STOP_CALL && !flight->is_atomic && is_atomic(f)) {
		flight->is_atomic = 1;
		report(f, "atomic", gate->at.kind, flight->side, flight->name, "");
	}
	if (flight->is_atomic && gate->action == ACTION_HOLD && !cpus_are_several())
		ms = f->spsr & SPSR_IRQ_MASKED ? 0 : ATOMIC_HOLD_MS;
	flight->gate = i;
	flight->deadline = now(f) + ticks_of(ms);
	report_gate(f, gate->action == ACTION_DELAY ? "delayed" : "held", flight, i);
	sleep_in(f, flight, gate->action == ACTION_DELAY ? ms : cell_table.poll_ms);
}

/* Moments of this side are there. */
static void mark(const struct frame *f, const struct flight *flight, u32 kind)
{
	static const char *const verbs[] = { "entered", "finished" };
	int is_watched = 0, failed = 0;

	for (u32 i = 0; i < cell_table.moments; i++) {
		if (!(flight->moments >> i & 1))
			continue;
		is_watched |= flight->side == SIDE_ENTRY || moments[i].at.side == SIDE_RETURN;
		/* Probes and loads that fail have not finished. */
		failed |= flight->side == SIDE_RETURN && kind != STOP_CALL && (int)flight->x[0] != 0;
		if (moments[i].at.side == flight->side && !failed)
			happened[i] = 1;
	}
	if (is_watched)
		report(f, failed ? "refused" : verbs[flight->side], kind, SIDE_ENTRY, flight->name, "");
}

static int returns_matter(const struct flight *flight)
{
	for (u32 i = 0; i < cell_table.moments; i++)
		if ((flight->moments >> i & 1) && moments[i].at.side == SIDE_RETURN)
			return 1;
	for (u32 i = 0; i < cell_table.gates; i++)
		if ((flight->gates >> i & 1) && gates[i].at.side == SIDE_RETURN)
			return 1;
	return 0;
}

static void return_to(struct frame *f, struct flight *flight)
{
	f->x[0] = flight->x[0];
	f->x[1] = flight->x[1];
	f->x[30] = flight->lr;
	f->elr = flight->lr;
	f->spsr = flight->spsr & ~(u64)SPSR_BTYPE;
	flight->state = FREE;
}

static void let_in(struct frame *f, struct flight *flight, struct stop *stop)
{
	for (u32 n = 0; n < SAVED; n++)
		f->x[n] = flight->x[n];
	f->x[30] = flight->lr;
	f->spsr = flight->spsr;
	f->elr = flight->entry;
	flight->state = FREE;
	mark(f, flight, stop->kind);
	/* A back trace taken inside this call shows the stop instead of its caller, so only where it must be. */
	if (returns_matter(flight)) {
		flight->state = RUNNING;
		f->x[30] = flight->entry;
	}
	step_over(f, stop);
}

static void force(struct frame *f, const struct flight *flight, u32 i)
{
	if (!acted[i])
		report_gate(f, "forced", flight, i);
}

/* The next gate that this call has to pass, or on it goes. */
static void go_on(struct frame *f, struct flight *flight, struct stop *stop)
{
	for (u32 i = 0; i < cell_table.gates; i++) {
		const struct gate *gate = &gates[i];

		if (!(flight->gates >> i & 1) || (flight->passed >> i & 1) || gate->at.side != flight->side)
			continue;
		if (gate->action == ACTION_FORCE) {
			force(f, flight, i);
			flight->x[0] = gate->value;
			flight->passed |= 1ul << i;
			if (flight->side == SIDE_ENTRY) {
				return_to(f, flight);
				return;
			}
			continue;
		}
		if (gate->action == ACTION_HOLD && is_open(f, gate, flight)) {
			report_gate(f, "open", flight, i);
			flight->passed |= 1ul << i;
			continue;
		}
		wait(f, flight, i);
		return;
	}
	if (flight->side == SIDE_ENTRY) {
		let_in(f, flight, stop);
	} else {
		mark(f, flight, stop->kind);
		return_to(f, flight);
	}
}

static void woken(struct frame *f, struct flight *flight, struct stop *stop)
{
	const struct gate *gate = &gates[flight->gate];
	int is_delay = gate->action == ACTION_DELAY;
	int open = is_open(f, gate, flight);

	if (!open && (is_delay ? flight->is_atomic : now(f) < flight->deadline)) {
		sleep_in(f, flight, is_delay ? gate->ms : cell_table.poll_ms);
		return;
	}
	report_gate(f, open || is_delay ? "released" : "timed-out", flight, flight->gate);
	flight->passed |= 1ul << flight->gate;
	go_on(f, flight, stop);
}

static void returned(struct frame *f, struct flight *flight, struct stop *stop)
{
	flight->x[0] = f->x[0];
	flight->x[1] = f->x[1];
	flight->spsr = f->spsr;
	flight->side = SIDE_RETURN;
	flight->is_atomic = 0;
	go_on(f, flight, stop);
}

/* Whether a call is one that a place is about; counts those that may be. */
static int counts(const struct frame *f, const struct stop *stop, const char *name, const struct place *place,
		  u32 *count)
{
	if (!is_about(f, stop, name, place))
		return 0;
	++*count;
	return !place->nth || place->nth == *count;
}

static void fresh_call(struct frame *f, struct stop *stop)
{
	struct flight *flight = flight_new(f);

	if (!flight) {
		say("firmware-exception more calls are held at once than there is room for\n");
		step_over(f, stop);
		return;
	}
	name_of(f, stop, flight->name);
	for (u32 i = 0; i < cell_table.gates; i++)
		if (counts(f, stop, flight->name, &gates[i].at, &calls[i]))
			flight->gates |= 1ul << i;
	for (u32 i = 0; i < cell_table.moments; i++)
		if (counts(f, stop, flight->name, &moments[i].at, &moment_calls[i]))
			flight->moments |= 1ul << i;
	if (stop->kind != STOP_LOAD || !modules_look_up(f, flight, 0))
		go_on(f, flight, stop);
}

/* A call comes in at a stop, is back from a sleep there, or has returned to it. */
void gates_call(struct frame *f, struct stop *stop)
{
	/* A fresh one comes with another return address than the stop's own. */
	int fresh = f->x[30] != f->elr;
	struct flight *flight = flight_of(f, fresh);

	if (!flight && is_call_of_wait(f))
		step_over(f, stop);
	else if (!flight)
		fresh_call(f, stop);
	else if (flight->state == SLEEPING)
		woken(f, flight, stop);
	else if (flight->state == RUNNING)
		returned(f, flight, stop);
	else if (!modules_looked_up(f, flight))
		go_on(f, flight, stop);
}

void gates_step_of_plan(const struct frame *f, u32 step)
{
	for (u32 i = 0; i < cell_table.moments; i++) {
		if (moments[i].at.kind || moments[i].at.index != step)
			continue;
		happened[i] = 1;
		say_time(f);
		say(" entered step:");
		say_number(step);
		say("\n");
	}
}

/* When the guest's plan is over: which gates have not acted, and how many calls there were for them to count. */
void gates_summary(const struct frame *f)
{
	for (u32 i = 0; i < cell_table.gates; i++) {
		const struct place *at = &gates[i].at;

		/* Of a device that is named as sysfs does, the kernel's own log says more. */
		if (acted[i] || (at->kind == STOP_PROBE && at->match == MATCH_NAME) || gates[i].action == ACTION_SNAPSHOT)
			continue;
		say_time(f);
		say(" missed ");
		say(at->kind == STOP_CALL ? stops[at->index].name : at->name);
		if (at->kind == STOP_CALL)
			say("()");
		if (at->side == SIDE_RETURN)
			say(":return");
		say(" ");
		say_number(calls[i]);
		if (at->kind == STOP_CALL && stop_is_late(&stops[at->index]))
			say(" late");
		say("\n");
	}
}
