// Never powers off: it TALKS or says one LINE without end, WAITS for an interrupt that nothing raises, or RESETS the machine.
#include "header.S"
	ldr	x1, =0x09000000		// UARTDR
#if TALKS
1:	adr	x2, text
2:	ldrb	w3, [x2], #1
	cbz	w3, 1b
	strb	w3, [x1]
	b	2b
text:	.asciz	"[    0.000000] a line of this guest, which says the same for as long as it is let\n"
	.balign	4
#elif LINE
	mov	w3, #'A'
1:	strb	w3, [x1]
	b	1b
#elif WAITS
1:	wfi
	b	1b
#elif RESETS
	ldr	x0, =0x84000009		// PSCI SYSTEM_RESET
	smc	#0
1:	b	1b
#endif
	.ltorg
	.balign	4096
	.space	0x120000
