/*
 * Pages of a guest with a snapshot: what they held is put aside before they are written to, and put back after each
 * cell.
 */
#include "board.h"

/*
 * Pages that some cell has written to: from PAGES_ADDRESS on where each lies, and behind that what they held before. A
 * board has more room for them than the stand-in, whose registers lie behind.
 */
#define PAGES_MAX	((BOARD_PAGES_END - PAGES_ADDRESS) >> PAGE_SHIFT)
#define CONTENTS	(PAGES_ADDRESS + PAGES_MAX * sizeof(u64))
static u64 *const page_address = (u64 *)PAGES_ADDRESS;
static u32 pages;

static void copy_page(u64 to, u64 from)
{
	asm volatile(
		"	mov	x9, %2\n"
		"1:	ldp	x10, x11, [%1], #16\n"
		"	ldp	x12, x13, [%1], #16\n"
		"	ldp	x14, x15, [%1], #16\n"
		"	ldp	x16, x17, [%1], #16\n"
		"	stp	x10, x11, [%0], #16\n"
		"	stp	x12, x13, [%0], #16\n"
		"	stp	x14, x15, [%0], #16\n"
		"	stp	x16, x17, [%0], #16\n"
		"	subs	x9, x9, #64\n"
		"	b.ne	1b\n"
		: "+r"(to), "+r"(from) : "r"(PAGE_SIZE)
		: "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "cc", "memory");
}

static int taken;

int snapshot_taken(void)
{
	return taken;
}

/* What a page of QEMU's memory holds is put aside, once. */
void snapshot_put_aside(u64 physical)
{
	u64 to = CONTENTS + ((u64)pages << PAGE_SHIFT);

	if (to + PAGE_SIZE > (board ? BOARD_PAGES_END : PAGES_END))
		die(0, physical);
	copy_page(to, physical);
	page_address[pages++] = physical;
}

/* A page of the guest's memory is about to be written to. */
void snapshot_will_write(u64 ipa)
{
	u64 *entry;

	if (!taken)
		return;
	entry = memory_entry(ipa);
	if (*entry & STAGE2_WRITE)
		return;
	if (!*entry)
		die(0, ipa);
	snapshot_put_aside(*entry & STAGE2_ADDRESS);
	*entry |= STAGE2_WRITE;
	asm volatile("dsb ishst\n tlbi ipas2e1is, %0\n dsb ish\n isb" : : "r"(ipa >> PAGE_SHIFT) : "memory");
}

/* From here on. */
void pages_snapshot(void)
{
	taken = 1;
}

/* They stay writable: the next cell writes to most of them. */
void pages_restore(void)
{
	for (u32 i = 0; i < pages; i++)
		copy_page(page_address[i], CONTENTS + ((u64)i << PAGE_SHIFT));
}
