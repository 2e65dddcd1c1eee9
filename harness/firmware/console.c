/*
 * A console of the firmware's own, for kernels that have none for a PL011: `struct console` (include/linux/console.h,
 * the same up to `index` in Linux 5.10 to 7.2), which the guest itself registers.
 *
 * It lies at the far end of the stack that the kernel boots on and that later is the idle task's, the one memory that
 * is certainly mapped so early and never freed. THREAD_SIZE is at least 16 KiB, and its top is where the stack pointer
 * is.
 */
#include "board.h"

#define STACK_SIZE	0x4000ul
#define STACK_GUARD	64	/* STACK_END_MAGIC lies lowest */
#define CONSOLE_SIZE	512	/* twice what 6.12 has */

#define CONSOLE_WRITE	0x10
#define CONSOLE_FLAGS	0x48	/* short; the index behind it is 0 */

/* enum cons_flags */
#define CON_PRINTBUFFER	(1 << 0)
#define CON_ENABLED	(1 << 2)
#define CON_BOOT	(1 << 3)

static u64 write_address(void)
{
	for (u32 n = 0; n < cell_table.stops; n++)
		if (stops[n].kind == STOP_OWN_CONSOLE)
			return stops[n].address;
	return 0;
}

/* The guest enters register_console() from the first call, and comes back here; more calls may follow. */
void console_register(struct frame *f, struct stop *stop)
{
	static const char name[] = "bootrace";
	GUEST_STATE static enum { NOT_YET, REGISTERING, REGISTERED } state;
	GUEST_STATE static u64 return_address;
	u64 va = (f->sp & ~(STACK_SIZE - 1)) + STACK_GUARD;
	u8 *console = (u8 *)translate(va);

	if (state == REGISTERING)
		f->x[30] = return_address;
	if (state != NOT_YET || !console) {
		state = REGISTERED;
		step_over(f, stop);
		return;
	}
	state = REGISTERING;
	return_address = f->x[30];
	snapshot_will_write(translate_to_ipa(va));
	for (u32 i = 0; i < CONSOLE_SIZE; i++)
		console[i] = i < sizeof(name) ? name[i] : 0;
	*(u64 *)(console + CONSOLE_WRITE) = write_address();
	*(u16 *)(console + CONSOLE_FLAGS) = CON_PRINTBUFFER | CON_ENABLED | CON_BOOT;
	f->x[0] = va;
	f->x[30] = f->elr;
	f->elr = stop->value;
	f->spsr &= ~(u64)SPSR_BTYPE;
}

/* arch/arm64/include/asm/brk-imm.h: a BRK of kCFI says in which registers it has the address and the type */
#define CFI_BASE	0x8000u
#define CFI_MASK	0x3ffu
#define CFI_TARGET	0x1fu

/*
 * A kernel that checks the types of functions that it calls by pointer would not call this one. Returns whether it was
 * that.
 */
int console_check(struct frame *f, u32 number)
{
	u32 target = number & CFI_TARGET;

	if ((number & ~CFI_MASK) != CFI_BASE || target == CFI_TARGET || !write_address() || f->x[target] != write_address())
		return 0;
	f->elr += 4;
	return 1;
}
