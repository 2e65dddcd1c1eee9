#include "devices.h"

#define MAX_DEVICES 1024
#define NAMES_SIZE 65536
#define ENTRIES_SIZE 4096

static struct device devices[MAX_DEVICES];
static char names[NAMES_SIZE];
static size_t names_used;

/* The buses that devices of a flattened device tree are put on; looked at before any other. */
static const char *const tree_buses[] = {"platform", "amba"};
#define TREE_BUSES (sizeof(tree_buses) / sizeof(tree_buses[0]))

static int tree_directories[TREE_BUSES] = {-1, -1};

/* Copies a name to the pool that a device list lives in; NULL when it is full. */
static const char *keep_name(const char *name)
{
	size_t size = length_of(name) + 1;
	char *kept = names + names_used;

	if (size > NAMES_SIZE - names_used)
		return NULL;
	for (size_t i = 0; i < size; i++)
		kept[i] = name[i];
	names_used += size;
	return kept;
}

/* Calls visit() for each entry of a directory but `.` and `..`, until it returns false. */
static void each_entry(int directory, bool (*visit)(const char *name, void *context), void *context)
{
	/* Aligned for the 64-bit members of struct directory_entry. */
	char entries[ENTRIES_SIZE] __attribute__((aligned(8)));
	long filled;

	while ((filled = sys_read_directory(directory, entries, sizeof(entries))) > 0) {
		for (long at = 0; at < filled;) {
			const struct directory_entry *entry = (const void *)(entries + at);

			at += entry->length;
			if (same(entry->name, ".") || same(entry->name, ".."))
				continue;
			if (!visit(entry->name, context))
				return;
		}
	}
}

static long open_in_bus(const char *bus, const char *rest, int flags)
{
	char storage[NAME_SIZE + sizeof("/sys/bus//devices") + NAME_SIZE];
	struct text path = TEXT(storage);

	text_clear(&path);
	text_add(&path, "/sys/bus/");
	text_add(&path, bus);
	text_add(&path, rest);
	return path.cut ? -EINVAL : sys_open(path.bytes, O_RDONLY | flags);
}

static int tree_directory(size_t bus)
{
	if (tree_directories[bus] < 0)
		tree_directories[bus] = (int)open_in_bus(tree_buses[bus], "/devices", O_DIRECTORY);
	return tree_directories[bus];
}

bool driver_of(int directory, const char *device, char name[NAME_SIZE])
{
	char path_storage[NAME_SIZE + sizeof("/driver")];
	struct text path = TEXT(path_storage);
	char target[PATH_SIZE];
	const char *driver;
	long length;

	text_clear(&path);
	text_add(&path, device);
	text_add(&path, "/driver");
	length = sys_read_link_at(directory, path.bytes, target, sizeof(target) - 1);
	if (path.cut || length <= 0)
		return false;
	target[length] = '\0';
	driver = base_name(target);
	if (!is_name(driver))
		return false;
	for (size_t i = 0; i <= length_of(driver); i++)
		name[i] = driver[i];
	return true;
}

bool waits_to_bind(int directory, const char *device)
{
	char path_storage[NAME_SIZE + sizeof("/waiting_for_supplier")];
	struct text path = TEXT(path_storage);
	char target;

	text_clear(&path);
	text_add(&path, device);
	text_add(&path, "/waiting_for_supplier");
	/* Asking for its link says whether it exists, and is refused where it does. */
	return sys_read_link_at(directory, path.bytes, &target, sizeof(target)) == -EINVAL;
}

struct filling {
	struct device_list list;
	int directory;
};

/* Inserts one device in the order of names. */
static bool add_device(const char *name, void *context)
{
	struct filling *filling = context;
	struct device_list *list = &filling->list;
	struct device device = {filling->directory, NULL, NULL, false};
	char driver[NAME_SIZE];
	size_t place = list->count;

	device.name = keep_name(name);
	if (driver_of(filling->directory, name, driver)) {
		device.driver = keep_name(driver);
		if (device.driver == NULL)
			device.name = NULL;
	}
	if (device.name == NULL || list->count == MAX_DEVICES) {
		list->cut = true;
		return false;
	}
	for (; place > 0 && compare(list->devices[place - 1].name, name) > 0; place--)
		list->devices[place] = list->devices[place - 1];
	list->devices[place] = device;
	list->count++;
	return true;
}

struct device_list list_devices(void)
{
	struct filling filling = {{devices, 0, false}, -1};

	names_used = 0;
	for (size_t bus = 0; bus < TREE_BUSES; bus++) {
		filling.directory = tree_directory(bus);
		if (filling.directory >= 0) {
			/* Opened anew: the position in a listing belongs to the descriptor. */
			long listing = sys_open_at(filling.directory, ".", O_RDONLY | O_DIRECTORY);

			each_entry((int)listing, add_device, &filling);
			sys_close((int)listing);
		}
	}
	return filling.list;
}

/* A search for a name through all buses. */
struct search {
	const char *folder; /* "/devices/" or "/drivers/" */
	const char *name;
	char bus[NAME_SIZE];
	bool found;
};

