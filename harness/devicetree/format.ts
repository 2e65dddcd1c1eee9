/**
 * The flattened device tree as bytes: numbers of the Devicetree Specification v0.4, chapter 5, and the limits
 * that the reader and the writer share. A tree that the writer accepts is a tree that the reader accepts.
 */

/** Section 5.2: the header's fields are big-endian 32-bit words, in this order. */
export const HEADER = {
  magic: 0,
  totalSize: 4,
  structureOffset: 8,
  stringsOffset: 12,
  reservationsOffset: 16,
  version: 20,
  lastCompatibleVersion: 24,
  bootCpu: 28,
  stringsSize: 32,
  /** Since version 17. */
  structureSize: 36,
} as const;

export const MAGIC = 0xd00dfeed;
export const HEADER_SIZE_V16 = 36;
export const HEADER_SIZE_V17 = 40;

/** Written by this project, dtc 1.6 and QEMU 7.2. Section 5.2: 17 is compatible down to 16. */
export const VERSION = 17;
export const OLDEST_VERSION = 16;

/** Section 5.4.1. */
export const TOKEN = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const;

/** Section 5.6: the reservation block lies on 8 bytes, the structure block on 4. */
export const RESERVATIONS_ALIGNMENT = 8;
export const STRUCTURE_ALIGNMENT = 4;
export const RESERVATION_SIZE = 16;
export const CELL_SIZE = 4;

/** The kernel ignores deeper nodes: FDT_MAX_DEPTH in drivers/of/fdt.c, Linux 6.1. */
export const MAX_DEPTH = 64;

/** MAX_FDT_SIZE in arch/arm64/include/asm/boot.h, Linux 6.1: the kernel refuses a larger blob. */
export const MAX_BLOB_SIZE = 2 * 1024 * 1024;

/**
 * Section 2.2 asks for at most 31 characters; real trees have names of twice that. The bound keeps reading linear:
 * without it every property could name its own suffix of one long string.
 */
export const MAX_NAME = 255;

/** PROPNODECHARS of dtc 1.6.1 (checks.c): what `dtc` accepts, a little more than section 2.2. */
const PROPERTY_NAME = /^[0-9a-zA-Z,._+*#?-]+$/;
const NODE_NAME = /^[0-9a-zA-Z,._+*#?@-]+$/;

export function isPropertyName(name: string): boolean {
  return name.length <= MAX_NAME && PROPERTY_NAME.test(name);
}

export function isNodeName(name: string): boolean {
  return name.length <= MAX_NAME && NODE_NAME.test(name);
}

export function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
