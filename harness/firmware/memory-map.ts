/**
 * Memory map of the stand-in SoC: QEMU 7.2 `virt` (hw/arm/virt.c, `base_memmap`) and the ranges that
 * boards/small/standin.dts reserves.
 */
export const RAM_BASE = 0x4000_0000;
export const RAM_MIB = 512;

/** Where the arm64 boot protocol puts the firmware, given as `-kernel`: RAM plus the header's text_offset. */
export const FIRMWARE_TEXT_OFFSET = 0x8_0000;
export const FIRMWARE_ADDRESS = RAM_BASE + FIRMWARE_TEXT_OFFSET;
/**
 * The kernel's Image, behind the range that the device tree keeps from it: 2 MiB aligned, as
 * Documentation/arm64/booting.rst asks.
 */
export const IMAGE_ADDRESS = RAM_BASE + 0x20_0000;
/**
 * The harness puts device tree and initramfs behind this; QEMU does so for `-initrd` (hw/arm/boot.c: 128 MiB into RAM).
 */
export const IMAGE_SIZE_MAX = 128 * 1024 * 1024 - (IMAGE_ADDRESS - RAM_BASE);

/**
 * The kernel's memory ends here (`linux,usable-memory-range` of boards/small/standin.dts). Behind it the firmware keeps
 * the cells that are handed to it, and pages.
 */
export const CELL_ADDRESS = 0x4c00_0000;
export const PAGES_ADDRESS = 0x5000_0000;
/** Where the firmware keeps its tables of stage 2, behind itself. */
export const TABLES_ADDRESS = RAM_BASE + 0x10_0000;
/** RAM that stands in for register files and shared memory, up to the end. */
export const REGISTERS_ADDRESS = 0x5d00_0000;

/** CPUs that boards/small/standin.dts lists. */
export const STANDIN_CPUS = 4;

/**
 * What the firmware keeps where a real board is played: its plan where the stand-in has the kernel, then tables of
 * stage 2, what is known of register pages, and these pages. From PAGES_ADDRESS on what snapshots put aside, up to the
 * board's own RAM (board/board-plan.ts, BOARD_RAM_PHYSICAL).
 */
export const BOARD_TABLES_ADDRESS = 0x4100_0000;
export const BOARD_SHADOWS_ADDRESS = 0x4400_0000;
export const BOARD_POOL_ADDRESS = 0x4480_0000;
