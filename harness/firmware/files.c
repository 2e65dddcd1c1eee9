/*
 * What the harness gives a guest beside its memory: files of QEMU's fw_cfg device (docs/specs/fw_cfg.rst), or of a cell that
 * it hands over later (serve.c).
 */
#include "firmware.h"

/* hw/arm/virt.c, base_memmap[VIRT_FW_CFG]; fw_cfg_init_mem_wide(): the DMA register is at 16. */
#define FW_CFG_DMA	0x09020010ul

#define CONTROL_ERROR	0x01
#define CONTROL_READ	0x02
#define CONTROL_SKIP	0x04
#define CONTROL_SELECT	0x08
#define KEY_DIRECTORY	0x19

#define NAME_SIZE	56
#define PAGE_SIZE	4096

/* Big endian, as all of the device. */
struct access { u32 control, length; u64 address; };
struct entry { u32 size; u16 key, reserved; char name[NAME_SIZE]; };

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

static const char *const names[] = {
	[FILE_TABLE] = "opt/bootrace/gates",
	[FILE_PLAN] = "opt/bootrace/plan",
	[FILE_MODULES] = "opt/bootrace/modules",
	[FILE_BOARD] = "opt/bootrace/board",
};

/* Whether there is such a file: in memory where a cell was handed over to a guest that goes on, of QEMU otherwise. */
int file_find(enum file_name name, struct file *file)
{
	static struct entry entry;
	static u32 count;

	if (serve_file(name, file))
		return file->address != 0;
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

/* Errors of Linux, include/uapi/asm-generic/errno-base.h */
#define ENOENT	2
#define EFAULT	14
#define EINVAL	22

/*
 * The init's call, guest/init/harness.c: x0 is the file, x1 the offset, x2 the address, x3 the size of what it wants, and
 * x0 becomes the number of bytes that it got, or a negative error. The pages must have been written before.
 */
void files_call(struct frame *f)
{
	u64 which = f->x[0], offset = f->x[1], va = f->x[2], size = f->x[3], done = 0;
	struct file file;

	if (which == FILE_PLAN && offset == 0)
		gates_plan_is_wanted(f);
	if (which != FILE_PLAN && which != FILE_MODULES) {
		f->x[0] = -EINVAL;
		return;
	}
	if (!file_find(which, &file)) {
		f->x[0] = -ENOENT;
		return;
	}
	if (offset > file.size)
		offset = file.size;
	if (size > file.size - offset)
		size = file.size - offset;
	while (done < size) {
		u64 in_page = PAGE_SIZE - ((va + done) & (PAGE_SIZE - 1));
		u64 piece = size - done < in_page ? size - done : in_page;
		u64 ipa = translate_el0_write(va + done);
		u64 pa = memory_physical(ipa);

		if (!pa) {
			f->x[0] = -EFAULT;
			return;
		}
		snapshot_will_write(ipa);
		file_read(file, offset + done, pa, piece);
		done += piece;
	}
	f->x[0] = done;
}
