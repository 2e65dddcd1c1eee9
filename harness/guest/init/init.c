/*
 * PID 1 of the guest: executes a plan, reports through the kernel log, powers off. It has no shell, no C library and no
 * configuration but the plan, so that what the guest executes is a function of the plan alone: it reads neither a wall
 * clock nor randomness.
 */
#include "final.h"
#include "harness.h"
#include "mounts.h"
#include "plan.h"
#include "report.h"
#include "shell.h"
#include "steps.h"

static struct plan plan;

static void finish(const char *verb)
{
	line(verb);
	line_send();
	harness_end();
	sys_power_off();
}

static void run_plan(void)
{
	const char *problem = read_plan(&plan);

	if (problem != NULL) {
		line("bad-plan");
		line_text(problem);
		line_send();
		sys_power_off();
	}
	for (size_t i = 0; i < plan.step_count; i++) {
		harness_say_step(i + 1);
		if (plan.steps[i].verb == STEP_SHELL)
			run_shell();
		else
			run_step(&plan.steps[i]);
	}
	report_devices(plan.watched, plan.watched_count);
	finish("done");
}

__attribute__((used, noreturn)) void init_main(void)
{
	report_open();
	sys_hold_child_signal();
	mount_or_report("sysfs", "/sys");
	mount_or_report("debugfs", "/sys/kernel/debug");
	line("start");
	line_send();
	run_plan();
	for (;;)
		sys_power_off();
}

/* The kernel starts a program at its entry point with the stack pointer set and no return address. */
__asm__(
	".text\n"
	".global _start\n"
	"_start:\n"
	"	mov	x29, #0\n"
	"	mov	x30, #0\n"
	"	bl	init_main\n");
