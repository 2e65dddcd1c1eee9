/*
 * The poll breaker. A driver that waits for hardware reads one register from one place over and over, or a few in turn
 * (drivers/pmdomain/mediatek/mtk-pm-domains.c, scpsys_domain_is_on() reads two). Where no model answers, a read that
 * comes for the n-th time in a row is told something else than what lies there, until something else is done. Every
 * such place is in the record: what goes on behind it is invented.
 */
#include "board.h"

#define PLACES_MAX	2048u

/* Reads that go round in one loop; a loop of several must go round that many times as often. */
#define LOOP_MAX	4u
#define LOOP_PATIENCE	8u

/* A place that reads: how often since something else was done, and how often without another read in between. */
struct reader { u64 address, pc, count, in_a_row; };

/* By CPU: each goes round in loops of its own. */
GUEST_STATE static struct {
	struct reader reads[LOOP_MAX];
	u32 count, last;
} loops[CPUS_MAX];

GUEST_STATE static struct { u64 address, pc; u32 count; u32 size; } places[PLACES_MAX];
GUEST_STATE static u32 place_count;

void breaker_other_access(void)
{
	loops[cpu_index()].count = 0;
}

/* The place that reads now. */
static const struct reader *reads_again(u64 address, u64 pc)
{
	typeof(loops[0]) *loop = &loops[cpu_index()];
	struct reader *reader;
	u32 i = 0;

	while (i < loop->count && (loop->reads[i].address != address || loop->reads[i].pc != pc))
		i++;
	if (i == LOOP_MAX)
		i = loop->count = 0;
	reader = &loop->reads[i];
	if (i == loop->count) {
		loop->count++;
		*reader = (struct reader){ .address = address, .pc = pc };
	} else if (i != loop->last) {
		reader->in_a_row = 0;
	}
	loop->last = i;
	reader->count++;
	reader->in_a_row++;
	return reader;
}

/*
 * How many reads ago the breaker's patience was at its end; below 0 while it is not. What was read before a loop of one
 * is no part of it: drivers give hardware 500 us (drivers/clk/qcom/gdsc.c, gdsc_poll_status()), and forty reads take
 * longer where an instruction takes 64 ns (icount shift 6).
 */
static long past_patience(const struct reader *reader)
{
	long in_a_row = reader->in_a_row - board->breaker_reads;

	return in_a_row >= 0 ? in_a_row : (long)(reader->count - board->breaker_reads * LOOP_PATIENCE);
}

/* The n-th answer: what a status bit may look like that is set, or clear, or one of several. */
static u64 invented(u64 value, u64 n, u64 ones)
{
	u64 bits = ones == ~0ul ? 64 : __builtin_ctzl(ones + 1);

	/* All ones says that the device is gone to some (ehci_handshake() in 6.12): at first one bit less, where few look. */
	if (n == 0)
		return (~value & ones) == ones ? ones ^ 1ul << (bits - 2) : ~value & ones;
	if (n == 1)
		return ones;
	if (n == 2)
		return 0;
	n -= 3;
	if (n < bits)
		return value ^ 1ul << n;
	n -= bits;
	if (n < bits)
		return ones ^ 1ul << n;
	n -= bits;
	if (n < bits)
		return 1ul << n;
	return (n - bits) & ones;
}

static int is_never_broken(u64 address)
{
	for (u32 i = 0; i < board->never_count; i++)
		if (lies_in(address, never_broken[i].address, never_broken[i].size))
			return 1;
	return 0;
}

static void record(const struct frame *f, u64 address, u32 size, u64 value, u64 answer)
{
	for (u32 i = 0; i < place_count; i++)
		if (places[i].address == address && places[i].pc == f->elr) {
			places[i].count++;
			return;
		}
	if (place_count == PLACES_MAX)
		return;
	places[place_count].address = address;
	places[place_count].pc = f->elr;
	places[place_count].size = size;
	places[place_count++].count = 1;
	say("poll-broken ");
	say_hex(address);
	say(" pc=");
	say_hex(f->elr);
	say(" lr=");
	say_hex(f->x[30]);
	say(" held=");
	say_hex(value);
	say(" told=");
	say_hex(answer);
	say("\n");
}

/* What a read is told that no model answers, where `value` lies there. */
u64 breaker_read(const struct frame *f, struct shadow *shadow, u64 address, u32 size, u64 value)
{
	u64 answer;
	long past;

	if (!board->breaker_reads)
		return value;
	past = past_patience(reads_again(address, f->elr));
	if (past < 0 || is_never_broken(address))
		return value;
	answer = invented(value, past, size == 8 ? ~0ul : (1ul << 8 * size) - 1);
	if (answer != value) {
		shadow->broken++;
		record(f, address, size, value, answer);
	}
	return answer;
}

/* A line for each place where polls were broken, and how many reads were told something else. */
void breaker_census(void)
{
	for (u32 i = 0; i < place_count; i++) {
		say("poll ");
		say_hex(places[i].address);
		say(" pc=");
		say_hex(places[i].pc);
		say(" broken=");
		say_number(places[i].count);
		say("\n");
	}
}
