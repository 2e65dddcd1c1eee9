/* Shared by instructions.S and clock.c: how long the firmware's own instructions take on the guest's clock. */
#ifndef BOOTRACE_TIMING_H
#define BOOTRACE_TIMING_H

#define MEASURED_INSTRUCTIONS	160
#define HIDDEN_REST		13	/* instructions of from_el1 that its two readings of the counter do not enclose */

/*
 * Of from_el1, handle() and the lock, what lies before and behind the readings of several CPUs. No more than there are:
 * the clock must not go back.
 */
#define HIDDEN_AROUND		60

#endif
