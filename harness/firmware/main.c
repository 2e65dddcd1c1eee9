/* Dispatch of what EL1 and EL0 trap into the EL2 firmware. */
#include "firmware.h"
#include "board.h"
#include "timing.h"

/* ESR_ELx.EC (DDI 0487, D17.2.37) */
#define EC_SMC64		0x17
#define EC_SYSREG		0x18
#define EC_DATA_ABORT_LOWER	0x24
#define EC_BREAKPOINT_LOWER	0x30
#define EC_STEP_LOWER		0x32
#define EC_BRK64		0x3c

/* Offsets of the vector table (DDI 0487, D1.10.2) */
#define VECTOR_CURRENT_SP0	0x000
#define VECTOR_CURRENT_SPX	0x200
#define VECTOR_LOWER		0x400
#define SPSR_EL1H_MASKED	0x3c5

#define PAR_FAULT	1
#define PAR_ADDRESS	0x0000fffffffff000ul
#define PAGE_OFFSET(va)	((va) & 0xfff)

#define INTERRUPT	(~0ul)	/* in place of an ESR; entry.S */
#define ISS_OP0(iss)	((iss) >> 20 & 3)
#define OP0_DEBUG	2

/* What the init of the guest says to the firmware from EL0: BRK with this number (files.c). */
#define CALL_OF_INIT	0xb007

/*
 * Time spent at EL2 does not show at EL1, so that what the firmware does, and how long it may have to wait, changes nothing
 * in the guest. Only with one CPU: each has its own offset, and theirs must be the same. Read by entry.S.
 */
static int hides_time;
u64 hidden_rest;
u64 instruction_ticks;
u64 virtual_offset;

u64 ticks_of_instructions(void);	/* entry.S */

/* From here on the clocks of several CPUs have to agree. */
void show_time(void)
{
	if (hides_time)
		virtual_offset = SYSREG_READ("cntvoff_el2");
	hides_time = 0;
}

void cpu_init(struct start *start)
{
	static int is_secondary;

	if (!is_secondary) {
		is_secondary = 1;
		hides_time = 1;
		hidden_rest = HIDDEN_REST * ticks_of_instructions() / MEASURED_INSTRUCTIONS;
		instruction_ticks = hidden_rest / HIDDEN_REST;
		output_init();
		board_init(start);
		gates_init();
	}
	gates_cpu_init();
}

/* GCC calls this one to copy structures, also in freestanding code (GCC manual, "Standards"). */
void *memcpy(void *to, const void *from, unsigned long size)
{
	for (unsigned long i = 0; i < size; i++)
		((u8 *)to)[i] = ((const u8 *)from)[i];
	return to;
}

static u64 address_of(u64 va)
{
	u64 par = SYSREG_READ("par_el1");

	return par & PAR_FAULT ? 0 : (par & PAR_ADDRESS) | PAGE_OFFSET(va);
}

/* The guest's address (IPA) of a virtual one that EL1 can read, or 0. */
u64 translate_to_ipa(u64 va)
{
	asm volatile("at s1e1r, %0; isb" : : "r"(va));
	return address_of(va);
}

/* The same of one that EL0 can write. */
u64 translate_el0_write(u64 va)
{
	asm volatile("at s1e0w, %0; isb" : : "r"(va));
	return address_of(va);
}

/* Where the guest's memory at a virtual address that EL1 can read lies, or 0. */
u64 translate(u64 va)
{
	return memory_physical(translate_to_ipa(va));
}

/* End QEMU: for what no guest can survive. The harness reads why from the firmware's log. */
_Noreturn void die(u64 esr, u64 elr)
{
	static struct frame f;

	say("firmware-exception esr=");
	say_hex(esr);
	say(" elr=");
	say_hex(elr);
	say("\n");
	f.x[0] = PSCI_SYSTEM_OFF;
	smc(&f);
	for (;;)
		asm volatile("wfi");
}

/*
 * With MDCR_EL2.TDE a BRK comes here as well, and WARN(), BUG(), kprobes and the sanitizers are made of them
 * (arch/arm64/include/asm/brk-imm.h): take the exception to EL1 as if it had never left it.
 */
static void inject_into_el1(struct frame *f, u64 esr)
{
	u64 vector = VECTOR_CURRENT_SPX;

	if (MODE(f->spsr) == MODE_EL0T)
		vector = VECTOR_LOWER;
	else if (MODE(f->spsr) == MODE_EL1T)
		vector = VECTOR_CURRENT_SP0;
	SYSREG_WRITE("esr_el1", esr);
	SYSREG_WRITE("elr_el1", f->elr);
	SYSREG_WRITE("spsr_el1", f->spsr);
	f->elr = SYSREG_READ("vbar_el1") + vector;
	f->spsr = SPSR_EL1H_MASKED;
}

/* Returns whether the time that this takes is hidden from EL1. */
int handle(struct frame *f, u64 esr)
{
	if (esr == INTERRUPT) {
		vgic_physical_interrupt();
		return hides_time;
	}
	switch ((esr >> 26) & 0x3f) {
	case EC_SMC64:
		/* A trapped SMC leaves ELR at the instruction (D17.2.37, ISS encoding for an SMC). */
		f->elr += 4;
		handle_smc(f);
		break;
	case EC_SYSREG:
		f->elr += 4;
		if (ISS_OP0(esr) == OP0_DEBUG)
			gates_debug_register(f, esr & 0x1ffffff);
		else
			vgic_system_register(f, esr & 0x1ffffff);
		break;
	case EC_DATA_ABORT_LOWER:
		if (!traps_data_abort(f, esr))
			snapshot_fault(f, esr);
		break;
	case EC_BREAKPOINT_LOWER:
		gates_breakpoint(f);
		break;
	case EC_STEP_LOWER:
		gates_stepped(f);
		break;
	case EC_BRK64:
		if (MODE(f->spsr) == MODE_EL0T && (esr & 0xffff) == CALL_OF_INIT) {
			f->elr += 4;
			files_call(f);
			break;
		}
		inject_into_el1(f, esr);
		break;
	default:
		die(esr, f->elr);
	}
	return hides_time;
}
