/*
 * Chromium OS's embedded controller as an SPI slave: drivers/platform/chrome/cros_ec_spi.c, cros_ec_pkt_xfer_spi() and
 * cros_ec_spi_receive_packet(), cros_ec_proto.c. A request is known by its first byte, whatever the chip select does,
 * as its driver keeps that over several messages. The controller has two PWMs, as many ports of USB as SLAVE_PORTS
 * says, regulators, buttons, a lid, and I2C slaves that read as zeros.
 */
#include "spi.h"

/* In the slave's part of the store */
enum { EC_STATE = 0x40, EC_COUNT = 0x44, EC_LENGTH = 0x48, EC_VOLTAGES = 0x80, EC_REQUEST = 0x100, EC_ANSWER = 0x800 };
enum { IDLE, REQUEST, ANSWER };
#define REQUEST_MAX	0x600u
#define ANSWER_MAX	0x700u
#define HEADER		8u	/* struct ec_host_request, struct ec_host_response */
#define PACKETS		3u	/* version of both */
/* include/linux/platform_data/cros_ec_commands.h: what is read while there is no answer, and before and behind it */
enum { SPI_RECEIVING = 0xf9, SPI_READY = 0xf8, SPI_FRAME = 0xec, SPI_PAST_END = 0xed };

/* enum ec_status */
enum { SUCCESS = 0, INVALID_COMMAND = 1, INVALID_PARAM = 3 };
enum {
	HELLO = 0x0001, GET_VERSION = 0x0002, GET_COMMAND_VERSIONS = 0x0008, GET_PROTOCOL_INFO = 0x000b, GET_FEATURES = 0x000d,
	PWM_SET = 0x0025, PWM_GET = 0x0026, MKBP_INFO = 0x0061, I2C_PASSTHRU = 0x009e, PD_CONTROL = 0x0101, PD_PORTS = 0x0102,
	PD_POWER_INFO = 0x0103, PD_MUX_INFO = 0x0104, REGULATOR_INFO = 0x012c, REGULATOR_ENABLE = 0x012d,
	REGULATOR_IS_ENABLED = 0x012e, REGULATOR_SET = 0x012f, REGULATOR_GET = 0x0130,
};
#define HELLO_ADDS	0x01020304u
#define LONGEST_PACKET	0x108u
#define PWMS		2u
/* enum ec_mkbp_info_type; buttons: power, louder, softer; switches: lid, tablet, base */
enum { MKBP_SUPPORTED = 1, MKBP_CURRENT = 2, MKBP_KINDS = 7 };
#define REGULATORS	16u
#define READS		0x8000u		/* EC_I2C_FLAG_READ */

static const u16 millivolts[] = { 1800, 2800, 3300 };
#define VOLTAGES	(sizeof(millivolts) / sizeof(millivolts[0]))
#define NAME_SIZE	16u

static u32 word(u64 at, u32 bytes)
{
	u32 value = 0;

	for (u32 i = 0; i < bytes; i++)
		value |= (u32)byte_get(at + i) << 8 * i;
	return value;
}

static void put(u64 at, u32 value, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		byte_set(at + i, value >> 8 * i);
}

/* Bytes that are read back from the slaves of an I2C bus, behind a status and the number of messages. */
static u32 passthru(u64 asked, u64 data)
{
	u32 bytes = 2, messages = byte_get(asked + 1);

	put(data, messages << 8, 2);
	for (u32 i = 0; i < messages; i++) {
		u64 message = asked + 2 + 4 * i;

		if (message + 4 > asked + REQUEST_MAX)
			break;
		if (word(message, 2) & READS)
			bytes += word(message + 2, 2);
	}
	return bytes;
}

