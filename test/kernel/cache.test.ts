import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { InfraError } from '../../harness/errors.ts';
import {
  bestEffort,
  cacheRoot,
  ensureFolder,
  fileSystemError,
  publish,
  removeCache,
  requireFreeSpace,
  useCache,
  usersOfCache,
  withTemporary,
  writeAtomic,
} from '../../harness/kernel/cache.ts';
import { takeLock } from '../../harness/kernel/lock.ts';
import { publishKernel, readPublished, requireSound, storeOnce } from '../../harness/kernel/published.ts';
import { ownerToken } from '../../harness/owner.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const inFolder = (test: (path: string) => Promise<void>) => () =>
  withDir(({ path }) => test(path), { unsafeCleanup: true });

describe('the cache folder', () => {
  it('is where the XDG specification says', () => {
    expect(cacheRoot({ XDG_CACHE_HOME: '/elsewhere' })).toBe('/elsewhere/bootrace');
    expect(cacheRoot({ XDG_CACHE_HOME: 'relative' })).toMatch(/\.cache\/bootrace$/);
    expect(cacheRoot({})).toMatch(/\.cache\/bootrace$/);
  });

  it(
    'that cannot be made is an error that names it',
    inFolder(async (path) => {
      await writeFile(join(path, 'file'), '');
      await expect(ensureFolder(join(path, 'file', 'cache'))).rejects.toThrow(/is not writable \(ENOTDIR\)/);
    }),
  );

  it(
    'on a full disk says how much is needed',
    inFolder(async (path) => {
      const MORE_THAN_ANY_DISK = 2 ** 40;
      await expect(requireFreeSpace(path, MORE_THAN_ANY_DISK, 'a test')).rejects.toThrow(
        /a test needs 1099511627776 MiB/,
      );
      const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      expect(fileSystemError(full, '/cache', 1200)).toBeInstanceOf(InfraError);
      expect(fileSystemError(full, '/cache', 1200)).toMatchObject({ hint: expect.stringContaining('1200 MiB') });
    }),
  );
});

describe('a cache that is removed', () => {
  it(
    'is gone, with what a killed removal has left, and may be written to meanwhile',
    inFolder(async (path) => {
      const root = join(path, 'bootrace');
      const [, start, space] = (await ownerToken()).split('-');
      await mkdir(join(path, `bootrace.removed-99999999-${start}-${space}`, 'boots'), { recursive: true });
      await mkdir(join(path, 'other'));
      const boots = await ensureFolder(join(root, 'boots'));
      for (let n = 0; n < 500; n++) await writeFile(join(boots, `${n}`), '');
      let isRemoved = false;
      let more = 500;
      const writing = (async () => {
        while (!isRemoved) {
          await ensureFolder(boots);
          await bestEffort(() => writeAtomic(join(boots, `${more++}`), 'x', false));
        }
      })();
      await removeCache(root);
      isRemoved = true;
      await writing;
      expect((await readdir(path)).sort()).toEqual(['bootrace', 'other']);
      expect(await readdir(boots)).not.toContain('0');
      await removeCache(root);
      await removeCache(root);
      expect(await readdir(path)).toEqual(['other']);
    }),
  );

  it(
    'while it is written to spares nothing, and is no error',
    inFolder(async (path) => {
      expect(await bestEffort(() => writeAtomic(join(path, 'gone', 'entry'), 'x'))).toBeNull();
    }),
  );
});

describe('temporary folders', () => {
  it(
    'are gone afterwards, also after an error and after a run that was killed',
    inFolder(async (root) => {
      const NO_SUCH_PROCESS = '4194999';
      const [, start, space] = (await ownerToken()).split('-');
      await mkdir(join(root, 'tmp', `${NO_SUCH_PROCESS}-${start}-${space}-left`), { recursive: true });
      await expect(
        withTemporary(root, async () => {
          expect(await readdir(join(root, 'tmp'))).toHaveLength(1);
          throw new Error('inside');
        }),
      ).rejects.toThrow('inside');
      expect(await readdir(join(root, 'tmp'))).toEqual([]);
    }),
  );

  it(
    'of a run that goes on are left alone',
    inFolder(async (root) => {
      await withTemporary(root, async (first) => {
        await withTemporary(root, async () => {});
        expect(await readdir(join(root, 'tmp'))).toEqual([first.split('/').at(-1)]);
      });
    }),
  );
});

