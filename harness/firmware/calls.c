/*
 * What the guest's init asks of the firmware, from EL0, by BRK (guest/init/harness.c): files of the harness, and that
 * it begins a step of its plan.
 */
#include "board.h"

/* Errors of Linux, include/uapi/asm-generic/errno-base.h */
#define ENOENT	2
#define EFAULT	14
#define EINVAL	22

/*
 * x0 is the file, x1 the offset, x2 the address, x3 the size of what it wants, and x0 becomes the number of bytes that
 * it got, or a negative error. The pages must have been written before.
 */
static void read_file(struct frame *f)
{
	u64 which = f->x[0], offset = f->x[1], va = f->x[2], size = f->x[3], done = 0;
	struct file file;

	/* At the latest a snapshot is taken here; the guest goes on with the plan of its first cell. */
	if (which == FILE_PLAN && offset == 0 && snapshot_wanted()) {
		snapshot_here(f, BY_PLAN);
		gates_reset();
	}
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

/* The guest powers off or restarts. */
void end_of_guest(struct frame *f)
{
	board_summary();
	if (!snapshot_taken()) {
		f->x[0] = PSCI_SYSTEM_OFF;
		smc(f);
	} else if (snapshot_next_cell(f) == BY_PLAN) {
		/* From the snapshot it goes on with the next cell instead. */
		gates_reset();
		read_file(f);
	} else {
		gates_reset();
		breakpoint(f);
	}
}

/* The plan is over. A stand-in's guest powers off by itself; the harness ends it where it says so on its console. */
static void end_of_init(struct frame *f)
{
	gates_summary(f);
	if (board)
		end_of_guest(f);
}

int is_call_of_init(u32 number)
{
	return number == CALL_FILE || number == CALL_STEP || number == CALL_END;
}

void call_of_init(struct frame *f, u32 number)
{
	if (number == CALL_FILE)
		read_file(f);
	else if (number == CALL_END)
		end_of_init(f);
	else if (number == CALL_STEP)
		gates_step_of_plan(f, f->x[0]);
}
