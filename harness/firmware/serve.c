/*
 * Cells for a guest that was kept (snapshot.c). Each comes on the console that the firmware's log goes out by: a header,
 * then the table of its gates, its plan and its modules (firmware/served.ts). They lie where the kernel has no memory.
 */
#include "firmware.h"

#define MAGIC		0x4c4c45434d524242ul	/* "BBRMCELL" */
#define AS_BEFORE	0xffffffffu		/* the modules are those of the cell before */
#define NONE		0xfffffffeu

/* CELL_ADDRESS to CELL_END: the plan has at most 64 KiB (guest/plan.ts), the table at most some 9 KiB. */
#define TABLE_AT	CELL_ADDRESS
#define PLAN_AT		(CELL_ADDRESS + 0x10000)
#define MODULES_AT	(CELL_ADDRESS + 0x30000)

static struct { u64 magic; u32 table, plan, modules, unused; } header;
static u32 modules_size = NONE;
static int serving;

static void receive(u64 at, u64 end, u32 size)
{
	if (size > end - at)
		die(0, size);
	input_read(at, size);
}

/* Says that the guest is ready for a cell, and waits for it. */
void serve_next(void)
{
	serving = 1;
	say("parked\n");
	input_read((u64)&header, sizeof(header));
	if (header.magic != MAGIC)
		die(0, header.magic);
	if (header.table != NONE)
		receive(TABLE_AT, PLAN_AT, header.table);
	receive(PLAN_AT, MODULES_AT, header.plan);
	if (header.modules != AS_BEFORE)
		modules_size = header.modules;
	if (header.modules != AS_BEFORE && header.modules != NONE)
		receive(MODULES_AT, CELL_END, header.modules);
}

/* Returns whether cells come from here; a file that the cell does not have has no address then. */
int serve_file(enum file_name name, struct file *file)
{
	static const u64 places[] = { [FILE_TABLE] = TABLE_AT, [FILE_PLAN] = PLAN_AT, [FILE_MODULES] = MODULES_AT };
	const u32 sizes[] = { [FILE_TABLE] = header.table, [FILE_PLAN] = header.plan, [FILE_MODULES] = modules_size };

	if (!serving)
		return 0;
	file->size = sizes[name];
	file->address = sizes[name] == NONE ? 0 : places[name];
	return 1;
}
