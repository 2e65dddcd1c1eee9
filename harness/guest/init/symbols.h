/* Addresses of kernel symbols, for a kernel that comes without its System.map. */
#ifndef BOOTRACE_SYMBOLS_H
#define BOOTRACE_SYMBOLS_H

/* One line `symbol NAME ADDRESS TYPE` for each symbol with one of these names, blanks between them, in one pass. */
void report_symbols(const char *names);

#endif
