/*
 * Arm's System Control and Management Interface (DEN 0056): drivers/firmware/arm_scmi. By calls of the secure monitor
 * the range is the shared memory, and parameter 0 the call's number; by a doorbell of the message handling unit the
 * range is the register that rings it, parameter 7 the status of the way back, and interrupt 0 its own. Parameter 1: a
 * store for the rates of clocks, 2 to 4: how many clocks, resets and power domains there are, 5: the protocols, a bit
 * each from 0x10, 6: the shared memory.
 */
#include "../board.h"

/* Shared memory (drivers/firmware/arm_scmi/shmem.c) */
enum { CHANNEL_STATUS = 0x04, LENGTH = 0x14, HEADER = 0x18, PAYLOAD = 0x1c, ANSWER = 0x20 };
#define CHANNEL_FREE		1u
#define HEADER_AND_STATUS	8u
#define MESSAGE(header)		((header) & 0xff)
#define PROTOCOL(header)	((header) >> 10 & 0xff)

enum { BASE = 0x10, POWER = 0x11, CLOCK = 0x14, RESET = 0x16, FIRST_PROTOCOL = 0x10, PROTOCOLS = 16 };
enum { VERSION = 0, ATTRIBUTES = 1, MESSAGE_ATTRIBUTES = 2 };
enum { BASE_VENDOR = 3, BASE_SUB_VENDOR = 4, BASE_IMPLEMENTATION = 5, BASE_PROTOCOLS = 6 };
enum { DOMAIN_ATTRIBUTES = 3, POWER_STATE_GET = 5, CLOCK_RATES = 4, CLOCK_RATE_SET = 5, CLOCK_RATE_GET = 6 };

#define VERSION_1	0x10000u
#define VERSION_2	0x20000u
#define NOT_SUPPORTED	(-1u)
#define NOT_FOUND	(-4u)
#define ENABLED		1u
#define A_RANGE		0x1003u	/* three rates: the lowest, the highest, the step */
#define HIGHEST_HERTZ	4000000000u
#define DEFAULT_HERTZ	200000000u

/* The n-th word of the answer, behind its status. */
static void put(const struct placed *placed, u32 n, u32 value)
{
	register_set(placed->parameter[6] + ANSWER + 4 * n, value);
}

/* A name of 16 bytes with a number, as drivers want each of theirs to be another. */
static void put_name(const struct placed *placed, u32 n, const char *kind, u32 number)
{
	u64 at = placed->parameter[6] + ANSWER + 4 * n;

	for (u32 i = 0; i < 4; i++)
		put(placed, n + i, 0);
	while (*kind)
		byte_set(at++, *kind++);
	byte_set(at++, '0' + number / 100 % 10);
	byte_set(at++, '0' + number / 10 % 10);
	byte_set(at, '0' + number % 10);
}

static u32 base(const struct placed *placed, u32 message, u32 *words)
{
	u64 at = placed->parameter[6] + ANSWER + 4;
	u32 count = 0;

	switch (message) {
	case BASE_VENDOR:
	case BASE_SUB_VENDOR:
		put_name(placed, 0, "bootrace", 0);
		*words = 4;
		return 0;
	case BASE_IMPLEMENTATION:
		put(placed, 0, 1);
		*words = 1;
		return 0;
	case ATTRIBUTES:
	case BASE_PROTOCOLS:
		for (u32 i = 0; i < PROTOCOLS / 4; i++)
			put(placed, 1 + i, 0);
		for (u32 i = 1; i < PROTOCOLS; i++)
			if (placed->parameter[5] >> i & 1)
				byte_set(at + count++, FIRST_PROTOCOL + i);
		put(placed, 0, count);
		*words = message == ATTRIBUTES ? 1 : 1 + (count + 3) / 4;
		return 0;
	}
	return NOT_SUPPORTED;
}

