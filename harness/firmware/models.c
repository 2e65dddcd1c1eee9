/*
 * Device models whose state a snapshot keeps: an entry each. What a guest finds as register files in RAM is kept with
 * its memory.
 */
#include "firmware.h"

static const struct model *const models[] = { &gic_v2, &pl011 };

#define MODELS	(sizeof(models) / sizeof(models[0]))

void models_save(void)
{
	for (u32 i = 0; i < MODELS; i++)
		models[i]->save();
}

void models_restore(void)
{
	for (u32 i = 0; i < MODELS; i++)
		models[i]->restore();
}
