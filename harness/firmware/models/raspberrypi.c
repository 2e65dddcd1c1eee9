/*
 * The Raspberry Pi's firmware behind its mailbox (drivers/mailbox/bcm2835-mailbox.c, drivers/firmware/raspberrypi.c):
 * the property channel. The range begins at the mailbox's own registers; interrupt 0: its own. parameter 0: what is
 * taken off a bus address to get the CPU's.
 */
#include "../board.h"

/* Mailbox 0 is read, 1 is written. */
enum { READ = 0x00, STATUS_0 = 0x18, CONFIG_0 = 0x1c, WRITE = 0x20 };
#define EMPTY		0x40000000u
#define CHANNEL(message)	((message) & 15)
#define PROPERTIES	8
#define BUS_MASK	0x3ffffff0u

/* include/soc/bcm2835/raspberrypi-firmware.h */
enum {
	FIRMWARE_REVISION = 0x00000001, BOARD_REVISION = 0x00010002, CLOCKS = 0x00010007, CLOCK_STATE = 0x00030001,
	CLOCK_RATE = 0x00030002, MAX_CLOCK_RATE = 0x00030004, TEMPERATURE = 0x00030006, MIN_CLOCK_RATE = 0x00030007,
	MAX_TEMPERATURE = 0x0003000a, MEASURED_RATE = 0x00030047, GPIO_STATE = 0x00030041, GPIO_CONFIG = 0x00030043,
	SET_GPIO_STATE = 0x00038041, SET_GPIO_CONFIG = 0x00038043, VCHIQ_INIT = 0x00048010,
};
#define SUCCESS		0x80000000u
#define REVISION	0x5f440c00u	/* a date */
#define CLOCK_COUNT	15u
#define TAG_HEADER	3u	/* words: tag, size, answered */
#define WORDS_MAX	1024u

static void answer(u32 tag, u64 value, u32 words)
{
	u32 first = 0, second = register_get(value + 4);

	switch (tag) {
	case FIRMWARE_REVISION: first = REVISION; break;
	case BOARD_REVISION: first = 0xc03112; break;
	case CLOCKS:
		for (u32 i = 0; i < CLOCK_COUNT && 2 * i + 1 < words; i++) {
			register_set(value + 8 * i, 0);
			register_set(value + 8 * i + 4, i + 1);
		}
		return;
	case CLOCK_RATE:
	case MAX_CLOCK_RATE:
	case MEASURED_RATE: second = 500000000; goto pair;
	case MIN_CLOCK_RATE: second = 100000000; goto pair;
	case CLOCK_STATE: second = 1; goto pair;
	case TEMPERATURE: second = 45000; goto pair;
	case MAX_TEMPERATURE: second = 85000; goto pair;
	case GPIO_STATE:
	case GPIO_CONFIG:
	case SET_GPIO_STATE:
	case SET_GPIO_CONFIG:
	case VCHIQ_INIT: break;
	default: return;	/* what was asked for is what is said */
	}
	register_set(value, first);
	return;
pair:
	register_set(value + 4, second);
}

static void properties(u64 buffer)
{
	u32 words = register_get(buffer) / 4;

	if (!memory_physical(buffer) || words > WORDS_MAX)
		return;
	for (u32 i = 2; i + TAG_HEADER <= words && register_get(buffer + 4 * i); ) {
		u32 size = register_get(buffer + 4 * i + 4);

		if (size / 4 > words)
			return;
		answer(register_get(buffer + 4 * i), buffer + 4 * (i + TAG_HEADER), size / 4);
		register_set(buffer + 4 * i + 8, SUCCESS | size);
		i += TAG_HEADER + size / 4;
	}
	register_set(buffer + 4, SUCCESS);
}

static u32 read(const struct placed *placed, u32 offset, u32 value)
{
	if (offset == READ) {
		register_set(placed->address + STATUS_0, EMPTY);
		vgic_line(placed->interrupt[0], 0);
	}
	return value;
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	(void)old;
	if (offset == WRITE) {
		if (CHANNEL(value) == PROPERTIES)
			properties((value & BUS_MASK) - placed->parameter[0]);
		register_set(placed->address + READ, value);
		register_set(placed->address + STATUS_0, 0);
		vgic_line(placed->interrupt[0], 1);
	}
	return value;
}

const struct behaviour raspberry_pi_mailbox = { read, write };
