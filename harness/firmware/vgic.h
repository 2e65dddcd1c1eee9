/* The board's interrupt controller: its state (vgic.c) and its register files (vgic-registers.c). */
#ifndef BOOTRACE_VGIC_H
#define BOOTRACE_VGIC_H

#include "board.h"

#define WORDS		(INTERRUPTS_MAX / 32)
#define SPURIOUS	1023u
#define SPECIAL		1020u	/* from here on no interrupts */

#define BIT(i)		(1u << (i) % 32)
#define SGI_FRAME	0x10000ul	/* of a redistributor */
#define EOI_DROPS	2		/* ICC_CTLR.EOImode: an EOI does not deactivate */

struct vgic {
	u32 enabled[WORDS], pending[WORDS], active[WORDS];
	u32 line[WORDS];			/* asserted by a model */
	u32 group[WORDS], config[2 * WORDS];
	u8 priority[INTERRUPTS_MAX], target[INTERRUPTS_MAX];
	u64 router[INTERRUPTS_MAX];
	u32 ready;				/* words that have an interrupt to deliver */
	u32 active_count;
	u32 distributor_control, cpu_control, group_enable, priority_mask, binary_point, waker, interface_control;
};

/* board-timers.c */
void board_timers_init(void);
u32 board_timers_acknowledge(void);
void board_timers_deactivate(u32 interrupt);
void board_timers_restore(int (*is_live)(u32 interrupt));

/* vgic.c */
extern struct vgic gic;
void vgic_look(u32 word);
void vgic_update(void);
u32 vgic_best(void);
u32 vgic_acknowledge(void);
void vgic_deactivate(u32 interrupt);

#endif
