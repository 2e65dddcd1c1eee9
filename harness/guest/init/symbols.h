/* Addresses of kernel symbols. */
#ifndef BOOTRACE_SYMBOLS_H
#define BOOTRACE_SYMBOLS_H

/* One line `symbol NAME ADDRESS TYPE` for each symbol with one of these names, blanks between them, in one pass. */
void report_symbols(const char *names);

#endif
