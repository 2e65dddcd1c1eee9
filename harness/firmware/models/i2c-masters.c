/* I2C masters that transfer a byte at a time, or count them. parameter 0: as in i2c.h; interrupt 0: the master's. */
#include "i2c.h"

#define IS_READ(address_byte)	((address_byte) & 1)

/* How far a transfer is. */
GUEST_STATE static struct {
	enum { IDLE, ADDRESS, SENDING, RECEIVING } phase;
	u32 left;
	struct i2c_slave slave;
} masters[I2C_MASTERS];

static typeof(masters[0]) *master_of(const struct placed *placed)
{
	return &masters[i2c_master(placed)];
}

/* The first byte behind a start: the slave, and which way. */
static void address(const struct placed *placed, u8 byte)
{
	i2c_start(&master_of(placed)->slave, byte >> 1, IS_READ(byte));
	master_of(placed)->phase = IS_READ(byte) ? RECEIVING : SENDING;
}

static void send(const struct placed *placed, u8 byte)
{
	i2c_put(placed, &master_of(placed)->slave, byte);
}

static u8 receive(const struct placed *placed)
{
	return i2c_get(placed, &master_of(placed)->slave);
}

static void begin(const struct placed *placed, u8 slave, int is_read, u32 bytes)
{
	address(placed, slave << 1 | (is_read != 0));
	master_of(placed)->left = bytes;
}

static u32 count_down(const struct placed *placed)
{
	typeof(masters[0]) *master = master_of(placed);

	if (master->left)
		master->left--;
	return master->left;
}

/*
 * ---- i2c-mv64xxx: drivers/i2c/busses/i2c-mv64xxx.c; Marvell's and Allwinner's. parameters 1 to 3: where data, control
 * and status are, 4: whether a one clears the interrupt (sun6i) and not a zero ----
 */

#define MV_ACK		0x04u
#define MV_FLAG		0x08u
#define MV_STOP		0x10u
#define MV_START	0x20u
#define MV_INTERRUPTS	0x80u
enum {
	MV_STARTED = 0x08, MV_SENT_TO = 0x18, MV_SENT = 0x28, MV_READ_FROM = 0x40, MV_RECEIVED = 0x50,
	MV_RECEIVED_LAST = 0x58,
	MV_IDLE = 0xf8,
};
/*
 * The bridge of mv78230, which moves up to eight bytes each way by itself. Its driver masks nothing
 * (mv64xxx_i2c_hw_init()).
 */
enum { MV_SEND = 0xc0, MV_RECEIVE = 0xc8, MV_BRIDGE = 0xd0, MV_BRIDGE_STATUS = 0xd4, MV_CAUSE = 0xd8, MV_MASK = 0xdc };
#define MV_BRIDGE_WRITES	1u
#define MV_BRIDGE_READS		2u
#define MV_BRIDGE_SLAVE(control)	((control) >> 2 & 0x7f)
#define MV_BRIDGE_SENDS(control)	(((control) >> 13 & 7) + 1)
#define MV_BRIDGE_RECEIVES(control)	(((control) >> 16 & 7) + 1)
#define MV_BRIDGE_ENABLE	(1u << 19)

static u32 mv_step(const struct placed *placed, u32 control)
{
	u64 data = placed->address + placed->parameter[1];

	if (control & MV_STOP) {
		master_of(placed)->phase = IDLE;
		return MV_IDLE;
	}
	if (control & MV_START) {
		master_of(placed)->phase = ADDRESS;
		return MV_STARTED;
	}
	switch (master_of(placed)->phase) {
	case ADDRESS:
		address(placed, register_get(data));
		return IS_READ(register_get(data)) ? MV_READ_FROM : MV_SENT_TO;
	case SENDING:
		send(placed, register_get(data));
		return MV_SENT;
	case RECEIVING:
		register_set(data, receive(placed));
		return control & MV_ACK ? MV_RECEIVED : MV_RECEIVED_LAST;
	case IDLE:
		break;
	}
	return MV_IDLE;
}

