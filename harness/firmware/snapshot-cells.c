/*
 * A table may ask for a snapshot at the first moment at which a gate, or the plan of the guest's init, would matter
 * (snapshot.c). Cells that differ in nothing else go on from there, one after the other (next-cell.c).
 */
#include "firmware.h"

/* To be done again for every cell that goes on from there. */
static enum snapshot_by taken_by;

int snapshot_wanted(void)
{
	return cell_table.takes_snapshot;
}

static void begin_cell(void)
{
	next_cell_receive();
	table_load();
	stops_init();
	stops_cpu_init();
}

void snapshot_here(const struct frame *f, enum snapshot_by by)
{
	taken_by = by;
	/* Of init, drivers' probes and plans the kernel knows long after it has patched itself. */
	if (by == BY_PLAN)
		stops_text_is_patched();
	stops_take_out();
	snapshot_take(f);
	begin_cell();
}

/* A cell is over: the snapshot is restored, and the guest goes on with the next one. */
enum snapshot_by snapshot_next_cell(struct frame *f)
{
	snapshot_restore(f);
	begin_cell();
	return taken_by;
}
