/*
 * Allwinner's reduced serial bus (drivers/bus/sunxi-rsb.c). Every device answers, and is a file of 256 registers of
 * eight bits. parameter 0: where the files lie, that of run-time address N at N * 256; interrupt 0: the bus's.
 */
#include "../board.h"

enum { CTRL = 0x00, INTE = 0x08, INTS = 0x0c, ADDRESS = 0x10, DATA = 0x1c, COMMAND = 0x2c, DEVICE = 0x30 };
#define CTRL_START	(1u << 7)
#define CTRL_INTERRUPTS	(1u << 1)
#define TRANSFER_OVER	1u
#define RUN_TIME_ADDRESS(device)	((device) >> 16 & 0xff)
#define FILE_SIZE	0x100u

/* RSB_CMD_*: reads and writes of one, two and four bytes. */
static const struct { u8 command, bytes, is_write; } transfers[] = {
	{ 0x8b, 1, 0 }, { 0x9c, 2, 0 }, { 0xa6, 4, 0 }, { 0x4e, 1, 1 }, { 0x59, 2, 1 }, { 0x63, 4, 1 },
};

static void transfer(u64 base, u64 files)
{
	u64 at = files + RUN_TIME_ADDRESS(register_get(base + DEVICE)) * FILE_SIZE;
	u32 first = register_get(base + ADDRESS);

	for (u32 n = 0; n < sizeof(transfers) / sizeof(transfers[0]); n++) {
		if (transfers[n].command != (register_get(base + COMMAND) & 0xff))
			continue;
		for (u32 i = 0; i < transfers[n].bytes; i++) {
			u64 place = at + (first + i) % FILE_SIZE;

			if (transfers[n].is_write)
				byte_set(place, byte_get(base + DATA + i));
			else
				byte_set(base + DATA + i, byte_get(place));
		}
	}
}

static void look(const struct placed *placed, u32 control, u32 enabled, u32 status)
{
	vgic_line(placed->interrupt[0], (control & CTRL_INTERRUPTS) && (enabled & status));
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address;
	u32 control = register_get(base + CTRL), enabled = register_get(base + INTE), status = register_get(base + INTS);

	switch (offset) {
	case CTRL:
		if (value & CTRL_START) {
			transfer(base, placed->parameter[0]);
			status |= TRANSFER_OVER;
			register_set(base + INTS, status);
		}
		/* Start, and the reset in bit 0, are over at once. */
		value &= ~(CTRL_START | 1u);
		look(placed, value, enabled, status);
		return value;
	case INTE:
		look(placed, control, value, status);
		return value;
	case INTS:
		value = old & ~value;
		look(placed, control, enabled, value);
		return value;
	case 0x28:	/* DMCR: all devices are in their mode at once */
		return value & ~(1u << 31);
	}
	return value;
}

const struct behaviour sunxi_rsb = { NO_READ, write };
