/*
 * MediaTek's SPI master (drivers/spi/spi-mt65xx.c): 32 bytes at a time, more by DMA. parameter 0: as in spi.h;
 * interrupt 0: its own.
 */
#include "spi.h"

enum {
	PACKETS = 0x04, SOURCE = 0x08, DESTINATION = 0x0c, SENDS = 0x10, RECEIVES = 0x14, COMMAND = 0x18, STATUS = 0x1c,
	SOURCE_HIGH = 0x2c, DESTINATION_HIGH = 0x30,
};
#define STARTS			3u		/* SPI_CMD_ACT, SPI_CMD_RESUME */
#define RESETS			(1u << 2)
#define RECEIVES_BY_DMA		(1u << 10)
#define SENDS_BY_DMA		(1u << 11)
#define MAY_PAUSE		(1u << 4)
#define FINISHED		1u
#define PAUSED			2u
#define LENGTH(packets)		(((packets) >> 16) + 1)
#define LOOPS(packets)		(((packets) >> 8 & 0xff) + 1)
#define WINDOW			32u

GUEST_STATE static struct {
	u8 sends[WINDOW], sent;
} masters[64];

static typeof(masters[0]) *master_of(const struct placed *placed)
{
	return &masters[(placed - behaviours) % (sizeof(masters) / sizeof(masters[0]))];
}

static u64 memory(const struct placed *placed, u32 low, u32 high)
{
	return register_get(placed->address + low) | (u64)register_get(placed->address + high) << 32;
}

static void transfer(const struct placed *placed, u32 command)
{
	typeof(masters[0]) *master = master_of(placed);
	u32 packets = register_get(placed->address + PACKETS), bytes = LENGTH(packets) * LOOPS(packets);
	u64 slave = slave_of(placed, 0), from = memory(placed, SOURCE, SOURCE_HIGH);
	u64 to = memory(placed, DESTINATION, DESTINATION_HIGH);

	flush(placed);
	for (u32 i = 0; i < bytes && i < FIFO_SIZE; i++) {
		u8 out = command & SENDS_BY_DMA ? byte_get(from + i) : i < master->sent ? master->sends[i] : 0;
		u8 in = exchange(slave, out);

		if (command & RECEIVES_BY_DMA)
			byte_set(to + i, in);
		else if (i < WINDOW)
			push(placed, in);
	}
	master->sent = 0;
	register_set(placed->address + STATUS, command & MAY_PAUSE ? PAUSED : FINISHED);
	vgic_raise(placed->interrupt[0]);
}

static u32 read(const struct placed *placed, u32 offset, u32 value)
{
	return offset == RECEIVES ? pop_word(placed) : value;
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	typeof(masters[0]) *master = master_of(placed);

	(void)old;
	if (offset == SENDS) {
		for (u32 i = 0; i < 4 && master->sent < WINDOW; i++)
			master->sends[master->sent++] = value >> 8 * i;
	} else if (offset == COMMAND) {
		if (value & RESETS)
			select(slave_of(placed, 0));
		if (value & STARTS)
			transfer(placed, value);
		value &= ~STARTS;
	}
	return value;
}

const struct behaviour spi_mt65xx = { read, write };
