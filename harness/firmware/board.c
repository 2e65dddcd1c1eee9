/*
 * A real board: the plan that the harness made of its device tree (board/board-plan.ts), read once before the kernel
 * starts.
 */
#include "board.h"

#define MPIDR_RES1	(1ul << 31)	/* DDI 0487, MPIDR_EL1 */

/* Copies what the boot loader leaves in memory, and what registers hold at reset. */
static void lay_images(const struct image *image)
{
	for (u64 n = 0; n < board->image_count; n++) {
		const u8 *bytes = (const u8 *)(image + 1);

		for (u64 i = 0; i < image->size; i++)
			byte_set(image->address + i, bytes[i]);
		image = (const struct image *)(bytes + ((image->size + 7) & ~7ul));
	}
}

/* Reads the plan, if there is one, maps the board's memory, and says where the kernel and its device tree lie. */
void board_init(struct start *start)
{
	const struct range *range;
	struct file file;

	if (!file_find(FILE_BOARD, &file)) {
		memory_init_standin();
		return;
	}
	if (file.size > BOARD_PLAN_END - BOARD_PLAN_ADDRESS)
		die(0, file.size);
	file_read(file, 0, BOARD_PLAN_ADDRESS, file.size);
	board = (const struct board *)BOARD_PLAN_ADDRESS;
	if (board->magic != BOARD_MAGIC)
		die(0, board->magic);
	board_cpus = (const struct board_cpu *)(board + 1);
	range = (const struct range *)(board_cpus + board->cpus);
	memory_init_board(range, board->ram_count);
	for (u64 i = 0; i < board->ram_count; i++, range++)
		memory_map(range->address, range->size, range->physical, STAGE2_RAM);
	for (u64 i = 0; i < board->pass_count; i++, range++)
		memory_map(range->address, range->size, range->physical, STAGE2_DEVICE);
	redistributors = range;
	translators = redistributors + board->redistributor_count;
	never_broken = translators + board->translator_count;
	rules = (const struct rule *)(never_broken + board->never_count);
	behaviours = (const struct placed *)(rules + board->rule_count);
	monitor_answers = (const struct answer *)(behaviours + board->placed_count);
	lay_images((const struct image *)(monitor_answers + board->answer_count));
	cpus_watch_release();
	vgic_init();
	start->entry = board->entry;
	start->device_tree = board->device_tree;
}

/*
 * What the boot firmware of the board says of its counter (DDI 0487, CNTFRQ_EL0: the highest exception level sets it).
 * QEMU's ticks at its own rate for all that: a second of the guest's is as many ticks as it believes. Everything here
 * that speaks of time reads the register. A CPU calls itself what the tree calls it.
 */
void board_cpu_init(void)
{
	if (!board)
		return;
	SYSREG_WRITE("cntfrq_el0", board->timer_frequency);
	SYSREG_WRITE("vmpidr_el2", MPIDR_RES1 | board_cpus[cpu_index()].affinity);
	memory_enable();
	vgic_cpu_init();
}

/* What the registers of the board were asked, before the machine goes off. */
void board_summary(void)
{
	if (!board)
		return;
	say_held(1);
	shadow_census();
	breaker_census();
	say_held(0);
}
