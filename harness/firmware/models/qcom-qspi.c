/*
 * Qualcomm's quad SPI master (drivers/spi/spi-qcom-qspi.c). What it transfers by DMA is done at once and stays as it
 * was. parameter 0: as in spi.h; interrupt 0: its own.
 */
#include "spi.h"

enum {
	CONFIG = 0x00, ENABLED = 0x0c, STATUS = 0x10, REQUEST = 0x14, HOW = 0x18, SENDS_STATUS = 0x1c, SENDS_BYTE = 0x20,
	SENDS_WORD = 0x24, RECEIVES_STATUS = 0x2c, DESCRIPTOR = 0x40, RECEIVES = 0x50,
};
#define SECOND_SELECT	(1u << 12)
#define SENDS		(1u << 0)
#define MORE_FOLLOWS	(1u << 8)	/* TRANSFER_FRAGMENT */
#define REQUESTED(ctrl)	((ctrl) & 0xffff)
/* MSTR_INT_STATUS */
#define RECEIVED	(1u << 2)
#define HAS_ROOM	(1u << 9)
#define DMA_DONE	(1u << 31)
#define ROOM		64u
#define READY		1u

GUEST_STATE static struct {
	u32 send;			/* bytes that are left */
	u8 continues, dma_done;
} masters[64];

static typeof(masters[0]) *master_of(const struct placed *placed)
{
	return &masters[(placed - behaviours) % (sizeof(masters) / sizeof(masters[0]))];
}

static u64 slave(const struct placed *placed)
{
	return slave_of(placed, register_get(placed->address + CONFIG) & SECOND_SELECT ? 1 : 0);
}

static u32 status(const struct placed *placed)
{
	typeof(masters[0]) *master = master_of(placed);

	return (received(placed) ? RECEIVED : 0) | (master->send ? HAS_ROOM : 0) | (master->dma_done ? DMA_DONE : 0);
}

static void look(const struct placed *placed)
{
	vgic_line(placed->interrupt[0], (status(placed) & register_get(placed->address + ENABLED)) != 0);
}

static void begin(const struct placed *placed, u32 bytes)
{
	typeof(masters[0]) *master = master_of(placed);
	u32 how = register_get(placed->address + HOW);

	if (!master->continues)
		select(slave(placed));
	master->continues = (how & MORE_FOLLOWS) != 0;
	master->send = how & SENDS ? bytes : 0;
	flush(placed);
	if (!(how & SENDS))
		for (u32 i = 0; i < bytes; i++)
			push(placed, exchange(slave(placed), 0));
}

static u32 read(const struct placed *placed, u32 offset, u32 value)
{
	u32 bytes = received(placed) < ROOM ? received(placed) : ROOM;

	switch (offset) {
	case STATUS:
		return status(placed);
	case SENDS_STATUS:
		return ROOM << 16;
	case RECEIVES_STATUS:
		return bytes ? bytes << 4 | READY : 0;
	case RECEIVES:
		value = pop_word(placed);
		look(placed);
	}
	return value;
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	typeof(masters[0]) *master = master_of(placed);

	(void)old;
	switch (offset) {
	case ENABLED:
		register_set(placed->address + ENABLED, value);
		break;
	case STATUS:
		if (value & DMA_DONE)
			master->dma_done = 0;
		break;
	case REQUEST:
		begin(placed, REQUESTED(value));
		break;
	case DESCRIPTOR:
		master->dma_done = value != 0;
		break;
	case SENDS_BYTE:
	case SENDS_WORD:
		for (u32 i = 0; i < (offset == SENDS_WORD ? 4u : 1u) && master->send; i++, master->send--)
			exchange(slave(placed), value >> 8 * i);
		break;
	default:
		return value;
	}
	look(placed);
	return value;
}

const struct behaviour qcom_qspi = { read, write };
