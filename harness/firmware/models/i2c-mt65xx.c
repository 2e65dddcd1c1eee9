/*
 * MediaTek's I2C master (drivers/i2c/busses/i2c-mt65xx.c), which transfers by DMA alone. parameter 0: as in i2c.h;
 * 1: its DMA channel; 2: where the slave's address is written; 3: where the length of the second message is, 0 for the
 * upper half of the first one's. interrupt 0: its own.
 */
#include "i2c.h"

enum { MASK = 0x08, STATUS = 0x0c, CONTROL = 0x10, LENGTH = 0x14, START = 0x24 };
enum { DMA_SEND = 0x1c, DMA_RECEIVE = 0x20, DMA_SEND_HIGH = 0x54, DMA_RECEIVE_HIGH = 0x58 };
#define DONE			0x0001u
#define ANOTHER			0x0010u		/* I2C_RS_TRANSFER: the next message may begin */
#define STARTS			0x0001u
#define MORE_FOLLOW		0x8000u		/* I2C_RS_MUL_CNFG */
#define CHANGES_DIRECTION	0x0010u
#define LONGEST			0x1000u

GUEST_STATE static struct i2c_slave slaves[I2C_MASTERS];

static u64 memory(const struct placed *placed, u32 low, u32 high)
{
	return register_get(placed->parameter[1] + low) | (u64)register_get(placed->parameter[1] + high) << 32;
}

static void send(const struct placed *placed, u32 bytes)
{
	u64 from = memory(placed, DMA_SEND, DMA_SEND_HIGH);

	for (u32 i = 0; i < bytes && i < LONGEST; i++)
		i2c_put(placed, &slaves[i2c_master(placed)], byte_get(from + i));
}

static void receive(const struct placed *placed, u32 bytes)
{
	u64 to = memory(placed, DMA_RECEIVE, DMA_RECEIVE_HIGH);

	for (u32 i = 0; i < bytes && i < LONGEST; i++)
		byte_set(to + i, i2c_get(placed, &slaves[i2c_master(placed)]));
}

static void transfer(const struct placed *placed)
{
	struct i2c_slave *slave = &slaves[i2c_master(placed)];
	u64 base = placed->address;
	u32 address = register_get(base + placed->parameter[2]) & 0xff, length = register_get(base + LENGTH) & 0xffff;
	u32 second = placed->parameter[3] ? register_get(base + placed->parameter[3]) & 0xffff : length >> 8;

	i2c_start(slave, address >> 1, address & 1);
	if (!(register_get(base + CONTROL) & CHANGES_DIRECTION)) {
		if (address & 1)
			receive(placed, length);
		else
			send(placed, length);
		return;
	}
	send(placed, placed->parameter[3] ? length : length & 0xff);
	i2c_start(slave, address >> 1, 1);
	receive(placed, second);
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address;
	u32 status = register_get(base + STATUS), enabled = register_get(base + MASK);

	if (offset == START && (value & STARTS)) {
		transfer(placed);
		status |= value & MORE_FOLLOW ? ANOTHER : DONE;
		register_set(base + STATUS, status);
		value &= ~STARTS;
	} else if (offset == STATUS) {
		value = status = old & ~value;
	} else if (offset == MASK) {
		enabled = value;
	}
	vgic_line(placed->interrupt[0], (status & enabled & (DONE | ANOTHER)) != 0);
	return value;
}

const struct behaviour i2c_mt65xx = { NO_READ, write };
