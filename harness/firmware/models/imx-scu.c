/*
 * NXP's system controller behind a messaging unit (drivers/mailbox/imx-mailbox.c, imx_mu_cfg_imx8_scu;
 * drivers/firmware/imx/imx-scu.c, imx_scu_call_rpc()): it grants every request and owns nothing itself. parameter 0:
 * where it keeps what it knows; 1: what it says the SoC is; 2: hertz of a clock whose rate was never set. interrupt 0:
 * the messaging unit's.
 */
#include "../board.h"

enum { TRANSMIT = 0x00, RECEIVE = 0x10, STATUS = 0x20, CONTROL = 0x24 };
#define REGISTERS	4u
/* The bits of register N of four, the first one highest: full (to be read), empty (to be written). */
#define FULL(n)		(1u << (27 - (n)))
#define EMPTY(n)	(1u << (23 - (n)))
#define ALL_EMPTY	(0xfu << 20)
#define WATCHED		(0xffu << 20)

/* What is kept: words of the request so far, words of the answer, each register's next word; both; clocks. */
enum { ASKED = 0, ANSWERED = 4, NEXT = 0x10, REQUEST = 0x40, ANSWER = 0x80, RATES = 0x100 };
#define WORDS_MAX	8u
#define CLOCKS		0x4000u
/* Bytes of a message's first word: version, words, service, function (of an answer: error). */
#define WORDS(header)		((header) >> 8 & 0xff)
#define REQUESTED(header)	((header) >> 16)
#define WITHOUT_ERROR(header)	((header) & 0x00ffffff)
#define CALL(service, function)	((service) | (function) << 8)
#define SET_CLOCK_RATE		CALL(2, 5)
#define GET_CLOCK_RATE		CALL(2, 6)
#define IS_RESOURCE_OWNED	CALL(3, 13)
#define GET_CONTROL		CALL(7, 2)
#define GET_TEMP		CALL(7, 13)
#define UNIQUE_ID		CALL(7, 19)
#define YES			(1u << 24)
#define CONTROL_ID		14u	/* IMX_SC_C_ID */
#define CELSIUS			45u

static u32 get(const struct placed *placed, u32 what)
{
	return register_get(placed->parameter[0] + what);
}

static void set(const struct placed *placed, u32 what, u32 value)
{
	register_set(placed->parameter[0] + what, value);
}

/* Where the rate of a clock is kept: `place` is the word with resource and clock. */
static u32 rate_of(u32 place)
{
	return RATES + ((place & 0xffff) * 8 + (place >> 16 & 7)) % CLOCKS * 4;
}

static void answer(const struct placed *placed)
{
	u32 header = get(placed, REQUEST), words = WORDS(header), first = get(placed, REQUEST + 4);
	u32 reply[3] = { WITHOUT_ERROR(header), 0, 0 };

	switch (REQUESTED(header)) {
	case SET_CLOCK_RATE:
		set(placed, rate_of(get(placed, REQUEST + 8)), first);
		break;
	case GET_CLOCK_RATE:
		reply[1] = get(placed, rate_of(first));
		if (!reply[1])
			reply[1] = placed->parameter[2];
		break;
	case IS_RESOURCE_OWNED:
		reply[0] |= YES;
		break;
	case GET_CONTROL:
		reply[1] = first == CONTROL_ID ? placed->parameter[1] : 0;
		break;
	case GET_TEMP:
		reply[1] = CELSIUS;
		break;
	case UNIQUE_ID:
		words = 3;
	}
	/* As long as the request: the caller has room for that. */
	reply[0] = (reply[0] & ~0xff00u) | words << 8;
	for (u32 i = 0; i < WORDS_MAX; i++)
		set(placed, ANSWER + 4 * i, i < 3 ? reply[i] : 0);
	for (u32 i = 0; i < REGISTERS; i++)
		set(placed, NEXT + 4 * i, i);
	set(placed, ANSWERED, words);
	set(placed, ASKED, 0);
}

static u32 status(const struct placed *placed)
{
	u32 bits = ALL_EMPTY;

	for (u32 i = 0; i < REGISTERS; i++)
		if (get(placed, NEXT + 4 * i) < get(placed, ANSWERED))
			bits |= FULL(i);
	return bits;
}

static void look(const struct placed *placed, u32 control)
{
	vgic_line(placed->interrupt[0], (status(placed) & control & WATCHED) != 0);
}

static u32 read(const struct placed *placed, u32 offset, u32 value)
{
	u32 index = (offset - RECEIVE) / 4, next;

	if (offset == STATUS)
		return status(placed);
	if (offset < RECEIVE || offset >= STATUS)
		return value;
	next = get(placed, NEXT + 4 * index);
	value = next < WORDS_MAX ? get(placed, ANSWER + 4 * next) : 0;
	set(placed, NEXT + 4 * index, next + REGISTERS);
	look(placed, register_get(placed->address + CONTROL));
	return value;
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u32 control = register_get(placed->address + CONTROL), asked = get(placed, ASKED);

	(void)old;
	if (offset == CONTROL)
		control = value;
	if (offset < RECEIVE) {
		if (asked < WORDS_MAX)
			set(placed, REQUEST + 4 * asked, value);
		set(placed, ASKED, ++asked);
		if (asked >= WORDS(get(placed, REQUEST)) || asked >= WORDS_MAX)
			answer(placed);
	}
	look(placed, control);
	return value;
}

const struct behaviour imx_scu = { read, write };
