/* PL011 (DDI 0183) of QEMU's virt machine, which the guest drives itself: what its driver writes is kept. */
#include "firmware.h"

/* hw/arm/virt.c, base_memmap[VIRT_UART] */
#define UART		0x09000000ul
#define UART_ICR	0x44
#define UART_INTERRUPTS	0x7ff

static const u32 offsets[] = { 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x48 };

#define REGISTERS	(sizeof(offsets) / sizeof(offsets[0]))

static u32 kept[REGISTERS];

static volatile u32 *at(u32 offset)
{
	return (volatile u32 *)(UART + offset);
}

static void save(void)
{
	for (u32 i = 0; i < REGISTERS; i++)
		kept[i] = *at(offsets[i]);
}

static void restore(void)
{
	for (u32 i = 0; i < REGISTERS; i++)
		*at(offsets[i]) = kept[i];
	*at(UART_ICR) = UART_INTERRUPTS;
}

const struct model pl011 = { save, restore };
