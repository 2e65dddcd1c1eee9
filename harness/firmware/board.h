/*
 * What only real boards need: the plan that the harness hands over (interface.ts has its layout), stage 2, register
 * pages, interrupts.
 */
#ifndef BOOTRACE_BOARD_H
#define BOOTRACE_BOARD_H

#include "firmware.h"

#define BLOCK_SIZE	(1ul << 21)

/*
 * What belongs to the guest and not to its memory: a snapshot keeps it and puts it back as a whole (firmware.lds,
 * snapshot.c).
 */
#define GUEST_STATE	__attribute__((section(".guest_state")))

#define INTERRUPTS_MAX	1024u
#define NO_INTERRUPT	0

/* board.c */
extern const struct board *board;	/* null on the stand-in */
extern const struct board_cpu *board_cpus;
extern const struct range *redistributors, *translators, *never_broken;
extern const struct rule *rules;
extern const struct placed *behaviours;
extern const struct answer *monitor_answers;
void board_init(struct start *start);
void board_cpu_init(void);
void board_summary(void);

static inline int lies_in(u64 address, u64 start, u64 size)
{
	return address - start < size;
}

/* memory.c */
void memory_init_standin(void);
void memory_init_board(const struct range *ram, u32 count);
void memory_map_standin(void);
void memory_map(u64 ipa, u64 size, u64 physical, u64 attributes);
void memory_unmap_page(u64 ipa);
u64 *memory_entry(u64 ipa);
void memory_enable(void);
void memory_protect(void);

/* Stage 2 descriptors (DDI 0487, D8.3) */
#define STAGE2_READ	(1ul << 6)
#define STAGE2_WRITE	(2ul << 6)
/* Accessed, inner shareable, write-back */
#define STAGE2_RAM	((1ul << 10) | (3ul << 8) | (0xful << 2) | STAGE2_READ | STAGE2_WRITE)
/* Device-nGnRE */
#define STAGE2_DEVICE	((1ul << 10) | (0x1ul << 2) | STAGE2_READ | STAGE2_WRITE)
#define STAGE2_ADDRESS	0x0000fffffffff000ul

/* shadow.c: register pages that are not mapped */
struct shadow {
	u64 page;		/* of the board's addresses */
	u32 reads, writes, broken;
	u32 first_rule;
	u16 rules;		/* that have a register in this page */
	u8 has_behaviour, is_mapped;
};
struct shadow *shadow_of(u64 address);
u64 shadow_memory(const struct shadow *shadow);
u64 register_memory(u64 address, int write);
u32 register_get(u64 address);
void register_set(u64 address, u32 value);
u8 byte_get(u64 address);
void byte_set(u64 address, u8 value);
void shadow_map(u64 address);
void shadow_write_fault(u64 address);
void shadow_snapshot(void);
void shadow_restore(void);
void shadow_census(void);

/* board-timers.c */
void board_timers_kick(u32 cpu);

/* cpus.c */
void cpus_init(void);
void cpus_watch_release(void);
void cpus_release(u64 address, u32 size, u64 value);

/* traps.c */
int traps_data_abort(struct frame *f, u64 esr);

/* breaker.c */
u64 breaker_read(const struct frame *f, struct shadow *shadow, u64 address, u32 size, u64 value);
void breaker_other_access(void);
void breaker_census(void);

/* rules.c */
u32 rules_read(const struct shadow *shadow, u64 address, u32 value, int *answered);
void rules_after_read(const struct shadow *shadow, u64 address);
u32 rules_write(const struct shadow *shadow, u64 address, u32 old, u32 value, u32 mask);
void rules_lines(const struct shadow *shadow);

/* models/: one definition for each name of BEHAVIOURS in board/board-plan.ts */
struct behaviour {
	/*
	 * A word that is read, or the part of one that is written; `value` is what lies there, and what would be put there.
	 * Returns what is. Without read() a word reads as what lies there.
	 */
	u32 (*read)(const struct placed *placed, u32 offset, u32 value);
	u32 (*write)(const struct placed *placed, u32 offset, u32 old, u32 value);
	/* A call of the secure monitor whose number is parameter 0; null where there is none. */
	void (*call)(const struct placed *placed);
};
#define NO_READ	0
const struct placed *behaviour_at(u64 address);
const struct behaviour *behaviour_of(const struct placed *placed);

/* models/marvell.c: the INTID of an interrupt, which may lie behind a controller that says so itself (device.ts) */
#define BEHIND_ICU	0x8000u
#define ICU_INTERRUPTS	0x100u
u32 interrupt_behind(u32 interrupt);

/* vgic-registers.c */
int vgic_access(u64 address, u32 size, int is_write, u64 *value);
void vgic_system_register(struct frame *f, u32 iss);

/* vgic.c */
void vgic_init(void);
void vgic_cpu_init(void);
void vgic_physical_interrupt(void);
void vgic_raise(u32 interrupt);
void vgic_line(u32 interrupt, int level);
void vgic_restore(void);

#endif
