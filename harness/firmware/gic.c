/* GICv2 of QEMU's virt machine (IHI 0048), which the stand-in's guest drives itself: what a snapshot keeps of it. */
#include "firmware.h"

/* hw/arm/virt.c, base_memmap: VIRT_GIC_DIST, VIRT_GIC_CPU; 32 private interrupts and 256 shared ones */
#define GICD		0x08000000ul
#define GICC		0x08010000ul
#define INTERRUPTS	288
#define GICD_CTLR	0x000
#define GICD_ISENABLER	0x100
#define GICD_ICENABLER	0x180
#define GICD_ICPENDR	0x280
#define GICD_ISACTIVER	0x300
#define GICD_ICACTIVER	0x380
#define GICD_IPRIORITYR	0x400
#define GICD_ITARGETSR	0x800
#define GICD_ICFGR	0xc00
#define GICD_CPENDSGIR	0xf10
#define GICC_CTLR	0x00
#define GICC_PMR	0x04
#define GICC_BPR	0x08
#define GICC_EOIR	0x10
#define SGI_WORDS	4

static struct {
	u32 control, cpu_control, priority_mask, binary_point;
	u32 enabled[INTERRUPTS / 32];
	u32 priority[INTERRUPTS / 4], target[INTERRUPTS / 4];
	u32 config[INTERRUPTS / 16];
} kept;

static u32 get(u64 address)
{
	return *(volatile u32 *)address;
}

static void put(u64 address, u32 value)
{
	*(volatile u32 *)address = value;
}

static void save(void)
{
	kept.control = get(GICD + GICD_CTLR);
	kept.cpu_control = get(GICC + GICC_CTLR);
	kept.priority_mask = get(GICC + GICC_PMR);
	kept.binary_point = get(GICC + GICC_BPR);
	for (u32 i = 0; i < INTERRUPTS / 32; i++)
		kept.enabled[i] = get(GICD + GICD_ISENABLER + 4 * i);
	for (u32 i = 0; i < INTERRUPTS / 4; i++) {
		kept.priority[i] = get(GICD + GICD_IPRIORITYR + 4 * i);
		kept.target[i] = get(GICD + GICD_ITARGETSR + 4 * i);
	}
	for (u32 i = 0; i < INTERRUPTS / 16; i++)
		kept.config[i] = get(GICD + GICD_ICFGR + 4 * i);
}

/* Ends what the guest was in the middle of: an interrupt that was taken and not completed. */
static void end_interrupts(void)
{
	for (u32 i = 0; i < INTERRUPTS / 32; i++) {
		u32 active = get(GICD + GICD_ISACTIVER + 4 * i);

		for (u32 bit = 0; bit < 32; bit++)
			if (active >> bit & 1)
				put(GICC + GICC_EOIR, i * 32 + bit);
		put(GICD + GICD_ICACTIVER + 4 * i, ~0u);
		put(GICD + GICD_ICENABLER + 4 * i, ~0u);
		put(GICD + GICD_ICPENDR + 4 * i, ~0u);
	}
	for (u32 i = 0; i < SGI_WORDS; i++)
		put(GICD + GICD_CPENDSGIR + 4 * i, ~0u);
}

static void restore(void)
{
	put(GICC + GICC_CTLR, kept.cpu_control);
	end_interrupts();
	for (u32 i = 0; i < INTERRUPTS / 16; i++)
		if (get(GICD + GICD_ICFGR + 4 * i) != kept.config[i])
			put(GICD + GICD_ICFGR + 4 * i, kept.config[i]);
	for (u32 i = 0; i < INTERRUPTS / 4; i++) {
		if (get(GICD + GICD_IPRIORITYR + 4 * i) != kept.priority[i])
			put(GICD + GICD_IPRIORITYR + 4 * i, kept.priority[i]);
		if (get(GICD + GICD_ITARGETSR + 4 * i) != kept.target[i])
			put(GICD + GICD_ITARGETSR + 4 * i, kept.target[i]);
	}
	for (u32 i = 0; i < INTERRUPTS / 32; i++)
		put(GICD + GICD_ISENABLER + 4 * i, kept.enabled[i]);
	put(GICC + GICC_PMR, kept.priority_mask);
	put(GICC + GICC_BPR, kept.binary_point);
	put(GICD + GICD_CTLR, kept.control);
}

const struct model gic_v2 = { save, restore };
