#include "settle.h"

#include "devices.h"
#include "probing.h"

#define DEFERRED_SIZE 65536
#define SEQNUM_SIZE 32

/* Idle time is free under -icount, a look is not: the look is as rare as the window allows. */
#define WAIT_POLL_MS 20
/* A long wait looks the less often the longer it has lasted: virtual hours cost host time. */
#define WAIT_POLL_PART 64
#define SETTLE_LOOKS 16 /* a window */
#define SETTLE_POLL_MIN_MS 5
#define SETTLE_POLL_MAX_MS 250

/* A guest that is not settled this long after its window could have ended is reported as it is. */
#define SETTLE_LIMIT_MS 60000

/* FNV-1a, 64 bit: http://www.isthe.com/chongo/tech/comp/fnv/ */
#define FNV_OFFSET 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

static char deferred[DEFERRED_SIZE];

/* Reads a file that shows itself anew at offset 0, opened at the first use. Returns the number of bytes. */
static size_t show(const char *path, int *fd, char *buffer, size_t size)
{
	size_t used = 0;

	if (*fd < 0)
		*fd = (int)sys_open(path, O_RDONLY);
	while (used < size - 1) {
		long count = sys_read_at(*fd, buffer + used, size - 1 - used, (int64_t)used);

		if (count <= 0)
			break;
		used += (size_t)count;
	}
	buffer[used] = '\0';
	return used;
}

char *deferred_devices(void)
{
	static int fd = -1;

	show("/sys/kernel/debug/devices_deferred", &fd, deferred, sizeof(deferred));
	return fd < 0 ? NULL : deferred;
}

bool is_deferred(const char *device)
{
	size_t length = length_of(device);
	const char *entry = deferred_devices();

	while (entry != NULL && *entry != '\0') {
		size_t i = 0;

		while (i < length && entry[i] == device[i])
			i++;
		if (i == length && entry[i] == '\t')
			return true;
		while (*entry != '\0' && *entry++ != '\n')
			;
	}
	return false;
}

static uint64_t hash(uint64_t state, const char *bytes)
{
	for (; *bytes != '\0'; bytes++)
		state = (state ^ (unsigned char)*bytes) * FNV_PRIME;
	return state;
}

/*
 * A number that changes whenever a device is added, removed, bound, unbound, deferred or retried: all but the deferrals
 * send an event, and events are counted also where nobody listens (Linux lib/kobject_uevent.c: kobject_uevent_env()).
 */
static uint64_t fingerprint(void)
{
	static int fd = -1;
	char seqnum[SEQNUM_SIZE];
	const char *list = deferred_devices();

	show("/sys/kernel/uevent_seqnum", &fd, seqnum, sizeof(seqnum));
	return hash(hash(FNV_OFFSET, seqnum), list == NULL ? "" : list);
}

bool wait_bound(const char *name, uint64_t ms)
{
	uint64_t start = now_ms();
	uint64_t limit = start + ms;
	uint64_t poll;
	char driver[NAME_SIZE];
	bool bound = false;

	look_for_waiting(list_devices());
	for (;;) {
		int directory = open_bus_of_device(name);
		uint64_t now = now_ms();

		if (directory >= 0) {
			struct device device = {directory, name, driver, false};

			bound = driver_of(directory, name, driver) &&
				wait_probes((struct device_list){&device, 1, false}, now < limit ? limit - now : 0) &&
				driver_of(directory, name, driver);
			sys_close(directory);
		}
		now = now_ms();
		if (bound || now >= limit)
			return bound;
		poll = WAIT_POLL_MS + (now - start) / WAIT_POLL_PART;
		sleep_ms(poll < limit - now ? poll : limit - now);
	}
}

bool settle(uint64_t ms)
{
	uint64_t poll = ms / SETTLE_LOOKS;
	uint64_t changed = now_ms();
	uint64_t limit = changed + ms + SETTLE_LIMIT_MS;
	uint64_t state = fingerprint();

	if (poll < SETTLE_POLL_MIN_MS)
		poll = SETTLE_POLL_MIN_MS;
	if (poll > SETTLE_POLL_MAX_MS)
		poll = SETTLE_POLL_MAX_MS;
	for (;;) {
		uint64_t now = now_ms();
		uint64_t next = fingerprint();

		if (next == state && now - changed >= ms) {
			/* A probe that sleeps changes nothing for as long as it sleeps. */
			if (!wait_probes(list_devices(), now < limit ? limit - now : 0))
				return false;
			next = fingerprint();
			if (next == state)
				return true;
			now = now_ms();
		}
		if (next != state) {
			state = next;
			changed = now;
		}
		if (now >= limit)
			return false;
		sleep_ms(poll);
	}
}
