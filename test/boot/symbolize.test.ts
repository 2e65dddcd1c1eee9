import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { symbolize } from '../../harness/kernel/symbolize.ts';

/** Line 1 on purpose: `f` starts on line 2, its addition stands on line 3. */
const SOURCE = `volatile int v;
int f(int a) {
  v = a + 1;
  return v;
}
void _start(void) { f(1); }
`;

async function withVmlinux(run: (vmlinux: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await dir({ unsafeCleanup: true });
  try {
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
      expect(found.get('f+0x0')).toMatch(/drivers\.c:[23]$/);
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
