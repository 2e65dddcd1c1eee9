/*
 * Cells that are booted from a snapshot (snapshot.c). Each comes on the console that the firmware's log goes out by: a
 * header, then the table of its gates, its plan and its modules (next-cell.ts). They lie where the kernel has no
 * memory.
 */
#include "firmware.h"

#define TABLE_AT	CELL_ADDRESS
#define PLAN_AT		(CELL_ADDRESS + CELL_PLAN_OFFSET)
#define MODULES_AT	(CELL_ADDRESS + CELL_MODULES_OFFSET)

static void receive(enum file_name name, u64 at, u64 end, u32 size)
{
	if (size == ABSENT_AS_BEFORE)
		return;
	file_put(name, size == ABSENT_NONE ? 0 : at, size);
	if (size == ABSENT_NONE)
		return;
	if (size > end - at)
		die(0, size);
	input_read(at, size);
}

/* Says that the guest is ready for a cell, and waits for it. */
void next_cell_receive(void)
{
	static struct next_cell header;

	say("ready\n");
	input_read((u64)&header, sizeof(header));
	if (header.magic != NEXT_CELL_MAGIC)
		die(0, header.magic);
	receive(FILE_TABLE, TABLE_AT, PLAN_AT, header.table);
	receive(FILE_PLAN, PLAN_AT, MODULES_AT, header.plan);
	receive(FILE_MODULES, MODULES_AT, CELL_END, header.modules);
}
