/*
 * The firmware's two ways out of the guest, each a virtio console of QEMU: its own log, and the kernel's console, which
 * it takes over from the UART a write at a time (breakpoint.c) or prints itself (console.c). QEMU hands each buffer to
 * the host in one piece while the queue is being notified. Registers as in the Virtual I/O Device Specification 1.1,
 * section 4.2.4 (legacy interface), queue layout as in section 2.6. Where QEMU was given no such device, nothing is
 * said.
 */
#include "firmware.h"

/* hw/arm/virt.c, base_memmap[VIRT_MMIO]: a transport every 0x200 bytes; qemu/command.ts plugs the two devices in. */
#define TRANSPORT(n)	(0x0a000000ul + (n) * 0x200)

#define REG_MAGIC	0x000
#define REG_DEVICE_ID	0x008
#define REG_FEATURES	0x020
#define REG_PAGE_SIZE	0x028
#define REG_QUEUE	0x030
#define REG_QUEUE_SIZE	0x038
#define REG_QUEUE_ALIGN	0x03c
#define REG_QUEUE_PAGE	0x040
#define REG_NOTIFY	0x050
#define REG_STATUS	0x070

#define MAGIC		0x74726976
#define DEVICE_CONSOLE	3
#define QUEUE_RECEIVE	0
#define QUEUE_TRANSMIT	1
#define DESCRIPTOR_WRITE	2
#define STATUS_ACKNOWLEDGE	1
#define STATUS_DRIVER	2
#define STATUS_DRIVER_OK	4

#define QUEUE_SIZE	2

struct queue {
	struct { u64 address; u32 length; u16 flags, next; } descriptor[QUEUE_SIZE];
	struct { u16 flags, index, ring[QUEUE_SIZE]; } available;
	struct {
		u16 flags, index;
		struct { u32 descriptor, length; } ring[QUEUE_SIZE];
	} used __attribute__((aligned(PAGE_SIZE)));
} __attribute__((aligned(PAGE_SIZE)));

enum { LOG, CONSOLE };

static volatile struct queue queues[2];
static volatile struct queue input;	/* of the log's device; nothing comes from the console's */
static int present[2];

static u32 read_register(u32 n, u32 offset)
{
	return *(volatile u32 *)(TRANSPORT(n) + offset);
}

static void write_register(u32 n, u32 offset, u32 value)
{
	*(volatile u32 *)(TRANSPORT(n) + offset) = value;
}

static void set_queue(u32 n, u32 number, volatile struct queue *queue)
{
	write_register(n, REG_QUEUE, number);
	write_register(n, REG_QUEUE_SIZE, QUEUE_SIZE);
	write_register(n, REG_QUEUE_ALIGN, PAGE_SIZE);
	write_register(n, REG_QUEUE_PAGE, (u64)queue / PAGE_SIZE);
}

static void open(u32 n)
{
	if (read_register(n, REG_MAGIC) != MAGIC || read_register(n, REG_DEVICE_ID) != DEVICE_CONSOLE)
		return;
	write_register(n, REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	write_register(n, REG_FEATURES, 0);
	write_register(n, REG_PAGE_SIZE, PAGE_SIZE);
	if (n == LOG)
		set_queue(n, QUEUE_RECEIVE, &input);
	set_queue(n, QUEUE_TRANSMIT, &queues[n]);
	write_register(n, REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
	present[n] = 1;
}

void output_init(void)
{
	open(LOG);
	open(CONSOLE);
}

/* Hands one buffer to QEMU and waits until it is used. Returns how much of it was. */
static u32 exchange(u32 n, u32 number, volatile struct queue *queue, u64 pa, u32 size)
{
	u16 index = queue->available.index;

	queue->descriptor[0].address = pa;
	queue->descriptor[0].length = size;
	queue->descriptor[0].flags = number == QUEUE_RECEIVE ? DESCRIPTOR_WRITE : 0;
	queue->available.ring[index % QUEUE_SIZE] = 0;
	asm volatile("dsb sy" : : : "memory");
	queue->available.index = index + 1;
	asm volatile("dsb sy" : : : "memory");
	write_register(n, REG_NOTIFY, number);
	/* At once for what is sent. YIELD gives QEMU's own thread a turn while nothing comes. */
	while (queue->used.index != queue->available.index)
		asm volatile("yield" : : : "memory");
	return queue->used.ring[index % QUEUE_SIZE].length;
}

static void send(u32 n, u64 pa, u32 size)
{
	if (present[n])
		exchange(n, QUEUE_TRANSMIT, &queues[n], pa, size);
}

/* Waits for so many bytes from the harness. */
void input_read(u64 to, u64 size)
{
	while (size) {
		u32 piece = exchange(LOG, QUEUE_RECEIVE, &input, to, size < PAGE_SIZE ? size : PAGE_SIZE);

		to += piece;
		size -= piece;
	}
}

int console_present(void)
{
	return present[CONSOLE];
}

/* hw/arm/virt.c, base_memmap[VIRT_UART]: a PL011 (DDI 0183), whose data register sends what is written there */
#define UART_DATA	0x09000000ul

/* Text of the kernel's console, at a physical address. */
void console_send(u64 pa, u64 size)
{
	if (present[CONSOLE]) {
		send(CONSOLE, pa, size);
		return;
	}
	for (u64 i = 0; i < size; i++)
		*(volatile u32 *)UART_DATA = *(const volatile u8 *)(pa + i);
}

static char said[4096];
static u32 said_size;
static int is_held;

static void send_said(void)
{
	send(LOG, (u64)said, said_size);
	said_size = 0;
}

/* Whole lines go out as they end; held ones in large pieces. */
void say(const char *text)
{
	for (; *text; text++) {
		said[said_size++] = *text;
		if ((*text == '\n' && !is_held) || said_size == sizeof(said))
			send_said();
	}
}

/*
 * Many lines are held back and sent together: QEMU drops what a console cannot hand over at once
 * (hw/char/virtio-console.c, flush_buf(): consoles are never throttled), and a socket that nobody has read yet is full
 * after some hundred small pieces.
 */
void say_held(int hold)
{
	is_held = hold;
	if (!hold && said_size)
		send_said();
}

static void say_in_base(u64 value, u32 base)
{
	char digits[24];
	char *p = digits + sizeof(digits);

	*--p = 0;
	do {
		*--p = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	say(p);
}

void say_number(u64 value)
{
	say_in_base(value, 10);
}

void say_hex(u64 value)
{
	say("0x");
	say_in_base(value, 16);
}

/*
 * Microseconds of virtual time: 62.5 MHz on this machine, which is no whole number of ticks a microsecond; good for
 * days.
 */
void say_time(const struct frame *f)
{
	say_number(now(f) * 1000000 / SYSREG_READ("cntfrq_el0"));
}

/* End QEMU: for what no guest can survive. The harness reads why from the firmware's log. */
_Noreturn void die(u64 esr, u64 elr)
{
	static struct frame f;

	say("firmware-exception esr=");
	say_hex(esr);
	say(" elr=");
	say_hex(elr);
	say("\n");
	f.x[0] = PSCI_SYSTEM_OFF;
	smc(&f);
	for (;;)
		asm volatile("wfi");
}
