/* The behaviours by their number (BEHAVIOURS in board/board-plan.ts): each is defined by the name it has there. */
#include "../board.h"

#define DECLARE(name) extern const struct behaviour name;
EACH_BEHAVIOUR(DECLARE)

#define ENTRY(name) &name,
static const struct behaviour *const table[] = { EACH_BEHAVIOUR(ENTRY) };

const struct behaviour *behaviour_of(const struct placed *placed)
{
	if (placed->behaviour >= sizeof(table) / sizeof(table[0]))
		die(0, placed->behaviour);
	return table[placed->behaviour];
}