static u32 clock(const struct placed *placed, u32 message, u32 *words)
{
	u32 number = register_get(placed->parameter[6] + PAYLOAD + (message == CLOCK_RATE_SET ? 4 : 0));
	u64 hertz = placed->parameter[1] + 4 * number;

	if (message == ATTRIBUTES) {
		put(placed, 0, placed->parameter[2]);
		*words = 1;
		return 0;
	}
	if (number >= placed->parameter[2])
		return NOT_FOUND;
	switch (message) {
	case DOMAIN_ATTRIBUTES:
		put(placed, 0, ENABLED);
		put_name(placed, 1, "scmi-clk-", number);
		*words = 5;
		break;
	case CLOCK_RATES:
		for (u32 i = 1; i < 7; i++)
			put(placed, i, 0);
		put(placed, 0, A_RANGE);
		put(placed, 3, HIGHEST_HERTZ);
		put(placed, 5, 1);
		*words = 7;
		break;
	case CLOCK_RATE_SET:
		register_set(hertz, register_get(placed->parameter[6] + PAYLOAD + 8));
		break;
	case CLOCK_RATE_GET:
		put(placed, 0, register_get(hertz) ? register_get(hertz) : DEFAULT_HERTZ);
		put(placed, 1, 0);
		*words = 2;
		break;
	}
	return 0;
}

/* Power domains and resets: all of them are on, and what is asked is done. */
static u32 domain(const struct placed *placed, u32 message, u32 *words, u32 count, int is_power)
{
	u32 number = register_get(placed->parameter[6] + PAYLOAD);

	switch (message) {
	case ATTRIBUTES:
		for (u32 i = 0; i < 4; i++)
			put(placed, i, 0);
		put(placed, 0, count);
		*words = is_power ? 4 : 1;
		break;
	case DOMAIN_ATTRIBUTES:
		if (number >= count)
			return NOT_FOUND;
		put(placed, 0, 0);
		if (!is_power)
			put(placed, 1, 0);
		put_name(placed, is_power ? 1 : 2, is_power ? "scmi-pd-" : "scmi-rst-", number);
		*words = is_power ? 5 : 6;
		break;
	case POWER_STATE_GET:
		put(placed, 0, 0);
		*words = 1;
		break;
	}
	return 0;
}

static u32 answer(const struct placed *placed, u32 header, u32 *words)
{
	u32 message = MESSAGE(header), protocol = PROTOCOL(header);

	if (message == VERSION) {
		put(placed, 0, protocol == BASE || protocol == POWER ? VERSION_2 : VERSION_1);
		*words = 1;
		return 0;
	}
	/* No notifications, no fast channels. */
	if (message == MESSAGE_ATTRIBUTES) {
		put(placed, 0, 0);
		*words = 1;
		return 0;
	}
	switch (protocol) {
	case BASE:
		return base(placed, message, words);
	case CLOCK:
		return clock(placed, message, words);
	case RESET:
		return domain(placed, message, words, placed->parameter[3], 0);
	case POWER:
		return domain(placed, message, words, placed->parameter[4], 1);
	}
	return NOT_SUPPORTED;
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	(void)placed;
	(void)offset;
	(void)old;
	return value;
}

static void call(const struct placed *placed)
{
	u32 words = 0, status = answer(placed, register_get(placed->parameter[6] + HEADER), &words);

	register_set(placed->parameter[6] + PAYLOAD, status);
	register_set(placed->parameter[6] + LENGTH, HEADER_AND_STATUS + 4 * words);
	register_set(placed->parameter[6] + CHANNEL_STATUS, CHANNEL_FREE);
}

/* The bit that rings is the one of the answer. */
static u32 ring(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	(void)offset;
	(void)old;
	call(placed);
	register_set(placed->parameter[7], register_get(placed->parameter[7]) | value);
	vgic_raise(placed->interrupt[0]);
	return 0;
}

const struct behaviour scmi = { NO_READ, write, call };
const struct behaviour scmi_doorbell = { NO_READ, ring };
