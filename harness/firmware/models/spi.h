/*
 * SPI slaves, and what their masters have received. parameter 0 of a master: a store of 1 MiB. The slave behind chip
 * select N lies at N * 4096 in it: what it is, how far the message is, what it was told first, and its own (SLAVE_*).
 */
#ifndef BOOTRACE_SPI_H
#define BOOTRACE_SPI_H

#include "../board.h"

#define SLAVE_SIZE	0x1000u
#define SLAVES		16u

enum {
	SLAVE_KIND = 0x00, SLAVE_POSITION = 0x04, SLAVE_COMMAND = 0x08, SLAVE_NUMBER = 0x0c,
	SLAVE_STATUS = 0x10, SLAVE_PORTS = 0x14, SLAVE_ID = 0x20,
	SLAVE_REGISTERS = 0x100,
};
/* The numbers of devices/spi.ts. */
enum { ZEROS, FLASH, RK806, CROS_EC };

/* cros-ec.c */
u8 cros_ec(u64 slave, u8 out);

/* JESD216, and the commands that every SPI flash has */
enum { WRITE_DISABLE = 0x04, READ_STATUS = 0x05, WRITE_ENABLE = 0x06, READ_ID = 0x9f };
#define WRITE_ENABLED	2u
#define ID_BYTES	6u
#define ERASED		0xffu

#define RK806_WRITE	0x80u
#define RK806_HEADER	3u	/* command, and two bytes of a register's number (drivers/mfd/rk8xx-spi.c) */
#define REGISTERS	256u

static inline u64 slave_of(const struct placed *placed, u32 chip_select)
{
	return placed->parameter[0] + chip_select % SLAVES * SLAVE_SIZE;
}

/* A message begins. */
static inline void select(u64 slave)
{
	register_set(slave + SLAVE_POSITION, 0);
}

static inline u8 flash(u64 slave, u32 position, u8 out)
{
	u8 command = position ? register_get(slave + SLAVE_COMMAND) : out;

	if (!position) {
		register_set(slave + SLAVE_COMMAND, command);
		if (command == WRITE_ENABLE || command == WRITE_DISABLE)
			register_set(slave + SLAVE_STATUS, command == WRITE_ENABLE ? WRITE_ENABLED : 0);
		return ERASED;
	}
	if (command == READ_ID)
		return position <= ID_BYTES ? byte_get(slave + SLAVE_ID + position - 1) : 0;
	return command == READ_STATUS ? register_get(slave + SLAVE_STATUS) : ERASED;
}

static inline u8 rk806(u64 slave, u32 position, u8 out)
{
	u64 at = slave + SLAVE_REGISTERS;

	if (position == 0)
		register_set(slave + SLAVE_COMMAND, out);
	else if (position == 1)
		register_set(slave + SLAVE_NUMBER, out);
	if (position < RK806_HEADER)
		return 0;
	at += (register_get(slave + SLAVE_NUMBER) + position - RK806_HEADER) % REGISTERS;
	if (register_get(slave + SLAVE_COMMAND) & RK806_WRITE)
		byte_set(at, out);
	return byte_get(at);
}

/* The next byte of a message, in both directions. */
static inline u8 exchange(u64 slave, u8 out)
{
	u32 position = register_get(slave + SLAVE_POSITION);

	register_set(slave + SLAVE_POSITION, position + 1);
	switch (register_get(slave + SLAVE_KIND)) {
	case FLASH:
		return flash(slave, position, out);
	case RK806:
		return rk806(slave, position, out);
	case CROS_EC:
		return cros_ec(slave, out);
	}
	return 0;
}

/* ---- what was received and not yet read: a ring in the store ---- */

#define FIFO		0x10000u
#define FIFO_BYTES	0x20000u
#define FIFO_SIZE	0x10000u
enum { FIFO_FIRST = FIFO, FIFO_COUNT = FIFO + 4 };

static inline u32 received(const struct placed *placed)
{
	return register_get(placed->parameter[0] + FIFO_COUNT);
}

static inline void push(const struct placed *placed, u8 byte)
{
	u64 store = placed->parameter[0];
	u32 count = received(placed);

	if (count == FIFO_SIZE)
		return;
	byte_set(store + FIFO_BYTES + (register_get(store + FIFO_FIRST) + count) % FIFO_SIZE, byte);
	register_set(store + FIFO_COUNT, count + 1);
}

static inline u8 pop(const struct placed *placed)
{
	u64 store = placed->parameter[0];
	u32 count = received(placed), first = register_get(store + FIFO_FIRST);

	if (!count)
		return 0;
	register_set(store + FIFO_FIRST, (first + 1) % FIFO_SIZE);
	register_set(store + FIFO_COUNT, count - 1);
	return byte_get(store + FIFO_BYTES + first);
}

/* Four bytes, the first one lowest; zeros where there are fewer. */
static inline u32 pop_word(const struct placed *placed)
{
	u32 value = 0;

	for (u32 i = 0; i < 4; i++)
		value |= (u32)pop(placed) << 8 * i;
	return value;
}

static inline void flush(const struct placed *placed)
{
	register_set(placed->parameter[0] + FIFO_COUNT, 0);
}

/* A command of a master that knows flashes: `bytes` of its answer, put where `at` is. */
static inline void flash_command(const struct placed *placed, u8 opcode, u64 at, u32 bytes)
{
	u64 slave = slave_of(placed, 0);

	select(slave);
	exchange(slave, opcode);
	for (u32 i = 0; i < bytes; i++)
		byte_set(at + i, exchange(slave, 0));
}

#endif
