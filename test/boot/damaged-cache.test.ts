import { chmod, chown, cp, mkdir, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KernelArtefact } from '../../harness/kernel/artefact.ts';
import { buildKernel } from '../../harness/kernel/build.ts';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import { readPublished } from '../../harness/kernel/published.ts';
import { bootrace } from './cli.ts';

/** A cache that something has damaged, or that cannot be written. Each test has a copy of two kernels in a cache of its own. */

let folder: Awaited<ReturnType<typeof dir>>;
let kernel: KernelArtefact;
let cache: string;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  const built = await buildKernel({ recipe: '6.1', linkage: 'modules' });
  if (built.kind !== 'ready') throw new Error(built.reason);
  kernel = built;
  cache = join(folder.path, 'cache');
  const root = join(cache, 'bootrace');
  await mkdir(join(root, 'kernels'), { recursive: true });
  await cp(join(cacheRoot(), 'sources'), join(root, 'sources'), { recursive: true });
  await cp(join(cacheRoot(), 'kernels', kernel.key), join(root, 'kernels', kernel.key), { recursive: true });
});

afterAll(() => folder.cleanup());

const file = (name: string) => join(cache, 'bootrace', 'kernels', kernel.key, name);

/** Turns one bit of a file over; size and time stamps stay. */
async function damage(path: string): Promise<void> {
  const { atime, mtime, size } = await stat(path);
  const handle = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  const at = Math.floor(size / 2);
  await handle.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, at);
  await handle.close();
  await utimes(path, atime, mtime);
}

async function cell(results: string): Promise<{ code: number | undefined; said: string }> {
  const words = ['matrix', '--only', 'id=6.1.modules.node=last', '--results', join(folder.path, results), '--json'];
  const { exitCode, stdout, stderr } = await bootrace(words, { cache });
  return { code: exitCode, said: stdout + stderr };
}

test('a sound kernel boots', async () => {
  expect(await cell('sound')).toMatchObject({ code: 0 });
});

test('a damaged module is blamed on the cache, not on the kernel, and no verdict is kept', async () => {
  await damage(file('modules/qcom-scm.ko'));
  const { code, said } = await cell('module');
  expect(said).toContain('qcom-scm.ko in the cache is damaged');
  expect(code).toBe(3);
  // The kernel is gone, to be made anew.
  await expect(stat(file('kernel.json'))).rejects.toThrow('ENOENT');
  await cp(join(cacheRoot(), 'kernels', kernel.key), file(''), { recursive: true });
  expect(await cell('module')).toMatchObject({ code: 0 });
});

test.each(['Image', 'System.map'])('a kernel whose %s is damaged is not used', async (name) => {
  const root = join(folder.path, `damaged-${name}`);
  await cp(join(cache, 'bootrace', 'kernels', kernel.key), join(root, 'kernels', kernel.key), { recursive: true });
  expect(await readPublished(root, kernel.key, kernel)).toMatchObject({ kind: 'ready' });
  await damage(join(root, 'kernels', kernel.key, name));
  expect(await readPublished(root, kernel.key, kernel)).toBeNull();
});

test('a damaged firmware or init is compiled again', async () => {
  const cross = join(cache, 'bootrace', 'cross');
  expect(await readdir(cross)).not.toEqual([]);
  for (const key of await readdir(cross))
    for (const name of await readdir(join(cross, key)))
      if (!name.endsWith('.sha256')) await damage(join(cross, key, name));
  await rm(join(cache, 'bootrace', 'boots'), { recursive: true });
  expect(await cell('cross')).toMatchObject({ code: 0 });
});

const ENTRY = join(import.meta.dirname, '../../bootrace.js');

/** Boots the cell with the cache of these tests; `words` are put before the command. */
async function cellFrom(words: readonly string[], results: string, more: { readonly uid?: number } = {}) {
  const [program = '', ...rest] = [
    ...words,
    ...['node', ENTRY, 'matrix', '--only', 'id=6.1.modules.node=last', '--results', results, '--no-cache'],
  ];
  const env = { XDG_CACHE_HOME: cache, NO_COLOR: '1' };
  const { exitCode, stderr } = await execa(program, rest, { ...more, reject: false, env, cwd: folder.path });
  expect(stderr).not.toContain('not writable');
  expect(exitCode, stderr).toBe(0);
  expect(JSON.parse(await readFile(join(results, 'latest', 'run.json'), 'utf8')).cells[0].verdict).toBe('bound');
}

/** Words that run a command where something is mounted: `$1` is the cache. */
async function mounted(name: string, script: string): Promise<string[]> {
  const file = join(folder.path, name);
  await writeFile(file, `${script} && shift && exec "$@"`);
  return ['unshare', '--user', '--map-root-user', '--mount', 'sh', file, cache];
}

test('what is in a cache that cannot be written is used', async () => {
  const words = await mounted('read-only', 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"');
  await cellFrom(words, join(folder.path, 'read-only-results'));
});

test('what is in a cache on a full disk is used', async () => {
  // A file system in memory that has what the cache has, but for what is compiled from C, and not a byte more.
  const words = await mounted(
    'full',
    [
      'size=$(du -sm "$1/bootrace/kernels" | cut -f1)',
      'mkdir -p "$1/../tmpfs" && mount -t tmpfs -o size=$((size + 8))m none "$1/../tmpfs"',
      'cp -a "$1/bootrace" "$1/../tmpfs/" && rm -rf "$1/../tmpfs/bootrace/cross"',
      '{ cat /dev/zero > "$1/../tmpfs/filler" 2> "$1/../full-disk" || true; }',
      'grep -q "No space" "$1/../full-disk"',
      'mount --bind "$1/../tmpfs" "$1"',
    ].join(' && '),
  );
  await cellFrom(words, join(folder.path, 'full-results'));
  expect(await readFile(join(folder.path, 'full-disk'), 'utf8')).toContain('No space left');
});

test('the modules of a board are looked for again where their list is damaged or cannot be kept', async () => {
  const board = async (words: readonly string[]) => {
    const kernelWords = ['--kernel', `image:${kernel.image},map=${kernel.systemMap}`];
    const [program = '', ...rest] = [...words, 'node', ENTRY, 'board', 'small', ...kernelWords, '--json'];
    const env = { XDG_CACHE_HOME: cache, NO_COLOR: '1' };
    const { exitCode, stdout, stderr } = await execa(program, rest, { reject: false, env, cwd: folder.path });
    expect(exitCode, stderr).toBe(0);
    return stdout;
  };
  const counted = await board([]);
  const lists = join(cache, 'bootrace', 'board-modules');
  for (const list of await readdir(lists)) await writeFile(join(lists, list), '{"modules": ["a');
  expect(await board([])).toBe(counted);
  await rm(lists, { recursive: true });
  expect(await board(await mounted('read-only', 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"'))).toBe(
    counted,
  );
});

const NOBODY = 65534;

/** Not below a home that nobody else may enter. */
async function nobodyCanStart(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return (await execa('node', [ENTRY, '--version'], { uid: NOBODY, reject: false, cwd: '/' })).exitCode === 0;
}

test.runIf(await nobodyCanStart())('what is in a cache of another user is used', async () => {
  await chmod(folder.path, 0o755);
  const results = join(folder.path, 'results-of-nobody');
  await mkdir(results);
  await chown(results, NOBODY, NOBODY);
  await cellFrom([], results, { uid: NOBODY });
});
