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

/* By CPU: each goes round in loops of its own. */
GUEST_STATE static struct {
	struct { u64 address, pc, count; } reads[LOOP_MAX];
	u32 count;
} loops[CPUS_MAX];

GUEST_STATE static struct { u64 address, pc; u32 count; u32 size; } places[PLACES_MAX];
GUEST_STATE static u32 place_count;

void breaker_other_access(void)
{
	loops[cpu_index()].count = 0;
}

/* How often this read has come since something else was done. */
static u64 times_read(u64 address, u64 pc)
{
	typeof(loops[0]) *loop = &loops[cpu_index()];

	for (u32 i = 0; i < loop->count; i++)
		if (loop->reads[i].address == address && loop->reads[i].pc == pc)
			return ++loop->reads[i].count;
	if (loop->count == LOOP_MAX)
		loop->count = 0;
	loop->reads[loop->count].address = address;
	loop->reads[loop->count].pc = pc;
	return loop->reads[loop->count++].count = 1;
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
	u64 answer, count, patience;

	if (!board->breaker_reads)
		return value;
	count = times_read(address, f->elr);
	patience = board->breaker_reads * (loops[cpu_index()].count > 1 ? LOOP_PATIENCE : 1);
	if (count < patience || is_never_broken(address))
		return value;
	answer = invented(value, count - patience, size == 8 ? ~0ul : (1ul << 8 * size) - 1);
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
