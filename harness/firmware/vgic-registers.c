/* The register files of the interrupt controller: in memory (GICD, GICR, GICC) and as system registers (ICC). */
#include "vgic.h"

/* ---- registers in memory ---- */

static u32 typer(void)
{
	u32 lines = (board->spis + 32 + 31) / 32 - 1;

	lines = lines > 31 ? 31 : lines;
	if (board->gic_version != 3)
		return lines;
	/* ITLinesNumber; IDbits: ten, or sixteen and LPIs where something makes them. */
	return lines | (board->translator_count ? 15u << 19 | 1u << 17 : 9u << 19);
}

/* A register with a bit for each interrupt. `set`: ones that are written set bits, or clear them. */
static u32 bits(u32 *words, u32 word, int is_write, u32 value, int set)
{
	if (is_write && set)
		words[word] |= value;
	else if (is_write)
		words[word] &= ~value;
	return words[word];
}

static u32 active_bits(u32 word, int is_write, u32 value, int set)
{
	if (is_write && !set)
		for (u32 i = 0; i < 32; i++)
			if (value >> i & 1)
				vgic_deactivate(word * 32 + i);
	return gic.active[word];
}

/* A timer that the guest no longer wants to hear of may come again. */
static void forget_timers(u32 word, u32 value)
{
	if (word != vgic_line_of(cpu_index(), 0) / 32)
		return;
	for (u32 i = 0; i < 32; i++)
		if ((value >> i & 1) && (gic.pending[word] & BIT(i)))
			board_timers_deactivate(i);
}

static u64 bytes(u8 *array, u32 first, u32 size, u32 count, int is_write, u64 value)
{
	u64 result = 0;

	for (u32 i = 0; i < size && first + i < count; i++) {
		if (is_write)
			array[first + i] = value >> 8 * i;
		result |= (u64)array[first + i] << 8 * i;
	}
	return result;
}

/*
 * The registers that have a place for each interrupt, the same in distributor and redistributor, as a CPU sees them.
 * Returns whether it was one.
 */
static int interrupt_register(u32 cpu, u32 offset, u32 size, int is_write, u64 *value)
{
	u32 word = offset % 0x80 / 4;

	if (word == 0)
		word = vgic_line_of(cpu, 0) / 32;
	if (offset >= 0x80 && offset < 0x100) {
		if (is_write)
			gic.group[word] = *value;
		*value = gic.group[word];
	} else if (offset >= 0x100 && offset < 0x200) {
		*value = bits(gic.enabled, word, is_write, *value, offset < 0x180);
	} else if (offset >= 0x200 && offset < 0x300) {
		if (is_write && offset >= 0x280)
			forget_timers(word, *value);
		*value = bits(gic.pending, word, is_write, *value, offset < 0x280) | gic.asserted[word];
	} else if (offset >= 0x300 && offset < 0x400) {
		*value = active_bits(word, is_write, *value, offset < 0x380);
	} else if (offset >= 0x400 && offset < 0x800) {
		*value = bytes(gic.priority, vgic_line_of(cpu, offset - 0x400), size, LINES, is_write, *value);
		return 1;
	} else if (offset >= 0xc00 && offset < 0xd00) {
		u32 *config = &gic.config[vgic_line_of(cpu, (offset - 0xc00) * 4) / 16];

		if (is_write)
			*config = *value;
		*value = *config;
		return 1;
	} else {
		return 0;
	}
	vgic_look(word);
	return 1;
}

#define IIDR	0x0100143bu	/* Arm */
#define PIDR2	0xffe8		/* of GICv3; GICv2 has it at 0xfe8 */

/* GICD_ITARGETSR: those of SGIs and PPIs are read-only and say which CPU asks. */
static u64 targets(u32 first, u32 size, int is_write, u64 value)
{
	u64 result;

	if (first < PRIVATE)
		return (1u << cpu_index()) * (0x0101010101010101ul & (size == 8 ? ~0ul : (1ul << 8 * size) - 1));
	result = bytes(gic.target, first, size, INTERRUPTS_MAX, is_write, value);
	for (u32 i = 0; is_write && i < size && first + i < INTERRUPTS_MAX; i++)
		vgic_route(first + i, gic.target[first + i]);
	return result;
}

