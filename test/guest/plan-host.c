/*
 * Runs the init's plan reader on the host, under the address sanitizer. Standard input holds plans, each behind its
 * length (32 bits, little endian); standard output gets a line of JSON for each.
 */
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "plan.h"

#define VERB(name, verb, words) verb,

static const char *const verbs[] = {STEPS(VERB)};

static char *bytes;
static size_t size;
static char *poisoned;
static size_t poisoned_size;

/* Hands out what there is, and forbids access to what is behind the end. */
long harness_read(enum harness_file file, uint64_t offset, void *buffer, size_t room)
{
	size_t count = offset < size ? size - offset : 0;

	(void)file;
	if (count > room)
		count = room;
	for (size_t i = 0; i < count; i++)
		((char *)buffer)[i] = bytes[offset + i];
	if (count < room) {
		poisoned = (char *)buffer + count;
		poisoned_size = room - count;
		ASAN_POISON_MEMORY_REGION(poisoned, poisoned_size);
	}
	return (long)count;
}

static void print_word(const char *word)
{
	putchar('"');
	for (; *word != '\0'; word++)
		printf("%02x", (unsigned char)*word);
	putchar('"');
}

static void print_plan(const struct plan *plan)
{
	printf("{\"watch\":[");
	for (size_t i = 0; i < plan->watched_count; i++) {
		printf(i == 0 ? "" : ",");
		print_word(plan->watched[i]);
	}
	printf("],\"steps\":[");
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];

		printf("%s{\"verb\":\"%s\",\"number\":%lu,\"words\":[", i == 0 ? "" : ",", verbs[step->verb], (unsigned long)step->number);
		for (size_t word = 0; word < STEP_WORDS && step->words[word] != NULL; word++) {
			printf(word == 0 ? "" : ",");
			print_word(step->words[word]);
		}
		printf("]}");
	}
	printf("]}\n");
}

int main(void)
{
	uint32_t length;

	while (fread(&length, sizeof(length), 1, stdin) == 1) {
		struct plan *plan = calloc(1, sizeof(*plan));
		const char *problem;

		size = length;
		bytes = malloc(size + 1);
		if (plan == NULL || bytes == NULL || fread(bytes, 1, size, stdin) != size)
			return 1;
		problem = read_plan(plan);
		if (problem == NULL)
			print_plan(plan);
		else
			printf("{\"problem\":\"%s\"}\n", problem);
		if (poisoned != NULL)
			ASAN_UNPOISON_MEMORY_REGION(poisoned, poisoned_size);
		poisoned = NULL;
		free(bytes);
		free(plan);
	}
	return 0;
}
