/*
 * Shared by the parts of the EL2 firmware. Freestanding: no library, no floating point, MMU off (addresses are
 * physical). A file calls only what is declared above its own part; what comes from the harness is in interface.h (made
 * of interface.ts).
 */
#ifndef BOOTRACE_FIRMWARE_H
#define BOOTRACE_FIRMWARE_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#include "interface.h"

/* EL1's registers at an exception taken to EL2; the order is that of entry.S. */
struct frame {
	u64 x[31];
	u64 elr;
	u64 spsr;
	u64 sp;		/* only read: entry.S does not put it back */
	u64 time;	/* physical counter at the exception */
	u64 unused;
};

/* Where EL1 begins, and what it gets in x0; entry.S. */
struct start { u64 entry, device_tree; };

#define SYSREG_READ(name) ({ u64 value_; asm volatile("mrs %0, " name : "=r"(value_)); value_; })
#define SYSREG_WRITE(name, value) asm volatile("msr " name ", %0" : : "r"((u64)(value)))

static inline u32 cpu_index(void)
{
	return SYSREG_READ("mpidr_el1") & 0xff;
}

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1ul << PAGE_SHIFT)

/* PSCI 1.1 (DEN 0022) */
#define PSCI_SYSTEM_OFF		0x84000008u
#define PSCI_CPU_ON_64		0xc4000003u
#define PSCI_INVALID_PARAMETERS	(-2ul)

/* DDI 0487, D17.2: PSTATE in SPSR_ELx */
#define MODE(spsr)	((spsr) & 0xf)
#define MODE_EL0T	0
#define MODE_EL1T	4
#define SPSR_BTYPE	(3 << 10)
#define SPSR_IRQ_MASKED	(1 << 7)

/* EL1's virtual counter at the exception, in ticks. What happens in the firmware happens at this time. */
static inline u64 now(const struct frame *f)
{
	return f->time - SYSREG_READ("cntvoff_el2");
}

/* instructions.S */
void smc(struct frame *f);

/* output.c */
void output_init(void);
void input_read(u64 to, u64 size);
int console_present(void);
void console_send(u64 pa, u64 size);	/* to the UART where there is no other way out */
void say(const char *text);	/* whole lines go out as they end */
void say_held(int hold);
void say_number(u64 value);
void say_hex(u64 value);
void say_time(const struct frame *f);
_Noreturn void die(u64 esr, u64 elr);

/* clock.c */
extern u64 instruction_ticks;
void clock_init(void);
void clock_share(void);
u64 clock_enter(void);
void clock_leave(u64 time);

/* cpus.c */
int cpus_are_several(void);
void cpus_enter(u64 *time);
void cpus_leave(u64 time);
void cpus_wait(struct frame *f);
void cpus_off(u64 time);
u32 cpu_of(u64 affinity);
u64 cpu_start(u32 cpu, u64 entry, u64 context);

/* memory.c; what else a board has is in board.h */
u64 memory_physical(u64 ipa);

/* guest.c */
void *memcpy(void *to, const void *from, unsigned long size);
int same(const char *a, const char *b);
u64 translate(u64 va);
u64 translate_to_ipa(u64 va);
u64 translate_el0_write(u64 va);
u64 guest_read(u64 va);
void guest_string(u64 va, char *text);
int guest_string_is(u64 va, const char *text);

/* files.c */
struct file { u32 key, size; u64 address; };
void file_put(enum file_name name, u64 address, u32 size);
int file_find(enum file_name name, struct file *file);
void file_read(struct file file, u32 offset, u64 to, u32 size);

/* A device model whose state is QEMU's: what a snapshot keeps of it. A new one is an entry in models.c. */
struct model {
	void (*save)(void);
	void (*restore)(void);
};

/* gic.c, uart.c */
extern const struct model gic_v2, pl011;

/* models.c */
void models_save(void);
void models_restore(void);

