import { MemoryImage } from './register-image.ts';

/**
 * Tables of coreboot as drivers/firmware/google/coreboot_table.h (Linux 5.10 to 6.12) has them: a header, and an entry
 * for each thing that the firmware left in memory.
 */

/** `struct coreboot_table_header` */
const HEADER = { signature: 0, headerBytes: 4, tableBytes: 12, entries: 20, size: 24 } as const;
const SIGNATURE = 'LBIO';
/** `struct lb_cbmem_entry`, and its tag `LB_TAG_CBMEM_ENTRY` */
const ENTRY = { tag: 0, bytes: 4, address: 8, length: 16, id: 20, size: 24 } as const;
const CBMEM_ENTRY = 0x31;
/** "CONS", the console's log: its device is called cbmem-434f4e53. */
const CONSOLE = 0x434f_4e53;
/** Where the log is, in the memory that is left out as that of registers is; nobody reads it. */
const LOG_ADDRESS = 0x5e1f_0000;
const LOG_BYTES = 0x1000;

/** A table with one entry. `coreboot_table_probe()` looks at no checksum (6.12). */
export function corebootTable(): Uint8Array {
  const image = new MemoryImage(HEADER.size + ENTRY.size);
  image.text(HEADER.signature, SIGNATURE.length, SIGNATURE);
  image.u32(HEADER.headerBytes, HEADER.size);
  image.u32(HEADER.tableBytes, ENTRY.size);
  image.u32(HEADER.entries, 1);
  image.u32(HEADER.size + ENTRY.tag, CBMEM_ENTRY);
  image.u32(HEADER.size + ENTRY.bytes, ENTRY.size);
  image.u32(HEADER.size + ENTRY.address, LOG_ADDRESS);
  image.u32(HEADER.size + ENTRY.length, LOG_BYTES);
  image.u32(HEADER.size + ENTRY.id, CONSOLE);
  return image.bytes;
}
