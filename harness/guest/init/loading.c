#include "loading.h"

#include "harness.h"
#include "report.h"
#include "sys.h"

/* A module's init may oops, which ends whoever loads it, or wait for what never comes. */
#define LOADER_STACK_SIZE 16384
#define LOADER_MS 20000
#define LOADER_POLL_MS 100

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

void load_apart(const char *name, const char *params)
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