#define ALL_CPUS		((1u << CPUS_MAX) - 1)
#define ROUTER_ANY		(1ul << 31)			/* GICD_IROUTER.Interrupt_Routing_Mode */
#define ROUTER_AFFINITY(router)	((router) & 0xff00fffffful)	/* as in MPIDR_EL1 */

static u64 router(u32 interrupt, u32 half, u32 size, int is_write, u64 value)
{
	u64 *router = &gic.router[interrupt];

	if (is_write) {
		*router = size == 8 ? value : half ? (u32)*router | value << 32 : (*router >> 32 << 32) | (u32)value;
		vgic_route(interrupt, *router & ROUTER_ANY ? ALL_CPUS : 1u << cpu_of(ROUTER_AFFINITY(*router)));
	}
	return half ? *router >> 32 : *router;
}

/* GICD_SGIR: to the CPUs of a list, to all but the one that asks, or to that one. */
static void send_by_list(u32 value)
{
	u32 self = 1u << cpu_index(), filter = value >> 24 & 3;

	vgic_send(value & 15, filter == 0 ? value >> 16 & 0xff : filter == 1 ? ALL_CPUS & ~self : self);
}

static u64 distributor(u32 offset, u32 size, int is_write, u64 value)
{
	if (interrupt_register(cpu_index(), offset, size, is_write, &value))
		return value;
	if (offset >= 0x800 && offset < 0xc00)
		return targets(offset - 0x800, size, is_write, value);
	if (offset >= 0x6000 && offset < 0x8000)
		return router((offset - 0x6000) / 8, offset & 4, size, is_write, value);
	switch (offset) {
	case 0x000:
		if (is_write)
			gic.distributor_control = value;
		return gic.distributor_control | (board->gic_version == 3 ? 1u << 6 : 0);	/* DS: one security state */
	case 0x004:
		return typer();
	case 0x008:
		return IIDR;
	case 0xf00:
		if (is_write)
			send_by_list(value);
		return 0;
	case 0xfe8:
		return 0x2b;
	case PIDR2:
		return 0x3b;
	}
	return 0;
}

/* A register of 64 bits, or a half of it. */
static u64 wide(u64 *whole, u32 offset, u32 size, int is_write, u64 value)
{
	u32 shift = offset & 4 ? 32 : 0;
	u64 ones = size == 8 ? ~0ul : (u64)~0u << shift;

	if (is_write)
		*whole = (*whole & ~ones) | (value << shift & ones);
	return size == 8 ? *whole : (u32)(*whole >> shift);
}

/*
 * An interrupt translation service (IHI 0069, section 12.19). A command is done as soon as it is written; none of them
 * matters, as no device here sends a message.
 */
#define ITS_FRAME	0x10000u	/* behind it devices write, not CPUs */
#define ITS_QUIESCENT	(1ul << 31)
/* GITS_TYPER: LPIs, 8 bytes an interrupt, 16 bits of events, 20 of devices. */
#define ITS_TYPER	(1ul | 7ul << 4 | 15ul << 8 | 19ul << 13)
/* GITS_BASER: what the table is of, and 8 bytes an entry. */
#define ITS_TABLE(type)	((u64)(type) << 56 | 7ul << 48)
#define ITS_TABLE_KIND	(7ul << 56 | 0x1ful << 48)

static const u64 its_kinds[ITS_TABLES] = { ITS_TABLE(1), ITS_TABLE(4) };

