/*
 * Which device, module or call a stop is about. Of the kernel's structures only what has stood at one place for ever is
 * taken for granted: a struct device begins with its kobject, and that with its name (include/linux/kobject.h); a
 * struct device_node has its full name as third word (include/linux/of.h); a struct device_driver begins with its name
 * (include/linux/device/driver.h); in a struct module the name follows state and list (include/linux/module.h).
 * Whatever else is asked is looked for.
 */
#include "firmware.h"

/* Bytes of a struct device and of a struct device_node that are searched for a pointer. */
#define DEVICE_SIZE	0x400
#define NODE_SIZE	0x100
#define FULL_NAME	16
#define MODULE_NAME	24
/* What a bus's own structure may have before its struct device, as i2c_client, platform_device and pci_dev do. */
#define DEVICE_OFFSET_MAX	0x200
#define ARGUMENTS	4

/* Whether a node's path ends like that: its own name, then its parent's, which one of its words points to. */
static int node_is(u64 node, const char *path, u32 length)
{
	char name[NAME_SIZE];
	u32 start = length;

	while (start > 0 && path[start - 1] != '/')
		start--;
	for (u32 i = start; i < length; i++)
		name[i - start] = path[i];
	name[length - start] = 0;
	if (!guest_string_is(guest_read(node + FULL_NAME), name))
		return 0;
	if (start <= 1)
		return 1;
	for (u64 at = FULL_NAME + 8; at < NODE_SIZE; at += 8) {
		u64 word = guest_read(node + at);

		if (word && word != node && node_is(word, path, start - 1))
			return 1;
	}
	return 0;
}

static u32 length_of(const char *text)
{
	u32 length = 0;

	while (text[length])
		length++;
	return length;
}

/* Whether a word of the struct device points to its node, or to its driver. */
static int points_to(u64 device, const struct place *place)
{
	for (u64 at = 0; at < DEVICE_SIZE; at += 8) {
		u64 word = guest_read(device + at);

		if (!word)
			continue;
		if (place->match == MATCH_NODE && node_is(word, place->name, length_of(place->name)))
			return 1;
		if (place->match == MATCH_DRIVER && guest_string_is(guest_read(word), place->name))
			return 1;
	}
	return 0;
}

/*
 * What a structure that belongs to a device may have before its pointer to it: the child's struct device (parent of its
 * kobject), struct gpio_chip, struct icc_provider.
 */
#define OWNER_OFFSET_MAX	0x80

/*
 * Whether one of the arguments is a device of that name, or has one within, or points to it as a child does, and what a
 * driver registers.
 */
static int is_argument(const struct frame *f, const char *name)
{
	for (u32 i = 0; i < ARGUMENTS; i++) {
		/* Every pointer of the kernel is in the upper half. */
		if (!(f->x[i] >> 63))
			continue;
		for (u64 at = 0; at < DEVICE_OFFSET_MAX; at += 8)
			if (guest_string_is(guest_read(f->x[i] + at), name))
				return 1;
		for (u64 at = 0; at < OWNER_OFFSET_MAX; at += 8) {
			u64 word = guest_read(f->x[i] + at);

			if (word >> 63 && guest_string_is(guest_read(word), name))
				return 1;
		}
	}
	return 0;
}

/* What the log calls it. */
void name_of(const struct frame *f, const struct stop *stop, char *name)
{
	if (stop->kind == STOP_PROBE)
		guest_string(guest_read(f->x[0]), name);
	else if (stop->kind == STOP_LOAD)
		guest_string(f->x[0] + MODULE_NAME, name);
	else
		memcpy(name, stop->name, NAME_SIZE);
}

int is_about(const struct frame *f, const struct stop *stop, const char *name, const struct place *place)
{
	if (place->kind != stop->kind || (stop->kind == STOP_CALL && &stops[place->index] != stop))
		return 0;
	switch (place->match) {
	case MATCH_NAME:
		return stop->kind == STOP_CALL ? is_argument(f, place->name) : same(place->name, name);
	case MATCH_NODE:
	case MATCH_DRIVER:
		return points_to(f->x[0], place);
	case MATCH_DURING:
		return is_during(place->name);
	}
	return 1;
}
