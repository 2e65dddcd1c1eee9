#include "plan.h"

#include "harness.h"

#define PLAN_VERSION "bootrace-plan-1"

/* include/linux/moduleparam.h: MODULE_NAME_LEN is 64 - sizeof(unsigned long), the NUL included. */
#define MODULE_NAME_SIZE 56
#define PLAN_PIECE 4096
#define WORD_SIZE 4096 /* a page: what one write to a sysfs file takes */

static char storage[PLAN_SIZE + 1];

struct verb_form {
	const char *name;
	const char *words;
};

#define STEP_FORM(name, verb, words) {verb, words},

/* In the order of enum verb. */
static const struct verb_form forms[] = {
	STEPS(STEP_FORM)
	{"watch", "N"},
	{"end", ""},
};

struct reader {
	const char *next;
	const char *end;
};

/* The next NUL-terminated word, or NULL at the end of the file or where the NUL is missing. */
static const char *next_word(struct reader *reader)
{
	const char *word = reader->next;
	const char *at = word;

	while (at < reader->end && *at != '\0')
		at++;
	if (at == reader->end || at - word >= WORD_SIZE)
		return NULL;
	reader->next = at + 1;
	return word;
}

bool is_name(const char *word)
{
	size_t length = 0;

	if (same(word, ".") || same(word, ".."))
		return false;
	for (; word[length] != '\0'; length++)
		if (word[length] == '/')
			return false;
	return length > 0 && length < NAME_SIZE;
}

bool is_module_name(const char *word)
{
	size_t length = 0;

	for (; word[length] != '\0'; length++) {
		char byte = word[length];

		if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') && !(byte >= '0' && byte <= '9') && byte != '_')
			return false;
	}
	return length > 0 && length < MODULE_NAME_SIZE;
}

static const char *check_word(char form, const char *word, uint64_t *number)
{
	switch (form) {
	case 'M':
		return is_module_name(word) ? NULL
			: "a module's name has other characters than letters, digits and underscores, or is too long";
	case 'N':
		return is_name(word) ? NULL : "a device's or driver's name is empty, too long or has a slash";
	case 'P':
		return word[0] == '/' && length_of(word) < NAME_SIZE ? NULL : "a path is relative or too long";
	case 'S':
		return parse_number(word, number) && *number <= 1 ? NULL : "a switch is neither 0 nor 1";
	case 'C':
		return parse_number(word, number) && *number > 0 ? NULL : "a count is not a positive number";
	case 'm':
		return parse_number(word, number) ? NULL : "a time is not a decimal number";
	default:
		return NULL;
	}
}

static const struct verb_form *find_form(const char *name)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (same(forms[i].name, name))
			return &forms[i];
	return NULL;
}

const char *words_of_step(const char *verb)
{
	const struct verb_form *form = find_form(verb);

	return form == NULL ? NULL : form->words;
}

const char *make_step(struct step *step, const char *verb, const char *const *words)
{
	const struct verb_form *form = find_form(verb);

	if (form == NULL)
		return "it has an unknown verb";
	step->verb = (enum verb)(form - forms);
	step->number = 0;
	for (size_t i = 0; form->words[i] != '\0'; i++) {
		const char *problem = check_word(form->words[i], words[i], &step->number);

		if (problem != NULL)
			return problem;
		step->words[i] = words[i];
	}
	return NULL;
}

static const char *read_record(struct reader *reader, struct step *step)
{
	const char *words[STEP_WORDS] = {NULL, NULL};
	const char *verb = next_word(reader);
	const char *forms_of_words = verb == NULL ? NULL : words_of_step(verb);

	if (verb == NULL)
		return "it ends before its end record";
	if (forms_of_words == NULL)
		return "it has an unknown verb";
	for (size_t i = 0; forms_of_words[i] != '\0'; i++) {
		words[i] = next_word(reader);
		if (words[i] == NULL)
			return "it ends inside a record";
	}
	return make_step(step, verb, words);
}

static const char *parse_plan(struct reader reader, struct plan *plan)
{
	const char *version = next_word(&reader);

	if (version == NULL || !same(version, PLAN_VERSION))
		return "it is of another version than this init";
	for (;;) {
		struct step step = {STEP_END, {NULL, NULL}, 0};
		const char *problem = read_record(&reader, &step);

		if (problem != NULL)
			return problem;
		if (step.verb == STEP_END)
			return reader.next == reader.end ? NULL : "it goes on after its end record";
		if (step.verb == STEP_WATCH) {
			if (plan->watched_count == PLAN_WATCHED)
				return "it watches too many devices";
			plan->watched[plan->watched_count++] = step.words[0];
		} else {
			if (plan->step_count == PLAN_STEPS)
				return "it has too many steps";
			plan->steps[plan->step_count++] = step;
		}
	}
}

/*
 * Returns the plan's size, or a negative errno. A page at a time: most plans are no longer, and every page has to be
 * made first.
 */
static long fetch_plan(char *bytes, size_t size)
{
	size_t used = 0;

	while (used < size) {
		size_t wanted = size - used < PLAN_PIECE ? size - used : PLAN_PIECE;
		long count = harness_read(HARNESS_PLAN, used, bytes + used, wanted);

		if (count < 0)
			return count;
		used += (size_t)count;
		if ((size_t)count < wanted)
			break;
	}
	return (long)used;
}

const char *read_plan(struct plan *plan)
{
	long size = fetch_plan(storage, sizeof(storage));

	if (size < 0)
		return "the firmware does not have it";
	if (size > PLAN_SIZE)
		return "it is larger than 65536 bytes";
	return parse_plan((struct reader){storage, storage + size}, plan);
}
