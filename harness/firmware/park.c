/*
 * A table may say that the guest is to be parked at the first moment at which a gate, or the plan of its init, would
 * matter. Its state is kept (snapshot.c), and cells that differ in nothing else go on from there, one after the other
 * (serve.c).
 */
#include "firmware.h"

/* To be done again for every cell that goes on from there. */
static enum parked_by parked_by;

int parks(void)
{
	return cell_table.parks;
}

static void serve(void)
{
	serve_next();
	table_load();
	stops_init();
	stops_cpu_init();
}

void park(const struct frame *f, enum parked_by by)
{
	parked_by = by;
	/* Of init, drivers' probes and plans the kernel knows long after it has patched itself. */
	if (by == BY_PLAN)
		stops_text_is_patched();
	stops_take_out();
	snapshot_take(f);
	serve();
}

/* A cell is over: the guest is put back, and goes on with the next one. */
enum parked_by park_next(struct frame *f)
{
	snapshot_restore(f);
	serve();
	return parked_by;
}
