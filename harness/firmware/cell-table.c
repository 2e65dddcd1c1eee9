/* What a cell asks for, as the harness has written it (gates.ts; layouts in interface.ts): stops, moments and gates. */
#include "firmware.h"

struct table cell_table;
struct stop stops[STOPS_MAX];
struct moment moments[MOMENTS_MAX];
struct gate gates[GATES_MAX];

static u32 read_list(struct file file, u32 offset, void *to, u32 count, u32 most, u32 size)
{
	if (count > most)
		die(0, count);
	file_read(file, offset, (u64)to, count * size);
	return offset + count * size;
}

/* No table is an empty one. */
void table_load(void)
{
	static const struct table empty;
	struct file file;
	u32 at = sizeof(cell_table);

	cell_table = empty;
	if (!file_find(FILE_TABLE, &file))
		return;
	file_read(file, 0, (u64)&cell_table, sizeof(cell_table));
	if (cell_table.magic != TABLE_MAGIC)
		die(0, cell_table.magic);
	at = read_list(file, at, stops, cell_table.stops, STOPS_MAX, sizeof(stops[0]));
	at = read_list(file, at, moments, cell_table.moments, MOMENTS_MAX, sizeof(moments[0]));
	read_list(file, at, gates, cell_table.gates, GATES_MAX, sizeof(gates[0]));
}