static u32 mv_control(const struct placed *placed, u32 old, u32 value)
{
	int one_clears = placed->parameter[4] != 0;
	u32 status;

	/* What waits for the interrupt to be cleared stays in the register until then. */
	if ((old & MV_FLAG) && one_clears != ((value & MV_FLAG) != 0))
		return value | MV_FLAG;
	value |= old & (MV_START | MV_STOP);
	status = mv_step(placed, value);
	register_set(placed->address + placed->parameter[3], status);
	value &= ~(MV_START | MV_STOP | MV_FLAG);
	return status == MV_IDLE ? value : value | MV_FLAG;
}

static void mv_bridge(const struct placed *placed, u32 control)
{
	u64 base = placed->address;

	if (control & MV_BRIDGE_WRITES) {
		address(placed, MV_BRIDGE_SLAVE(control) << 1);
		for (u32 i = 0; i < MV_BRIDGE_SENDS(control); i++)
			send(placed, byte_get(base + MV_SEND + i));
	}
	if (control & MV_BRIDGE_READS) {
		address(placed, MV_BRIDGE_SLAVE(control) << 1 | 1);
		for (u32 i = 0; i < MV_BRIDGE_RECEIVES(control); i++)
			byte_set(base + MV_RECEIVE + i, receive(placed));
	}
	register_set(base + MV_BRIDGE_STATUS, 0);
	register_set(base + MV_CAUSE, 1);
}

static u32 mv_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address;
	u32 control = register_get(base + placed->parameter[2]);
	u32 cause = placed->size > MV_CAUSE ? register_get(base + MV_CAUSE) : 0;
	u32 mask = placed->size > MV_MASK ? register_get(base + MV_MASK) : 0;

	if (offset == placed->parameter[2]) {
		value = control = mv_control(placed, old, value);
	} else if (offset == MV_BRIDGE) {
		if ((value & MV_BRIDGE_ENABLE) && !(old & MV_BRIDGE_ENABLE))
			mv_bridge(placed, value);
		cause = register_get(base + MV_CAUSE);
	} else if (offset == MV_CAUSE) {
		cause = value;
	} else if (offset == MV_MASK) {
		mask = value;
	}
	vgic_line(placed->interrupt[0], ((control & MV_FLAG) && (control & MV_INTERRUPTS)) || (cause & ~mask));
	return value;
}

const struct behaviour i2c_mv64xxx = { NO_READ, mv_write };

/* ---- i2c-omap: drivers/i2c/busses/i2c-omap.c, reg_map_ip_v2, a FIFO of 8 bytes ---- */

enum {
	OMAP_STATUS = 0x28, OMAP_ENABLE = 0x2c, OMAP_DISABLE = 0x30, OMAP_RESET_DONE = 0x90,
	OMAP_BUFFER = 0x94, OMAP_COUNT = 0x98,
	OMAP_DATA = 0x9c, OMAP_CONTROL = 0xa4, OMAP_SLAVE = 0xac, OMAP_TEST = 0xbc,
};
#define OMAP_READY	0x0004u	/* ARDY */
#define OMAP_RECEIVED	0x0008u
#define OMAP_SEND	0x0010u
#define OMAP_RECEIVED_LAST	0x2000u
#define OMAP_SEND_LAST	0x4000u
#define OMAP_START	0x0001u
#define OMAP_STOP	0x0002u
#define OMAP_SENDS	0x0200u
#define OMAP_CLEAR_FIFOS	0x4040u
#define OMAP_BUS_FREE	0x0140u	/* both lines are high */
#define OMAP_SEND_THRESHOLD(buffer)	(((buffer) & 0x3f) + 1)
#define OMAP_RECEIVE_THRESHOLD(buffer)	(((buffer) >> 8 & 0x3f) + 1)

/* What the master asks for next. */
static u32 omap_next(const struct placed *placed)
{
	u32 left = master_of(placed)->left, buffer = register_get(placed->address + OMAP_BUFFER);

	switch (master_of(placed)->phase) {
	case IDLE:
		return 0;
	case RECEIVING:
		if (left)
			return left >= OMAP_RECEIVE_THRESHOLD(buffer) ? OMAP_RECEIVED : OMAP_RECEIVED_LAST;
		break;
	default:
		if (left)
			return left >= OMAP_SEND_THRESHOLD(buffer) ? OMAP_SEND : OMAP_SEND_LAST;
	}
	master_of(placed)->phase = IDLE;
	return OMAP_READY;
}