/* Returns the result of a command, and in `bytes` how many of zeros and of what is put there are its answer. */
static u32 carry_out(u64 slave, u32 command, u32 version, u32 *bytes)
{
	u64 asked = slave + EC_REQUEST + HEADER, data = slave + EC_ANSWER + HEADER;
	u64 voltage = slave + EC_VOLTAGES + 2 * (word(asked, 4) % REGULATORS);

	switch (command) {
	case HELLO:
		put(data, word(asked, 4) + HELLO_ADDS, 4);
		*bytes = 4;
		return SUCCESS;
	case GET_VERSION:
		*bytes = 100;
		return SUCCESS;
	case GET_COMMAND_VERSIONS:
		if (word(asked, 1) != (PD_CONTROL & 0xff) && word(asked, 2) != PD_CONTROL)
			return INVALID_PARAM;
		put(data, 3, 4);
		*bytes = 4;
		return SUCCESS;
	case GET_PROTOCOL_INFO:
		put(data, 1u << PACKETS, 4);
		put(data + 4, LONGEST_PACKET | LONGEST_PACKET << 16, 4);
		*bytes = 12;
		return SUCCESS;
	case GET_FEATURES:
		*bytes = 8;
		return SUCCESS;
	case PWM_GET:
		*bytes = 2;
		return word(asked + 1, 1) < PWMS ? SUCCESS : INVALID_PARAM;
	case PWM_SET:
	case REGULATOR_ENABLE:
		return SUCCESS;
	case MKBP_INFO:
		if (byte_get(asked) != MKBP_SUPPORTED && byte_get(asked) != MKBP_CURRENT)
			return INVALID_PARAM;
		put(data, byte_get(asked) == MKBP_SUPPORTED ? MKBP_KINDS : 0, 4);
		*bytes = 4;
		return SUCCESS;
	case I2C_PASSTHRU:
		*bytes = passthru(asked, data);
		return SUCCESS;
	case PD_CONTROL:
		*bytes = version ? 35 : 4;
		return SUCCESS;
	case PD_PORTS:
		put(data, register_get(slave + SLAVE_PORTS), 1);
		*bytes = 1;
		return SUCCESS;
	case PD_POWER_INFO:
		*bytes = 16;
		return SUCCESS;
	case PD_MUX_INFO:
		*bytes = 1;
		return SUCCESS;
	case REGULATOR_INFO:
		put(data, 'e' | 'c' << 8 | '-' << 16 | ('a' + word(asked, 4) % REGULATORS) << 24, 4);
		put(data + NAME_SIZE, VOLTAGES, 2);
		for (u32 i = 0; i < VOLTAGES; i++)
			put(data + NAME_SIZE + 2 + 2 * i, millivolts[i], 2);
		*bytes = NAME_SIZE + 2 + 32;
		return SUCCESS;
	case REGULATOR_IS_ENABLED:
		put(data, 1, 1);
		*bytes = 1;
		return SUCCESS;
	case REGULATOR_SET:
		put(voltage, word(asked + 4, 2), 2);
		return SUCCESS;
	case REGULATOR_GET:
		put(data, word(voltage, 2) ? word(voltage, 2) : millivolts[VOLTAGES - 1], 4);
		*bytes = 4;
		return SUCCESS;
	}
	return INVALID_COMMAND;
}

static void answer(u64 slave)
{
	u64 request = slave + EC_REQUEST, at = slave + EC_ANSWER;
	u32 bytes = 0, result;
	u8 sum = 0;

	for (u32 i = 0; i < HEADER + ANSWER_MAX; i++)
		byte_set(at + i, 0);
	result = carry_out(slave, word(request + 2, 2), byte_get(request + 4), &bytes);
	if (result != SUCCESS)
		bytes = 0;
	if (bytes > ANSWER_MAX)
		bytes = ANSWER_MAX;
	put(at, PACKETS, 1);
	put(at + 2, result, 2);
	put(at + 4, bytes, 2);
	for (u32 i = 0; i < HEADER + bytes; i++)
		sum += byte_get(at + i);
	byte_set(at + 1, -sum);
	register_set(slave + EC_LENGTH, HEADER + bytes);
}

static void state(u64 slave, u32 next, u32 count)
{
	register_set(slave + EC_STATE, next);
	register_set(slave + EC_COUNT, count);
}

u8 cros_ec(u64 slave, u8 out)
{
	u32 count = register_get(slave + EC_COUNT);

	if (register_get(slave + EC_STATE) != REQUEST) {
		if (out == PACKETS) {
			byte_set(slave + EC_REQUEST, out);
			state(slave, REQUEST, 1);
			return SPI_RECEIVING;
		}
		if (register_get(slave + EC_STATE) == IDLE)
			return SPI_READY;
		if (count > register_get(slave + EC_LENGTH)) {
			state(slave, IDLE, 0);
			return SPI_PAST_END;
		}
		register_set(slave + EC_COUNT, count + 1);
		return count ? byte_get(slave + EC_ANSWER + count - 1) : SPI_FRAME;
	}
	byte_set(slave + EC_REQUEST + count, out);
	register_set(slave + EC_COUNT, ++count);
	if (count == REQUEST_MAX || (count >= HEADER && count == HEADER + word(slave + EC_REQUEST + 6, 2))) {
		answer(slave);
		state(slave, ANSWER, 0);
	}
	return SPI_RECEIVING;
}
