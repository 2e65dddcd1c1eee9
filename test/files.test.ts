import { mkdir, readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readNamed, replaceFile } from '../harness/files.ts';
import { buildKernel } from '../harness/kernel/build.ts';
import { ensureFolder } from '../harness/kernel/cache.ts';
import { loadMatrix } from '../harness/matrix/matrix-file.ts';
import { ownerToken } from '../harness/owner.ts';
import { loadRun } from '../harness/report/run-folder.ts';

/** Files that never end, never begin, or are larger than what they are said to be. */
let folder: Awaited<ReturnType<typeof dir>>;
const path = (name: string) => join(folder.path, name);

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  await execa('mkfifo', [path('fifo'), path('run.json')]);
  await writeFile(path('huge'), 'MZ');
  await truncate(path('huge'), 2 ** 40);
  await mkdir(path('cache'));
});

afterAll(() => folder.cleanup());

const image = (recipe: string) =>
  buildKernel({ recipe: `image:${recipe}`, linkage: 'builtin', root: path('cache'), onProgress: () => {} });

test.each(['/dev/zero', '/dev/null', '/dev', 'fifo'])('%s is no kernel image', async (name) => {
  await expect(image(name.startsWith('/') ? name : path(name))).rejects.toThrow(/is not a regular file|EISDIR|EPERM/);
});

test('a kernel image has a sane size', async () => {
  await expect(image(path('huge'))).rejects.toThrow('has more than 536870912 bytes');
});

test('a run and a matrix, too', async () => {
  await expect(loadRun(folder.path)).rejects.toThrow('run.json is not a regular file');
  await expect(loadMatrix('/dev/zero')).rejects.toThrow('/dev/zero has more than 16777216 bytes');
});

test('a file that somebody names and that cannot be read is told in a sentence', async () => {
  const named = (name: string, isRegular = false) => readNamed(name, 'list of modules', { isRegular });
  for (const [name, code] of [
    [path('nonesuch'), 'ENOENT'],
    [path('huge/x'), 'ENOTDIR'],
    [path('cache'), 'EISDIR'],
    [path('x'.repeat(300)), 'ENAMETOOLONG'],
  ] as const)
    await expect(named(name)).rejects.toThrow(`the list of modules ${name} cannot be read (${code})`);
  await expect(named('/dev/zero')).rejects.toThrow('/dev/zero has more than 16777216 bytes');
  await expect(named(path('fifo'), true)).rejects.toThrow('fifo is not a regular file');
});

test('what is no YAML is not quoted as a whole', async () => {
  await writeFile(path('garbage'), `a: b\n@${'x'.repeat(10_000)}`);
  const message = await loadMatrix(path('garbage')).catch(({ message }: Error) => message);
  expect(message).toContain('garbage:2:1: ');
  expect(String(message).length).toBeLessThan(400);
});

test.each(['/proc/bootrace/cache', '/sys/bootrace', '/dev/null/bootrace'])('a cache in %s is refused', async (root) => {
  await expect(ensureFolder(root)).rejects.toThrow(`${root} is not writable`);
});

test('what a killed process left half-written goes with the next write, and what others are writing stays', async () => {
  const place = path('parts');
  await mkdir(place);
  const [pid, start, space] = (await ownerToken()).split('-');
  // Larger than any pid (proc(5), pid_max is at most 2^22); of this process; of another machine, lately and long ago.
  const dead = `file.99999999-${start}-${space}.x.part`;
  const alive = `file.${pid}-${start}-${space}.x.part`;
  const [elsewhere, longGone] = [`file.${pid}-${start}-0123456789ab.x.part`, `file.1-${start}-0123456789ab.x.part`];
  // As a browser calls what it has not loaded yet.
  const foreign = ['other.part', 'linux-6.12.tar.xz.part'];
  for (const name of [dead, alive, elsewhere, longGone, ...foreign]) await writeFile(join(place, name), 'half');
  for (const name of [longGone, ...foreign]) await utimes(join(place, name), 0, 0);
  await replaceFile(join(place, 'file'), 'whole', true);
  expect((await readdir(place)).sort()).toEqual(['file', alive, elsewhere, ...foreign].sort());
  expect(await readFile(join(place, 'file'), 'utf8')).toBe('whole');
});

test('a file that cannot be replaced leaves nothing behind', async () => {
  const place = path('taken');
  await mkdir(join(place, 'file'), { recursive: true });
  await expect(replaceFile(join(place, 'file'), 'whole', false)).rejects.toThrow(/EISDIR|ENOTEMPTY/);
  expect(await readdir(place)).toEqual(['file']);
});
