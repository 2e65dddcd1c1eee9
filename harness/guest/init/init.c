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

/* How the plan ends: STEP_SHUTDOWN, STEP_REBOOT, or STEP_END where it does not say so. */
static enum verb ending = STEP_END;

static void finish(const char *verb)
{
	line(verb);
	line_send();
	if (ending == STEP_END)
		harness_end();
	if (ending == STEP_REBOOT)
		sys_restart();
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
	for (size_t i = 0; i < plan.step_count;) {
		enum verb verb = plan.steps[i].verb;

		if (verb != STEP_SHELL && verb != STEP_SHUTDOWN && verb != STEP_REBOOT) {
			i += run_steps(&plan.steps[i], plan.step_count - i, i + 1);
			continue;
		}
		harness_say_step(++i);
		if (verb == STEP_SHELL)
			run_shell();
		else
			ending = verb;
	}
	report_devices(plan.watched, plan.watched_count);
	finish("done");
}

/*
 * The kernel starts a program where a driver calls request_module() (kernel/module/kmod.c: call_modprobe()): this one,
 * where the plan says so. It says what was asked for: `modprobe -q -- NAME`. It loads nothing, as the harness decides
 * what is loaded and when, unless a step of the plan says that it does.
 */
static void be_modprobe(long count, char **arguments)
{
	const char *name = count > 0 ? arguments[count - 1] : "-";
	long result = -ENOENT;

	report_open();
	line("request");
	line_word(name);
	line_send();
	if (count > 0 && same(arguments[0], ANSWERING_MODPROBE))
		result = harness_load_module(name, "");
	if (result == 0) {
		line("answered");
		line_word(name);
		line_send();
	}
	sys_exit(result == 0 ? 0 : 1);
}

/* start: where the kernel put the number of arguments, and then the arguments. */
__attribute__((used, noreturn)) void init_main(long *start)
{
	if (sys_process() != 1)
		be_modprobe(start[0], (char **)(start + 1));
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
	"	mov	x0, sp\n"
	"	mov	x29, #0\n"
	"	mov	x30, #0\n"
	"	bl	init_main\n");
