/* The guest's memory as it sees it itself, by virtual address. */
#include "firmware.h"

#define PAR_FAULT	1
#define PAR_ADDRESS	0x0000fffffffff000ul
#define PAGE_OFFSET(va)	((va) & (PAGE_SIZE - 1))

static u64 address_of(u64 va)
{
	u64 par = SYSREG_READ("par_el1");

	return par & PAR_FAULT ? 0 : (par & PAR_ADDRESS) | PAGE_OFFSET(va);
}

/* The guest's address (IPA) of a virtual one that EL1 can read, or 0. */
u64 translate_to_ipa(u64 va)
{
	asm volatile("at s1e1r, %0; isb" : : "r"(va));
	return address_of(va);
}

/* The same of one that EL0 can write. */
u64 translate_el0_write(u64 va)
{
	asm volatile("at s1e0w, %0; isb" : : "r"(va));
	return address_of(va);
}

/* Where the guest's memory at a virtual address that EL1 can read lies, or 0. */
u64 translate(u64 va)
{
	return memory_physical(translate_to_ipa(va));
}

/* What EL1 reads there, or 0 where it cannot. */
u64 guest_read(u64 va)
{
	u64 pa = va & 7 ? 0 : translate(va);

	return pa ? *(const volatile u64 *)pa : 0;
}

/* Up to NAME_SIZE - 1 characters. */
void guest_string(u64 va, char *text)
{
	u32 i = 0;

	for (; va && i < NAME_SIZE - 1; i++) {
		u64 pa = translate(va + i);

		if (!pa)
			break;
		text[i] = *(const volatile char *)pa;
		if (!text[i])
			break;
	}
	text[i] = 0;
}

/* Whether what stands there is this text; most are not, and their first character says so. */
int guest_string_is(u64 va, const char *text)
{
	for (u32 i = 0; i < NAME_SIZE; i++) {
		u64 pa = va ? translate(va + i) : 0;

		if (!pa || *(const volatile char *)pa != text[i])
			return 0;
		if (!text[i])
			return 1;
	}
	return 0;
}

/* Of two names that end in NUL, here or in fw_cfg's directory. */
int same(const char *a, const char *b)
{
	for (u32 i = 0; i < NAME_SIZE; i++) {
		if (a[i] != b[i])
			return 0;
		if (!a[i])
			return 1;
	}
	return 1;
}

/* GCC calls this one to copy structures, also in freestanding code (GCC manual, "Standards"). */
void *memcpy(void *to, const void *from, unsigned long size)
{
	for (unsigned long i = 0; i < size; i++)
		((u8 *)to)[i] = ((const u8 *)from)[i];
	return to;
}
