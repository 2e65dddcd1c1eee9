import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildKernel } from '../harness/kernel/build.ts';
import { ensureFolder } from '../harness/kernel/cache.ts';
import { loadMatrix } from '../harness/matrix/matrix-file.ts';
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

test.each(['/proc/bootrace/cache', '/sys/bootrace', '/dev/null/bootrace'])('a cache in %s is refused', async (root) => {
  await expect(ensureFolder(root)).rejects.toThrow(`${root} is not writable`);
});
