/*
 * Allwinner's SPI master since the A31 (drivers/spi/spi-sun6i.c): what its FIFOs hold. parameter 0: as in spi.h;
 * interrupt 0: its own.
 */
#include "spi.h"

enum {
	CONTROL = 0x08, ENABLED = 0x10, STATUS = 0x14, FIFOS = 0x18, FIFOS_STATUS = 0x1c, TRANSFERS = 0x30, TRANSMITS = 0x34,
	SENDS = 0x200, RECEIVES = 0x300,
};
#define STARTS		(1u << 31)	/* SUN6I_TFR_CTL_XCH */
#define IS_HIGH		(1u << 7)	/* SUN6I_TFR_CTL_CS_LEVEL: not selected */
#define SELECT(control)	((control) >> 4 & 3)
#define COMPLETE	(1u << 12)
#define RESETS		(1u << 15 | 1u << 31)
#define COUNT(register)	((register) & 0xffffff)
#define DEPTH		64u

GUEST_STATE static struct {
	u8 sends[DEPTH], sent;
} masters[64];

static typeof(masters[0]) *master_of(const struct placed *placed)
{
	return &masters[(placed - behaviours) % (sizeof(masters) / sizeof(masters[0]))];
}

static void transfer(const struct placed *placed, u64 slave)
{
	typeof(masters[0]) *master = master_of(placed);
	u32 bytes = COUNT(register_get(placed->address + TRANSFERS)), out = COUNT(register_get(placed->address + TRANSMITS));

	for (u32 i = 0; i < bytes && i < FIFO_SIZE; i++)
		push(placed, exchange(slave, i < out && i < master->sent ? master->sends[i] : 0));
	master->sent = 0;
	register_set(placed->address + STATUS, register_get(placed->address + STATUS) | COMPLETE);
}

static void look(const struct placed *placed)
{
	u64 base = placed->address;

	vgic_line(placed->interrupt[0], (register_get(base + STATUS) & register_get(base + ENABLED)) != 0);
}

static u32 read(const struct placed *placed, u32 offset, u32 value)
{
	if (offset == FIFOS_STATUS)
		return received(placed) < DEPTH ? received(placed) : DEPTH;
	return offset == RECEIVES ? pop(placed) : value;
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	typeof(masters[0]) *master = master_of(placed);
	u64 slave = slave_of(placed, SELECT(value));

	switch (offset) {
	case SENDS:
		if (master->sent < DEPTH)
			master->sends[master->sent++] = value;
		return value;
	case FIFOS:
		if (value & RESETS) {
			master->sent = 0;
			flush(placed);
		}
		return value & ~RESETS;
	case CONTROL:
		if ((old & IS_HIGH) && !(value & IS_HIGH))
			select(slave);
		if (value & STARTS)
			transfer(placed, slave);
		value &= ~STARTS;
		break;
	case STATUS:
		value = old & ~value;
		register_set(placed->address + STATUS, value);
		break;
	case ENABLED:
		register_set(placed->address + ENABLED, value);
		break;
	default:
		return value;
	}
	look(placed);
	return value;
}

const struct behaviour spi_sun6i = { read, write };
