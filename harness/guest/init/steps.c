#include "steps.h"

#include "census.h"
#include "devices.h"
#include "harness.h"
#include "loading.h"
#include "mounts.h"
#include "reading.h"
#include "report.h"
#include "settle.h"
#include "writing.h"

static long probe(const char *device)
{
	const char *bus = bus_of_device(device);
	char driver[NAME_SIZE];
	long result;
	int directory;

	if (bus == NULL)
		return -ENODEV;
	result = write_bus(bus, "/drivers_probe", device);
	if (result < 0)
		return result;
	/*
	 * The kernel says yes also where no driver matched or its probe failed (drivers/base/bus.c:
	 * bus_rescan_devices_helper()).
	 */
	directory = open_bus_of_device(device);
	if (directory < 0 || !driver_of(directory, device, driver))
		result = is_deferred(device) ? -EPROBE_DEFER : -ENODEV;
	sys_close(directory);
	return result;
}

static void autoprobe(bool on)
{
	long result = write_bus("platform", "/drivers_autoprobe", on ? "1" : "0");

	if (result < 0) {
		report_result("autoprobe", on ? "on" : "off", NULL, result);
		return;
	}
	line("autoprobe");
	line_word(on ? "on" : "off");
	line_send();
}

static void wait(const char *device, uint64_t ms)
{
	bool bound = wait_bound(device, ms);

	line("wait");
	line_word(device);
	line_word(bound ? "bound" : "timeout");
	line_send();
}

static void wait_settled(uint64_t ms)
{
	uint64_t start = now_ms();
	bool settled = settle(ms);

	line(settled ? "settled" : "unsettled");
	line_number(now_ms() - start);
	line_send();
}

/* Tasks that run steps beside the plan; a slot is free where its pid is 0. */
#define TASKS 64
#define PAGE_SIZE 4096

static long tasks[TASKS];

static bool has_ended(size_t task)
{
	if (tasks[task] != 0 && sys_wait_child(tasks[task]) == tasks[task])
		tasks[task] = 0;
	return tasks[task] == 0;
}

/*
 * The number, which is then one more. By hand, as GCC calls libgcc for its atomic operations where it may
 * (-moutline-atomics).
 */
static size_t take_next(size_t *next)
{
	size_t value;
	size_t more;
	unsigned int failed;

	do {
		__asm__ volatile("ldaxr %0, [%2]\n"
				 "add %1, %0, #1\n"
				 : "=&r"(value), "=&r"(more)
				 : "r"(next)
				 : "memory");
		__asm__ volatile("stlxr %w0, %1, [%2]" : "=&r"(failed) : "r"(more), "r"(next) : "memory");
	} while (failed != 0);
	return value;
}

/*
 * Each task has a copy of the memory, so that none writes into another one's line; what they share is the number of the
 * next step. A step is taken by the task that comes first.
 */
static void run_beside(const struct step *steps, size_t count, size_t wanted, size_t number)
{
	size_t *next = sys_map_shared(PAGE_SIZE);
	size_t started = 0;

	if ((long)next < 0 && (long)next > -PAGE_SIZE) {
		report_result("beside", "memory", NULL, (long)next);
		return;
	}
	for (size_t task = 0; task < TASKS && started < wanted; task++) {
		if (!has_ended(task))
			continue;
		tasks[task] = sys_fork();
		if (tasks[task] == 0) {
			for (size_t i; (i = take_next(next)) < count;) {
				harness_say_step(number + i);
				run_step(&steps[i]);
			}
			sys_exit(0);
		}
		if (tasks[task] < 0) {
			report_result("beside", "task", NULL, tasks[task]);
			tasks[task] = 0;
			break;
		}
		started++;
	}
	/* The tasks keep the page; this one does not look at it again. */
	sys_unmap(next, PAGE_SIZE);
}

static void join(uint64_t ms)
{
	uint64_t limit = now_ms() + ms;
	size_t left = 0;

	for (size_t task = 0; task < TASKS; task++) {
		while (!has_ended(task) && now_ms() < limit)
			sleep_until_child(limit - now_ms());
		left += tasks[task] != 0;
	}
	line("join");
	line_word(left == 0 ? "done" : "timeout");
	line_number(left);
	line_send();
}

