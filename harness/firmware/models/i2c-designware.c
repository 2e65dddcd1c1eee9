/*
 * Synopsys DesignWare I2C master (drivers/i2c/busses/i2c-designware-master.c). interrupt 0: the master's. parameter 0:
 * where the slaves' files lie (i2c.h).
 */
#include "i2c.h"

enum {
	TAR = 0x04, DATA_CMD = 0x10, INTR_STAT = 0x2c, INTR_MASK = 0x30, RAW_INTR_STAT = 0x34, RX_TL = 0x38, CLR_INTR = 0x40,
	CLR_TX_ABRT = 0x54, CLR_ACTIVITY = 0x5c, CLR_STOP_DET = 0x60, CLR_START_DET = 0x64, ENABLE = 0x6c, STATUS = 0x70,
	TXFLR = 0x74, RXFLR = 0x78, ENABLE_STATUS = 0x9c,
};
#define COMMAND_READ	(1u << 8)
#define COMMAND_STOP	(1u << 9)
#define COMMAND_RESTART	(1u << 10)
#define INTR_RX_FULL	(1u << 2)
#define INTR_TX_EMPTY	(1u << 4)
#define INTR_ACTIVITY	(1u << 8)
#define INTR_STOP_DET	(1u << 9)
#define INTR_START_DET	(1u << 10)
#define STATUS_TX_ROOM	(3u << 1)	/* not full, empty */
#define STATUS_RX_DATA	(1u << 3)
#define ABORT		(1u << 1)

#define FIFO_BYTES	64u

GUEST_STATE static struct {
	u8 fifo[FIFO_BYTES], first, filled, is_started;
	u32 latched;
	struct i2c_slave slave;
} masters[I2C_MASTERS];

static typeof(masters[0]) *master_of(const struct placed *placed)
{
	return &masters[i2c_master(placed)];
}

static u32 raw(const struct placed *placed)
{
	const typeof(masters[0]) *master = master_of(placed);
	u32 status = master->latched;

	if (!(register_get(placed->address + ENABLE) & 1))
		return 0;
	if (master->filled > register_get(placed->address + RX_TL))
		status |= INTR_RX_FULL;
	return status | INTR_TX_EMPTY;
}

static void look(const struct placed *placed)
{
	vgic_line(placed->interrupt[0], (raw(placed) & register_get(placed->address + INTR_MASK)) != 0);
}

static u32 taken(const struct placed *placed)
{
	typeof(masters[0]) *master = master_of(placed);
	u32 byte = master->fifo[master->first % FIFO_BYTES];

	if (master->filled) {
		master->first = (master->first + 1) % FIFO_BYTES;
		master->filled--;
	}
	look(placed);
	return byte;
}

static u32 cleared(const struct placed *placed, u32 bits)
{
	master_of(placed)->latched &= ~bits;
	look(placed);
	return 0;
}

static u32 read(const struct placed *placed, u32 offset, u32 value)
{
	typeof(masters[0]) *master = master_of(placed);

	switch (offset) {
	case DATA_CMD: return taken(placed);
	case INTR_STAT: return raw(placed) & register_get(placed->address + INTR_MASK);
	case RAW_INTR_STAT: return raw(placed);
	case CLR_INTR: return cleared(placed, ~0u);
	case CLR_ACTIVITY: return cleared(placed, INTR_ACTIVITY);
	case CLR_STOP_DET: return cleared(placed, INTR_STOP_DET);
	case CLR_START_DET: return cleared(placed, INTR_START_DET);
	case STATUS: return STATUS_TX_ROOM | (master->filled ? STATUS_RX_DATA : 0);
	case TXFLR: return 0;
	case RXFLR: return master->filled;
	case ENABLE_STATUS: return register_get(placed->address + ENABLE) & 1;
	}
	return value;
}

static void command(const struct placed *placed, u32 value)
{
	typeof(masters[0]) *master = master_of(placed);

	if (!master->is_started || (value & COMMAND_RESTART))
		i2c_start(&master->slave, register_get(placed->address + TAR), (value & COMMAND_READ) != 0);
	master->is_started = 1;
	if (!(value & COMMAND_READ))
		i2c_put(placed, &master->slave, value);
	else if (master->filled < FIFO_BYTES)
		master->fifo[(master->first + master->filled++) % FIFO_BYTES] = i2c_get(placed, &master->slave);
	if (value & COMMAND_STOP) {
		master->is_started = 0;
		master->latched |= INTR_STOP_DET;
	}
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	typeof(masters[0]) *master = master_of(placed);

	switch (offset) {
	case DATA_CMD:
		command(placed, value);
		break;
	case ENABLE:
		value &= ~ABORT;
		if (!(value & 1) || !(old & 1))
			master->filled = master->latched = master->is_started = 0;
		register_set(placed->address + ENABLE, value);
		break;
	case INTR_MASK:
	case RX_TL:
		register_set(placed->address + offset, value);
		break;
	default:
		return value;
	}
	look(placed);
	return value;
}

const struct behaviour i2c_designware = { read, write };
