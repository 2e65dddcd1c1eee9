import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { withDir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { type CpioEntry, writeCpio } from '../../harness/guest/cpio.ts';
import { buildInitramfs } from '../../harness/guest/initramfs.ts';
import { GUEST_INIT, GUEST_INIT_LARGE_PAGES } from '../../harness/guest/program.ts';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import { crossCompile } from '../../harness/kernel/cross.ts';

const CPIO = 'cpio';

const part = fc.string({ unit: fc.constantFrom(...'abcxyz019._-é '), minLength: 1, maxLength: 12 });
const path = fc
  .array(
    part.filter((name) => !/^\.{1,2}$/.test(name)),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join('/'));
const content = fc.uint8Array({ maxLength: 40 });

/** Files with the folders that they need, as one archive holds them. */
const anyTree = fc.dictionary(path, content, { maxKeys: 12 }).map((files) => {
  const folders = new Set<string>();
  for (const file of Object.keys(files)) {
    const parts = file.split('/');
    for (let length = 1; length < parts.length; length++) folders.add(parts.slice(0, length).join('/'));
  }
  const kept = Object.entries(files).filter(([file]) => !folders.has(file));
  return { folders: [...folders].sort(), files: new Map(kept) };
});

async function filesBelow(folder: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const name of await readdir(folder, { recursive: true })) {
    if ((await stat(join(folder, name))).isFile()) found.set(name, await readFile(join(folder, name)));
  }
  return found;
}

/** One line of `cpio -t -v` for each entry: type and permissions, owner, size or device number, date, path. */
async function list(archive: Uint8Array): Promise<string[]> {
  const { stdout } = await execa(CPIO, ['-itv', '--numeric-uid-gid', '--quiet'], {
    input: archive,
    env: { TZ: 'UTC', LC_ALL: 'C' },
  });
  return stdout.split('\n').map((line) => line.replace(/ +/g, ' '));
}

describe('archives, read by the cpio program', { timeout: 60_000 }, () => {
  it('unpacks to the same files', async () => {
    const law = fc.asyncProperty(anyTree, ({ folders, files }) =>
      withDir(
        async ({ path: folder }) => {
          const archive = writeCpio([
            ...folders.map((name): CpioEntry => ({ kind: 'directory', path: name, mode: 0o755 })),
            ...[...files].map(([name, bytes]): CpioEntry => ({ kind: 'file', path: name, mode: 0o644, bytes })),
          ]);
          expect(archive.length % 4).toBe(0);
          await execa(CPIO, ['-i', '--quiet', '--no-absolute-filenames'], { input: archive, cwd: folder });
          const unpacked = await filesBelow(folder);
          expect([...unpacked.keys()].sort()).toEqual([...files.keys()].sort());
          for (const [name, bytes] of files) expect(unpacked.get(name)?.equals(bytes)).toBe(true);
        },
        { unsafeCleanup: true },
      ),
    );
    await fc.assert(law, { numRuns: 25 });
  });

  it('holds what the guest needs, owned by root and dated 1970', async () => {
    const init = new Uint8Array(5);
    const archive = buildInitramfs(init);
    expect(await list(archive)).toEqual([
      'drwxr-xr-x 2 0 0 0 Jan 1 1970 dev',
      'drwxr-xr-x 2 0 0 0 Jan 1 1970 proc',
      'drwxr-xr-x 2 0 0 0 Jan 1 1970 sys',
      'crw------- 1 0 0 5, 1 Jan 1 1970 dev/console',
      'crw------- 1 0 0 1, 11 Jan 1 1970 dev/kmsg',
      '-rwxr-xr-x 1 0 0 5 Jan 1 1970 init',
    ]);
    expect(archive).toEqual(buildInitramfs(init));
  });

  it.each(['', '/init', 'a//b', 'a/../../b', '.', 'a/', 'TRAILER!!!', 'a\0b'])('refuses the path %j', (bad) => {
    const entry: CpioEntry = { kind: 'directory', path: bad, mode: 0o755 };
    expect(() => writeCpio([entry])).toThrow('cannot be a path');
  });
});

/** Offset, address and size in memory of what is loaded of an ELF file (ELF-64 Object File Format, program header). */
function segmentsOf(elf: Buffer): { offset: number; address: number; size: number }[] {
  const LOAD = 1;
  const table = Number(elf.readBigUInt64LE(32));
  return Array.from({ length: elf.readUInt16LE(56) }, (_, n) => table + n * elf.readUInt16LE(54))
    .filter((at) => elf.readUInt32LE(at) === LOAD)
    .map((at) => ({
      offset: Number(elf.readBigUInt64LE(at + 8)),
      address: Number(elf.readBigUInt64LE(at + 16)),
      size: Number(elf.readBigUInt64LE(at + 40)),
    }));
}

describe('the init', () => {
  it.each([
    ['usual', GUEST_INIT, 4096],
    ['that of kernels with large pages', GUEST_INIT_LARGE_PAGES, 65536],
  ])('%s can be mapped with pages of its size, a segment on pages of its own', async (_, program, page) => {
    const segments = segmentsOf(Buffer.from(await crossCompile(program, cacheRoot())));
    expect(segments.length).toBeGreaterThan(0);
    for (const { offset, address } of segments) expect((address - offset) % page).toBe(0);
    const pages = segments.flatMap(({ address, size }) => {
      const first = Math.floor(address / page);
      return Array.from({ length: Math.floor((address + size - 1) / page) - first + 1 }, (_, n) => first + n);
    });
    expect(new Set(pages).size).toBe(pages.length);
  });
});
