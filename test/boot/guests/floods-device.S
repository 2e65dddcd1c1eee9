// Writes without end to the virtio console in transport TRANSPORT by driving it itself, 1 MiB at a time (virtio 1.0, 4.2.4: legacy MMIO).
#include "header.S"
#define RING 0x48000000
#define QUEUE_ENTRIES 2
	ldr	x1, =0x0a000000 + TRANSPORT * 0x200
	str	wzr, [x1, #0x70]	// Status: reset
	mov	w2, #3
	str	w2, [x1, #0x70]		// ACKNOWLEDGE | DRIVER
	str	wzr, [x1, #0x20]	// no features
	mov	w2, #4096
	str	w2, [x1, #0x28]		// GuestPageSize
	mov	w3, #1
	str	w3, [x1, #0x30]		// QueueSel: transmitq of port 0
	mov	w4, #QUEUE_ENTRIES
	str	w4, [x1, #0x38]		// QueueNum
	str	w2, [x1, #0x3c]		// QueueAlign
	ldr	x5, =RING
	lsr	x6, x5, #12
	str	w6, [x1, #0x40]		// QueuePFN
	mov	w2, #7
	str	w2, [x1, #0x70]		// DRIVER_OK
	ldr	x6, =0x40300000		// descriptor 0: any memory
	str	x6, [x5]
	mov	w6, #0x100000
	str	w6, [x5, #8]
	str	wzr, [x5, #12]
	str	wzr, [x5, #16 * QUEUE_ENTRIES]		// avail: no flags, and all of its ring names descriptor 0
	str	wzr, [x5, #16 * QUEUE_ENTRIES + 4]
	mov	w7, #0
1:	add	w7, w7, #1
	dmb	sy
	strh	w7, [x5, #16 * QUEUE_ENTRIES + 2]
	dmb	sy
	str	w3, [x1, #0x50]		// QueueNotify
	b	1b
	.ltorg
	.balign	4096
	.space	0x120000
