#include "steps.h"

#include "census.h"
#include "devices.h"
#include "harness.h"
#include "mounts.h"
#include "report.h"
#include "settle.h"
#include "symbols.h"

#define STEP_PATH_SIZE (sizeof("/sys/bus//drivers//unbind") + 2 * NAME_SIZE)

long write_file(const char *path, const char *value, int flags)
{
	long fd = sys_open(path, O_WRONLY | flags);
	long result;

	if (fd < 0)
		return fd;
	/* One write: a sysfs file takes its value whole. */
	result = sys_write((int)fd, value, length_of(value));
	sys_close((int)fd);
	return result < 0 ? result : 0;
}

/* Writes to /sys/bus/BUS + rest. */
static long write_bus(const char *bus, const char *rest, const char *value)
{
	char storage[STEP_PATH_SIZE];
	struct text path = TEXT(storage);

	text_clear(&path);
	text_add(&path, "/sys/bus/");
	text_add(&path, bus);
	text_add(&path, rest);
	return write_file(path.bytes, value, 0);
}

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
	/* The kernel says yes also where no driver matched or its probe failed (drivers/base/bus.c: bus_rescan_devices_helper()). */
	directory = open_bus_of_device(device);
	if (directory < 0 || !driver_of(directory, device, driver))
		result = is_deferred(device) ? -EPROBE_DEFER : -ENODEV;
	sys_close(directory);
	return result;
}

/* action: "/bind" or "/unbind" */
static long write_driver(const char *driver, const char *action, const char *device)
{
	const char *bus = bus_of_driver(driver);
	char storage[STEP_PATH_SIZE];
	struct text rest = TEXT(storage);

	if (bus == NULL)
		return -ENODEV;
	text_clear(&rest);
	text_add(&rest, "/drivers/");
	text_add(&rest, driver);
	text_add(&rest, action);
	return write_bus(bus, rest.bytes, device);
}

static void report_result(const char *verb, const char *first, const char *second, long result)
{
	line(verb);
	line_word(first);
	if (second != NULL)
		line_word(second);
	line_result(result);
	line_send();
}

/* A module's init may oops, which ends whoever loads it, or wait for what never comes. */
#define LOADER_STACK_SIZE 16384
#define LOADER_MS 20000
#define LOADER_POLL_MS 100

static bool loads_apart;

struct loading {
	const char *name;
	const char *params;
	long result;
	bool returned;
};

static void run_load(void *context)
{
	struct loading *loading = context;

	loading->result = harness_load_module(loading->name, loading->params);
	loading->returned = true;
}

/* Loads a module in a task of its own. What becomes of a task that has not come back stays open. */
static void load_apart(const char *name, const char *params)
{
	/* A task that is stuck keeps its stack. */
	char *stack = sys_map(LOADER_STACK_SIZE + sizeof(struct loading));
	struct loading *loading = (void *)(stack + LOADER_STACK_SIZE);
	uint64_t limit = now_ms() + LOADER_MS;
	bool ended = false;
	long pid;

	if ((long)stack < 0 && (long)stack > -PATH_SIZE) {
		report_result("load", name, NULL, (long)stack);
		return;
	}
	loading->name = name;
	loading->params = params;
	pid = spawn_task(run_load, loading, stack + LOADER_STACK_SIZE);
	while (pid > 0 && !ended && now_ms() < limit) {
		ended = sys_wait_child(pid) == pid;
		if (!ended)
			sleep_until_child(LOADER_POLL_MS);
	}
	if (loading->returned || pid < 0) {
		report_result("load", name, NULL, pid < 0 ? pid : loading->result);
	} else {
		line("load");
		line_word(name);
		line_word(ended ? "killed" : "pending");
		line_send();
	}
	if (ended)
		sys_unmap(stack, LOADER_STACK_SIZE + sizeof(struct loading));
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
	case STEP_SYMBOLS:
		report_symbols(first);
		break;
	case STEP_APART:
		loads_apart = true;
		need_proc();
		/* Whoever calls request_module() is answered by this program (init.c). */
		write_file("/proc/sys/kernel/modprobe", "/init", 0);
		break;
	case STEP_CENSUS:
		report_census();
		break;
	case STEP_SHELL:
	case STEP_WATCH:
	case STEP_END:
		break;
	}
}
