/*
 * Amlogic's I2C master (drivers/i2c/busses/i2c-meson.c), which runs a list of tokens over eight bytes of data.
 * parameter 0: as in i2c.h; interrupt 0: its own.
 */
#include "i2c.h"

enum { CONTROL = 0x00, SLAVE = 0x04, TOKENS = 0x08, SENDS = 0x10, RECEIVES = 0x18 };
/* Tokens of four bits */
enum { LIST_END, START, ADDRESS_WRITE, ADDRESS_READ, DATA, DATA_LAST, STOP };
#define STARTS			1u
#define RUNS_OR_FAILED		0xcu	/* REG_CTRL_STATUS, REG_CTRL_ERROR */
#define LIST_LENGTH		16u
#define BYTES			8u

GUEST_STATE static struct {
	struct i2c_slave slave;
	u8 is_read;
} masters[I2C_MASTERS];

static void run(const struct placed *placed)
{
	typeof(masters[0]) *master = &masters[i2c_master(placed)];
	u64 base = placed->address;
	u32 at = 0, token = LIST_END;

	for (u32 n = 0; n < LIST_LENGTH && (!n || token != LIST_END); n++) {
		token = register_get(base + TOKENS + n / 8 * 4) >> n % 8 * 4 & 0xf;
		switch (token) {
		case ADDRESS_WRITE:
		case ADDRESS_READ:
			master->is_read = token == ADDRESS_READ;
			i2c_start(&master->slave, register_get(base + SLAVE) >> 1 & 0x7f, master->is_read);
			break;
		case DATA:
		case DATA_LAST:
			if (at == BYTES)
				return;
			if (master->is_read)
				byte_set(base + RECEIVES + at, i2c_get(placed, &master->slave));
			else
				i2c_put(placed, &master->slave, byte_get(base + SENDS + at));
			at++;
			break;
		}
	}
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	if (offset != CONTROL)
		return value;
	if (value & ~old & STARTS) {
		run(placed);
		vgic_raise(placed->interrupt[0]);
	}
	return value & ~RUNS_OR_FAILED;
}

const struct behaviour i2c_meson = { NO_READ, write };
