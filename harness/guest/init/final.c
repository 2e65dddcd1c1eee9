#include "final.h"

#include "devices.h"
#include "probing.h"
#include "report.h"
#include "settle.h"

/* For background work that is just ending. */
#define GRACE_MS 100

static void report_state(const struct device *device)
{
	line(device->probing ? "probing" : "bound");
	line_word(device->name);
	line_word(device->driver);
	line_send();
}

static const struct device *find_device(struct device_list list, const char *name)
{
	for (size_t i = 0; i < list.count; i++)
		if (same(list.devices[i].name, name))
			return &list.devices[i];
	return NULL;
}

/* A watched device that the list of platform and amba devices does not show as bound. */
static void report_watched(struct device_list list, const char *name)
{
	const struct device *listed = find_device(list, name);
	char driver[NAME_SIZE];
	int directory;

	if (listed != NULL && listed->driver != NULL)
		return;
	directory = open_bus_of_device(name);
	if (directory >= 0 && driver_of(directory, name, driver)) {
		line("bound");
		line_word(name);
		line_word(driver);
	} else {
		line(directory >= 0 ? "unbound" : "absent");
		line_word(name);
	}
	line_send();
	sys_close(directory);
}

static void report_deferred(char *entry)
{
	char *reason = find_char(entry, '\t');

	if (reason != NULL)
		*reason++ = '\0';
	if (entry[0] == '\0')
		return;
	line("deferred");
	line_word(entry);
	if (reason != NULL && reason[0] != '\0')
		line_text(reason);
	line_send();
}

static bool any_probing(struct device_list list)
{
	for (size_t i = 0; i < list.count; i++)
		if (list.devices[i].probing)
			return true;
	return false;
}

void report_devices(const char *const *watched, size_t watched_count)
{
	struct device_list list = list_devices();
	bool quiet = wait_probes(list, GRACE_MS);
	char *entry;

	if (list.cut) {
		line("truncated");
		line_word("devices");
		line_send();
	}
	if (!quiet && !any_probing(list)) {
		/* Something is being probed, and which device it is does not show. */
		line("busy");
		line_send();
		return;
	}
	for (size_t i = 0; i < list.count; i++)
		if (list.devices[i].driver != NULL)
			report_state(&list.devices[i]);
	for (size_t i = 0; i < watched_count; i++)
		report_watched(list, watched[i]);
	entry = deferred_devices();
	while (entry != NULL && *entry != '\0') {
		char *end = find_char(entry, '\n');

		if (end != NULL)
			*end++ = '\0';
		report_deferred(entry);
		entry = end;
	}
}
