/* NXP's SPI masters; parameter 0: as in spi.h. */
#include "spi.h"

/* parameter 1 of QuadSPI and DSPI: whether the registers are big-endian. */
static u32 in_order(const struct placed *placed, u32 value)
{
	return placed->parameter[1] ? __builtin_bswap32(value) : value;
}

static u32 get(const struct placed *placed, u32 offset)
{
	return in_order(placed, register_get(placed->address + offset));
}

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
	u64 base = placed->address, sequence;
	u32 flags = get(placed, QSPI_FLAGS), enabled = get(placed, QSPI_ENABLE), written = in_order(placed, value);

	if (offset == QSPI_RUN) {
		sequence = QSPI_SEQUENCES + QSPI_SEQUENCE(written) * SEQUENCE_BYTES;
		flash_command(placed, get(placed, sequence), base + QSPI_ANSWER, smaller(written & 0xffff, QSPI_ANSWER_BYTES));
		/* The answer is words of the registers' order; the first byte is that of the lowest bits. */
		for (u32 i = 0; placed->parameter[1] && i < QSPI_ANSWER_BYTES; i += 4)
			register_set(base + QSPI_ANSWER + i, get(placed, QSPI_ANSWER + i));
		flags |= QSPI_DONE;
		register_set(base + QSPI_FLAGS, in_order(placed, flags));
	} else if (offset == QSPI_FLAGS) {
		flags = in_order(placed, old) & ~written;
		value = in_order(placed, flags);
	} else if (offset == QSPI_ENABLE) {
		enabled = written;
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

/*
 * ---- fsl-dspi: drivers/spi/spi-fsl-dspi.c, extended SPI mode; interrupt 0: its own. A command says how many frames
 * follow it ----
 */

enum {
	DSPI_CONTROL = 0x00, DSPI_STATUS = 0x2c, DSPI_ENABLE = 0x30, DSPI_PUSH = 0x34, DSPI_POP = 0x38,
	DSPI_ATTRIBUTES = 0x0c, DSPI_EXTENDED = 0x11c,
};
#define DSPI_HALT		1u
#define DSPI_CLEARS		0x0c00u		/* both FIFOs */
#define DSPI_RUNS		0x40000000u	/* TXRXS */
#define DSPI_DONE		0x00800000u	/* CMDTCF */
#define DSPI_FRAMES(extended)	((extended) & 0x7ff)
#define DSPI_BITS(attributes, extended)	(((attributes) >> 27 & 15) + ((extended) >> 16 & 1) * 16 + 1)
#define DSPI_CONTINUES		0x8000u
#define DSPI_SELECTS(command)	((command) & 0x3f)

/* How far a command is: entries of the FIFO that it waits for, 16 bits each, and the one that came before. */
enum { DSPI_STATE = 0x200, DSPI_LEFT = DSPI_STATE, DSPI_WAITS = DSPI_STATE + 4, DSPI_BEFORE = DSPI_STATE + 8,
	DSPI_SLAVE = DSPI_STATE + 12, DSPI_GOES_ON = DSPI_STATE + 16 };

static void dspi_command(const struct placed *placed, u32 command)
{
	u64 state = placed->address, slave;
	u32 extended = get(placed, DSPI_EXTENDED), frames = DSPI_FRAMES(extended);
	u32 bits = DSPI_BITS(get(placed, DSPI_ATTRIBUTES), extended);
	u32 selects = DSPI_SELECTS(command);

	slave = slave_of(placed, selects ? __builtin_ctz(selects) : 0);
	if (!register_get(state + DSPI_GOES_ON))
		select(slave);
	register_set(state + DSPI_SLAVE, selects ? __builtin_ctz(selects) : 0);
	register_set(state + DSPI_GOES_ON, command & DSPI_CONTINUES);
	register_set(state + DSPI_LEFT, bits > 16 ? 2 * frames : frames);
	register_set(state + DSPI_WAITS, 0);
}

/* An entry of 16 bits; the lower half of a longer frame comes first, and is sent last. */
static void dspi_data(const struct placed *placed, u32 data)
{
	u64 state = placed->address, slave = slave_of(placed, register_get(state + DSPI_SLAVE));
	u32 bits = DSPI_BITS(get(placed, DSPI_ATTRIBUTES), get(placed, DSPI_EXTENDED));
	u32 left = register_get(state + DSPI_LEFT) - 1, answer = 0;

	register_set(state + DSPI_LEFT, left);
	if (bits > 16 && left % 2) {
		register_set(state + DSPI_BEFORE, data);
		return;
	}
	if (bits > 16)
		data = data << 16 | register_get(state + DSPI_BEFORE);
	for (u32 shift = (bits + 7) / 8 * 8; shift; shift -= 8)
		answer = answer << 8 | exchange(slave, data >> (shift - 8));
	for (u32 i = 0; i < 4; i++)
		push(placed, answer >> 8 * i);
}

static u32 dspi_read(const struct placed *placed, u32 offset, u32 value)
{
	return offset == DSPI_POP ? in_order(placed, pop_word(placed)) : value;
}

static u32 dspi_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address;
	u32 status = get(placed, DSPI_STATUS), enabled = get(placed, DSPI_ENABLE);
	u32 written = in_order(placed, value);

	switch (offset) {
	case DSPI_CONTROL:
		if (written & DSPI_CLEARS)
			flush(placed);
		status = (status & ~DSPI_RUNS) | (written & DSPI_HALT ? 0 : DSPI_RUNS);
		value = in_order(placed, written & ~DSPI_CLEARS);
		break;
	case DSPI_STATUS:
		status = in_order(placed, old) & (~written | DSPI_RUNS);
		value = in_order(placed, status);
		break;
	case DSPI_ENABLE:
		enabled = written;
		break;
	case DSPI_EXTENDED:
		register_set(base + DSPI_WAITS, 1);
		break;
	case DSPI_PUSH:
		if (register_get(base + DSPI_WAITS)) {
			dspi_command(placed, written >> 16);
		} else if (register_get(base + DSPI_LEFT)) {
			dspi_data(placed, written & 0xffff);
			if (!register_get(base + DSPI_LEFT))
				status |= DSPI_DONE;
		}
		break;
	}
	if (offset != DSPI_STATUS)
		register_set(base + DSPI_STATUS, in_order(placed, status));
	vgic_line(placed->interrupt[0], (status & enabled & DSPI_DONE) != 0);
	return value;
}

const struct behaviour fsl_dspi = { dspi_read, dspi_write };
