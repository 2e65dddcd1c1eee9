/*
 * Arm's System Control and Processor Interface 1.0 (DUI 0922), and Amlogic's from before it, behind a channel of a
 * message handling unit: drivers/firmware/arm_scpi.c, drivers/mailbox/arm_mhu.c, platform_mhu.c. All power domains are
 * on, and what is asked is done. The range is the register that rings for the control processor; parameter 0: the
 * shared memory of its answers, 1: that of requests, 2: the status of the channel back; 3: a store for what clocks and
 * voltage domains are set to, 4: how many sensors there are, 5: whether it is the older one; interrupt 0: of the
 * channel back.
 */
#include "../board.h"

/* struct scpi_shared_mem */
enum { COMMAND = 0x00, STATUS = 0x04, PAYLOAD = 0x08 };
/* struct legacy_scpi_shared_mem: a status before the answer, nothing before what is asked, and the command rings */
enum { OLD_STATUS = 0x00, OLD_PAYLOAD = 0x04 };
#define COMMAND_ID(command)		((command) & 0x7f)
#define ID_AND_TOKEN(command)		((command) & 0xff7f)
#define WITH_SIZE(command, size)	(ID_AND_TOKEN(command) | (size) << 16)

/* enum scpi_std_cmd */
enum {
	CAPABILITIES = 0x02, DVFS_INFO = 0x09, SET_DVFS = 0x0a, GET_DVFS = 0x0b, CLOCK_INFO = 0x0e, SET_CLOCK = 0x0f,
	GET_CLOCK = 0x10, SENSOR_COUNT = 0x15, SENSOR_INFO = 0x16, SENSOR_VALUE = 0x17, SET_POWER = 0x1b, GET_POWER = 0x1c,
};

/* enum legacy_scpi_std_cmd, those that the driver sends */
enum {
	OLD_DVFS_INFO = 0x0d, OLD_SET_DVFS = 0x0e, OLD_GET_DVFS = 0x0f, OLD_SET_CLOCK = 0x15, OLD_GET_CLOCK = 0x16,
	OLD_SENSOR_COUNT = 0x1a, OLD_SENSOR_INFO = 0x1b, OLD_SENSOR_VALUE = 0x1c,
};

#define PROTOCOL_1_2		0x10002u
#define PLATFORM_1_21		(1u << 24 | 21u << 16)
#define HIGHEST_HERTZ		4000000000u
#define DEFAULT_HERTZ		200000000u
#define MILLIDEGREES		40000u
#define DEGREES			40u	/* drivers/hwmon/scpi-hwmon.c, gxbb_scpi_scale */
#define NAME_SIZE		20u

/* Operating points of a voltage domain: two, a latency in microseconds, and hertz and millivolts of each. */
#define POINTS			2u
#define LATENCY			20u
#define LOW_HERTZ		450000000u
#define LOW_MILLIVOLTS		820u
#define HIGH_HERTZ		800000000u
#define HIGH_MILLIVOLTS		900u

/* What voltage domains are set to lies behind the clocks, whose numbers have 16 bits. */
#define DOMAINS			0x40000u

static int is_old(const struct placed *placed)
{
	return placed->parameter[5] != 0;
}

static u64 answer_at(const struct placed *placed)
{
	return placed->parameter[0] + (is_old(placed) ? OLD_PAYLOAD : PAYLOAD);
}

static void put(const struct placed *placed, u32 offset, u32 value)
{
	register_set(answer_at(placed) + offset, value);
}

static u32 newer(u32 command)
{
	switch (command) {
	case OLD_DVFS_INFO:
		return DVFS_INFO;
	case OLD_SET_DVFS:
		return SET_DVFS;
	case OLD_GET_DVFS:
		return GET_DVFS;
	case OLD_SET_CLOCK:
		return SET_CLOCK;
	case OLD_GET_CLOCK:
		return GET_CLOCK;
	case OLD_SENSOR_COUNT:
		return SENSOR_COUNT;
	case OLD_SENSOR_INFO:
		return SENSOR_INFO;
	case OLD_SENSOR_VALUE:
		return SENSOR_VALUE;
	}
	return command == CAPABILITIES ? command : 0;
}

