import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { symbolize } from '../../harness/kernel/symbolize.ts';

/** What is inlined into `g` below, from a file that holds helpers alone. */
const LIST = `extern volatile int v;
static inline __attribute__((always_inline)) void list_del(int *entry) {
  v = *entry;
}
`;
/** Line 1 on purpose: `f` starts on line 2, its addition stands on line 3. */
const SOURCE = `volatile int v;
int f(int a) {
  v = a + 1;
  return v;
}
#include "include/linux/list.h"
int __attribute__((noinline)) g(int *a) { list_del(a); return 0; }
void _start(void) { f(1); g((int *)&v); }
`;

async function withVmlinux(run: (vmlinux: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await dir({ unsafeCleanup: true });
  try {
    await mkdir(join(folder.path, 'include/linux'), { recursive: true });
    await writeFile(join(folder.path, 'include/linux/list.h'), LIST);
    await writeFile(join(folder.path, 'drivers.c'), SOURCE);
    const vmlinux = join(folder.path, 'vmlinux');
    await execa('aarch64-linux-gnu-gcc', ['-g', '-O1', '-nostdlib', '-static', '-o', vmlinux, 'drivers.c'], {
      cwd: folder.path,
    });
    await run(vmlinux, folder.path);
  } finally {
    await folder.cleanup();
  }
}

describe('file and line of frames', () => {
  it('come from the debug information of a vmlinux', async () => {
    await withVmlinux(async (vmlinux) => {
      const found = await symbolize(vmlinux, [
        { function: 'f', offset: 0 },
        { function: 'no_such_function', offset: 4 },
        { function: 'f', offset: 0 },
      ]);
      expect([...found.keys()]).toEqual(['f+0x0']);
      expect(found.get('f+0x0')?.source).toMatch(/drivers\.c:[23]$/);
    });
  });

  it('are those of what was inlined, and the file of the function itself is told too', async () => {
    await withVmlinux(async (vmlinux) => {
      const found = await symbolize(vmlinux, [{ function: 'g', offset: 0 }]);
      expect(found.get('g+0x0')?.source).toMatch(/^include\/linux\/list\.h:\d+$/);
      expect(found.get('g+0x0')?.home).toMatch(/drivers\.c$/);
    });
  });

  it('nothing is run for nothing', async () => {
    expect(await symbolize('/no/such/file', [])).toEqual(new Map());
  });

  it('a file that is no vmlinux is refused with its name', async () => {
    await withVmlinux(async (_vmlinux, folder) => {
      const file = join(folder, 'drivers.c');
      await expect(symbolize(file, [{ function: 'f', offset: 0 }])).rejects.toThrow(file);
    });
  });
});
