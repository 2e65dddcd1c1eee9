// Header of an arm64 Image (Documentation/arch/arm64/booting.rst), with what tells the release of a Linux kernel.
	b	entry
	.long	0
	.quad	0			// text_offset
	.quad	0x200000		// image_size
	.quad	0xa			// flags: little endian, 4 KiB pages, anywhere in memory
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
	.asciz	"Linux version 6.1.0-none (a@b) "
	.balign	8
entry:
