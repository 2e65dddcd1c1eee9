/* I2C masters with a register for each byte, or a buffer. parameter 0: as in i2c.h; interrupt 0: the master's. */
#include "i2c.h"

/*
 * ---- i2c-imx, i2c-vf610: drivers/i2c/busses/i2c-imx.c; registers of 8 bits, every four bytes or side by side ----
 */

enum { IMX_I2CR = 2, IMX_I2SR, IMX_I2DR };
#define IMX_EACH	4u
#define I2CR_RSTA	0x04
#define I2CR_MTX	0x10
#define I2CR_MSTA	0x20
#define I2CR_IIEN	0x40
#define I2SR_RXAK	0x01
#define I2SR_IIF	0x02
#define I2SR_IBB	0x20
#define I2SR_ICF	0x80

GUEST_STATE static struct {
	struct i2c_slave slave;
	u8 is_addressed, latch;
} imx[I2C_MASTERS];

static void imx_done(const struct placed *placed, u32 each)
{
	u64 status = placed->address + IMX_I2SR * each;

	byte_set(status, (byte_get(status) | I2SR_ICF | I2SR_IIF) & ~I2SR_RXAK);
	if (byte_get(placed->address + IMX_I2CR * each) & I2CR_IIEN)
		vgic_raise(placed->interrupt[0]);
}

/* Reading the data register gives the byte before and fetches the next one. */
static u8 imx_receive(const struct placed *placed, u32 each)
{
	u8 control = byte_get(placed->address + IMX_I2CR * each);
	typeof(imx[0]) *master = &imx[i2c_master(placed)];
	u8 byte = master->latch;

	if ((control & (I2CR_MSTA | I2CR_MTX)) == I2CR_MSTA) {
		master->latch = i2c_get(placed, &master->slave);
		imx_done(placed, each);
	}
	return byte;
}

static void imx_send(const struct placed *placed, u32 each, u8 byte)
{
	typeof(imx[0]) *master = &imx[i2c_master(placed)];

	if (master->is_addressed)
		i2c_put(placed, &master->slave, byte);
	else
		i2c_start(&master->slave, byte >> 1, byte & 1);
	master->is_addressed = 1;
	imx_done(placed, each);
}

/* Returns the status that a written control byte leads to. */
static u8 imx_control(const struct placed *placed, u8 old, u8 control, u8 status)
{
	int starts = (control & I2CR_MSTA) && !(old & I2CR_MSTA);

	if (starts || (control & I2CR_RSTA))
		imx[i2c_master(placed)].is_addressed = 0;
	return control & I2CR_MSTA ? status | (starts ? I2SR_IBB : 0) : status & ~I2SR_IBB;
}

static u32 imx_read(const struct placed *placed, u32 offset, u32 value)
{
	return offset == IMX_I2DR * IMX_EACH ? imx_receive(placed, IMX_EACH) : value;
}

static u32 imx_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 status = placed->address + IMX_I2SR * IMX_EACH;

	switch (offset) {
	case IMX_I2CR * IMX_EACH:
		byte_set(status, imx_control(placed, old, value, byte_get(status)));
		return value & ~I2CR_RSTA;
	case IMX_I2SR * IMX_EACH:
		/* IIF is cleared by a zero there, or by a one, as the part has it. */
		return old & ~I2SR_IIF;
	case IMX_I2DR * IMX_EACH:
		imx_send(placed, IMX_EACH, value);
		return value;
	}
	return value;
}

const struct behaviour i2c_imx = { imx_read, imx_write };

/*
 * Control and status share the first word, and what the driver writes to status (i2c_imx_clear_irq()) is never what is
 * there. Data is the first byte of the second word; the one behind it is only written where the kernel is a slave.
 */
static u32 vf610_read(const struct placed *placed, u32 offset, u32 value)
{
	return offset == IMX_I2DR ? (value & ~0xffu) | imx_receive(placed, 1) : value;
}

static u32 vf610_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u32 status = old >> 24;

	if (offset == IMX_I2DR) {
		if (!((old ^ value) & ~0xffu))
			imx_send(placed, 1, value);
		return value;
	}
	if (value >> 24 != status)
		status &= ~I2SR_IIF;
	else
		status = imx_control(placed, old >> 16, value >> 16, status);
	return (value & ~(0xffu << 24 | I2CR_RSTA << 16)) | status << 24;
}

const struct behaviour i2c_vf610 = { vf610_read, vf610_write };

/* ---- i2c-rk3x: drivers/i2c/busses/i2c-rk3x.c ---- */

enum {
	RK_CON = 0x00, RK_MRXADDR = 0x08, RK_MRXRADDR = 0x0c, RK_MTXCNT = 0x10, RK_MRXCNT = 0x14, RK_IEN = 0x18, RK_IPD = 0x1c,
	RK_TXBUFFER = 0x100, RK_RXBUFFER = 0x200,
};
#define CON_START	0x08
#define CON_STOP	0x10
#define INT_MBTF	0x04
#define INT_MBRF	0x08
#define INT_START	0x10
#define INT_STOP	0x20
#define RK_BUFFER	32u

static u32 rk_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address;
	u32 pending = register_get(base + RK_IPD);
	u32 enabled = register_get(base + RK_IEN);
	u32 count = value % 64 > RK_BUFFER ? RK_BUFFER : value % 64;

	(void)old;
	switch (offset) {
	case RK_CON:
		if (value & CON_START)
			pending |= INT_START;
		if (value & CON_STOP)
			pending |= INT_STOP;
		break;
	case RK_MTXCNT:
		for (u32 i = 2; i < count; i++)
			byte_set(i2c_register(placed, byte_get(base + RK_TXBUFFER) >> 1, byte_get(base + RK_TXBUFFER + 1) + i - 2),
				 byte_get(base + RK_TXBUFFER + i));
		pending |= INT_MBTF;
		break;
	case RK_MRXCNT:
		for (u32 i = 0; i < count; i++)
			byte_set(base + RK_RXBUFFER + i, byte_get(i2c_register(placed, register_get(base + RK_MRXADDR) >> 1,
										register_get(base + RK_MRXRADDR) + i)));
		pending |= INT_MBRF;
		break;
	case RK_IEN:
		enabled = value;
		break;
	case RK_IPD:
		pending &= ~value;
		value = pending;
		break;
	default:
		return value;
	}
	if (offset != RK_IPD)
		register_set(base + RK_IPD, pending);
	vgic_line(placed->interrupt[0], (pending & enabled) != 0);
	return value;
}

const struct behaviour i2c_rk3x = { NO_READ, rk_write };
