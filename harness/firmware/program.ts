import { fileURLToPath } from 'node:url';
import { BOARD_RAM_PHYSICAL } from '../board/plan.ts';
import {
  BOARD_POOL_ADDRESS,
  BOARD_SHADOWS_ADDRESS,
  BOARD_TABLES_ADDRESS,
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
  sources: [
    'entry.S',
    'main.c',
    'scm.c',
    'gates.c',
    'files.c',
    'output.c',
    'serve.c',
    'snapshot.c',
    'memory.c',
    'board.c',
    'shadow.c',
    'traps.c',
    'rules.c',
    'breaker.c',
    'vgic.c',
    'models/table.c',
  ].map((name) => fileURLToPath(new URL(name, FIRMWARE_FOLDER))),
  /** Read by the sources, so part of the content key. */
  headers: ['firmware.h', 'timing.h', 'board.h'].map((name) => fileURLToPath(new URL(name, FIRMWARE_FOLDER))),
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
    BOARD_PLAN_ADDRESS: IMAGE_ADDRESS,
    BOARD_PLAN_END: BOARD_TABLES_ADDRESS,
    BOARD_TABLES_ADDRESS,
    BOARD_TABLES_END: BOARD_SHADOWS_ADDRESS,
    BOARD_SHADOWS_ADDRESS,
    BOARD_SHADOWS_END: BOARD_POOL_ADDRESS,
    BOARD_POOL_ADDRESS,
    BOARD_POOL_END: CELL_ADDRESS,
    BOARD_PAGES_END: BOARD_RAM_PHYSICAL,
  },
  symbols: { FIRMWARE_ADDRESS, TABLES_ADDRESS },
} as const;
