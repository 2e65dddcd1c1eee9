/* Shared by the parts of the EL2 firmware. Freestanding: no library, no floating point, MMU off (addresses are physical). */
#ifndef BOOTRACE_FIRMWARE_H
#define BOOTRACE_FIRMWARE_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

/* EL1's registers at an exception taken to EL2; the order is that of entry.S. */
struct frame {
	u64 x[31];
	u64 elr;
	u64 spsr;
	u64 sp;
};

#define SYSREG_READ(name) ({ u64 value_; asm volatile("mrs %0, " name : "=r"(value_)); value_; })
#define SYSREG_WRITE(name, value) asm volatile("msr " name ", %0" : : "r"((u64)(value)))

static inline u32 cpu_index(void)
{
	return SYSREG_READ("mpidr_el1") & 0xff;
}

/* scm.c */
void handle_smc(struct frame *f);
void smc(struct frame *f);	/* entry.S */

/* gates.c */
void gates_cpu_init(void);
void gates_breakpoint(struct frame *f);
void gates_stepped(struct frame *f);
void gates_debug_register(struct frame *f, u32 iss);

/* main.c */
void say(const char *text);
void say_number(u64 value);
void say_hex(u64 value);
void quit(void);
_Noreturn void die(u64 esr, u64 elr);

#endif
