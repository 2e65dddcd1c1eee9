/*
 * What I2C masters have behind them: every slave answers, and is a file of 256 registers of eight bits. The first byte
 * that is written is the number of the register, which goes up with each byte. parameter 0 of a master: where the files
 * lie, that of slave N at N * 256.
 */
#ifndef BOOTRACE_I2C_H
#define BOOTRACE_I2C_H

#include "../board.h"

#define I2C_SLAVE_SIZE	0x100u
#define I2C_SLAVES	128u
#define I2C_MASTERS	64u

/* The place of a master among all behaviours: which state is its own. */
static inline u32 i2c_master(const struct placed *placed)
{
	return (placed - behaviours) % I2C_MASTERS;
}

struct i2c_slave { u8 address, number, has_number; };

static inline u64 i2c_register(const struct placed *placed, u32 slave, u32 number)
{
	return placed->parameter[0] + slave % I2C_SLAVES * I2C_SLAVE_SIZE + number % I2C_SLAVE_SIZE;
}

static inline void i2c_start(struct i2c_slave *slave, u32 address, int is_read)
{
	slave->address = address;
	slave->has_number = is_read;
}

static inline u8 i2c_get(const struct placed *placed, struct i2c_slave *slave)
{
	return byte_get(i2c_register(placed, slave->address, slave->number++));
}

static inline void i2c_put(const struct placed *placed, struct i2c_slave *slave, u8 byte)
{
	if (slave->has_number)
		byte_set(i2c_register(placed, slave->address, slave->number++), byte);
	else
		slave->number = byte;
	slave->has_number = 1;
}

#endif