static u64 its_register(struct vgic_its *its, u32 offset, u32 size, int is_write, u64 value)
{
	u64 fixed = ITS_TYPER;
	u32 table = (offset - 0x100) / 8;

	if (offset == 0x000) {
		if (is_write)
			its->control = value & 1;
		return its->control | (its->control ? 0 : ITS_QUIESCENT);
	}
	if (offset == 0x004)
		return IIDR;
	if (offset == PIDR2)
		return 0x3b;
	if (offset / 8 == 0x008 / 8)
		return wide(&fixed, offset, size, 0, 0);
	if (offset / 8 == 0x080 / 8)
		return wide(&its->commands, offset, size, is_write, value);
	if (offset / 8 == 0x088 / 8 || offset / 8 == 0x090 / 8)	/* CWRITER, and CREADR, which is always there */
		return wide(&its->written, offset, size, is_write && offset < 0x090, value);
	if (offset >= 0x100 && table < ITS_TABLES) {
		value = wide(&its->tables[table], offset, size, is_write, value);
		its->tables[table] = (its->tables[table] & ~ITS_TABLE_KIND) | its_kinds[table];
		return is_write ? value : wide(&its->tables[table], offset, size, 0, 0);
	}
	return 0;
}

/* n-th redistributor of all ranges; only the first ones have CPUs that run. */
static u64 redistributor(u32 n, int is_last, u32 offset, u32 size, int is_write, u64 value)
{
	int runs = n < board->cpus;
	u64 affinity = runs ? board_cpus[n].affinity : 0;
	u64 type;

	if (runs)
		affinity = (affinity & 0xffffff) | (affinity >> 32 & 0xff) << 24;
	else	/* one that no CPU has */
		affinity = 0xfffffffful - n;
	type = affinity << 32 | (u64)n << 8 | (is_last ? 1u << 4 : 0) | (board->translator_count != 0);
	if (offset >= SGI_FRAME) {
		offset -= SGI_FRAME;
		if (runs && offset >= 0x80 && offset < 0xd00 && interrupt_register(n, offset, size, is_write, &value))
			return value;
		return 0;
	}
	if (runs && offset / 8 == 0x070 / 8)
		return wide(&gic.cpus[n].lpi_properties, offset, size, is_write, value);
	if (runs && offset / 8 == 0x078 / 8)
		return wide(&gic.cpus[n].lpis_pending, offset, size, is_write, value);
	switch (offset) {
	case 0x000:
		if (is_write && runs)
			gic.cpus[n].redistributor_control = value & 1;	/* EnableLPIs */
		return runs ? gic.cpus[n].redistributor_control : 0;
	case 0x004:
		return IIDR;
	case 0x008:
		return size == 8 ? type : (u32)type;
	case 0x00c:
		return type >> 32;
	case 0x014:
		if (is_write && runs)
			gic.cpus[n].waker = value & 2 ? 6 : 0;
		return runs ? gic.cpus[n].waker : 6;
	case PIDR2:
		return 0x3b;
	}
	return 0;
}

static u64 cpu_interface(u32 offset, int is_write, u64 value)
{
	struct vgic_cpu *cpu = vgic_cpu();

	switch (offset) {
	case 0x00:
		if (is_write)
			cpu->control = value;
		return cpu->control;
	case 0x04:
		if (is_write)
			cpu->priority_mask = value & 0xff;
		return cpu->priority_mask;
	case 0x08:
		if (is_write)
			cpu->binary_point = value;
		return cpu->binary_point;
	case 0x0c:
		return is_write ? 0 : vgic_acknowledge();
	case 0x10:
		if (is_write)
			vgic_deactivate(vgic_line_of(cpu_index(), value & 0x3ff));
		return 0;
	case 0x14:
		return 0xff;
	case 0x18:
		return vgic_best();
	case 0xfc:
		return 0x0202143b;	/* GIC-400 */
	}
	return 0;
}

