/*
 * MediaTek's wrapper of the serial bus to its PMIC (drivers/soc/mediatek/mtk-pmic-wrap.c): the channel WACS2. The
 * PMIC's registers have 16 bits. parameter 0: where they lie; 1: WACS2_CMD; 2: WACS2_RDATA; 3: WACS2_VLDCLR; 4: the
 * state when nothing is under way; 5 and 6: SWINF_2_WDATA_31_0 and SWINF_2_RDATA_31_0, or 0 where data goes with the
 * command.
 */
#include "../board.h"

enum { FILE, COMMAND, RDATA, VLDCLR, IDLE, WIDE_WDATA, WIDE_RDATA };
#define WRITE		(1u << 31)
#define WIDE_WRITE	(1u << 29)
#define VALID		6u	/* PWRAP_WACS_FSM_WFVLDCLR: data is there until it is cleared */
#define FSM_SHIFT	16
#define WIDE_FSM_SHIFT	1

static void transfer(const struct placed *placed, u32 command)
{
	u64 base = placed->address;
	u32 is_wide = placed->parameter[WIDE_WDATA] != 0, idle = placed->parameter[IDLE];
	u32 is_write = command & (is_wide ? WIDE_WRITE : WRITE);
	u64 at = placed->parameter[FILE] + (is_wide ? command & 0xffff : (command >> 16 & 0x7fff) * 2);
	u32 data = is_wide ? register_get(base + placed->parameter[WIDE_WDATA]) : command;

	if (is_write) {
		byte_set(at, data);
		byte_set(at + 1, data >> 8);
		return;
	}
	data = byte_get(at) | (u32)byte_get(at + 1) << 8;
	if (is_wide)
		register_set(base + placed->parameter[WIDE_RDATA], data);
	register_set(base + placed->parameter[RDATA], idle | (is_wide ? VALID << WIDE_FSM_SHIFT : VALID << FSM_SHIFT | data));
}

static u32 write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	(void)old;
	if (offset == placed->parameter[COMMAND])
		transfer(placed, value);
	else if (offset == placed->parameter[VLDCLR] && value)
		register_set(placed->address + placed->parameter[RDATA], placed->parameter[IDLE]);
	return value;
}

const struct behaviour mtk_pwrap = { NO_READ, write };
