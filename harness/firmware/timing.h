/* Shared by instructions.S and clock.c: how long the firmware's own instructions take on the guest's clock. */
#ifndef BOOTRACE_TIMING_H
#define BOOTRACE_TIMING_H

#define MEASURED_INSTRUCTIONS	160
#define HIDDEN_REST		13	/* instructions of from_el1 that its two readings of the counter do not enclose */

#endif
