#include "harness.h"

#include "text.h"

#define PAGE_SIZE 4096

/* harness/firmware/firmware.h: CALL_FILE, CALL_STEP */
#define CALL_FILE "brk #0xb007"
#define CALL_STEP "brk #0xb00a"

/* The modules as harness/guest/module-files.ts lays them out: a count, an entry for each, then their files. */
#define MODULE_NAME_SIZE 56

struct module_entry {
	char name[MODULE_NAME_SIZE];
	uint64_t offset; /* from the start of everything */
	uint64_t size;
};

#define COUNT_SIZE sizeof(uint64_t)

void harness_end(void)
{
	__asm__ volatile("brk #0xb00e" : : : "memory");
}

static long call(uint64_t file, uint64_t offset, void *buffer, size_t size)
{
	register uint64_t x0 __asm__("x0") = file;
	register uint64_t x1 __asm__("x1") = offset;
	register void *x2 __asm__("x2") = buffer;
	register uint64_t x3 __asm__("x3") = size;

	__asm__ volatile(CALL_FILE : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
	return (long)x0;
}

void harness_say_step(uint64_t n)
{
	register uint64_t x0 __asm__("x0") = n;

	__asm__ volatile(CALL_STEP : : "r"(x0) : "memory");
}

long harness_read(enum harness_file file, uint64_t offset, void *buffer, size_t size)
{
	volatile char *bytes = buffer;

	/* The firmware writes to pages that are there, and the kernel provides one when it is written to. */
	for (size_t at = 0; at < size; at += PAGE_SIZE)
		bytes[at] = 0;
	if (size > 0)
		bytes[size - 1] = 0;
	return call(file, offset, buffer, size);
}

static long load(const struct module_entry *entry, const char *params)
{
	void *image = sys_map(entry->size);
	long result;

	if ((long)image < 0 && (long)image > -PAGE_SIZE)
		return (long)image;
	result = harness_read(HARNESS_MODULES, entry->offset, image, entry->size);
	if (result >= 0)
		result = sys_load_module(image, entry->size, params);
	sys_unmap(image, entry->size);
	return result;
}

#define ENTRIES_AT_ONCE 32

long harness_load_module(const char *name, const char *params)
{
	uint64_t count = 0;
	struct module_entry entries[ENTRIES_AT_ONCE];

	harness_read(HARNESS_MODULES, 0, &count, sizeof(count));
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = i % ENTRIES_AT_ONCE;

		if (at == 0)
			harness_read(HARNESS_MODULES, COUNT_SIZE + i * sizeof(entries[0]), entries, sizeof(entries));
		if (same(entries[at].name, name))
			return load(&entries[at], params);
	}
	return -ENOENT;
}