describe('who uses the cache', () => {
  it(
    'is told until the last one leaves it, and a killed one is not',
    inFolder(async (root) => {
      expect(await usersOfCache(root)).toEqual([]);
      const leave = [await useCache(root), await useCache(root)];
      const [, start, space] = (await ownerToken()).split('-');
      await mkdir(join(root, 'tmp', `1-${Number(start) - 1}-${space}-killed`));
      expect(await usersOfCache(root)).toEqual([`process ${process.pid}`]);
      const foreign = join(root, 'tmp', `1-${start}-0123456789ab-there`);
      await mkdir(foreign);
      expect(await usersOfCache(root)).toEqual([expect.stringContaining('another machine'), `process ${process.pid}`]);
      await rm(foreign, { recursive: true });
      await leave[0]?.();
      expect(await usersOfCache(root)).toEqual([`process ${process.pid}`]);
      await withTemporary(root, async () => leave[1]?.());
      expect(await usersOfCache(root)).toEqual([]);
    }),
  );
});

describe('publishing', () => {
  it(
    'keeps what another run has published first',
    inFolder(async (root) => {
      for (const name of ['one', 'two']) {
        await mkdir(join(root, name));
        await writeFile(join(root, name, 'content'), name);
        await publish(join(root, name), join(root, 'target'));
      }
      expect(await readFile(join(root, 'target', 'content'), 'utf8')).toBe('one');
      expect(await readdir(root)).toEqual(['target']);
    }),
  );

  it(
    'a kernel that was damaged since makes it unknown again',
    inFolder(async (root) => {
      const record = {
        kind: 'ready',
        release: '6.1',
        imageHash: sha256('abcd'),
        imageSize: 4,
        modules: [],
        files: [],
      } as const;
      const cell = { recipe: '6.1', linkage: 'builtin', source: 'debian 6.1.1-1' } as const;
      const make = () => publishKernel(root, 'key', record, (folder) => writeFile(join(folder, 'Image'), 'abcd'));
      await make();
      expect(await readPublished(root, 'key', cell)).toMatchObject({
        kind: 'ready',
        release: '6.1',
        linkage: 'builtin',
      });
      for (const damaged of ['ab', 'abce']) {
        await writeFile(join(root, 'kernels', 'key', 'Image'), damaged);
        expect(await readPublished(root, 'key', cell)).toBeNull();
        await make();
      }
      await writeFile(join(root, 'kernels', 'key', 'kernel.json'), '{"kind":');
      expect(await readPublished(root, 'key', cell)).toBeNull();
      await make();
      expect(await readPublished(root, 'key', cell)).toMatchObject({ kind: 'ready' });
    }),
  );
});

