/*
 * TI's system controller behind its secure proxy (drivers/firmware/ti_sci.c, drivers/mailbox/ti-msgmgr.c): every
 * request is granted. The range is the data of the thread that is written (64 bytes); parameter 0: that of the thread
 * which is read, 1: its status; 2: the clocks, a list of CLOCK_SIZE each behind their number (devices/ti-sci.ts);
 * interrupt 0: its own. Message types and layouts: drivers/firmware/ti_sci.h.
 */
#include "../board.h"

enum { MESSAGE = 0x04, LAST_WORD = 0x3c, WORDS = 15 };
enum {
	VERSION = 0x0002, SET_CLOCK_STATE = 0x0100, GET_CLOCK_STATE = 0x0101, SET_PARENT = 0x0102, GET_PARENT = 0x0103,
	GET_NUM_PARENTS = 0x0104, SET_FREQUENCY = 0x010c, QUERY_FREQUENCY = 0x010d, GET_FREQUENCY = 0x010e,
	GET_DEVICE_STATE = 0x0201, GET_RANGE = 0x1500,
};
#define FLAG_ACK	2u
#define CLOCK_READY	0x0202u		/* programmed and current state */
#define DEVICE_ON	0x0102u		/* programmed and current state */

/*
 * Ranges of resources: what follows from the tree is a list behind the clocks, of a device and a kind (device << 16 |
 * kind), the first and how many (devices/ti-resources.ts). Of others, channels, as many as fit the driver's bitmaps.
 */
enum { RESOURCE_KEY = 0x00, RESOURCE_FIRST = 0x04, RESOURCE_COUNT = 0x08, RESOURCE_SIZE = 0x0c };
#define RANGE_SIZE	64u
#define RESOURCES	0x8000u

static u32 range(const struct placed *placed, u32 device, u32 kind)
{
	u64 list = placed->parameter[2] + RESOURCES, at = list + 4;

	for (u32 i = 0; i < register_get(list); i++, at += RESOURCE_SIZE)
		if (register_get(at + RESOURCE_KEY) == (device << 16 | kind))
			return register_get(at + RESOURCE_COUNT) << 16 | register_get(at + RESOURCE_FIRST);
	return RANGE_SIZE << 16;
}

#define ABI_AND_FIRMWARE	(9u | 3u << 16 | 1u << 24)

/*
 * A clock of the tree: a device's number, the clock's, how many parents it may have, which one it has, its frequency.
 */
enum {
	CLOCK_DEVICE = 0x00, CLOCK_NUMBER = 0x04, CLOCK_PARENTS = 0x08, CLOCK_PARENT = 0x0c,
	CLOCK_HERTZ = 0x10, CLOCK_SIZE = 0x20,
};
#define CLOCKS_MAX	1000u
#define IN_32_BITS	0xffu
#define DEFAULT_HERTZ	200000000u

/* The record of a clock, made where it is not known yet; 0 where there is no room. */
static u64 clock_of(const struct placed *placed, u32 device, u32 number)
{
	u64 list = placed->parameter[2], at = list + CLOCK_SIZE;
	u32 count = register_get(list);

	for (u32 i = 0; i < count; i++, at += CLOCK_SIZE)
		if (register_get(at + CLOCK_DEVICE) == device && register_get(at + CLOCK_NUMBER) == number)
			return at;
	if (count == CLOCKS_MAX)
		return 0;
	register_set(list, count + 1);
	register_set(at + CLOCK_DEVICE, device);
	register_set(at + CLOCK_NUMBER, number);
	register_set(at + CLOCK_PARENTS, 1);
	register_set(at + CLOCK_PARENT, number + 1);
	register_set(at + CLOCK_HERTZ, DEFAULT_HERTZ);
	return at;
}

/* A number of eight bits, or where that is 255 the one of 32 that lies elsewhere; packed, at any byte. */
static u32 number_at(u64 message, u32 small, u32 large)
{
	u32 value = byte_get(message + small);

	if (value != IN_32_BITS)
		return value;
	value = 0;
	for (u32 i = 0; i < 4; i++)
		value |= (u32)byte_get(message + large + i) << 8 * i;
	return value;
}

/* Offsets in the messages behind a header of eight bytes and a device's number of four. */
static void clock_message(const struct placed *placed, u32 type, u32 *words)
{
	u64 message = placed->address + MESSAGE;
	u32 device = register_get(message + 8);
	int has_frequency = type == SET_FREQUENCY || type == QUERY_FREQUENCY;
	u32 number = has_frequency ? number_at(message, 36, 37) : number_at(message, 12, type == SET_PARENT ? 14 : 13);
	u64 at = clock_of(placed, device, number);

	if (!at)
		return;
	switch (type) {
	case SET_PARENT:
		register_set(at + CLOCK_PARENT, number_at(message, 13, 18));
		break;
	case GET_PARENT:
		words[2] = register_get(at + CLOCK_PARENT) & 0xff;
		break;
	case GET_NUM_PARENTS:
		words[2] = register_get(at + CLOCK_PARENTS);
		break;
	case SET_FREQUENCY:
		register_set(at + CLOCK_HERTZ, register_get(message + 20));
		break;
	case QUERY_FREQUENCY:
		words[2] = register_get(message + 20);
		break;
	case GET_FREQUENCY:
		words[2] = register_get(at + CLOCK_HERTZ);
		break;
	}
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u32 words[WORDS];

	(void)old;
	if (offset != LAST_WORD)
		return value;
	/* Type and host, flags, then what the request is about. */
	words[0] = register_get(placed->address + MESSAGE);
	words[1] = register_get(placed->address + MESSAGE + 4) | FLAG_ACK;
	for (u32 i = 2; i < WORDS; i++)
		words[i] = 0;
	switch (words[0] & 0xffff) {
	case VERSION:
		words[2] = 0x706f6f66;
		words[10] = ABI_AND_FIRMWARE;
		break;
	case GET_CLOCK_STATE:
		words[2] = CLOCK_READY;
		break;
	case SET_PARENT:
	case GET_PARENT:
	case GET_NUM_PARENTS:
	case SET_FREQUENCY:
	case QUERY_FREQUENCY:
	case GET_FREQUENCY:
		clock_message(placed, words[0] & 0xffff, words);
		break;
	case GET_DEVICE_STATE:
		words[4] = DEVICE_ON;
		break;
	case GET_RANGE:
		words[2] = range(placed, register_get(placed->address + MESSAGE + 8) & 0xffff,
				 byte_get(placed->address + MESSAGE + 10));
		break;
	}
	for (u32 i = 0; i < WORDS; i++)
		register_set(placed->parameter[0] + MESSAGE + 4 * i, words[i]);
	register_set(placed->parameter[1], 1);	/* one message */
	vgic_raise(placed->interrupt[0]);
	return value;
}

const struct behaviour ti_sci = { NO_READ, write };
