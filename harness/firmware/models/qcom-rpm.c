/*
 * Qualcomm's resource power manager behind its two transports: every request is granted. The range is the doorbell, the
 * register of the CPUs' mailbox that is written to call it; interrupt 0: its answer. parameter 0: its bit there.
 *
 * Requests and answers: drivers/soc/qcom/smd-rpm.c, qcom_rpm_smd_write(), qcom_smd_rpm_callback().
 */
#include "../board.h"

#define SERVICE_REQUEST	0x00716572u	/* "req" */
#define MESSAGE_ID	0x67736d23u	/* "#msg" */
#define ACK_WORDS	5u
#define REQUEST_ID	8u		/* behind service type and length */

/* A ring of words: `put` and `take` are where its indices, in bytes, lie. */
struct ring { u64 data, put, take; u32 size; };

static u32 in_ring(const struct ring *ring, u32 at)
{
	return at % ring->size & ~3u;
}

static u32 peek(const struct ring *ring, u32 offset)
{
	return register_get(ring->data + in_ring(ring, register_get(ring->take) + offset));
}

static u32 filled(const struct ring *ring)
{
	return in_ring(ring, register_get(ring->put) + ring->size - in_ring(ring, register_get(ring->take)));
}

static void advance(const struct ring *ring, u32 bytes)
{
	register_set(ring->take, in_ring(ring, register_get(ring->take) + bytes));
}

static void push(const struct ring *ring, u32 word)
{
	u32 at = in_ring(ring, register_get(ring->put));

	register_set(ring->data + at, word);
	register_set(ring->put, in_ring(ring, at + 4));
}

static void push_ack(const struct ring *ring, u32 id)
{
	push(ring, SERVICE_REQUEST);
	push(ring, (ACK_WORDS - 2) * 4);
	push(ring, MESSAGE_ID);
	push(ring, 4);
	push(ring, id);
}

/*
 * ---- SMD: drivers/rpmsg/qcom_smd.c. parameter 1: `struct smd_channel_info_word_pair` of the channel, 2: its FIFOs, 3:
 * bytes of one ----
 */

enum { SMD_STATE = 0, SMD_TAIL = 36, SMD_HEAD = 40, SMD_INFO_SIZE = 44 };
#define SMD_OPENED	2
#define SMD_HEADER	20u

static u32 smd_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 info = placed->parameter[1], fifo = placed->parameter[2];
	u32 size = placed->parameter[3];
	struct ring requests = { fifo, info + SMD_HEAD, info + SMD_TAIL, size };
	struct ring answers = { fifo + size, info + SMD_INFO_SIZE + SMD_HEAD, info + SMD_INFO_SIZE + SMD_TAIL, size };

	(void)offset;
	(void)old;
	if (!(value & placed->parameter[0]))
		return value;
	while (filled(&requests) >= SMD_HEADER && filled(&requests) >= SMD_HEADER + peek(&requests, 0)) {
		u32 length = peek(&requests, 0), id = peek(&requests, SMD_HEADER + REQUEST_ID);

		advance(&requests, SMD_HEADER + length);
		push(&answers, ACK_WORDS * 4);
		for (u32 i = 4; i < SMD_HEADER; i += 4)
			push(&answers, 0);
		push_ack(&answers, id);
	}
	register_set(info + SMD_INFO_SIZE + SMD_STATE, SMD_OPENED);
	vgic_raise(placed->interrupt[0]);
	return value;
}

const struct behaviour qcom_smd_rpm = { NO_READ, smd_write };

/*
 * ---- GLINK: drivers/rpmsg/qcom_glink_native.c, qcom_glink_rpm.c. parameter 1: the FIFO to the manager, with its
 * indices before it, 2: that from it, 3: bytes of one ----
 */

enum { GLINK_TAIL = 0, GLINK_HEAD = 4, GLINK_DATA = 8 };
enum { VERSION, VERSION_ACK, OPEN, CLOSE, OPEN_ACK, INTENT, TX_DATA = 9, CLOSE_ACK = 11 };
#define GLINK_HEADER	8u
#define GLINK_DATA_HEADER	16u
#define CHANNEL		1u
#define ALIGNED(bytes)	(((bytes) + 7) & ~7u)

static void glink_push(const struct ring *answers, u32 command, u32 first, u32 second)
{
	push(answers, command | first << 16);
	push(answers, second);
}

/* Answers one command; returns its bytes, or 0 where it is not there as a whole. */
static u32 glink_command(const struct ring *requests, const struct ring *answers)
{
	static const char name[16] = "rpm_requests";
	u32 command = peek(requests, 0) & 0xffff, first = peek(requests, 0) >> 16, second = peek(requests, 4);
	u32 bytes = GLINK_HEADER;

	if (filled(requests) < bytes)
		return 0;
	if (command == OPEN)
		bytes += ALIGNED(second);
	else if (command == INTENT)
		bytes += 8 * second;
	else if (command == TX_DATA)
		bytes = ALIGNED(GLINK_DATA_HEADER + peek(requests, 8));
	if (bytes > filled(requests))
		return 0;
	switch (command) {
	case VERSION:
		glink_push(answers, VERSION_ACK, first, second);
		glink_push(answers, VERSION, first, second);
		break;
	case VERSION_ACK:
		glink_push(answers, OPEN, CHANNEL, sizeof("rpm_requests"));
		for (u32 i = 0; i < sizeof(name); i += 4)
			push(answers, *(const u32 *)(name + i));
		break;
	case OPEN:
		glink_push(answers, OPEN_ACK, first, 0);
		break;
	case CLOSE:
		glink_push(answers, CLOSE_ACK, first, 0);
		break;
	case TX_DATA:
		glink_push(answers, TX_DATA, CHANNEL, 0);
		push(answers, ACK_WORDS * 4);
		push(answers, 0);
		push_ack(answers, peek(requests, GLINK_DATA_HEADER + REQUEST_ID));
		push(answers, 0);	/* commands are aligned to eight bytes */
		break;
	}
	return bytes;
}

static u32 glink_write(const struct placed *placed, u32 offset, u32 old, u32 value)
{
	u64 to = placed->parameter[1], from = placed->parameter[2];
	u32 size = placed->parameter[3], bytes;
	struct ring requests = { to + GLINK_DATA, to + GLINK_HEAD, to + GLINK_TAIL, size };
	struct ring answers = { from + GLINK_DATA, from + GLINK_HEAD, from + GLINK_TAIL, size };

	(void)offset;
	(void)old;
	if (!(value & placed->parameter[0]))
		return value;
	for (u32 done = 0; done < size && (bytes = glink_command(&requests, &answers)) != 0; done += bytes)
		advance(&requests, bytes);
	vgic_raise(placed->interrupt[0]);
	return value;
}

const struct behaviour qcom_glink_rpm = { NO_READ, glink_write };