static bool look_in_bus(const char *bus, void *context)
{
	struct search *search = context;
	char storage[NAME_SIZE + sizeof("/devices/")];
	struct text rest = TEXT(storage);
	long fd;

	text_clear(&rest);
	text_add(&rest, search->folder);
	text_add(&rest, search->name);
	fd = rest.cut ? -EINVAL : open_in_bus(bus, rest.bytes, O_DIRECTORY);
	if (fd < 0)
		return true;
	sys_close((int)fd);
	for (size_t i = 0; i < sizeof(search->bus); i++) {
		search->bus[i] = bus[i];
		if (bus[i] == '\0')
			break;
	}
	search->found = true;
	return false;
}

static const char *find_bus(const char *folder, const char *name)
{
	static struct search search;
	long buses;

	search = (struct search){folder, name, "", false};
	for (size_t i = 0; i < TREE_BUSES && !search.found; i++)
		look_in_bus(tree_buses[i], &search);
	if (!search.found) {
		buses = sys_open("/sys/bus", O_RDONLY | O_DIRECTORY);
		if (buses >= 0) {
			each_entry((int)buses, look_in_bus, &search);
			sys_close((int)buses);
		}
	}
	return search.found ? search.bus : NULL;
}

const char *bus_of_device(const char *device)
{
	return find_bus("/devices/", device);
}

const char *bus_of_driver(const char *driver)
{
	return find_bus("/drivers/", driver);
}

/* Classes whose members are numbered in the order in which they are registered. */
static const char *const numbered[] = {"tty", "mmc_host", "net", "rtc", "spi_master"};

struct naming {
	const char *class;
	int directory;
	void (*report)(const char *class, const char *name, const char *device);
};

static bool name_member(const char *name, void *context)
{
	struct naming *naming = context;
	char storage[NAME_SIZE + sizeof("/device")];
	struct text path = TEXT(storage);
	char target[PATH_SIZE];
	long length;

	text_clear(&path);
	text_add(&path, name);
	text_add(&path, "/device");
	length = sys_read_link_at(naming->directory, path.bytes, target, sizeof(target) - 1);
	/* What has no device, as the virtual consoles, has its name from nobody's probe. */
	if (path.cut || length <= 0)
		return true;
	target[length] = '\0';
	naming->report(naming->class, name, base_name(target));
	return true;
}

/* An adapter on the bus of I2C, among its clients: the link leads to it, within its parent. */
static bool name_adapter(const char *name, void *context)
{
	struct naming *naming = context;
	char target[PATH_SIZE];
	long length;

	if (name[0] != 'i' || name[1] != '2' || name[2] != 'c' || name[3] != '-')
		return true;
	length = sys_read_link_at(naming->directory, name, target, sizeof(target) - 1);
	while (length > 0 && target[length - 1] != '/')
		length--;
	if (length <= 1)
		return true;
	target[length - 1] = '\0';
	naming->report(naming->class, name, base_name(target));
	return true;
}

static void each_member(const char *folder, const char *class, bool (*name)(const char *, void *),
			void (*report)(const char *class, const char *name, const char *device))
{
	struct naming naming = {class, (int)sys_open(folder, O_RDONLY | O_DIRECTORY), report};

	if (naming.directory < 0)
		return;
	each_entry(naming.directory, name, &naming);
	sys_close(naming.directory);
}

void each_name(void (*report)(const char *class, const char *name, const char *device))
{
	for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++) {
		char storage[NAME_SIZE];
		struct text path = TEXT(storage);

		text_clear(&path);
		text_add(&path, "/sys/class/");
		text_add(&path, numbered[i]);
		each_member(path.bytes, numbered[i], name_member, report);
	}
	/* These have a class with CONFIG_I2C_COMPAT only. */
	each_member("/sys/bus/i2c/devices", "i2c-adapter", name_adapter, report);
}

int open_bus_of_device(const char *device)
{
	const char *bus = bus_of_device(device);

	return bus == NULL ? -ENOENT : (int)open_in_bus(bus, "/devices", O_DIRECTORY);
}

struct visiting {
	void (*visit)(const char *bus, int directory, const char *device);
	const char *bus;
	int directory;
};

static bool visit_device(const char *name, void *context)
{
	const struct visiting *visiting = context;

	visiting->visit(visiting->bus, visiting->directory, name);
	return true;
}

static bool visit_bus(const char *name, void *context)
{
	struct visiting *visiting = context;

	visiting->bus = name;
	visiting->directory = (int)open_in_bus(name, "/devices", O_DIRECTORY);
	if (visiting->directory >= 0)
		each_entry(visiting->directory, visit_device, visiting);
	sys_close(visiting->directory);
	return true;
}

void each_bus_device(void (*visit)(const char *bus, int directory, const char *device))
{
	struct visiting visiting = {visit, NULL, -1};
	long buses = sys_open("/sys/bus", O_RDONLY | O_DIRECTORY);

	if (buses < 0)
		return;
	each_entry((int)buses, visit_bus, &visiting);
	sys_close((int)buses);
}
