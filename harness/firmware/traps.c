/*
 * Accesses of EL1 and EL0 to addresses that stage 2 does not map: registers of a board, and its interrupt controller.
 */
#include "board.h"

/* ISS of a data abort (DDI 0487, D17.2.37) */
#define ISS_VALID	(1ul << 24)
#define ISS_SIZE(esr)	(1u << ((esr) >> 22 & 3))
#define ISS_SIGNED	(1ul << 21)
#define ISS_REGISTER(esr)	((esr) >> 16 & 31)
#define ISS_64BIT	(1ul << 15)
#define ISS_CACHE_MAINTENANCE	(1ul << 8)
#define ISS_TABLE_WALK	(1ul << 7)
#define ISS_WRITE	(1ul << 6)
#define FAULT_STATUS(esr)	((esr) & 0x3c)
#define FAULT_TRANSLATION	0x04
#define FAULT_PERMISSION	0x0c

#define HPFAR_ADDRESS(hpfar)	(((hpfar) & 0xffffffffff0ul) << 8)

#define PAR_FAULT	1ul
#define PAR_ATTRIBUTES(par)	((par) >> 56)
#define FIRST_NORMAL	0x10	/* MAIR_ELx: attributes below are Device memory */

#define ZERO_REGISTER	31

/* Whether the guest thinks of an address as memory and not as a device. */
static int is_memory_to_the_guest(u64 va)
{
	u64 own = SYSREG_READ("par_el1"), par;

	asm volatile("at s1e1r, %0; isb" : : "r"(va));
	par = SYSREG_READ("par_el1");
	SYSREG_WRITE("par_el1", own);
	return !(par & PAR_FAULT) && PAR_ATTRIBUTES(par) >= FIRST_NORMAL;
}

static u64 ones(u32 size)
{
	return size == 8 ? ~0ul : (1ul << 8 * size) - 1;
}

const struct placed *behaviour_at(u64 address)
{
	for (u32 i = 0; i < board->placed_count; i++)
		if (lies_in(address, behaviours[i].address, behaviours[i].size))
			return &behaviours[i];
	return 0;
}

/* A word at a multiple of four. */
static u32 read_word(struct shadow *shadow, u64 address, int *answered)
{
	u32 value = *(volatile u32 *)(shadow_memory(shadow) + address % PAGE_SIZE);
	const struct placed *placed = shadow->has_behaviour ? behaviour_at(address) : 0;

	if (placed) {
		const struct behaviour *behaviour = behaviour_of(placed);

		if (behaviour->read)
			value = behaviour->read(placed, address - placed->address, value);
		*answered = 1;
	}
	return shadow->rules ? rules_read(shadow, address, value, answered) : value;
}

static void write_word(struct shadow *shadow, u64 address, u32 value, u32 mask)
{
	volatile u32 *word = (volatile u32 *)register_memory(address, 1);
	const struct placed *placed = shadow->has_behaviour ? behaviour_at(address) : 0;
	u32 old = *word;

	value = shadow->rules ? rules_write(shadow, address, old, value, mask) : (old & ~mask) | (value & mask);
	if (placed)
		value = behaviour_of(placed)->write(placed, address - placed->address, old, value);
	*word = value;
	if (shadow->rules)
		rules_lines(shadow);
}

static u64 read_register(const struct frame *f, u64 address, u32 size)
{
	struct shadow *shadow = shadow_of(address);
	u32 shift = address % 4 * 8;
	int answered = 0;
	u64 value = read_word(shadow, address & ~3ul, &answered) >> shift;

	if (size == 8)
		value |= (u64)read_word(shadow, address + 4, &answered) << 32;
	value &= ones(size);
	shadow->reads++;
	if (answered)
		breaker_other_access();
	else
		value = breaker_read(f, shadow, address, size, value);
	if (shadow->rules)
		rules_after_read(shadow, address & ~3ul);
	return value;
}

static void write_register(u64 address, u32 size, u64 value)
{
	struct shadow *shadow = shadow_of(address);
	u32 shift = address % 4 * 8;

	shadow->writes++;
	breaker_other_access();
	write_word(shadow, address & ~3ul, (u32)value << shift, size >= 4 ? ~0u : (u32)ones(size) << shift);
	if (size == 8)
		write_word(shadow, address + 4, value >> 32, ~0u);
}

/*
 * A write to a page of memory in which a CPU of a spin table waits (cpus.c). Where the syndrome does not say what is
 * written, nothing is watched there any more.
 */
static int write_beside_release(struct frame *f, u64 esr)
{
	u64 own, address;
	u32 size = ISS_SIZE(esr), number = ISS_REGISTER(esr);
	u64 value = number == ZERO_REGISTER ? 0 : f->x[number] & ones(size);

	if (board->cpus == 1 || !(esr & ISS_WRITE))
		return 0;
	own = SYSREG_READ("par_el1");
	address = translate_to_ipa(SYSREG_READ("far_el2"));
	SYSREG_WRITE("par_el1", own);
	if (!memory_physical(address))
		return 0;
	if (!(esr & ISS_VALID)) {
		*memory_entry(address) |= STAGE2_WRITE;
		asm volatile("dsb ishst\n tlbi vmalls12e1is\n dsb ish\n isb" : : : "memory");
		return 1;
	}
	for (u32 i = 0; i < size; i++)
		byte_set(address + i, value >> 8 * i);
	cpus_release(address, size, value);
	f->elr += 4;
	return 1;
}

/* Returns whether the abort was one of these. */
int traps_data_abort(struct frame *f, u64 esr)
{
	u64 far = SYSREG_READ("far_el2");
	u64 address = HPFAR_ADDRESS(SYSREG_READ("hpfar_el2")) | far % PAGE_SIZE;
	u32 size = ISS_SIZE(esr), number = ISS_REGISTER(esr);
	int is_write = (esr & ISS_WRITE) != 0;
	u64 value;

	if (!board)
		return 0;
	if (FAULT_STATUS(esr) == FAULT_PERMISSION)
		return write_beside_release(f, esr);
	if (FAULT_STATUS(esr) != FAULT_TRANSLATION)
		return 0;
	if (esr & ISS_CACHE_MAINTENANCE) {
		f->elr += 4;
		return 1;
	}
	value = number == ZERO_REGISTER ? 0 : f->x[number] & ones(size);
	if ((esr & ISS_VALID) && vgic_access(address, size, is_write, &value)) {
		/* done */
	} else {
		struct shadow *shadow = shadow_of(address);

		/* A load or store of several registers, or one that changes its base, says nothing of itself; or it is memory. */
		if (!(esr & ISS_VALID) || (esr & ISS_TABLE_WALK) ||
		    (!shadow->reads && !shadow->writes && is_memory_to_the_guest(far))) {
			shadow_map(address);
			return 1;
		}
		if (is_write)
			write_register(address, size, value);
		else
			value = read_register(f, address, size);
	}
	if (!is_write && number != ZERO_REGISTER) {
		if ((esr & ISS_SIGNED) && size < 8) {
			u32 unused = 64 - 8 * size;

			value = (u64)((long)(value << unused) >> unused);
			if (!(esr & ISS_64BIT))
				value = (u32)value;
		}
		f->x[number] = value;
	}
	f->elr += 4;
	return 1;
}
