/*
 * Qualcomm's SPMI arbiter, versions 2 to 5 (drivers/spmi/spmi-pmic-arb.c): the channels. parameter 0: bytes from one
 * channel to the next; 1: where PMIC_ARB_REG_APID(0) is; 2: where the peripherals' registers lie, those of PPID N at N
 * * 256.
 */
#include "../board.h"

enum { COMMAND = 0x00, STATUS = 0x08, WRITE_DATA = 0x10, READ_DATA = 0x18 };
#define OPERATION(command)	((command) >> 27)
#define FIRST(command)		((command) >> 4 & 0xff)
#define BYTES(command)		(((command) & 7) + 1)
#define EXTENDED_WRITE_LONG	0
#define EXTENDED_READ_LONG	1
#define DONE			1
#define PPID(entry)		((entry) >> 8 & 0xfff)
#define PERIPHERAL_SIZE		0x100u

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 channel = placed->address + offset, peripheral;

	(void)old;
	if (offset % placed->parameter[0] != COMMAND)
		return value;
	peripheral = placed->parameter[2] +
		     PPID(register_get(placed->parameter[1] + offset / placed->parameter[0] * 4)) * PERIPHERAL_SIZE;
	for (u32 i = 0; i < BYTES(value); i++) {
		u64 at = peripheral + (FIRST(value) + i) % PERIPHERAL_SIZE;

		if (OPERATION(value) == EXTENDED_READ_LONG)
			byte_set(channel + READ_DATA + i, byte_get(at));
		else if (OPERATION(value) == EXTENDED_WRITE_LONG)
			byte_set(at, byte_get(channel + WRITE_DATA + i));
	}
	register_set(channel + STATUS, DONE);
	return value;
}

const struct behaviour spmi_arbiter = { NO_READ, write };
