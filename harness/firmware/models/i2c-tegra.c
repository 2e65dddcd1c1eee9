/*
 * Tegra's I2C master (drivers/i2c/busses/i2c-tegra.c): packets in its FIFO. interrupt 0: the master's. parameter 0:
 * where the slaves' files lie (i2c.h).
 */
#include "i2c.h"

enum {
	TX_FIFO = 0x50, RX_FIFO = 0x54, FIFO_CONTROL = 0x5c, FIFO_STATUS = 0x60, INT_MASK = 0x64, INT_STATUS = 0x68,
	CONFIG_LOAD = 0x8c,
};
#define RX_DATA_REQUEST		(1u << 0)
#define TX_DATA_REQUEST		(1u << 1)
#define ALL_PACKETS_COMPLETE	(1u << 6)
#define PACKET_COMPLETE		(1u << 7)
#define FLUSHES			3u
#define TX_ROOM			(8u << 4)	/* words that are free */
#define RX_WORDS_MAX		8u
#define HEADER_READ		(1u << 19)
#define HEADER_SLAVE(header)	((header) >> 1 & 0x7f)

GUEST_STATE static struct {
	enum { GENERAL, SIZE, MASTER, PAYLOAD } next;
	u32 left;
	u8 is_read;
	struct i2c_slave slave;
} masters[I2C_MASTERS];

static typeof(masters[0]) *master_of(const struct placed *placed)
{
	return &masters[i2c_master(placed)];
}

/* Status, FIFO levels and the interrupt, from what is left to be transferred. */
static void look(const struct placed *placed)
{
	typeof(masters[0]) *master = master_of(placed);
	u64 base = placed->address;
	u32 words = (master->left + 3) / 4, status = register_get(base + INT_STATUS) | TX_DATA_REQUEST;
	int is_reading = master->next == PAYLOAD && master->is_read && words;

	register_set(base + FIFO_STATUS, TX_ROOM | (is_reading ? words > RX_WORDS_MAX ? RX_WORDS_MAX : words : 0));
	status = is_reading ? status | RX_DATA_REQUEST : status & ~RX_DATA_REQUEST;
	register_set(base + INT_STATUS, status);
	vgic_line(placed->interrupt[0], (status & register_get(base + INT_MASK)) != 0);
}

static void complete(const struct placed *placed)
{
	u64 status = placed->address + INT_STATUS;

	master_of(placed)->next = GENERAL;
	register_set(status, register_get(status) | ALL_PACKETS_COMPLETE | PACKET_COMPLETE);
}

static u32 read(const struct placed *placed, u32 offset, u32 value)
{
	typeof(masters[0]) *master = master_of(placed);

	if (offset != RX_FIFO || master->next != PAYLOAD || !master->is_read)
		return value;
	value = 0;
	for (u32 i = 0; i < 4 && master->left; i++, master->left--)
		value |= (u32)i2c_get(placed, &master->slave) << 8 * i;
	if (!master->left)
		complete(placed);
	look(placed);
	return value;
}

static void fifo_word(const struct placed *placed, u32 word)
{
	typeof(masters[0]) *master = master_of(placed);

	switch (master->next) {
	case GENERAL:
		master->next = SIZE;
		break;
	case SIZE:
		master->left = (word & 0xfff) + 1;
		master->next = MASTER;
		break;
	case MASTER:
		master->is_read = (word & HEADER_READ) != 0;
		i2c_start(&master->slave, HEADER_SLAVE(word), master->is_read);
		master->next = PAYLOAD;
		break;
	case PAYLOAD:
		for (u32 i = 0; i < 4 && master->left; i++, master->left--)
			i2c_put(placed, &master->slave, word >> 8 * i);
		if (!master->left)
			complete(placed);
		break;
	}
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	switch (offset) {
	case TX_FIFO:
		fifo_word(placed, value);
		break;
	case FIFO_CONTROL:
		/* A transfer that was given up begins anew. */
		if (value & FLUSHES)
			master_of(placed)->next = GENERAL;
		value &= ~FLUSHES;
		break;
	case INT_STATUS:
		value = old & ~value;
		register_set(placed->address + INT_STATUS, value);
		look(placed);
		return register_get(placed->address + INT_STATUS);
	case INT_MASK:
		register_set(placed->address + INT_MASK, value);
		break;
	case CONFIG_LOAD:
		return 0;	/* done */
	default:
		return value;
	}
	look(placed);
	return value;
}

const struct behaviour i2c_tegra = { read, write };
