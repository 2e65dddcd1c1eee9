/*
 * Stage 2 of EL1's translation (DDI 0487, D8): which of QEMU's memory stands behind which address of the guest. A real
 * board has it from the first instruction on; the stand-in, whose addresses are QEMU's own, when its state is kept
 * (snapshot.c).
 */
#include "board.h"

#define ENTRIES		512u
#define VALID_BLOCK	1ul
#define VALID_TABLE	3ul
#define TYPE		3ul
#define NORMAL_MEMORY	(0xful << 2)
#define LAST_LEVEL	3u

/*
 * VTCR_EL2: 4 KiB pages, tables write-back and inner shareable. 32 bits of address begin at level 1 (SL0 = 1), 44 bits,
 * which a Cortex-A57 has (ID_AA64MMFR0_EL1.PARange = 4), at level 0 (SL0 = 2).
 */
#define VTCR		((1ul << 31) | (3ul << 12) | (1ul << 10) | (1ul << 8))
#define VTCR_STANDIN	(VTCR | (1ul << 6) | (64 - 32))
#define VTCR_BOARD	(VTCR | (4ul << 16) | (2ul << 6) | (64 - 44))
#define HCR_VM		1ul

static u64 root[ENTRIES] __attribute__((aligned(PAGE_SIZE)));
static u32 root_level;
static u64 vtcr;
static u64 tables, tables_end;

/* The guest's memory, without register pages. */
#define RAM_MAX	32
static struct range ram[RAM_MAX];
static u32 ram_count;

static void add_ram(u64 address, u64 size, u64 physical)
{
	if (ram_count == RAM_MAX)
		die(0, address);
	ram[ram_count++] = (struct range){ address, size, physical };
}

void memory_init_standin(void)
{
	root_level = 1;
	vtcr = VTCR_STANDIN;
	tables = TABLES_ADDRESS;
	tables_end = LINUX_ENTRY;
	add_ram(LINUX_ENTRY, MEMORY_END - LINUX_ENTRY, LINUX_ENTRY);
	add_ram(PAGES_END, RAM_END - PAGES_END, PAGES_END);
}

void memory_init_board(const struct range *ranges, u32 count)
{
	root_level = 0;
	vtcr = VTCR_BOARD;
	tables = BOARD_TABLES_ADDRESS;
	tables_end = BOARD_TABLES_END;
	for (u32 i = 0; i < count; i++)
		add_ram(ranges[i].address, ranges[i].size, ranges[i].physical);
}

/* Where the guest's memory at an address lies, or 0 where it has none there. */
u64 memory_physical(u64 ipa)
{
	for (u32 i = 0; i < ram_count; i++)
		if (lies_in(ipa, ram[i].address, ram[i].size))
			return ram[i].physical + (ipa - ram[i].address);
	return 0;
}

/* A table of the level below; where a block stood, of pieces that say the same. */
static void split(u64 *entry, u32 level)
{
	u64 *table = (u64 *)tables;
	u64 piece = 1ul << (PAGE_SHIFT + 9 * (LAST_LEVEL - level - 1));

	if (tables == tables_end)
		die(0, tables);
	tables += PAGE_SIZE;
	for (u64 i = 0; i < ENTRIES; i++)
		table[i] = *entry ? (*entry + i * piece) | (level + 1 == LAST_LEVEL ? VALID_TABLE : VALID_BLOCK) : 0;
	*entry = (u64)table | VALID_TABLE;
}

static u64 *entry_at(u64 ipa, u32 level)
{
	u64 *table = root;

	for (u32 at = root_level;; at++) {
		u64 *entry = &table[(ipa >> (PAGE_SHIFT + 9 * (LAST_LEVEL - at))) % ENTRIES];

		if (at == level)
			return entry;
		if ((*entry & TYPE) != VALID_TABLE)
			split(entry, at);
		table = (u64 *)(*entry & STAGE2_ADDRESS);
	}
}

/* The descriptor of a page. */
u64 *memory_entry(u64 ipa)
{
	return entry_at(ipa, LAST_LEVEL);
}

void memory_map(u64 ipa, u64 size, u64 physical, u64 attributes)
{
	while (size) {
		int is_block = !((ipa | physical) % BLOCK_SIZE) && size >= BLOCK_SIZE;
		u64 piece = is_block ? BLOCK_SIZE : PAGE_SIZE;

		if (is_block)
			*entry_at(ipa, LAST_LEVEL - 1) = physical | attributes | VALID_BLOCK;
		else
			*memory_entry(ipa) = physical | attributes | VALID_TABLE;
		ipa += piece;
		physical += piece;
		size -= piece;
	}
}

void memory_unmap_page(u64 ipa)
{
	*memory_entry(ipa) = 0;
}

/* hw/arm/virt.c, base_memmap: VIRT_FW_CFG and VIRT_MMIO */
#define FW_CFG		0x09020000ul
#define FW_CFG_SIZE	PAGE_SIZE
#define VIRTIO		0x0a000000ul

/* The first GiB: devices. The firmware's own, by which a cell could reach what belongs to the next, are left out. */
void memory_map_standin(void)
{
	memory_map(0, RAM_BASE, 0, STAGE2_DEVICE);
	memory_map(ram[0].address, ram[0].size, ram[0].physical, STAGE2_RAM);
	memory_map(ram[1].address, ram[1].size, ram[1].physical, STAGE2_RAM);
	*entry_at(VIRTIO, LAST_LEVEL - 1) = 0;
	for (u64 ipa = FW_CFG; ipa < FW_CFG + FW_CFG_SIZE; ipa += PAGE_SIZE)
		memory_unmap_page(ipa);
}

void memory_enable(void)
{
	SYSREG_WRITE("vtcr_el2", vtcr);
	SYSREG_WRITE("vttbr_el2", (u64)root);
	SYSREG_WRITE("hcr_el2", SYSREG_READ("hcr_el2") | HCR_VM);
	asm volatile("dsb sy\n tlbi vmalls12e1\n dsb sy\n isb" : : : "memory");
}

static void protect(u64 *table, u32 level)
{
	for (u32 i = 0; i < ENTRIES; i++) {
		if (level < LAST_LEVEL && (table[i] & TYPE) == VALID_TABLE)
			protect((u64 *)(table[i] & STAGE2_ADDRESS), level + 1);
		else if ((table[i] & VALID_BLOCK) && (table[i] & NORMAL_MEMORY) == NORMAL_MEMORY)
			table[i] &= ~(STAGE2_WRITE);
	}
}

/* From here on the guest can only read its memory. */
void memory_protect(void)
{
	protect(root, root_level);
	asm volatile("dsb sy\n tlbi vmalls12e1\n dsb sy\n isb" : : : "memory");
}
