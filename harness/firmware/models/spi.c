/*
 * SPI slaves, and masters whose registers behave. parameter 0: a store of 1 MiB. The slave behind chip select N lies
 * at N * 4096 in it: what it is, how far the message is, what it was told first, and its own (SLAVE_*).
 */
#include "../board.h"

#define SLAVE_SIZE	0x1000u
#define SLAVES		16u

enum {
	SLAVE_KIND = 0x00, SLAVE_POSITION = 0x04, SLAVE_COMMAND = 0x08, SLAVE_NUMBER = 0x0c,
	SLAVE_STATUS = 0x10, SLAVE_ID = 0x20,
	SLAVE_REGISTERS = 0x100,
};
/* The numbers of devices/spi.ts. */
enum { ZEROS, FLASH, RK806 };

/* JESD216, and the commands that every SPI flash has */
enum { WRITE_DISABLE = 0x04, READ_STATUS = 0x05, WRITE_ENABLE = 0x06, READ_ID = 0x9f };
#define WRITE_ENABLED	2u
#define ID_BYTES	6u
#define ERASED		0xffu

#define RK806_WRITE	0x80u
#define RK806_HEADER	3u	/* command, and two bytes of a register's number (drivers/mfd/rk8xx-spi.c) */
#define REGISTERS	256u

static u64 slave_of(const struct placed *placed, u32 chip_select)
{
	return placed->parameter[0] + chip_select % SLAVES * SLAVE_SIZE;
}

/* A message begins. */
static void select(u64 slave)
{
	register_set(slave + SLAVE_POSITION, 0);
}

static u8 flash(u64 slave, u32 position, u8 out)
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

static u8 rk806(u64 slave, u32 position, u8 out)
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
static u8 exchange(u64 slave, u8 out)
{
	u32 position = register_get(slave + SLAVE_POSITION);

	register_set(slave + SLAVE_POSITION, position + 1);
	switch (register_get(slave + SLAVE_KIND)) {
	case FLASH:
		return flash(slave, position, out);
	case RK806:
		return rk806(slave, position, out);
	}
	return 0;
}

/* ---- what was received and not yet read: a ring in the store ---- */

#define FIFO		0x10000u
#define FIFO_BYTES	0x20000u
#define FIFO_SIZE	0x10000u
enum { FIFO_FIRST = FIFO, FIFO_COUNT = FIFO + 4 };

static u32 received(const struct placed *placed)
{
	return register_get(placed->parameter[0] + FIFO_COUNT);
}

static void push(const struct placed *placed, u8 byte)
{
	u64 store = placed->parameter[0];
	u32 count = received(placed);

	if (count == FIFO_SIZE)
		return;
	byte_set(store + FIFO_BYTES + (register_get(store + FIFO_FIRST) + count) % FIFO_SIZE, byte);
	register_set(store + FIFO_COUNT, count + 1);
}

static u8 pop(const struct placed *placed)
{
	u64 store = placed->parameter[0];
	u32 count = received(placed), first = register_get(store + FIFO_FIRST);

	if (!count)
		return 0;
	register_set(store + FIFO_FIRST, (first + 1) % FIFO_SIZE);
	register_set(store + FIFO_COUNT, count - 1);
	return byte_get(store + FIFO_BYTES + first);
}

static void flush(const struct placed *placed)
{
	register_set(placed->parameter[0] + FIFO_COUNT, 0);
}

/* ---- spi-rockchip: drivers/spi/spi-rockchip.c; interrupt 0: its own ---- */

enum {
	RK_CTRLR0 = 0x00, RK_CTRLR1 = 0x04, RK_SSIENR = 0x08, RK_SER = 0x0c, RK_RXFTLR = 0x18,
	RK_TXFLR = 0x1c, RK_RXFLR = 0x20,
	RK_SR = 0x24, RK_IMR = 0x2c, RK_ISR = 0x30, RK_RISR = 0x34, RK_TXDR = 0x400, RK_RXDR = 0x800, RK_END = 0xc00,
};
#define RK_MODE(control)	((control) >> 18 & 3)
#define RK_RECEIVE_ONLY		2
#define RK_STATUS_EMPTY		0x0cu	/* both FIFOs */
#define RK_STATUS_SENT		0x04u
#define RK_RECEIVED		0x10u	/* INT_RF_FULL */
#define RK_SELECTS		3u