static u32 omap_read(const struct placed *placed, u32 offset, u32 value)
{
	if (offset == OMAP_TEST)
		return OMAP_BUS_FREE;
	if (offset == OMAP_RESET_DONE)
		return 1;
	if (offset != OMAP_DATA || master_of(placed)->phase != RECEIVING)
		return value;
	count_down(placed);
	return receive(placed);
}

static u32 omap_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address;
	u32 status = register_get(base + OMAP_STATUS), enabled = register_get(base + OMAP_ENABLE);

	switch (offset) {
	case OMAP_CONTROL:
		if (value & OMAP_START) {
			begin(placed, register_get(base + OMAP_SLAVE), !(value & OMAP_SENDS), register_get(base + OMAP_COUNT));
			status = omap_next(placed);
		}
		value &= ~(OMAP_START | OMAP_STOP);
		break;
	case OMAP_DATA:
		send(placed, value);
		count_down(placed);
		break;
	case OMAP_BUFFER:
		value &= ~OMAP_CLEAR_FIFOS;
		break;
	case OMAP_STATUS:
		status = old & ~value;
		if (!status)
			status = omap_next(placed);
		value = status;
		break;
	case OMAP_ENABLE:
		value = enabled = old | value;
		break;
	case OMAP_DISABLE:
		enabled &= ~value;
		register_set(base + OMAP_ENABLE, enabled);
		break;
	}
	register_set(base + OMAP_STATUS, status);
	vgic_line(placed->interrupt[0], (status & enabled) != 0);
	return value;
}

const struct behaviour i2c_omap = { omap_read, omap_write };

/* ---- i2c-bcm2835: drivers/i2c/busses/i2c-bcm2835.c ---- */

enum { BCM_CONTROL = 0x00, BCM_STATUS = 0x04, BCM_COUNT = 0x08, BCM_SLAVE = 0x0c, BCM_DATA = 0x10 };
#define BCM_READS	0x0001u
#define BCM_START	0x0080u
#define BCM_ON_DONE	0x0100u
#define BCM_ON_SEND	0x0200u
#define BCM_CLEAR	0x0030u
#define BCM_DONE	0x0002u
#define BCM_SEND	0x0004u
#define BCM_CAN_SEND	0x0010u
#define BCM_RECEIVED	0x0020u

static u32 bcm_status(const struct placed *placed)
{
	u32 left = master_of(placed)->left;

	if (master_of(placed)->phase == RECEIVING)
		return BCM_DONE | (left ? BCM_RECEIVED : 0);
	return left ? BCM_SEND | BCM_CAN_SEND : BCM_DONE | BCM_CAN_SEND;
}

static void bcm_look(const struct placed *placed, u32 control, u32 status)
{
	register_set(placed->address + BCM_STATUS, status);
	vgic_line(placed->interrupt[0], ((control & BCM_ON_DONE) && (status & BCM_DONE)) ||
					((control & BCM_ON_SEND) && (status & BCM_SEND)));
}

static u32 bcm_read(const struct placed *placed, u32 offset, u32 value)
{
	if (offset != BCM_DATA)
		return value;
	value = receive(placed);
	if (!count_down(placed))
		register_set(placed->address + BCM_STATUS, register_get(placed->address + BCM_STATUS) & ~BCM_RECEIVED);
	return value;
}

static u32 bcm_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address;
	u32 control = register_get(base + BCM_CONTROL);

	switch (offset) {
	case BCM_CONTROL:
		if (value & BCM_START) {
			begin(placed, register_get(base + BCM_SLAVE), value & BCM_READS, register_get(base + BCM_COUNT));
			bcm_look(placed, value, bcm_status(placed));
		} else {
			bcm_look(placed, value, register_get(base + BCM_STATUS));
		}
		return value & ~(BCM_START | BCM_CLEAR);
	case BCM_DATA:
		send(placed, value);
		count_down(placed);
		bcm_look(placed, control, bcm_status(placed));
		break;
	case BCM_STATUS:
		value = old & ~(value & BCM_DONE);
		bcm_look(placed, control, value);
	}
	return value;
}

const struct behaviour i2c_bcm2835 = { bcm_read, bcm_write };
