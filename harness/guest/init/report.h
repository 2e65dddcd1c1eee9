/* The init's own lines in the kernel log: `bootrace: VERB WORDS`, in order with the kernel's. */
#ifndef BOOTRACE_REPORT_H
#define BOOTRACE_REPORT_H

#include "text.h"

void report_open(void);

/* Starts a line. At most one is under construction. */
void line(const char *verb);
/* One word; blanks, control characters, backslashes and bytes above 0x7e are written as \xNN. */
void line_word(const char *word);
/* The rest of a line; blanks stay. */
void line_text(const char *text);
void line_number(uint64_t number);
/* `ok`, or `error ERRNO TEXT` for a negative errno. */
void line_result(long result);
void line_send(void);

/* A whole line: the verb, one word or two where `second` is not NULL, and the result. */
void report_result(const char *verb, const char *first, const char *second, long result);

/* What strerror() would say, for the errors that modules, sysfs and mounts return. */
const char *error_text(long error);

#endif