static u32 rk_pending(const struct placed *placed)
{
	return received(placed) > register_get(placed->address + RK_RXFTLR) ? RK_RECEIVED : 0;
}

static void rk_line(const struct placed *placed, u32 enabled)
{
	vgic_line(placed->interrupt[0], (rk_pending(placed) & enabled) != 0);
}

static u64 rk_slave(const struct placed *placed, u32 selects)
{
	return slave_of(placed, selects & 1 ? 0 : 1);
}

static u32 rk_read(const struct placed *placed, u32 offset, u32 value)
{
	u32 enabled = register_get(placed->address + RK_IMR);

	if (offset >= RK_RXDR && offset < RK_END) {
		value = pop(placed);
		rk_line(placed, enabled);
		return value;
	}
	switch (offset) {
	case RK_TXFLR:
		return 0;
	case RK_RXFLR:
		return received(placed);
	case RK_SR:
		return received(placed) ? RK_STATUS_SENT : RK_STATUS_EMPTY;
	case RK_ISR:
		return rk_pending(placed) & enabled;
	case RK_RISR:
		return rk_pending(placed);
	}
	return value;
}

static u32 rk_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address, slave = rk_slave(placed, register_get(base + RK_SER));
	u32 enabled = register_get(base + RK_IMR);

	if (offset >= RK_TXDR && offset < RK_RXDR) {
		push(placed, exchange(slave, value));
	} else if (offset == RK_SER) {
		if (value & ~old & RK_SELECTS)
			select(rk_slave(placed, value));
	} else if (offset == RK_SSIENR) {
		flush(placed);
		if ((value & 1) && RK_MODE(register_get(base + RK_CTRLR0)) == RK_RECEIVE_ONLY)
			for (u32 n = register_get(base + RK_CTRLR1) + 1; n && received(placed) < FIFO_SIZE; n--)
				push(placed, exchange(slave, 0));
	} else if (offset == RK_IMR) {
		enabled = value;
	}
	rk_line(placed, enabled);
	return value;
}

const struct behaviour spi_rockchip = { rk_read, rk_write };

/* ---- rockchip-sfc: drivers/spi/spi-rockchip-sfc.c, a master for flashes alone; FIFO levels are constants ---- */

enum { SFC_CMD = 0x100, SFC_DATA = 0x108 };
#define SFC_OPCODE(command)	((command) & 0xff)
#define SFC_SELECT(command)	((command) >> 30)

static u32 sfc_read(const struct placed *placed, u32 offset, u32 value)
{
	u64 slave = slave_of(placed, SFC_SELECT(register_get(placed->address + SFC_CMD)));

	if (offset != SFC_DATA)
		return value;
	value = 0;
	for (u32 i = 0; i < 4; i++)
		value |= (u32)exchange(slave, 0) << 8 * i;
	return value;
}

static u32 sfc_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 slave = slave_of(placed, SFC_SELECT(value));

	(void)old;
	if (offset == SFC_CMD) {
		select(slave);
		exchange(slave, SFC_OPCODE(value));
	}
	return value;
}

const struct behaviour rockchip_sfc = { sfc_read, sfc_write };

/* A command of a master that knows flashes: `bytes` of its answer, put where `at` is. */
static void flash_command(const struct placed *placed, u8 opcode, u64 at, u32 bytes)
{
	u64 slave = slave_of(placed, 0);

	select(slave);
	exchange(slave, opcode);
	for (u32 i = 0; i < bytes; i++)
		byte_set(at + i, exchange(slave, 0));
}

/* ---- cadence-quadspi: drivers/spi/spi-cadence-quadspi.c, commands with up to eight bytes of an answer ---- */

enum { CQSPI_COMMAND = 0x90, CQSPI_ANSWER = 0xa0 };
#define CQSPI_EXECUTE		3u	/* the bit that starts it, and the one that says that it runs */
#define CQSPI_OPCODE(command)	((command) >> 24)
#define CQSPI_READS		(1u << 23)
#define CQSPI_BYTES(command)	(((command) >> 20 & 7) + 1)

