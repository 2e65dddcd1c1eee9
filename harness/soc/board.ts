import { fileURLToPath } from 'node:url';
import type { BoardName } from '../matrix/cell.ts';
import { commandDatabase } from './cmddb.ts';
import { aossMessageRam, bamRegisters, rpmhRscRegisters } from './registers.ts';
import { smemImage } from './smem.ts';
import { smmu500Registers } from './smmu500.ts';

/** Memory map of the stand-in SoC: QEMU 7.2 `virt` (hw/arm/virt.c, `base_memmap`) and the ranges that dts/standin.dts reserves. */
export const RAM_BASE = 0x4000_0000;
export const RAM_MIB = 512;

/** Where the arm64 boot protocol puts the firmware, given as `-kernel`: RAM plus the header's text_offset. */
const FIRMWARE_TEXT_OFFSET = 0x8_0000;
export const FIRMWARE_ADDRESS = RAM_BASE + FIRMWARE_TEXT_OFFSET;
/** The kernel's Image, behind the range that the device tree keeps from it: 2 MiB aligned, as Documentation/arm64/booting.rst asks. */
export const IMAGE_ADDRESS = RAM_BASE + 0x20_0000;
/** The harness puts device tree and initramfs behind this; QEMU does so for `-initrd` (hw/arm/boot.c: 128 MiB into RAM). */
export const IMAGE_SIZE_MAX = 128 * 1024 * 1024 - (IMAGE_ADDRESS - RAM_BASE);

/** The kernel's memory ends here (`linux,usable-memory-range` of dts/standin.dts). Behind it the firmware keeps the cells that are handed to it, and pages. */
const CELL_ADDRESS = 0x4c00_0000;
const PAGES_ADDRESS = 0x5000_0000;
/** Where the firmware keeps its tables of stage 2, behind itself. */
const TABLES_ADDRESS = RAM_BASE + 0x10_0000;
/** RAM that stands in for register files and shared memory, up to the end. */
const REGISTERS_ADDRESS = 0x5d00_0000;

/** CPUs that dts/standin.dts lists and the firmware has stacks for. */
export const CPUS_MAX = 4;

const FIRMWARE_FOLDER = new URL('./firmware/', import.meta.url);

/** What the cross compiler makes the EL2 firmware of (guest and firmware share the compiler's wrapper in kernel/cross.ts). */
export const FIRMWARE = {
  name: 'el2-firmware',
  output: 'binary',
  sources: ['entry.S', 'main.c', 'scm.c', 'gates.c', 'files.c', 'output.c', 'serve.c', 'snapshot.c'].map((name) =>
    fileURLToPath(new URL(name, FIRMWARE_FOLDER)),
  ),
  /** Read by the sources, so part of the content key. */
  headers: ['firmware.h', 'timing.h'].map((name) => fileURLToPath(new URL(name, FIRMWARE_FOLDER))),
  script: fileURLToPath(new URL('firmware.lds', FIRMWARE_FOLDER)),
  defines: {
    LINUX_ENTRY: IMAGE_ADDRESS,
    FIRMWARE_TEXT_OFFSET,
    CPUS_MAX,
    RAM_BASE,
    RAM_END: RAM_BASE + RAM_MIB * 1024 * 1024,
    TABLES_ADDRESS,
    MEMORY_END: CELL_ADDRESS,
    CELL_ADDRESS,
    CELL_END: PAGES_ADDRESS,
    PAGES_ADDRESS,
    PAGES_END: REGISTERS_ADDRESS,
  },
  symbols: { FIRMWARE_ADDRESS, TABLES_ADDRESS },
} as const;

export interface RegisterFile {
  readonly name: string;
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * `small`: the firmware, the SMMU and its consumer, what most questions need. `full`: the drivers of docs/soc.md beside
 * them, which wait for each other; costs guest time in every boot.
 */
export interface Board {
  /** Compiled by the real dtc. */
  readonly source: string;
  /** RAM that stands in for register files and for what the boot loader leaves in memory, with what it holds at reset. */
  readonly registers: readonly RegisterFile[];
}

const SMALL: readonly RegisterFile[] = [{ name: 'smmu500', address: 0x5f00_0000, bytes: smmu500Registers() }];

/** Addresses as in dts/standin-full.dts; register files that start as zero need no image. */
const FULL: readonly RegisterFile[] = [
  ...SMALL,
  { name: 'smmu500-second', address: 0x5f10_0000, bytes: smmu500Registers() },
  { name: 'smem', address: 0x5d00_0000, bytes: smemImage() },
  { name: 'cmd-db', address: 0x5d10_0000, bytes: commandDatabase() },
  { name: 'aoss-qmp', address: 0x5e06_1000, bytes: aossMessageRam() },
  { name: 'rpmh-rsc', address: 0x5e0a_0000, bytes: rpmhRscRegisters() },
  { name: 'bam', address: 0x5e10_0000, bytes: bamRegisters() },
];

const source = (name: string) => fileURLToPath(new URL(`../../dts/${name}`, import.meta.url));

export const BOARDS: Readonly<Record<BoardName, Board>> = {
  small: { source: source('standin.dts'), registers: SMALL },
  full: { source: source('standin-full.dts'), registers: FULL },
};