describe('a kernel of an earlier version, which has no list of hashes', () => {
  const cell = { recipe: '6.1', linkage: 'builtin', source: null } as const;
  const record = {
    kind: 'ready',
    release: '6.1',
    imageHash: sha256('image'),
    imageSize: 5,
    modules: [{ file: 'a.ko', depends: [] }],
    files: ['System.map'],
  } as const;
  const earlier = async (root: string) => {
    await publishKernel(root, 'key', record, async (folder) => {
      await writeFile(join(folder, 'Image'), 'image');
      await writeFile(join(folder, 'System.map'), 'map');
      await writeFile(join(folder, 'modules', 'a.ko'), 'module');
    });
    await rm(join(root, 'kernels', 'key', 'hashes.json'));
    return join(root, 'kernels', 'key');
  };

  it(
    'is used, and what is damaged from then on is noticed',
    inFolder(async (root) => {
      const folder = await earlier(root);
      const found = await readPublished(root, 'key', cell);
      if (found?.kind !== 'ready') throw new Error('it is not used');
      const module = join(folder, 'modules', 'a.ko');
      expect(() => requireSound(found, module, Buffer.from('module'))).not.toThrow();
      await writeFile(join(folder, 'System.map'), 'cut');
      expect(await readPublished(root, 'key', cell)).toBeNull();
      await earlier(root);
      await readPublished(root, 'key', cell);
      const again = await readPublished(root, 'key', cell);
      if (again?.kind !== 'ready') throw new Error('it is not used');
      expect(() => requireSound(again, module, Buffer.from('modulo'))).toThrow('a.ko in the cache is damaged');
      await expect(stat(folder)).rejects.toThrow('ENOENT');
    }),
  );

  it(
    'is not used where its Image is not the one of its record',
    inFolder(async (root) => {
      await writeFile(join(await earlier(root), 'Image'), 'imagf');
      expect(await readPublished(root, 'key', cell)).toBeNull();
    }),
  );
});

describe('files of kernels', () => {
  it(
    'that are the same are stored once, and anew when the stored one was damaged',
    inFolder(async (root) => {
      const given = join(root, 'given');
      await writeFile(given, 'the same bytes');
      const put = async (name: string) => {
        await storeOnce(root, given, join(root, name));
        return (await stat(join(root, name))).ino;
      };
      const [first, second] = [await put('first'), await put('second')];
      expect(second).toBe(first);
      await writeFile(join(root, 'first'), 'cut');
      expect(await put('third')).not.toBe(first);
      expect(await readFile(join(root, 'third'), 'utf8')).toBe('the same bytes');
      await writeFile(given, 'others');
      await put('fourth');
      expect(await readdir(join(root, 'objects'))).toHaveLength(2);
    }),
  );

  it(
    'are stored once by several at the same time',
    inFolder(async (root) => {
      const given = join(root, 'given');
      await writeFile(given, 'the same bytes');
      const names = Array.from({ length: 8 }, (_, n) => join(root, `${n}`));
      await Promise.all(names.map((name) => storeOnce(root, given, name)));
      expect(new Set(await Promise.all(names.map(async (name) => (await stat(name)).ino))).size).toBe(1);
      expect(await readFile(given, 'utf8')).toBe(await readFile(names[0] ?? '', 'utf8'));
      expect(await readdir(join(root, 'objects'))).toHaveLength(1);
    }),
  );
});

describe('a lock', () => {
  it(
    'is held by one at a time, in turn',
    inFolder(async (root) => {
      const path = join(root, 'lock');
      const first = await takeLock(path, () => {});
      let waited = false;
      const second = takeLock(path, () => {
        waited = true;
      });
      const other = await execa('flock', ['--nonblock', path, 'true'], { reject: false });
      expect(other.exitCode).toBe(1);
      await expect.poll(() => waited).toBe(true);
      await first.release();
      await (await second).release();
      expect((await execa('flock', ['--nonblock', path, 'true'], { reject: false })).exitCode).toBe(0);
    }),
  );

  it(
    'stays with a child that inherited it until that ends',
    inFolder(async (root) => {
      const path = join(root, 'lock');
      const lock = await takeLock(path, () => {});
      const child = execa('cat', { stdio: ['pipe', 'ignore', 'ignore', lock.file] });
      await lock.release();
      expect((await execa('flock', ['--nonblock', path, 'true'], { reject: false })).exitCode).toBe(1);
      child.stdin.end();
      await child;
      expect((await execa('flock', ['--nonblock', path, 'true'], { reject: false })).exitCode).toBe(0);
    }),
  );

  it(
    'is given up waiting for when the run is cancelled',
    inFolder(async (root) => {
      const path = join(root, 'lock');
      const lock = await takeLock(path, () => {});
      const controller = new AbortController();
      const second = takeLock(path, () => controller.abort(), controller.signal);
      await expect(second).rejects.toThrow();
      await lock.release();
    }),
  );
});
