#include "text.h"

#define NUMBER_DIGITS 20 /* of 2^64 - 1 */
#define PARSED_DIGITS 9

size_t length_of(const char *string)
{
	size_t length = 0;

	while (string[length] != '\0')
		length++;
	return length;
}

int compare(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

bool same(const char *a, const char *b)
{
	return compare(a, b) == 0;
}

const char *base_name(const char *path)
{
	const char *name = path;

	for (; *path != '\0'; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

char *find_char(char *string, char wanted)
{
	for (; *string != '\0'; string++)
		if (*string == wanted)
			return string;
	return NULL;
}

void text_clear(struct text *text)
{
	text->used = 0;
	text->cut = false;
	text->bytes[0] = '\0';
}

void text_char(struct text *text, char byte)
{
	if (text->used + 1 >= text->size) {
		text->cut = true;
		return;
	}
	text->bytes[text->used++] = byte;
	text->bytes[text->used] = '\0';
}

void text_add(struct text *text, const char *string)
{
	while (*string != '\0')
		text_char(text, *string++);
}

void text_number(struct text *text, uint64_t number)
{
	char digits[NUMBER_DIGITS];
	int count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	while (count > 0)
		text_char(text, digits[--count]);
}

bool parse_number(const char *string, uint64_t *number)
{
	size_t count;

	*number = 0;
	for (count = 0; string[count] >= '0' && string[count] <= '9'; count++) {
		if (count == PARSED_DIGITS)
			return false;
		*number = *number * 10 + (uint64_t)(string[count] - '0');
	}
	return count > 0 && string[count] == '\0';
}
