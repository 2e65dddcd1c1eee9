import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { buildKernel } from '../../harness/kernel/build.ts';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import { runRecordSchema } from '../../harness/run/record.ts';
import { processesIn } from '../processes.ts';
import { bootrace, cacheWithoutBoots, ENTRY } from './cli.ts';

let folder: Awaited<ReturnType<typeof dir>>;
/** The kernel under test, as a tree that somebody else builds would be: what stands there changes from night to night. */
let image: string;
let matrix: string;
let results: string;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  image = join(folder.path, 'Image');
  matrix = join(folder.path, 'matrix.yaml');
  results = join(folder.path, 'nights');
  await writeFile(
    matrix,
    `axes:
  kernel: ['image:${image}']
  linkage: [builtin]
  async: [none, both]
  delay: [0, 6000]
  # Fails every night, and so is not new.
  known: { values: ['no'], also: ['yes'], means: { 'yes': { cmdline: [initcall_blacklist=arm_smmu_driver_init] } } }
include:
  - { kernel: 'image:${image}', known: 'yes' }
expect:
  - { match: {}, verdict: bound }
  - { match: { async: both, delay: 6000 }, verdict: deferred-then-bound }
`,
  );
});

afterAll(() => folder.cleanup());

async function provide(recipe: string): Promise<void> {
  const kernel = await buildKernel({ recipe, linkage: 'builtin' });
  if (kernel.kind === 'unbuildable') throw new Error(kernel.reason);
  await rm(image, { force: true });
  await symlink(kernel.image, image);
}

function nightly(...words: readonly string[]) {
  return execa('node', [ENTRY, 'nightly', '--matrix', matrix, '--results', results, '--sample', '2', ...words], {
    reject: false,
    stdin: 'ignore',
    env: { NO_COLOR: '1', FORCE_COLOR: undefined, GITHUB_ACTIONS: undefined },
  });
}

test('a night that is interrupted hands the signal on, and leaves no process and no run', async () => {
  const place = join(folder.path, 'interrupted');
  const cache = await cacheWithoutBoots(join(folder.path, 'cache'));
  await symlink(join(cacheRoot(), 'cross'), join(cache, 'bootrace', 'cross'));
  const night = execa('node', [ENTRY, 'nightly', '--only', 'kernel=6.1', '--results', place], {
    ...{ reject: false, stdin: 'ignore', cwd: folder.path },
    env: { NO_COLOR: '1', FORCE_COLOR: undefined, XDG_CACHE_HOME: cache },
  });
  // The matrix has begun.
  await vi.waitUntil(async () => (await readdir(place).catch(() => [])).length > 0, 60_000);
  night.kill('SIGTERM');
  const { exitCode, stderr } = await night;
  expect(stderr.match(/interrupted by SIGTERM/g)).toHaveLength(2);
  expect(exitCode).toBe(143);
  expect(await readdir(place).catch(() => [])).toEqual([]);
  expect(await processesIn(folder.path)).toEqual([]);
});

async function runs(): Promise<string[]> {
  return (await readdir(results)).filter((name) => name !== 'latest' && name !== 'sample').sort();
}

const comparisonSchema = z.object({
  inputs: z.array(z.object({ input: z.string() })),
  cells: z.array(z.object({ id: z.string(), change: z.string(), changed: z.array(z.string()) })),
});

test('the first night fails for what is not as expected, and leaves all reports', async () => {
  await provide('6.1');
  const { exitCode, stderr } = await nightly();
  expect(exitCode, stderr).toBe(1);
  expect(stderr).toContain('2 cells booted again: every byte is the same');
  const files = await readdir(join(results, 'latest'));
  expect(files).toEqual(
    expect.arrayContaining(['run.json', 'report.html', 'junit.xml', 'results.ktap', 'kcidb.json', 'summary.md']),
  );
});

test('a night without a change is good, although a cell still fails, and boots nothing but its sample', async () => {
  const { exitCode, stderr, stdout } = await nightly();
  expect(exitCode, stderr + stdout).toBe(0);
  const run = runRecordSchema.parse(JSON.parse(await readFile(join(results, 'latest', 'run.json'), 'utf8')));
  expect(run.cells.map((cell) => cell.cached)).toEqual([true, true, true, true, true]);
  expect(run.cells.filter((cell) => !cell.asExpected)).toHaveLength(1);
});

test('the guard that was taken out of a kernel that had it is the only new failure', async () => {
  const [, before] = await runs();
  await provide('6.1-unfixed');
  const { exitCode, stdout, stderr } = await nightly();
  expect(exitCode, stderr).toBe(1);
  expect(stdout).toContain('qcom_scm_qsmmu500_wait_safe_toggle');
  const compared = await bootrace(['compare', join(results, before ?? ''), join(results, 'latest'), '--json']);
  expect(compared.exitCode).toBe(1);
  const { inputs, cells } = comparisonSchema.parse(JSON.parse(compared.stdout));
  const broken = cells.filter(({ change }) => change === 'new-failure');
  expect(broken).toEqual([
    expect.objectContaining({ id: expect.stringMatching(/async=both\.delay=6000$/), changed: ['kernel'] }),
  ]);
  expect(cells.map(({ change }) => change).toSorted()).toEqual([
    'new-failure',
    'same',
    'same',
    'same',
    'still-failing',
  ]);
  expect(inputs.map(({ input }) => input)).toEqual([expect.stringContaining('kernel')]);
});

test('old runs go, the newest stay', async () => {
  const before = await runs();
  const { exitCode } = await nightly('--keep', '2');
  expect(exitCode).toBe(0);
  expect(await runs()).toEqual([...before, (await runs()).at(-1)].slice(-2));
});

test('a word that is no option, and a number that is none, are wrong usage', async () => {
  for (const words of [
    ['--resutls', 'x'],
    ['--keep', 'all'],
  ]) {
    const { exitCode, stderr } = await nightly(...words);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(words[0]);
  }
});
