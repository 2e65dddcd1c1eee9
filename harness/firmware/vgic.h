/* The board's interrupt controller: its state (vgic.c) and its register files (vgic-registers.c). */
#ifndef BOOTRACE_VGIC_H
#define BOOTRACE_VGIC_H

#include "board.h"

#define SPIS_WORDS	(INTERRUPTS_MAX / 32)
#define SPURIOUS	1023u
#define SPECIAL		1020u	/* from here on no interrupts */

#define SGIS		16u
#define PRIVATE		32u	/* SGIs and PPIs, of which each CPU has its own */

/*
 * State is kept by line: those of the first CPU and of all are their INTIDs, and behind them are the private ones of
 * the other CPUs.
 */
#define LINES		(INTERRUPTS_MAX + PRIVATE * (CPUS_MAX - 1))
#define WORDS		(LINES / 32)
#define BIT(i)		(1u << (i) % 32)

#define ITS_MAX		16u
#define ITS_TABLES	2u		/* of devices and of collections */

#define SGI_FRAME	0x10000ul	/* of a redistributor */
#define EOI_DROPS	2		/* ICC_CTLR.EOImode: an EOI does not deactivate */

struct vgic {
	u32 enabled[WORDS], pending[WORDS], active[WORDS];
	u32 asserted[WORDS];			/* by a model */
	u32 group[WORDS], config[2 * WORDS];
	u8 priority[LINES], target[INTERRUPTS_MAX];
	u64 router[INTERRUPTS_MAX];
	u32 distributor_control;
	struct vgic_cpu {
		u32 route[SPIS_WORDS];		/* interrupts that come to it */
		u32 ready;			/* words that have one to deliver */
		u32 running;			/* line that it has acknowledged and not ended, or SPURIOUS */
		u32 is_told;			/* that there is one: HCR_EL2.VI is set, or will be */
		u8 senders[SGIS];		/* GICv2: CPUs that have sent it each */
		u32 control, group_enable, priority_mask, binary_point, waker, interface_control;
		u32 redistributor_control;
		u64 lpi_properties, lpis_pending;	/* GICR_PROPBASER, GICR_PENDBASER */
	} cpus[CPUS_MAX];
	/* Interrupt translation services: the registers that hold what was written. */
	struct vgic_its { u64 control, commands, written, tables[ITS_TABLES]; } its[ITS_MAX];
};

/* board-timers.c */
void board_timers_cpu_init(void);
u32 board_timers_acknowledge(void);
void board_timers_deactivate(u32 interrupt);
void board_timers_restore(int (*is_live)(u32 interrupt));

/* vgic.c */
extern struct vgic gic;
struct vgic_cpu *vgic_cpu(void);
u32 vgic_line_of(u32 cpu, u32 interrupt);
void vgic_look(u32 word);
void vgic_update(void);
u32 vgic_best(void);
u32 vgic_acknowledge(void);
void vgic_deactivate(u32 line);
void vgic_send(u32 interrupt, u32 cpus);
void vgic_route(u32 interrupt, u32 cpus);

#endif
