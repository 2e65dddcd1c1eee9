/* What happens at a stop, by its kind. */
#include "firmware.h"

/* The kernel's own use of the debug registers is trapped with TDE: writes are ignored, reads give 0. */
void debug_register(struct frame *f, u32 iss)
{
	u32 rt = (iss >> 5) & 0x1f;

	if ((iss & 1) && rt != 31)
		f->x[rt] = 0;
}

/* Whether the table wants its snapshot here. */
static int snapshot_is_here(const struct frame *f, const struct stop *stop)
{
	char name[NAME_SIZE];

	if (!snapshot_wanted())
		return 0;
	if (stop->kind == STOP_CALL || stop->kind == STOP_LOAD)
		return 1;
	if (stop->kind != STOP_PROBE)
		return 0;
	name_of(f, stop, name);
	for (u32 i = 0; i < cell_table.gates; i++)
		if (is_about(f, stop, name, &gates[i].at))
			return 1;
	return 0;
}

/* The kernel's console is taken over from the UART's driver, whole texts at a time. */
static void console_write(struct frame *f)
{
	u64 va = f->x[1], size = (u32)f->x[2];

	while (size) {
		u64 in_page = PAGE_SIZE - (va & (PAGE_SIZE - 1));
		u64 piece = size < in_page ? size : in_page;
		u64 pa = translate(va);

		if (!pa)
			break;
		console_send(pa, piece);
		va += piece;
		size -= piece;
	}
	f->elr = f->x[30];
	f->spsr &= ~(u64)SPSR_BTYPE;
}

static void count(struct frame *f, struct stop *stop)
{
	say("counted ");
	say_number(stop->value);
	say(" ");
	say_number(SYSREG_READ("pmevcntr0_el0"));
	say("\n");
	step_over(f, stop);
}

/* Returns whether there is a stop of the table here. */
int breakpoint(struct frame *f)
{
	struct stop *stop = stop_here(f->elr);

	if (!stop)
		return 0;
	if (snapshot_is_here(f, stop)) {
		if (stop->kind == STOP_PROBE)
			stops_text_is_patched();
		snapshot_here(f, BY_BREAKPOINT);
		gates_reset();
		/* The cell's own table may have no stop here: then the instruction is simply executed. */
		breakpoint(f);
		return 1;
	}
	switch (stop->kind) {
	case STOP_PROBE:
	case STOP_LOAD:
		stops_text_is_patched();
		gates_call(f, stop);
		break;
	case STOP_CALL:
		gates_call(f, stop);
		break;
	case STOP_CONSOLE:
	case STOP_OWN_CONSOLE:
		console_write(f);
		break;
	case STOP_REGISTER_CONSOLE:
		console_register(f, stop);
		break;
	case STOP_COUNTED:
		count(f, stop);
		break;
	case STOP_READY:
		stops_text_is_patched();
		step_over(f, stop);
		break;
	}
	return 1;
}