/* pages.c */
int snapshot_taken(void);
void snapshot_will_write(u64 ipa);
void snapshot_put_aside(u64 physical);
void pages_snapshot(void);
void pages_restore(void);

/* snapshot.c */
void snapshot_take(const struct frame *f);
void snapshot_restore(struct frame *f);
void snapshot_fault(struct frame *f, u64 esr);

/* next-cell.c */
void next_cell_receive(void);

/* cell-table.c: what a cell asks for */
extern struct table cell_table;
extern struct stop stops[STOPS_MAX];
extern struct moment moments[MOMENTS_MAX];
extern struct gate gates[GATES_MAX];
void table_load(void);

/* stops.c */
void stops_init(void);
void stops_cpu_init(void);
void stops_text_is_patched(void);
void stop_at(u32 n, u64 address);
void stops_take_out(void);
struct stop *stop_here(u64 pc);
int stop_is_late(const struct stop *stop);
void step_over(struct frame *f, struct stop *stop);
void enter_function(struct frame *f, u64 address);
void stepped(struct frame *f);

/* device-names.c */
void name_of(const struct frame *f, const struct stop *stop, char *name);
int is_about(const struct frame *f, const struct stop *stop, const char *name, const struct place *place);

/* snapshot-cells.c: whatever a table asks for begins anew after snapshot_here() and snapshot_next_cell() */
int snapshot_wanted(void);
enum snapshot_by { BY_BREAKPOINT, BY_PLAN };
void snapshot_here(const struct frame *f, enum snapshot_by by);
enum snapshot_by snapshot_next_cell(struct frame *f);

/* flights.c: calls that a gate or a moment is about */
#define SAVED	9		/* x0 to x8: arguments (AAPCS64) */
struct flight {
	u64 sp;
	u64 task;
	u64 caller_sp;		/* LOOKING: as it was before */
	u64 entry;		/* address of the stop that it came in by */
	u64 lr;
	u64 spsr;
	u64 x[SAVED];		/* arguments, or what is returned */
	u64 deadline;		/* in counter ticks */
	u64 gates, moments;	/* bit for each: it is about this call */
	u64 passed;		/* bit for each gate: it has let this one through */
	u32 gate;		/* which it sleeps in */
	u32 side;
	u32 lookup;		/* LOOKING: for which stop */
	u8 is_atomic;
	enum { FREE, LOOKING, SLEEPING, RUNNING } state;
	char name[NAME_SIZE];	/* of the device, the module or the function */
};
void flights_reset(void);
struct flight *flight_of(const struct frame *f, int fresh);
struct flight *flight_new(const struct frame *f);
int is_during(const char *name);
int is_call_of_wait(const struct frame *f);

/* sleep.c */
int is_atomic(const struct frame *f);
void sleep_in(struct frame *f, struct flight *flight, u32 ms);

/* modules.c */
int modules_look_up(struct frame *f, struct flight *flight, u32 from);
int modules_looked_up(struct frame *f, struct flight *flight);

/* gates.c */
void gates_reset(void);
void gates_step_of_plan(const struct frame *f, u32 step);
void gates_call(struct frame *f, struct stop *stop);
void gates_summary(const struct frame *f);

/* console.c: a kernel without a console for our UART gets one of ours */
void console_register(struct frame *f, struct stop *stop);
int console_check(struct frame *f, u32 number);

/* breakpoint.c */
int breakpoint(struct frame *f);
void debug_register(struct frame *f, u32 iss);

/* calls.c: what the init of the guest says from EL0, BRK with one of these numbers (guest/init/harness.c) */
#define CALL_FILE	0xb007
#define CALL_STEP	0xb00a
#define CALL_END	0xb00e	/* a board ends here: its drivers may wait for ever in their shutdown */
int is_call_of_init(u32 number);
void call_of_init(struct frame *f, u32 number);
void end_of_guest(struct frame *f);

/* smc.c */
void handle_smc(struct frame *f);

#endif