static u32 cqspi_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	(void)old;
	if (offset != CQSPI_COMMAND || !(value & CQSPI_EXECUTE))
		return value;
	flash_command(placed, CQSPI_OPCODE(value), placed->address + CQSPI_ANSWER,
		      value & CQSPI_READS ? CQSPI_BYTES(value) : 0);
	return value & ~CQSPI_EXECUTE;
}

const struct behaviour cadence_quadspi = { NO_READ, cqspi_write };

/* ---- fsl-quadspi: drivers/spi/spi-fsl-qspi.c; interrupt 0: its own ---- */

enum { QSPI_RUN = 0x08, QSPI_FLAGS = 0x160, QSPI_ENABLE = 0x164, QSPI_ANSWER = 0x200, QSPI_SEQUENCES = 0x310 };
#define QSPI_SEQUENCE(run)	((run) >> 24 & 15)
#define QSPI_ANSWER_BYTES	128u
#define QSPI_DONE		1u
#define SEQUENCE_BYTES		16u

static u32 smaller(u32 a, u32 b)
{
	return a < b ? a : b;
}

static u32 qspi_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address;
	u32 flags = register_get(base + QSPI_FLAGS), enabled = register_get(base + QSPI_ENABLE);

	if (offset == QSPI_RUN) {
		flash_command(placed, register_get(base + QSPI_SEQUENCES + QSPI_SEQUENCE(value) * SEQUENCE_BYTES), base + QSPI_ANSWER,
			      smaller(value & 0xffff, QSPI_ANSWER_BYTES));
		flags |= QSPI_DONE;
		register_set(base + QSPI_FLAGS, flags);
	} else if (offset == QSPI_FLAGS) {
		value = flags = old & ~value;
	} else if (offset == QSPI_ENABLE) {
		enabled = value;
	}
	vgic_line(placed->interrupt[0], (flags & enabled & QSPI_DONE) != 0);
	return value;
}

const struct behaviour fsl_quadspi = { NO_READ, qspi_write };

/*
 * ---- nxp-fspi: drivers/spi/spi-nxp-fspi.c; interrupt 0: its own. The answer waits in the FIFO, eight bytes a look
 */

enum {
	FSPI_ENABLE = 0x10, FSPI_FLAGS = 0x14, FSPI_SIZE = 0xa4,
	FSPI_RUN = 0xb0, FSPI_ANSWER = 0x100, FSPI_SEQUENCES = 0x200,
};
#define FSPI_SEQUENCE(size)	((size) >> 16 & 31)
#define FSPI_DONE		0x01u
#define FSPI_RECEIVED		0x20u
#define FSPI_CAN_SEND		0x40u
#define FSPI_LOOK		8u

static void fspi_look(const struct placed *placed)
{
	for (u32 i = 0; i < FSPI_LOOK; i++)
		byte_set(placed->address + FSPI_ANSWER + i, pop(placed));
}

static u32 fspi_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address, slave = slave_of(placed, 0);
	u32 flags = register_get(base + FSPI_FLAGS), enabled = register_get(base + FSPI_ENABLE);

	if (offset == FSPI_RUN && (value & 1)) {
		u32 size = register_get(base + FSPI_SIZE);

		flash_command(placed, register_get(base + FSPI_SEQUENCES + FSPI_SEQUENCE(size) * SEQUENCE_BYTES), 0, 0);
		flush(placed);
		for (u32 i = size & 0xffff; i; i--)
			push(placed, exchange(slave, 0));
		fspi_look(placed);
		flags |= FSPI_DONE | FSPI_RECEIVED | FSPI_CAN_SEND;
		register_set(base + FSPI_FLAGS, flags);
		value = 0;
	} else if (offset == FSPI_FLAGS) {
		if (value & FSPI_RECEIVED)
			fspi_look(placed);
		value = flags = (old & ~value) | FSPI_RECEIVED | FSPI_CAN_SEND;
	} else if (offset == FSPI_ENABLE) {
		enabled = value;
	}
	vgic_line(placed->interrupt[0], (flags & enabled & FSPI_DONE) != 0);
	return value;
}

const struct behaviour nxp_fspi = { NO_READ, fspi_write };
