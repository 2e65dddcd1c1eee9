/* Calls that a gate or a moment is about, from the moment that they come in until they have returned. */
#include "firmware.h"

#define FLIGHTS 64
static struct flight flights[FLIGHTS];

void flights_reset(void)
{
	for (u32 i = 0; i < FLIGHTS; i++)
		flights[i].state = FREE;
}

/* arch/arm64/include/asm/current.h: at EL1, SP_EL0 is the task. */
static u64 current(void)
{
	return SYSREG_READ("sp_el0");
}

/* Whether the task is in the probe of a device of that name. */
int is_during(const char *name)
{
	for (u32 i = 0; i < FLIGHTS; i++)
		if (flights[i].state == RUNNING && flights[i].task == current() && same(flights[i].name, name))
			return 1;
	return 0;
}

/* Kernel stacks are at least so large, and lie apart by as much (arch/arm64/include/asm/memory.h, THREAD_SIZE). */
#define STACK_SIZE	0x4000

/* Whether the firmware itself has sent the task where this call comes from: to sleep, or to look a name up. */
int is_call_of_wait(const struct frame *f)
{
	for (u32 i = 0; i < FLIGHTS; i++) {
		const struct flight *flight = &flights[i];

		if ((flight->state == SLEEPING || flight->state == LOOKING) && flight->task == current() &&
		    f->sp < flight->sp && flight->sp - f->sp < STACK_SIZE)
			return 1;
	}
	return 0;
}

/* The call that this task is in, at the stop that it is at; null where there is none. */
struct flight *flight_of(const struct frame *f, int fresh)
{
	for (u32 i = 0; i < FLIGHTS; i++) {
		struct flight *flight = &flights[i];

		if (flight->state == FREE || flight->sp != f->sp || flight->entry != f->elr)
			continue;
		if (!fresh)
			return flight;
		/* The task that this one was of has died in an oops, and its stack is in use again. */
		flight->state = FREE;
	}
	return 0;
}

/* Null where too many are under way. Its `gates`, `moments` and `name` are the caller's. */
struct flight *flight_new(const struct frame *f)
{
	for (u32 i = 0; i < FLIGHTS; i++) {
		struct flight *flight = &flights[i];

		if (flight->state != FREE)
			continue;
		flight->sp = f->sp;
		flight->task = current();
		flight->entry = f->elr;
		flight->lr = f->x[30];
		flight->spsr = f->spsr;
		for (u32 n = 0; n < SAVED; n++)
			flight->x[n] = f->x[n];
		flight->gates = flight->moments = flight->passed = 0;
		flight->side = SIDE_ENTRY;
		flight->is_atomic = 0;
		return flight;
	}
	return 0;
}
