import { fileURLToPath } from 'node:url';
import {
  CELL_ADDRESS,
  CPUS_MAX,
  FIRMWARE_ADDRESS,
  FIRMWARE_TEXT_OFFSET,
  IMAGE_ADDRESS,
  PAGES_ADDRESS,
  RAM_BASE,
  RAM_MIB,
  REGISTERS_ADDRESS,
  TABLES_ADDRESS,
} from './memory-map.ts';

const FIRMWARE_FOLDER = new URL('./', import.meta.url);

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
