/*
 * Register pages of a board: each page that is touched gets one of QEMU's memory, which is what its registers hold. The
 * guest does not reach it: every access comes to traps.c. Only where the guest uses such a page as memory it is mapped.
 */
#include "board.h"

#define SHADOWS_MAX	((u32)((BOARD_POOL_END - BOARD_POOL_ADDRESS) >> PAGE_SHIFT))
#define BUCKETS		(2 * 32768u)
#define NONE		0

/*
 * BOARD_SHADOWS_ADDRESS to BOARD_SHADOWS_END: what is known of each page, the same as it was when the guest was kept,
 * and which were put aside since.
 */
static struct shadow *const shadows = (struct shadow *)BOARD_SHADOWS_ADDRESS;
static struct shadow *const kept = (struct shadow *)(BOARD_SHADOWS_ADDRESS + sizeof(struct shadow) * SHADOWS_MAX);
static u8 *const is_aside = (u8 *)(BOARD_SHADOWS_ADDRESS + 2 * sizeof(struct shadow) * SHADOWS_MAX);
/* Number of a shadow + 1 by its page, open addressing. */
static u32 *const buckets = (u32 *)(BOARD_SHADOWS_ADDRESS + (2 * sizeof(struct shadow) + 1) * SHADOWS_MAX);

_Static_assert((2 * sizeof(struct shadow) + 1) * SHADOWS_MAX + 4 * BUCKETS <= BOARD_SHADOWS_END - BOARD_SHADOWS_ADDRESS,
	       "no room for shadows");
_Static_assert(2 * SHADOWS_MAX <= BUCKETS, "too few buckets");

static u32 shadow_count, kept_count;
static struct shadow *last;

static u32 bucket_of(u64 page)
{
	u32 at = (page * 0x9e3779b97f4a7c15ul) >> 40;

	for (at %= BUCKETS; buckets[at] != NONE; at = (at + 1) % BUCKETS)
		if (shadows[buckets[at] - 1].page == page)
			break;
	return at;
}

u64 shadow_memory(const struct shadow *shadow)
{
	return BOARD_POOL_ADDRESS + ((u64)(shadow - shadows) << PAGE_SHIFT);
}

/* The rules are in the order of their pages (board-plan.ts). */
static void find_rules(struct shadow *shadow)
{
	u32 low = 0, high = board->rule_count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (rules[middle].at >> PAGE_SHIFT < shadow->page)
			low = middle + 1;
		else
			high = middle;
	}
	shadow->first_rule = low;
	while (low < board->rule_count && rules[low].at >> PAGE_SHIFT == shadow->page)
		low++;
	shadow->rules = low - shadow->first_rule;
}

static void find_behaviour(struct shadow *shadow)
{
	u64 start = shadow->page << PAGE_SHIFT;

	for (u32 i = 0; i < board->placed_count; i++)
		if (behaviours[i].address < start + PAGE_SIZE && behaviours[i].address + behaviours[i].size > start)
			shadow->has_behaviour = 1;
}

/* The shadow of an address's page, made where there is none. */
struct shadow *shadow_of(u64 address)
{
	u64 page = address >> PAGE_SHIFT;
	u32 bucket;

	if (last && last->page == page)
		return last;
	bucket = bucket_of(page);
	if (buckets[bucket] == NONE) {
		struct shadow *shadow = &shadows[shadow_count];

		if (shadow_count == SHADOWS_MAX)
			die(0, address);
		buckets[bucket] = ++shadow_count;
		*shadow = (struct shadow){ .page = page };
		for (u64 at = shadow_memory(shadow), end = at + PAGE_SIZE; at < end; at += 8)
			*(volatile u64 *)at = 0;
		find_rules(shadow);
		find_behaviour(shadow);
	}
	last = &shadows[buckets[bucket] - 1];
	return last;
}

static void put_aside(const struct shadow *shadow)
{
	u32 n = shadow - shadows;

	if (!snapshot_taken() || n >= kept_count || is_aside[n])
		return;
	is_aside[n] = 1;
	snapshot_put_aside(shadow_memory(shadow));
}

/* Where QEMU keeps what the guest has at an address, be it RAM or a register; `write`: it is about to be changed. */
u64 register_memory(u64 address, int write)
{
	u64 physical = memory_physical(address);
	struct shadow *shadow;

	if (physical) {
		if (write)
			snapshot_will_write(address);
		return physical;
	}
	shadow = shadow_of(address);
	if (write)
		put_aside(shadow);
	return shadow_memory(shadow) + address % PAGE_SIZE;
}

u32 register_get(u64 address)
{
	return *(volatile u32 *)register_memory(address & ~3ul, 0);
}

void register_set(u64 address, u32 value)
{
	*(volatile u32 *)register_memory(address & ~3ul, 1) = value;
}

u8 byte_get(u64 address)
{
	return *(volatile u8 *)register_memory(address, 0);
}

void byte_set(u64 address, u8 value)
{
	*(volatile u8 *)register_memory(address, 1) = value;
}

/* From now on the guest reaches this page by itself. */
void shadow_map(u64 address)
{
	struct shadow *shadow = shadow_of(address);

	put_aside(shadow);
	shadow->is_mapped = 1;
	memory_map(shadow->page << PAGE_SHIFT, PAGE_SIZE, shadow_memory(shadow), STAGE2_RAM);
	asm volatile("dsb ishst\n isb" : : : "memory");
}

/* A page that the guest reaches by itself is written to for the first time since it was kept. */
void shadow_write_fault(u64 address)
{
	put_aside(shadow_of(address));
	*memory_entry(address) |= STAGE2_WRITE;
}

void shadow_snapshot(void)
{
	kept_count = shadow_count;
	for (u32 i = 0; i < shadow_count; i++)
		kept[i] = shadows[i];
}

/* What was touched for the first time since then has never been; the memory of the others snapshot.c puts back. */
void shadow_restore(void)
{
	for (u32 i = shadow_count; i-- > 0;) {
		if (shadows[i].is_mapped && (i >= kept_count || !kept[i].is_mapped))
			memory_unmap_page(shadows[i].page << PAGE_SHIFT);
		if (i >= kept_count)
			buckets[bucket_of(shadows[i].page)] = NONE;
		else
			shadows[i] = kept[i];
	}
	shadow_count = kept_count;
	last = 0;
}

/*
 * A line for each page: how often it was read and written, how many polls were broken there, and whether it was memory
 * to the guest.
 */
void shadow_census(void)
{
	for (u32 i = 0; i < shadow_count; i++) {
		const struct shadow *shadow = &shadows[i];

		if (!shadow->reads && !shadow->writes && !shadow->is_mapped)
			continue;
		say("page ");
		say_hex(shadow->page << PAGE_SHIFT);
		say(" reads=");
		say_number(shadow->reads);
		say(" writes=");
		say_number(shadow->writes);
		say(" broken=");
		say_number(shadow->broken);
		say(shadow->is_mapped ? " mapped\n" : "\n");
	}
}
