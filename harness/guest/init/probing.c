#include "probing.h"

#include "workers.h"

#define WALKERS 16 /* so many devices may hang at once and still be named */
#define STACK_SIZE 4096
#define OVERRIDE_SIZE 64

/*
 * Between two looks at what cannot be waited for: a sixteenth of the time so far, since idle time is free and a look is
 * not.
 */
#define POLL_MIN_MS 10
#define POLL_MAX_MS 500
#define POLLS 16

/* A walker that is at the same device after this long is held by its lock; a read takes some 10,000 instructions. */
#define STUCK_MS 50

struct walker {
	long pid; /* 0 when free */
	const struct device *devices;
	size_t at; /* shared with the walking task */
	size_t count; /* shared; 0 asks the task to end */
	char stack[STACK_SIZE] __attribute__((aligned(16)));
};

static struct walker walkers[WALKERS];

/* Returns when the device's lock was free for a moment. */
static void pass_lock(const struct device *device)
{
	char storage[NAME_SIZE + sizeof("/driver_override")];
	struct text path = TEXT(storage);
	char content[OVERRIDE_SIZE];
	long fd;

	text_clear(&path);
	text_add(&path, device->name);
	text_add(&path, "/driver_override");
	fd = sys_open_at(device->directory, path.bytes, O_RDONLY);
	if (fd < 0)
		return;
	sys_read((int)fd, content, sizeof(content));
	sys_close((int)fd);
}

static void walk(void *context)
{
	struct walker *walker = context;
	size_t at = walker->at;

	for (; at < __atomic_load_n(&walker->count, __ATOMIC_ACQUIRE); at++) {
		if (walker->devices[at].driver == NULL)
			continue;
		__atomic_store_n(&walker->at, at, __ATOMIC_RELEASE);
		pass_lock(&walker->devices[at]);
	}
}

static bool has_ended(struct walker *walker)
{
	if (walker->pid != 0 && sys_wait_child(walker->pid) == walker->pid)
		walker->pid = 0;
	return walker->pid == 0;
}

static struct walker *free_walker(void)
{
	for (size_t i = 0; i < WALKERS; i++)
		if (has_ended(&walkers[i]))
			return &walkers[i];
	return NULL;
}

/* Waits for a walker until it has ended, or is held at one device after the limit. True when it has ended. */
static bool wait_walker(struct walker *walker, uint64_t limit)
{
	for (;;) {
		size_t at = __atomic_load_n(&walker->at, __ATOMIC_ACQUIRE);
		uint64_t now = now_ms();
		uint64_t until = now + STUCK_MS > limit ? now + STUCK_MS : limit;

		while (!has_ended(walker) && now_ms() < until)
			sleep_until_child(until - now_ms());
		if (walker->pid == 0)
			return true;
		if (__atomic_load_n(&walker->at, __ATOMIC_ACQUIRE) == at)
			return false;
	}
}

/* Takes and releases the lock of each device in turn. */
static bool pass_locks(struct device_list list, uint64_t limit)
{
	size_t from = 0;
	bool quiet = true;

	while (from < list.count) {
		struct walker *walker = free_walker();

		if (walker == NULL)
			return false;
		walker->devices = list.devices;
		walker->at = from;
		walker->count = list.count;
		walker->pid = spawn_task(walk, walker, walker->stack + STACK_SIZE);
		if (walker->pid < 0) {
			walker->pid = 0;
			return false;
		}
		if (wait_walker(walker, limit))
			return quiet;
		__atomic_store_n(&walker->count, 0, __ATOMIC_RELEASE);
		from = __atomic_load_n(&walker->at, __ATOMIC_ACQUIRE);
		list.devices[from].probing = true;
		quiet = false;
		from++;
	}
	return quiet;
}

/* Set once a device is seen for which the kernel shows that it waits to be bound: then it shows it for all. */
static bool shows_waiting;

void look_for_waiting(struct device_list all)
{
	for (size_t i = 0; i < all.count && !shows_waiting; i++)
		shows_waiting = waits_to_bind(all.devices[i].directory, all.devices[i].name);
}

static void sleep_poll(uint64_t start)
{
	uint64_t ms = (now_ms() - start) / POLLS;

	sleep_ms(ms < POLL_MIN_MS ? POLL_MIN_MS : ms > POLL_MAX_MS ? POLL_MAX_MS : ms);
}

static bool is_in_flight(const struct device *device)
{
	char driver[NAME_SIZE];

	return driver_of(device->directory, device->name, driver) && waits_to_bind(device->directory, device->name);
}

static bool wait_bindings(struct device_list list, uint64_t limit)
{
	uint64_t start = now_ms();
	bool quiet = true;

	for (size_t i = 0; i < list.count; i++) {
		struct device *device = &list.devices[i];

		while (!device->probing && device->driver != NULL && is_in_flight(device)) {
			device->probing = now_ms() >= limit;
			if (!device->probing)
				sleep_poll(start);
		}
		quiet = quiet && !device->probing;
	}
	return quiet;
}

static bool wait_workers(uint64_t limit)
{
	uint64_t start = now_ms();

	while (!workers_idle()) {
		if (now_ms() >= limit)
			return false;
		sleep_poll(start);
	}
	return true;
}

bool wait_probes(struct device_list list, uint64_t ms)
{
	uint64_t limit = now_ms() + ms;

	look_for_waiting(list);
	return pass_locks(list, limit) && (shows_waiting ? wait_bindings(list, limit) : wait_workers(limit));
}