/* A name with a number of three digits, in the 20 bytes that names have. */
static void put_name(const struct placed *placed, u32 offset, const char *kind, u32 number)
{
	u64 at = answer_at(placed) + offset;

	for (u32 i = 0; i < NAME_SIZE; i++)
		byte_set(at + i, 0);
	while (*kind)
		byte_set(at++, *kind++);
	byte_set(at++, '0' + number / 100 % 10);
	byte_set(at++, '0' + number / 10 % 10);
	byte_set(at, '0' + number % 10);
}

static u64 clock_at(const struct placed *placed, u32 number)
{
	return placed->parameter[3] + 4 * number;
}

static u64 domain_at(const struct placed *placed, u32 number)
{
	return placed->parameter[3] + DOMAINS + 4 * (number & 0xff);
}

/* Writes an answer behind its status, and returns its bytes. */
static u32 answer(const struct placed *placed, u32 command)
{
	u64 asked = placed->parameter[1] + (is_old(placed) ? 0 : PAYLOAD);
	u32 number = register_get(asked) & 0xffff;

	switch (command) {
	case CAPABILITIES:
		put(placed, 0, PROTOCOL_1_2);
		put(placed, 4, 0);
		put(placed, 8, PLATFORM_1_21);
		for (u32 i = 12; i < 28; i += 4)
			put(placed, i, 0);
		return 28;
	case DVFS_INFO:
		put(placed, 0, (number & 0xff) | POINTS << 8 | LATENCY << 16);
		put(placed, 4, LOW_HERTZ);
		put(placed, 8, LOW_MILLIVOLTS);
		put(placed, 12, HIGH_HERTZ);
		put(placed, 16, HIGH_MILLIVOLTS);
		return 20;
	case SET_DVFS:
		register_set(domain_at(placed, number), number >> 8);
		return 0;
	case GET_DVFS:
		put(placed, 0, register_get(domain_at(placed, number)));
		return 1;
	case CLOCK_INFO:
		put(placed, 0, number);
		put(placed, 4, 0);
		put(placed, 8, HIGHEST_HERTZ);
		put_name(placed, 12, "scpi-", number);
		return 32;
	case SET_CLOCK:
		/* The older one has the rate first. */
		if (is_old(placed))
			register_set(clock_at(placed, register_get(asked + 4) & 0xffff), register_get(asked));
		else
			register_set(clock_at(placed, number), register_get(asked + 4));
		return 0;
	case GET_CLOCK:
		number = register_get(clock_at(placed, number));
		put(placed, 0, number ? number : DEFAULT_HERTZ);
		return 4;
	case SENSOR_COUNT:
		put(placed, 0, placed->parameter[4]);
		return 2;
	case SENSOR_INFO:
		/* Class 0 is a temperature, without a trigger. */
		put(placed, 0, number);
		put_name(placed, 4, "sensor-", number);
		return 24;
	case SENSOR_VALUE:
		put(placed, 0, is_old(placed) ? DEGREES : MILLIDEGREES);
		put(placed, 4, 0);
		return 8;
	case SET_POWER:
	case GET_POWER:
		put(placed, 0, 0);
		return 1;
	}
	return 0;
}

/* A request ends at once, so that the status of the channel to the processor stays zero. */
static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 answers = placed->parameter[0];
	u32 command = register_get(placed->parameter[1] + COMMAND);

	(void)offset;
	(void)old;
	if (is_old(placed)) {
		answer(placed, newer(COMMAND_ID(value)));
		register_set(answers + OLD_STATUS, 0);
	} else {
		register_set(answers + COMMAND, WITH_SIZE(command, answer(placed, COMMAND_ID(command))));
		register_set(answers + STATUS, 0);
	}
	register_set(placed->parameter[2], register_get(placed->parameter[2]) | value);
	vgic_raise(placed->interrupt[0]);
	return 0;
}

const struct behaviour scpi = { NO_READ, write };
