/*
 * A snapshot of a running guest, which many cells go on from: it is taken once and restored after each. Memory is
 * copied on write: from then on stage 2 of EL1's translation (DDI 0487, D8) lets it read all of its memory, and the
 * first write to a page comes here, where the page is put aside. Only with one CPU.
 *
 * Beside its memory, and register files that are memory, a guest has the CPU's registers of EL1, the interrupt
 * controller, the timer and the UART: nothing else is in its device tree. Floating-point registers are left out:
 * neither the init nor a probe function reads what is in them.
 */
#include "board.h"

/* ESR_ELx of a data abort (D17.2.37): it was a write, and level 1 to 3 of the tables forbid it */
#define ISS_WNR		(1 << 6)
#define FAULT_STATUS(esr)	((esr) & 0x3c)
#define FAULT_PERMISSION	0x0c

/* What belongs to the guest and lies in the firmware (board.h). */
extern u8 _guest_state[], _guest_state_end[];
#define GUEST_STATE_MAX	0x20000
static u8 guest_state[GUEST_STATE_MAX];

#define EL1_REGISTERS(do_) \
	do_(sctlr_el1) do_(actlr_el1) do_(cpacr_el1) do_(ttbr0_el1) do_(ttbr1_el1) do_(tcr_el1) do_(mair_el1) \
	do_(amair_el1) do_(vbar_el1) do_(esr_el1) do_(far_el1) do_(afsr0_el1) do_(afsr1_el1) do_(elr_el1) do_(spsr_el1) \
	do_(contextidr_el1) do_(tpidr_el1) do_(tpidr_el0) do_(tpidrro_el0) do_(par_el1) do_(csselr_el1) do_(sp_el0) \
	do_(sp_el1) do_(cntkctl_el1) do_(cntv_cval_el0) do_(cntv_ctl_el0) do_(cntp_cval_el0) do_(cntp_ctl_el0)

static struct {
#define MEMBER(name) u64 name;
	EL1_REGISTERS(MEMBER)
} registers;

static struct frame saved;
static u64 saved_time;

/* Store exclusive register or pair, C4.1.66 (loads and stores, exclusive): size, o1 (pair), Rs, Rt2 and Rt. */
#define IS_STORE_EXCLUSIVE(insn)	(((insn) & 0x3fc00000) == 0x08000000)
#define SIZE(insn)	((insn) >> 30)
#define IS_PAIR(insn)	((insn) >> 21 & 1)
#define RS(insn)	((insn) >> 16 & 31)
#define RT2(insn)	((insn) >> 10 & 31)
#define RT(insn)	((insn) & 31)

static u64 register_of(const struct frame *f, u32 n)
{
	return n == 31 ? 0 : f->x[n];
}

static void store(u64 pa, u32 size, u64 value)
{
	switch (size) {
	case 0: *(volatile u8 *)pa = value; break;
	case 1: *(volatile u16 *)pa = value; break;
	case 2: *(volatile u32 *)pa = value; break;
	case 3: *(volatile u64 *)pa = value; break;
	}
}

/*
 * A store exclusive that came here would fail when it is tried again, since the exception has cleared the monitor, and
 * the kernel would go round its loop once more. The page has not been written to, so what was loaded is still there: it
 * succeeds.
 */
static void store_exclusive(struct frame *f, u32 insn, u64 pa)
{
	u32 size = SIZE(insn);

	store(pa, size, register_of(f, RT(insn)));
	if (IS_PAIR(insn))
		store(pa + (1 << size), size, register_of(f, RT2(insn)));
	if (RS(insn) != 31)
		f->x[RS(insn)] = 0;
	f->elr += 4;
	f->time += instruction_ticks;	/* this one instruction shows */
}

void snapshot_fault(struct frame *f, u64 esr)
{
	u64 va = SYSREG_READ("far_el2");
	u64 par = SYSREG_READ("par_el1");
	u64 ipa = translate_to_ipa(va);
	u32 insn = *(const volatile u32 *)translate(f->elr);

	SYSREG_WRITE("par_el1", par);	/* the kernel's own */
	if (!snapshot_taken() || !(esr & ISS_WNR) || FAULT_STATUS(esr) != FAULT_PERMISSION)
		die(esr, f->elr);
	/* Where the page may be written to by now the CPU has not noticed. */
	if (*memory_entry(ipa) & STAGE2_WRITE)
		asm volatile("tlbi vmalls12e1\n dsb ish\n isb" : : : "memory");
	else if (!memory_physical(ipa))
		shadow_write_fault(ipa);
	else
		snapshot_will_write(ipa);
	if (IS_STORE_EXCLUSIVE(insn))
		store_exclusive(f, insn, (*memory_entry(ipa) & STAGE2_ADDRESS) + ipa % PAGE_SIZE);
}

static void copy(u8 *to, const u8 *from, u64 size)
{
	for (u64 i = 0; i < size; i++)
		to[i] = from[i];
}

void snapshot_take(const struct frame *f)
{
	u64 size = _guest_state_end - _guest_state;

	if (size > GUEST_STATE_MAX)
		die(0, size);
	saved = *f;
	saved_time = now(f);
#define SAVE(name) registers.name = SYSREG_READ(#name);
	EL1_REGISTERS(SAVE)
	if (board) {
		copy(guest_state, _guest_state, size);
		shadow_snapshot();
	} else {
		models_save();
		memory_map_standin();
		memory_enable();
	}
	pages_snapshot();
	memory_protect();
}

/*
 * Restores everything, and the frame at which the snapshot was taken into f. Pages stay writable: the next cell writes
 * to most of them.
 */
void snapshot_restore(struct frame *f)
{
	if (board)
		shadow_restore();
	pages_restore();
	SYSREG_WRITE("cntv_ctl_el0", 0);
	SYSREG_WRITE("cntp_ctl_el0", 0);
	if (board)
		copy(_guest_state, guest_state, _guest_state_end - _guest_state);
	else
		models_restore();
	*f = saved;
	/* The exit takes what has passed since f->time out of EL1's counter, which then says what it said. */
	f->time = saved_time + SYSREG_READ("cntvoff_el2");
#define RESTORE(name) SYSREG_WRITE(#name, registers.name);
	EL1_REGISTERS(RESTORE)
	if (board)
		vgic_restore();
	asm volatile("clrex\n dsb sy\n tlbi vmalls12e1\n ic iallu\n dsb sy\n isb" : : : "memory");
}
