/* I2C masters with a register for each byte, or a buffer. parameter 0: as in i2c.h; interrupt 0: the master's. */
#include "i2c.h"

/* ---- i2c-imx: drivers/i2c/busses/i2c-imx.c, layout of imx21, registers of 8 bits every four bytes ---- */

enum { IMX_IFDR = 0x04, IMX_I2CR = 0x08, IMX_I2SR = 0x0c, IMX_I2DR = 0x10 };
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

static u32 imx_done(const struct placed *placed)
{
	u64 status = placed->address + IMX_I2SR;

	register_set(status, (register_get(status) | I2SR_ICF | I2SR_IIF) & ~I2SR_RXAK);
	if (register_get(placed->address + IMX_I2CR) & I2CR_IIEN)
		vgic_raise(placed->interrupt[0]);
	return 0;
}

/* Reading the data register gives the byte before and fetches the next one. */
static u32 imx_read(const struct placed *placed, u32 offset, u32 value)
{
	u32 control = register_get(placed->address + IMX_I2CR);
	typeof(imx[0]) *master = &imx[i2c_master(placed)];

	if (offset != IMX_I2DR)
		return value;
	value = master->latch;
	if ((control & (I2CR_MSTA | I2CR_MTX)) == I2CR_MSTA) {
		master->latch = i2c_get(placed, &master->slave);
		imx_done(placed);
	}
	return value;
}

static u32 imx_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 status = placed->address + IMX_I2SR;
	typeof(imx[0]) *master = &imx[i2c_master(placed)];

	switch (offset) {
	case IMX_I2CR:
		if ((value & I2CR_MSTA) && !(old & I2CR_MSTA))
			register_set(status, register_get(status) | I2SR_IBB);
		if (!(value & I2CR_MSTA))
			register_set(status, register_get(status) & ~I2SR_IBB);
		if ((value & I2CR_RSTA) || ((value & I2CR_MSTA) && !(old & I2CR_MSTA)))
			master->is_addressed = 0;
		return value & ~I2CR_RSTA;
	case IMX_I2SR:
		/* IIF is cleared by a zero there, or by a one, as the part has it. */
		return old & ~I2SR_IIF;
	case IMX_I2DR:
		if (master->is_addressed)
			i2c_put(placed, &master->slave, value);
		else
			i2c_start(&master->slave, (value & 0xff) >> 1, value & 1);
		master->is_addressed = 1;
		imx_done(placed);
		return value;
	}
	return value;
}

const struct behaviour i2c_imx = { imx_read, imx_write };

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
