/* Shared by the parts of the EL2 firmware. Freestanding: no library, no floating point, MMU off (addresses are physical). */
#ifndef BOOTRACE_FIRMWARE_H
#define BOOTRACE_FIRMWARE_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

/* EL1's registers at an exception taken to EL2; the order is that of entry.S. */
struct frame {
	u64 x[31];
	u64 elr;
	u64 spsr;
	u64 sp;
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

#define PSCI_SYSTEM_OFF	0x84000008u	/* DEN 0022 */

/* DDI 0487, D17.2: PSTATE.M in SPSR_ELx */
#define MODE(spsr)	((spsr) & 0xf)
#define MODE_EL0T	0
#define MODE_EL1T	4

/* EL1's virtual counter at the exception, in ticks. What happens in the firmware happens at this time. */
static inline u64 now(const struct frame *f)
{
	return f->time - SYSREG_READ("cntvoff_el2");
}

/* scm.c */
void handle_smc(struct frame *f);
void smc(struct frame *f);	/* entry.S */

/* gates.c */
int same(const char *a, const char *b);
void gates_init(void);
void gates_cpu_init(void);
void gates_breakpoint(struct frame *f);
void gates_stepped(struct frame *f);
void gates_debug_register(struct frame *f, u32 iss);
void gates_plan_is_wanted(struct frame *f);
void gates_cell_is_over(struct frame *f);

/* files.c */
enum file_name { FILE_PLAN, FILE_MODULES, FILE_TABLE, FILE_BOARD };	/* the first two as guest/init/harness.h has them */
struct file { u32 key, size; u64 address; };
int file_find(enum file_name name, struct file *file);
void file_read(struct file file, u32 offset, u64 to, u32 size);
void files_call(struct frame *f);

/* serve.c */
void serve_next(void);
int serve_file(enum file_name name, struct file *file);

/* snapshot.c */
int snapshot_taken(void);
void snapshot_take(const struct frame *f);
void snapshot_restore(struct frame *f);
void snapshot_will_write(u64 ipa);
void snapshot_put_aside(u64 physical);
void snapshot_fault(struct frame *f, u64 esr);

/* output.c */
void output_init(void);
void input_read(u64 to, u64 size);
int console_present(void);
void console_write(u64 va, u64 size);
void say(const char *text);	/* whole lines go out as they end */
void say_number(u64 value);
void say_hex(u64 value);

/* memory.c */
u64 memory_physical(u64 ipa);

/* main.c */
u64 translate(u64 va);
u64 translate_to_ipa(u64 va);
u64 translate_el0_write(u64 va);
void show_time(void);
extern u64 instruction_ticks;
_Noreturn void die(u64 esr, u64 elr);

#endif