/* Returns whether an address is the controller's. */
int vgic_access(u64 address, u32 size, int is_write, u64 *value)
{
	if (lies_in(address, board->distributor, board->distributor_size)) {
		*value = distributor(address - board->distributor, size, is_write, *value);
		vgic_update();
		return 1;
	}
	if (lies_in(address, board->cpu_interface, board->cpu_interface_size)) {
		*value = cpu_interface(address - board->cpu_interface, is_write, *value);
		vgic_update();
		return 1;
	}
	for (u32 i = 0, n = 0; i < board->redistributor_count; i++) {
		u64 distance = address - redistributors[i].address;
		u32 frames = redistributors[i].size / board->stride;

		if (distance < redistributors[i].size && distance / board->stride < frames) {
			u32 at = distance / board->stride;

			*value = redistributor(n + at, at + 1 == frames, distance % board->stride, size, is_write, *value);
			vgic_update();
			return 1;
		}
		n += frames;
	}
	for (u32 i = 0; i < board->translator_count; i++)
		if (lies_in(address, translators[i].address, translators[i].size)) {
			u64 offset = address - translators[i].address;

			*value = i < ITS_MAX && offset < ITS_FRAME ? its_register(&gic.its[i], offset, size, is_write, *value) : 0;
			return 1;
		}
	return 0;
}

/* ---- system registers of GICv3 ---- */

#define ISS_IS_READ(iss)	((iss) & 1)
#define ISS_RT(iss)		((iss) >> 5 & 31)
#define ISS_NAME(iss)		(((iss) >> 10 & 15) << 8 | ((iss) >> 1 & 15) << 4 | ((iss) >> 17 & 7))	/* CRn, CRm, op2 */

/* ICC_SGI1R_EL1 (IHI 0069): to CPUs whose affinities differ in the lowest bits alone, or to all but this one. */
#define SGI_ALL_OTHERS(value)	((value) >> 40 & 1)
#define SGI_CLUSTER(value)	(((value) >> 48 & 0xff) << 32 | ((value) >> 32 & 0xff) << 16 | ((value) >> 16 & 0xff) << 8)
#define SGI_RANGE(value)	((value) >> 44 & 15)

static void send_by_affinity(u64 value)
{
	u32 cpus = 0;

	for (u32 n = 0; n < 16; n++)
		if (value >> n & 1)
			cpus |= 1u << cpu_of(SGI_CLUSTER(value) | SGI_RANGE(value) << 4 | n);
	if (SGI_ALL_OTHERS(value))
		cpus = ALL_CPUS & ~(1u << cpu_index());
	vgic_send(value >> 24 & 15, cpus);
}

void vgic_system_register(struct frame *f, u32 iss)
{
	struct vgic_cpu *cpu = vgic_cpu();
	int is_read = ISS_IS_READ(iss);
	u32 rt = ISS_RT(iss);
	u64 value = rt == 31 ? 0 : f->x[rt];
	u64 result = 0;

	switch (ISS_NAME(iss)) {
	case 0x460:	/* PMR */
		if (!is_read)
			cpu->priority_mask = value & 0xff;
		result = cpu->priority_mask;
		break;
	case 0xcc0:	/* IAR1 */
		if (is_read)
			result = vgic_acknowledge();
		break;
	case 0xcc1:	/* EOIR1 */
	case 0xcb1:	/* DIR */
		if (!is_read && (ISS_NAME(iss) == 0xcb1 || !(cpu->interface_control & EOI_DROPS)))
			vgic_deactivate(vgic_line_of(cpu_index(), value & 0x3ff));
		break;
	case 0xcc2:	/* HPPIR1 */
		result = vgic_best();
		break;
	case 0xcc3:	/* BPR1 */
		if (!is_read)
			cpu->binary_point = value;
		result = cpu->binary_point;
		break;
	case 0xcc4:	/* CTLR: five bits of priority */
		if (!is_read)
			cpu->interface_control = value & EOI_DROPS;
		result = 0x400 | cpu->interface_control;
		break;
	case 0xcc7:	/* IGRPEN1 */
		if (!is_read)
			cpu->group_enable = value & 1;
		result = cpu->group_enable;
		break;
	case 0xcb3:	/* RPR */
		result = 0xff;
		break;
	case 0xcb5:	/* SGI1R */
		if (!is_read)
			send_by_affinity(value);
		break;
	}
	if (is_read && rt != 31)
		f->x[rt] = result;
	vgic_update();
}
