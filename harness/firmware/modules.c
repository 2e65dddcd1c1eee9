/*
 * Functions of modules: when the loader calls do_init_module(), the guest itself is made to look the names up, by
 * entering module_kallsyms_lookup_name("module:function") (kernel/module.c) in its context. By then the module's text
 * is patched.
 */
#include "firmware.h"

/*
 * The string lies on the task's stack, above a stack pointer that is lowered as long (AAPCS64: it stays a multiple of
 * 16).
 */
#define STRING_ROOM	(NAME_SIZE + 16)

/* Whether a stop is a function of this module. */
static int is_of(const struct stop *stop, const char *module)
{
	u32 i = 0;

	while (module[i] && stop->name[i] == module[i])
		i++;
	return !module[i] && stop->name[i] == ':';
}

static int write_string(u64 va, const char *text)
{
	for (u32 i = 0; i < NAME_SIZE; i++) {
		u64 ipa = translate_to_ipa(va + i);
		u64 pa = memory_physical(ipa);

		if (!pa)
			return 0;
		snapshot_will_write(ipa);
		*(volatile char *)pa = text[i];
	}
	return 1;
}

/*
 * Asks for the first of the module's functions from stop `from` on. Returns whether there is one, and the guest on its
 * way.
 */
int modules_look_up(struct frame *f, struct flight *flight, u32 from)
{
	u64 stack = (flight->sp - STRING_ROOM) & ~15ul;

	for (u32 n = from; n < cell_table.stops && cell_table.lookup; n++) {
		if (!is_of(&stops[n], flight->name))
			continue;
		if (!write_string(stack, stops[n].name))
			continue;
		flight->state = LOOKING;
		flight->lookup = n;
		flight->caller_sp = flight->sp;
		flight->sp = stack;
		SYSREG_WRITE("sp_el1", stack);
		f->x[0] = stack;
		f->x[30] = flight->entry;
		f->spsr = flight->spsr;
		enter_function(f, cell_table.lookup);
		return 1;
	}
	return 0;
}

/* The guest is back with an address. Returns whether it has gone for another. */
int modules_looked_up(struct frame *f, struct flight *flight)
{
	flight->sp = flight->caller_sp;
	SYSREG_WRITE("sp_el1", flight->sp);
	stop_at(flight->lookup, f->x[0]);
	if (!f->x[0]) {
		say("unknown ");
		say(stops[flight->lookup].name);
		say("\n");
	}
	return modules_look_up(f, flight, flight->lookup + 1);
}
