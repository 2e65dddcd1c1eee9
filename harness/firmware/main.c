/* Dispatch of what EL1 and EL0 trap into the EL2 firmware. */
#include "firmware.h"
#include "board.h"

/* ESR_ELx.EC (DDI 0487, D17.2.37) */
#define EC_WAIT			0x01	/* WFI; WFE is not trapped */
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

#define INTERRUPT	(~0ul)	/* in place of an ESR; entry.S */
#define ISS_OP0(iss)	((iss) >> 20 & 3)
#define OP0_DEBUG	2

void cpu_init(struct start *start)
{
	static int is_secondary;
	u64 time;

	if (!is_secondary) {
		is_secondary = 1;
		clock_init();
		output_init();
		board_init(start);
		board_cpu_init();
		table_load();
		stops_init();
		stops_cpu_init();
		return;
	}
	cpus_enter(&time);
	board_cpu_init();
	cpus_init();
	stops_cpu_init();
	cpus_leave(time);
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

static void dispatch(struct frame *f, u64 esr)
{
	switch ((esr >> 26) & 0x3f) {
	case EC_SMC64:
		/* A trapped SMC leaves ELR at the instruction (D17.2.37, ISS encoding for an SMC). */
		f->elr += 4;
		handle_smc(f);
		break;
	case EC_WAIT:
		f->elr += 4;
		cpus_wait(f);
		break;
	case EC_SYSREG:
		f->elr += 4;
		if (ISS_OP0(esr) == OP0_DEBUG)
			debug_register(f, esr & 0x1ffffff);
		else
			vgic_system_register(f, esr & 0x1ffffff);
		break;
	case EC_DATA_ABORT_LOWER:
		if (!traps_data_abort(f, esr))
			snapshot_fault(f, esr);
		break;
	case EC_BREAKPOINT_LOWER:
		breakpoint(f);
		break;
	case EC_STEP_LOWER:
		stepped(f);
		break;
	case EC_BRK64:
		if (MODE(f->spsr) == MODE_EL0T && is_call_of_init(esr & 0xffff)) {
			f->elr += 4;
			call_of_init(f, esr & 0xffff);
			break;
		}
		/* One of the firmware's own, that it has written over an instruction. */
		/* Its own time does not show: the guest executes the instruction as well (stops.c). */
		f->time -= instruction_ticks;
		if (MODE(f->spsr) != MODE_EL0T && breakpoint(f))
			break;
		f->time += instruction_ticks;
		if (console_check(f, esr & 0xffff))
			break;
		inject_into_el1(f, esr);
		break;
	default:
		die(esr, f->elr);
	}
}

/* Returns whether entry.S has to hide the time that this takes from EL1. */
int handle(struct frame *f, u64 esr)
{
	cpus_enter(&f->time);
	if (esr == INTERRUPT)
		vgic_physical_interrupt();
	else
		dispatch(f, esr);
	cpus_leave(f->time);
	return !cpus_are_several();
}
