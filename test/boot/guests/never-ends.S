// Never powers off. WAY: 1 prints lines without end, 2 one line without end, 3 spins, 4 waits for an interrupt, 5 resets the machine.
#include "header.S"
	ldr	x1, =0x09000000		// UARTDR
#if WAY == 1
1:	adr	x2, text
2:	ldrb	w3, [x2], #1
	cbz	w3, 1b
	strb	w3, [x1]
	b	2b
text:	.asciz	"[    0.000000] a line of this guest, which says the same for as long as it is let\n"
	.balign	4
#elif WAY == 2
	mov	w3, #'A'
1:	strb	w3, [x1]
	b	1b
#elif WAY == 3
1:	b	1b
#elif WAY == 4
1:	wfi
	b	1b
#elif WAY == 5
	mov	w3, #'\n'
	strb	w3, [x1]
	ldr	x0, =0x84000009		// PSCI SYSTEM_RESET
	smc	#0
1:	b	1b
#endif
	.ltorg
	.balign	4096
	.space	0x120000