static void read_for(const char *path, uint64_t ms)
{
	uint64_t limit = now_ms() + ms;
	uint64_t times = 0;
	long result = 0;

	do {
		result = read_all(path);
		times++;
		sleep_ms(1);
	} while (now_ms() < limit);
	line("read");
	line_word(path);
	line_number(times);
	line_result(result < 0 ? result : 0);
	line_send();
}

static long override_driver(const char *device, const char *driver)
{
	/* An empty write never reaches the file; a line of nothing takes the override back. */
	const char *text = driver[0] == '\0' ? "\n" : driver;

	return write_below(bus_of_device(device), "/devices/", device, "/driver_override", text);
}

/* Documentation/power/basic-pm-debugging.rst: with a test the kernel goes as far as its level, and comes back. */
static long suspend(const char *test)
{
	long result = write_file("/sys/power/pm_test", test, 0);

	return result < 0 ? result : write_file("/sys/power/state", "mem", 0);
}

static void report_name(const char *class, const char *name, const char *device)
{
	line("name");
	line_word(class);
	line_word(name);
	line_word(device);
	line_send();
}

static void report_names(void)
{
	each_name(report_name);
}

size_t run_steps(const struct step *steps, size_t count, size_t number)
{
	size_t beside;
	uint64_t wanted = 0;

	harness_say_step(number);
	if (steps->verb != STEP_BESIDE) {
		run_step(steps);
		return 1;
	}
	/* Checked when the plan was read. */
	parse_number(steps->words[0], &wanted);
	beside = wanted < count - 1 ? (size_t)wanted : count - 1;
	run_beside(steps + 1, beside, (size_t)steps->number, number + 1);
	return 1 + beside;
}

static bool loads_apart;
static bool answers;

void run_step(const struct step *step)
{
	const char *first = step->words[0];
	const char *second = step->words[1];

	switch (step->verb) {
	case STEP_LOAD:
		if (loads_apart)
			load_apart(first, second);
		else
			report_result("load", first, NULL, harness_load_module(first, second));
		break;
	case STEP_UNLOAD:
		report_result("unload", first, NULL, sys_unload_module(first));
		break;
	case STEP_AUTOPROBE:
		autoprobe(step->number == 1);
		break;
	case STEP_PROBE:
		report_result("probe", first, NULL, probe(first));
		break;
	case STEP_BIND:
		report_result("bind", first, second, write_driver(first, "/bind", second));
		break;
	case STEP_UNBIND:
		report_result("unbind", first, second, write_driver(first, "/unbind", second));
		break;
	case STEP_WRITE:
		report_result("write", first, NULL, write_file(first, second, 0));
		break;
	case STEP_WAIT:
		wait(first, step->number);
		break;
	case STEP_SETTLE:
		wait_settled(step->number);
		break;
	case STEP_JOIN:
		join(step->number);
		break;
	case STEP_READ:
		read_for(first, step->number);
		break;
	case STEP_OVERRIDE:
		report_result("override", first, second, override_driver(first, second));
		break;
	case STEP_RESCAN:
		report_result("rescan", first, NULL, write_bus(first, "/rescan", "1"));
		break;
	case STEP_SUSPEND:
		report_result("suspend", first, NULL, suspend(first));
		break;
	case STEP_ANSWER:
		need_proc();
		answers = true;
		write_file("/proc/sys/kernel/modprobe", ANSWERING_MODPROBE, 0);
		break;
	case STEP_NAMES:
		report_names();
		break;
	case STEP_APART:
		loads_apart = true;
		need_proc();
		/* Whoever calls request_module() is answered by this program (init.c). */
		if (!answers)
			write_file("/proc/sys/kernel/modprobe", SILENT_MODPROBE, 0);
		break;
	case STEP_CENSUS:
		report_census();
		break;
	case STEP_SHELL:
	case STEP_SHUTDOWN: /* the end of a plan: init.c */
	case STEP_REBOOT:
	case STEP_BESIDE: /* only steps of a plan run beside others: run_steps() */
	case STEP_WATCH:
	case STEP_END:
		break;
	}
}
