/*
 * Qualcomm's serial engines with the firmware of an I2C or SPI master: drivers/soc/qcom/qcom-geni-se.c,
 * drivers/i2c/busses/i2c-qcom-geni.c, drivers/spi/spi-geni-qcom.c. What fits into the FIFOs is transferred; by DMA
 * nothing is, as an SMMU may stand before the memory. interrupt 0: the engine's; parameter 0: as in i2c.h or spi.h.
 */
#include "i2c.h"
#include "spi.h"

enum {
	DMA_MODE = 0x258, CHIP_SELECT = 0x250, SEND_LENGTH = 0x26c, RECEIVE_LENGTH = 0x270,
	COMMAND = 0x600, CONTROL = 0x604, STATUS = 0x610, ENABLED = 0x614, CLEAR = 0x618, ENABLE = 0x61c, DISABLE = 0x620,
	SENDS = 0x700, RECEIVES = 0x780, SENDS_STATUS = 0x800, RECEIVES_STATUS = 0x804, SEND_WATERMARK = 0x80c,
	DMA_SEND_STATUS = 0xc40, DMA_SEND_CLEAR = 0xc44, DMA_RECEIVE_STATUS = 0xd40, DMA_RECEIVE_CLEAR = 0xd44,
};
#define WORDS_END		0x80u		/* of a FIFO's window */
/* SE_GENI_M_IRQ_STATUS */
#define DONE			(1u << 0)
#define CANCELLED		(1u << 4)
#define ABORTED			(1u << 5)
#define RECEIVED		(1u << 26)
#define RECEIVED_LAST		(1u << 27)
#define WANTS_MORE		(1u << 30)
#define CANCELS			(1u << 2)
#define ABORTS			(1u << 1)
#define DMA_DONE		1u
#define DMA_RESET_DONE		(1u << 3)
/* SE_GENI_RX_FIFO_STATUS */
#define LAST			(1u << 31)
#define LAST_BYTES(bytes)	(((bytes) & 3) << 28)
#define OPCODE(command)		((command) >> 27)
#define SLAVE(command)		((command) >> 9 & 0x7f)
#define MORE_FOLLOWS		(1u << 2)	/* FRAGMENTATION */
enum { I2C_WRITE = 1, I2C_READ = 2, SPI_SENDS = 1, SPI_RECEIVES = 2, SPI_SENDS_AND_RECEIVES = 3, SPI_SELECT = 8 };

GUEST_STATE static struct {
	struct i2c_slave slave;
	u32 send, receive;		/* bytes that are left */
	u8 is_running, continues;
} engines[I2C_MASTERS];

static typeof(engines[0]) *engine_of(const struct placed *placed)
{
	return &engines[i2c_master(placed)];
}

/* What has come to pass since, and the interrupt. */
static void look(const struct placed *placed, u32 happened)
{
	typeof(engines[0]) *engine = engine_of(placed);
	u64 base = placed->address;
	u32 status = register_get(base + STATUS) | happened;

	if (engine->is_running && !engine->send && !engine->receive) {
		engine->is_running = 0;
		status |= DONE;
	}
	if (engine->send && register_get(base + SEND_WATERMARK))
		status |= WANTS_MORE;
	register_set(base + STATUS, status);
	vgic_line(placed->interrupt[0], (status & register_get(base + ENABLED)) || register_get(base + DMA_SEND_STATUS) ||
		  register_get(base + DMA_RECEIVE_STATUS));
}

static u32 receives_status(u32 bytes)
{
	return bytes ? (bytes + 3) / 4 | LAST | LAST_BYTES(bytes) : 0;
}

/* Returns whether a command of the FIFOs was begun; one of DMA is done at once. */
static int begin(const struct placed *placed, int sends, int receives)
{
	typeof(engines[0]) *engine = engine_of(placed);
	u64 base = placed->address;
	int is_dma = register_get(base + DMA_MODE) & 1;

	engine->send = sends && !is_dma ? register_get(base + SEND_LENGTH) : 0;
	engine->receive = 0;
	engine->is_running = 1;
	if (!is_dma)
		return 1;
	if (sends)
		register_set(base + DMA_SEND_STATUS, DMA_DONE);
	if (receives)
		register_set(base + DMA_RECEIVE_STATUS, DMA_DONE);
	return 0;
}

