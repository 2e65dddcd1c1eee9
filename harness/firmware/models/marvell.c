/*
 * Marvell's ICU (drivers/irqchip/irq-mvebu-icu.c): which of the GIC's SPIs an interrupt becomes, the driver writes.
 * parameters 0 and 1, 2 and 3: ranges of SPIs that it counts through (irq-mvebu-gicp.c), as INTIDs and their number.
 */
#include "../board.h"

#define CONFIGURATION(interrupt)	(0x100 + 4 * (interrupt))
#define ENABLED				(1u << 24)
#define INDEX(configuration)		((configuration) & 0xff)

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	(void)placed, (void)offset, (void)old;
	return value;
}

const struct behaviour marvell_icu = { NO_READ, write };

/* The n-th ICU, or null. */
static const struct placed *icu(u32 n)
{
	for (u32 i = 0; i < board->placed_count; i++)
		if (behaviour_of(&behaviours[i]) == &marvell_icu && !n--)
			return &behaviours[i];
	return 0;
}

u32 interrupt_behind(u32 interrupt)
{
	const struct placed *placed;
	u32 configuration, index;

	if (!(interrupt & BEHIND_ICU))
		return interrupt;
	placed = icu((interrupt & ~BEHIND_ICU) / ICU_INTERRUPTS);
	if (!placed)
		return NO_INTERRUPT;
	configuration = register_get(placed->address + CONFIGURATION(interrupt % ICU_INTERRUPTS));
	index = INDEX(configuration);
	if (!(configuration & ENABLED))
		return NO_INTERRUPT;
	if (index < placed->parameter[1])
		return placed->parameter[0] + index;
	index -= placed->parameter[1];
	return index < placed->parameter[3] ? placed->parameter[2] + index : NO_INTERRUPT;
}
