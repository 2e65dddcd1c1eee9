/*
 * TI's system controller behind its secure proxy (drivers/firmware/ti_sci.c, drivers/mailbox/ti-msgmgr.c): every
 * request is granted. The range is the data of the thread that is written (64 bytes); parameter 0: that of the thread
 * which is read, 1: its status; interrupt 0: its own. Message types and layouts: drivers/firmware/ti_sci.h.
 */
#include "../board.h"

enum { MESSAGE = 0x04, LAST_WORD = 0x3c, WORDS = 15 };
enum {
	VERSION = 0x0002, SET_CLOCK_STATE = 0x0100, GET_CLOCK_STATE = 0x0101, GET_NUM_PARENTS = 0x0104, QUERY_FREQUENCY = 0x010d,
	GET_FREQUENCY = 0x010e, GET_RANGE = 0x1500,
};
#define FLAG_ACK	2u
#define CLOCK_READY	0x0202u		/* programmed and current state */
#define PARENTS		4u
#define HERTZ		200000000u
#define RANGE_SIZE	64u
#define ABI_AND_FIRMWARE	(9u | 3u << 16 | 1u << 24)

static u32 read(const struct placed *placed, u32 offset, u32 value)
{
	(void)placed;
	(void)offset;
	return value;
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
	case GET_NUM_PARENTS:
		words[2] = PARENTS;
		break;
	case QUERY_FREQUENCY:
	case GET_FREQUENCY:
		words[2] = HERTZ;
		break;
	case GET_RANGE:
		words[2] = RANGE_SIZE << 16;
		break;
	}
	for (u32 i = 0; i < WORDS; i++)
		register_set(placed->parameter[0] + MESSAGE + 4 * i, words[i]);
	register_set(placed->parameter[1], 1);	/* one message */
	vgic_raise(placed->interrupt[0]);
	return value;
}

const struct behaviour ti_sci = { read, write };
