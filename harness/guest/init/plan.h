/*
 * The plan: what to do after the kernel is up, written by harness/guest/plan.ts (the format is described there).
 * It is read and checked as a whole before its first step is executed.
 */
#ifndef BOOTRACE_PLAN_H
#define BOOTRACE_PLAN_H

#include "step-table.h"
#include "text.h"

/* The same limits as in plan.ts. */
#define PLAN_SIZE 65536
#define PLAN_STEPS 1024
#define PLAN_WATCHED 256
#define NAME_SIZE 256 /* NAME_MAX + 1 */

#define STEP_NAME(name, verb, words) STEP_##name,
enum verb {
	STEPS(STEP_NAME)
	STEP_WATCH,
	STEP_END,
};

#define STEP_WORDS 2

struct step {
	enum verb verb;
	const char *words[STEP_WORDS];
	uint64_t number; /* milliseconds, or 0 and 1 for off and on */
};

struct plan {
	struct step steps[PLAN_STEPS];
	size_t step_count;
	const char *watched[PLAN_WATCHED];
	size_t watched_count;
};

/* Reads the plan. Returns NULL, or what is wrong with it. */
const char *read_plan(struct plan *plan);

/*
 * What each word after a verb must be: (M)odule, device or driver (N)ame, (P)ath, any (T)ext, (S)witch, (m)illiseconds,
 * a (C)ount. NULL for an unknown verb.
 */
const char *words_of_step(const char *verb);

/* Checks a verb with as many words as words_of_step() says. Returns NULL, or what is wrong. */
const char *make_step(struct step *step, const char *verb, const char *const *words);

/* Names that may become a part of a path below /sys or /modules. */
bool is_name(const char *word);
bool is_module_name(const char *word);

#endif
