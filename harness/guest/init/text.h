/* Strings of bounded length. Every buffer knows its size; what does not fit is cut and remembered. */
#ifndef BOOTRACE_TEXT_H
#define BOOTRACE_TEXT_H

#include "sys.h"

struct text {
	char *bytes; /* always ends in NUL */
	size_t size; /* of the storage, the NUL included */
	size_t used;
	bool cut;
};

/* An empty text over an array. */
#define TEXT(array) ((struct text){(array), sizeof(array), 0, false})

size_t length_of(const char *string);
bool same(const char *a, const char *b);
/* Order of the bytes, as strcmp(). */
int compare(const char *a, const char *b);
/* The part after the last slash. */
const char *base_name(const char *path);
/* The character's first place in the string, or NULL. */
char *find_char(char *string, char wanted);

void text_clear(struct text *text);
void text_char(struct text *text, char byte);
void text_add(struct text *text, const char *string);
void text_number(struct text *text, uint64_t number);

/* A decimal number of 1 to 9 digits and nothing else; false otherwise. */
bool parse_number(const char *string, uint64_t *number);

#endif