static u32 registers_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	typeof(engines[0]) *engine = engine_of(placed);
	u64 base = placed->address;
	u32 happened = 0;

	switch (offset) {
	case CONTROL:
		happened = (value & CANCELS ? CANCELLED : 0) | (value & ABORTS ? ABORTED : 0);
		engine->send = engine->receive = 0;
		engine->is_running = 0;
		break;
	case CLEAR:
		register_set(base + STATUS, register_get(base + STATUS) & ~value);
		break;
	case DMA_SEND_CLEAR:
		register_set(base + DMA_SEND_STATUS, register_get(base + DMA_SEND_STATUS) & ~value);
		break;
	case DMA_RECEIVE_CLEAR:
		register_set(base + DMA_RECEIVE_STATUS, register_get(base + DMA_RECEIVE_STATUS) & ~value);
		break;
	case ENABLE:
		register_set(base + ENABLED, register_get(base + ENABLED) | value);
		break;
	case DISABLE:
		register_set(base + ENABLED, register_get(base + ENABLED) & ~value);
		break;
	case STATUS:
		return old;
	case ENABLED:
	case SEND_WATERMARK:
		register_set(base + offset, value);
		break;
	default:
		return value;
	}
	look(placed, happened);
	return value;
}

/* ---- i2c-geni ---- */

static u32 i2c_read(const struct placed *placed, u32 offset, u32 value)
{
	typeof(engines[0]) *engine = engine_of(placed);

	if (offset == RECEIVES_STATUS)
		return receives_status(engine->receive);
	if (offset < RECEIVES || offset >= RECEIVES + WORDS_END)
		return value;
	value = 0;
	for (u32 i = 0; i < 4 && engine->receive; i++, engine->receive--)
		value |= (u32)i2c_get(placed, &engine->slave) << 8 * i;
	look(placed, 0);
	return value;
}

static u32 i2c_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	typeof(engines[0]) *engine = engine_of(placed);
	int is_read = OPCODE(value) == I2C_READ;

	if (offset >= SENDS && offset < SENDS + WORDS_END) {
		for (u32 i = 0; i < 4 && engine->send; i++, engine->send--)
			i2c_put(placed, &engine->slave, value >> 8 * i);
		look(placed, 0);
		return value;
	}
	if (offset != COMMAND)
		return registers_write(placed, offset, old, value);
	i2c_start(&engine->slave, SLAVE(value), is_read);
	if (begin(placed, OPCODE(value) == I2C_WRITE, is_read) && is_read)
		engine->receive = register_get(placed->address + RECEIVE_LENGTH);
	look(placed, engine->receive ? RECEIVED_LAST : 0);
	return value;
}

const struct behaviour i2c_geni = { i2c_read, i2c_write };

/* ---- spi-geni ---- */

static u64 spi_slave(const struct placed *placed)
{
	return slave_of(placed, register_get(placed->address + CHIP_SELECT));
}

static u32 spi_read(const struct placed *placed, u32 offset, u32 value)
{
	typeof(engines[0]) *engine = engine_of(placed);

	if (offset == RECEIVES_STATUS)
		return receives_status(received(placed));
	if (offset < RECEIVES || offset >= RECEIVES + WORDS_END)
		return value;
	value = pop_word(placed);
	if (!engine->send && !received(placed))
		engine->receive = 0;
	look(placed, 0);
	return value;
}

static void spi_begin(const struct placed *placed, u32 command)
{
	typeof(engines[0]) *engine = engine_of(placed);
	u32 opcode = OPCODE(command);
	int sends = opcode == SPI_SENDS || opcode == SPI_SENDS_AND_RECEIVES;
	int receives = opcode == SPI_RECEIVES || opcode == SPI_SENDS_AND_RECEIVES;

	if (opcode == SPI_SELECT || !engine->continues)
		select(spi_slave(placed));
	engine->continues = (sends || receives) && (command & MORE_FOLLOWS);
	flush(placed);
	if (!begin(placed, sends, receives) || !receives)
		return;
	engine->receive = register_get(placed->address + RECEIVE_LENGTH);
	if (!sends)
		for (u32 i = 0; i < engine->receive && i < FIFO_SIZE; i++)
			push(placed, exchange(spi_slave(placed), 0));
}

static u32 spi_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	typeof(engines[0]) *engine = engine_of(placed);

	if (offset >= SENDS && offset < SENDS + WORDS_END) {
		for (u32 i = 0; i < 4 && engine->send; i++, engine->send--) {
			u8 byte = exchange(spi_slave(placed), value >> 8 * i);

			if (engine->receive)
				push(placed, byte);
		}
	} else if (offset == COMMAND) {
		spi_begin(placed, value);
	} else {
		return registers_write(placed, offset, old, value);
	}
	look(placed, received(placed) ? RECEIVED_LAST : 0);
	return value;
}

const struct behaviour spi_geni = { spi_read, spi_write };
