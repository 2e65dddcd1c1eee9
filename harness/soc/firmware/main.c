/* Dispatch of what EL1 traps into the EL2 firmware, and the firmware's own log over semihosting. */
#include "firmware.h"

/* ESR_ELx.EC (DDI 0487, D17.2.37) */
#define EC_SMC64		0x17
#define EC_SYSREG		0x18
#define EC_BREAKPOINT_LOWER	0x30
#define EC_STEP_LOWER		0x32
#define EC_BRK64		0x3c

/* SPSR_ELx.M and the offsets of the vector table (DDI 0487, D1.10.2) */
#define MODE(spsr)		((spsr) & 0xf)
#define MODE_EL0T		0
#define MODE_EL1T		4
#define VECTOR_CURRENT_SP0	0x000
#define VECTOR_CURRENT_SPX	0x200
#define VECTOR_LOWER		0x400
#define SPSR_EL1H_MASKED	0x3c5

/* Arm semihosting 2.0: operation in w0, argument in x1, HLT #0xf000 */
#define SYS_WRITE0		0x04
#define SYS_EXIT		0x18
#define ADP_STOPPED_RUN_TIME_ERROR	0x20023

static void semihosting(u64 operation, const void *argument)
{
	register u64 x0 asm("x0") = operation;
	register const void *x1 asm("x1") = argument;

	asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

void say(const char *text)
{
	semihosting(SYS_WRITE0, text);
}

static void say_in_base(u64 value, u32 base)
{
	char digits[24];
	char *p = digits + sizeof(digits);

	*--p = 0;
	do {
		*--p = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	say(p);
}

void say_number(u64 value)
{
	say_in_base(value, 10);
}

void say_hex(u64 value)
{
	say("0x");
	say_in_base(value, 16);
}

/* End QEMU: for what no guest can survive. The harness reads why from the firmware's log. */
void quit(void)
{
	static const u64 block[2] = { ADP_STOPPED_RUN_TIME_ERROR, 1 };

	semihosting(SYS_EXIT, block);
}

_Noreturn void die(u64 esr, u64 elr)
{
	say("firmware-exception esr=");
	say_hex(esr);
	say(" elr=");
	say_hex(elr);
	say("\n");
	quit();
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

void handle(struct frame *f, u64 esr)
{
	switch ((esr >> 26) & 0x3f) {
	case EC_SMC64:
		/* A trapped SMC leaves ELR at the instruction (D17.2.37, ISS encoding for an SMC). */
		f->elr += 4;
		handle_smc(f);
		break;
	case EC_SYSREG:
		f->elr += 4;
		gates_debug_register(f, esr & 0x1ffffff);
		break;
	case EC_BREAKPOINT_LOWER:
		gates_breakpoint(f);
		break;
	case EC_STEP_LOWER:
		gates_stepped(f);
		break;
	case EC_BRK64:
		inject_into_el1(f, esr);
		break;
	default:
		die(esr, f->elr);
	}
}
