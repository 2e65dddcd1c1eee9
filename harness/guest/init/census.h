/* What became of every device of every bus, for the harness to count. */
#ifndef BOOTRACE_CENSUS_H
#define BOOTRACE_CENSUS_H

/* A line for each device: bus, name, driver, path of its device tree node and modalias, `-` for what it has not. */
void report_census(void);

#endif
