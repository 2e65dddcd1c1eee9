/* SPI masters whose registers behave; parameter 0: as in spi.h. */
#include "spi.h"

/* ---- spi-rockchip: drivers/spi/spi-rockchip.c; interrupt 0: its own ---- */

enum {
	RK_CTRLR0 = 0x00, RK_CTRLR1 = 0x04, RK_SSIENR = 0x08, RK_SER = 0x0c, RK_RXFTLR = 0x18,
	RK_TXFLR = 0x1c, RK_RXFLR = 0x20,
	RK_SR = 0x24, RK_IMR = 0x2c, RK_ISR = 0x30, RK_RISR = 0x34, RK_TXDR = 0x400, RK_RXDR = 0x800, RK_END = 0xc00,
};
#define RK_MODE(control)	((control) >> 18 & 3)
#define RK_RECEIVE_ONLY		2
#define RK_STATUS_EMPTY		0x0cu	/* both FIFOs */
#define RK_STATUS_SENT		0x04u
#define RK_RECEIVED		0x10u	/* INT_RF_FULL */
#define RK_SELECTS		3u

static u32 rk_pending(const struct placed *placed)
{
	return received(placed) > register_get(placed->address + RK_RXFTLR) ? RK_RECEIVED : 0;
}

static void rk_line(const struct placed *placed, u32 enabled)
{
	vgic_line(placed->interrupt[0], (rk_pending(placed) & enabled) != 0);
}

static u64 rk_slave(const struct placed *placed, u32 selects)
{
	return slave_of(placed, selects & 1 ? 0 : 1);
}

static u32 rk_read(const struct placed *placed, u32 offset, u32 value)
{
	u32 enabled = register_get(placed->address + RK_IMR);

	if (offset >= RK_RXDR && offset < RK_END) {
		value = pop(placed);
		rk_line(placed, enabled);
		return value;
	}
	switch (offset) {
	case RK_TXFLR:
		return 0;
	case RK_RXFLR:
		return received(placed);
	case RK_SR:
		return received(placed) ? RK_STATUS_SENT : RK_STATUS_EMPTY;
	case RK_ISR:
		return rk_pending(placed) & enabled;
	case RK_RISR:
		return rk_pending(placed);
	}
	return value;
}

static u32 rk_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 base = placed->address, slave = rk_slave(placed, register_get(base + RK_SER));
	u32 enabled = register_get(base + RK_IMR);

	if (offset >= RK_TXDR && offset < RK_RXDR) {
		push(placed, exchange(slave, value));
	} else if (offset == RK_SER) {
		if (value & ~old & RK_SELECTS)
			select(rk_slave(placed, value));
	} else if (offset == RK_SSIENR) {
		flush(placed);
		if ((value & 1) && RK_MODE(register_get(base + RK_CTRLR0)) == RK_RECEIVE_ONLY)
			for (u32 n = register_get(base + RK_CTRLR1) + 1; n && received(placed) < FIFO_SIZE; n--)
				push(placed, exchange(slave, 0));
	} else if (offset == RK_IMR) {
		enabled = value;
	}
	rk_line(placed, enabled);
	return value;
}

const struct behaviour spi_rockchip = { rk_read, rk_write };

/* ---- rockchip-sfc: drivers/spi/spi-rockchip-sfc.c, a master for flashes alone; FIFO levels are constants ---- */

enum { SFC_CMD = 0x100, SFC_DATA = 0x108 };
#define SFC_OPCODE(command)	((command) & 0xff)
#define SFC_SELECT(command)	((command) >> 30)

static u32 sfc_read(const struct placed *placed, u32 offset, u32 value)
{
	u64 slave = slave_of(placed, SFC_SELECT(register_get(placed->address + SFC_CMD)));

	if (offset != SFC_DATA)
		return value;
	value = 0;
	for (u32 i = 0; i < 4; i++)
		value |= (u32)exchange(slave, 0) << 8 * i;
	return value;
}

static u32 sfc_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 slave = slave_of(placed, SFC_SELECT(value));

	(void)old;
	if (offset == SFC_CMD) {
		select(slave);
		exchange(slave, SFC_OPCODE(value));
	}
	return value;
}

const struct behaviour rockchip_sfc = { sfc_read, sfc_write };

/* ---- cadence-quadspi: drivers/spi/spi-cadence-quadspi.c, commands with up to eight bytes of an answer ---- */

enum { CQSPI_COMMAND = 0x90, CQSPI_ANSWER = 0xa0 };
#define CQSPI_EXECUTE		3u	/* the bit that starts it, and the one that says that it runs */
#define CQSPI_OPCODE(command)	((command) >> 24)
#define CQSPI_READS		(1u << 23)
#define CQSPI_BYTES(command)	(((command) >> 20 & 7) + 1)

static u32 cqspi_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	(void)old;
	if (offset != CQSPI_COMMAND || !(value & CQSPI_EXECUTE))
		return value;
	flash_command(placed, CQSPI_OPCODE(value), placed->address + CQSPI_ANSWER,
		      value & CQSPI_READS ? CQSPI_BYTES(value) : 0);
	return value & ~CQSPI_EXECUTE;
}

const struct behaviour cadence_quadspi = { NO_READ, cqspi_write };
