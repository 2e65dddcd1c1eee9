import { fileURLToPath } from 'node:url';
import { stepsHeader } from './steps.ts';

const FOLDER = new URL('./init/', import.meta.url);

function paths(names: readonly string[]): string[] {
  return names.map((name) => fileURLToPath(new URL(name, FOLDER)));
}

/** The guest's init, a static ELF executable, as the cross compiler takes it (kernel/cross.ts). */
export const GUEST_INIT = {
  name: 'init',
  generated: { 'step-table.h': stepsHeader() },
  script: null,
  pageSize: 4096,
  defines: {},
  symbols: {},
  output: 'elf',
  sources: paths([
    'init.c',
    'census.c',
    'devices.c',
    'final.c',
    'harness.c',
    'loading.c',
    'memory.c',
    'mounts.c',
    'plan.c',
    'probing.c',
    'reading.c',
    'report.c',
    'settle.c',
    'shell.c',
    'steps.c',
    'sys.c',
    'text.c',
    'workers.c',
    'writing.c',
  ]),
  /** Read by the sources, so part of the content key. */
  headers: paths([
    'census.h',
    'devices.h',
    'final.h',
    'harness.h',
    'loading.h',
    'mounts.h',
    'plan.h',
    'probing.h',
    'reading.h',
    'report.h',
    'settle.h',
    'shell.h',
    'steps.h',
    'sys.h',
    'text.h',
    'workers.h',
    'writing.h',
  ]),
} as const;

/** The same for kernels with pages of 16 or 64 KiB: they cannot map the other (fs/binfmt_elf.c, elf_load(), 6.12). */
export const GUEST_INIT_LARGE_PAGES = { ...GUEST_INIT, pageSize: 65536 } as const;
