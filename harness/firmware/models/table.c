/* The behaviours by their number: the order of BEHAVIOURS in board/plan.ts. */
#include "../board.h"

static const struct behaviour *const table[] = { 0 };

const struct behaviour *behaviour_of(const struct placed *placed)
{
	if (placed->behaviour >= sizeof(table) / sizeof(table[0]))
		die(0, placed->behaviour);
	return table[placed->behaviour];
}
