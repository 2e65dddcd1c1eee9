/*
 * What the harness gives a guest beside its memory: files of QEMU's fw_cfg device (docs/specs/fw_cfg.rst), or of a cell
 * that it hands over later (next-cell.c).
 */
#include "firmware.h"

/* hw/arm/virt.c, base_memmap[VIRT_FW_CFG]; fw_cfg_init_mem_wide(): the DMA register is at 16. */
#define FW_CFG_DMA	0x09020010ul

#define CONTROL_ERROR	0x01
#define CONTROL_READ	0x02
#define CONTROL_SKIP	0x04
#define CONTROL_SELECT	0x08
#define KEY_DIRECTORY	0x19

#define ENTRY_NAME_SIZE	56

/* Big endian, as all of the device. */
struct access { u32 control, length; u64 address; };
struct entry { u32 size; u16 key, reserved; char name[ENTRY_NAME_SIZE]; };

static void transfer(u32 control, u32 length, u64 to)
{
	static volatile struct access access;

	access.control = __builtin_bswap32(control);
	access.length = __builtin_bswap32(length);
	access.address = __builtin_bswap64(to);
	asm volatile("dsb sy" : : : "memory");
	*(volatile u64 *)FW_CFG_DMA = __builtin_bswap64((u64)&access);
	/* QEMU transfers while the register is written. */
	while (__builtin_bswap32(access.control) & ~(u32)CONTROL_ERROR)
		;
}

static const char *const names[] = FILE_NAMES;

#define FILES	(sizeof(names) / sizeof(names[0]))

/* Of a cell that was handed over to a guest that goes on: QEMU's are not looked at any more. */
static struct { u64 address; u32 size; } handed_over[FILES];
static int is_handed_over;

/* Says where a file lies now; address 0: the cell has none. */
void file_put(enum file_name name, u64 address, u32 size)
{
	handed_over[name].address = address;
	handed_over[name].size = size;
	is_handed_over = 1;
}

/* Whether there is such a file: in memory where a cell was handed over to a guest that goes on, of QEMU otherwise. */
int file_find(enum file_name name, struct file *file)
{
	static struct entry entry;
	static u32 count;

	if (is_handed_over) {
		file->address = handed_over[name].address;
		file->size = handed_over[name].size;
		return file->address != 0;
	}
	transfer(KEY_DIRECTORY << 16 | CONTROL_SELECT | CONTROL_READ, sizeof(count), (u64)&count);
	for (u32 i = __builtin_bswap32(count); i > 0; i--) {
		transfer(CONTROL_READ, sizeof(entry), (u64)&entry);
		if (same(entry.name, names[name])) {
			file->key = __builtin_bswap16(entry.key);
			file->size = __builtin_bswap32(entry.size);
			file->address = 0;
			return 1;
		}
	}
	return 0;
}

/* Copies a part of a file to a physical address. */
void file_read(struct file file, u32 offset, u64 to, u32 size)
{
	if (file.address) {
		for (u32 i = 0; i < size; i++)
			((volatile u8 *)to)[i] = ((const volatile u8 *)file.address)[offset + i];
		return;
	}
	transfer(file.key << 16 | CONTROL_SELECT | CONTROL_SKIP, offset, 0);
	transfer(CONTROL_READ, size, to);
}
