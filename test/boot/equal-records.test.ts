import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CellRecord, type RunRecord, runRecordSchema } from '../../harness/run/record.ts';
import { guestsIn } from '../processes.ts';
import { seededRandom } from '../random.ts';
import { bootrace, cacheWithoutBoots } from './cli.ts';

/** Eight cells of two kernels: all verdicts that a race has. */
const MATRIX = `axes:
  kernel: [6.1, 6.1-unfixed]
  linkage: [builtin]
  async: [none, both]
  delay: [0, 6000]
expect:
  - { match: {}, verdict: bound }
  - { match: { kernel: 6.1, async: both, delay: 6000 }, verdict: deferred-then-bound }
  - { match: { kernel: 6.1-unfixed, async: both, delay: 6000 }, verdict: null-deref }
`;

const KILLS = 10;

/** However a run comes about (from the cache, after a kill, in shards), its records are those of a fresh one. */
let folder: Awaited<ReturnType<typeof dir>>;
let matrix: string;
let cache: string;
let fresh: RunRecord;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  matrix = join(folder.path, 'matrix.yaml');
  await writeFile(matrix, MATRIX);
  expect((await bootrace(['matrix', '--matrix', matrix, '--build-only'])).exitCode).toBe(0);
  cache = await cacheWithoutBoots(join(folder.path, 'cache'));
  fresh = await run('fresh', '--no-cache');
  expect(fresh.cells).toHaveLength(8);
});

afterAll(() => folder.cleanup());

function words(results: string, ...more: string[]): string[] {
  return ['matrix', '--matrix', matrix, '--results', join(folder.path, results), ...more];
}

async function run(results: string, ...more: string[]): Promise<RunRecord> {
  const { exitCode, stderr } = await bootrace(words(results, ...more), { cache });
  expect(exitCode, stderr).toBe(0);
  return runRecordSchema.parse(JSON.parse(await readFile(join(folder.path, results, 'latest', 'run.json'), 'utf8')));
}

/** What must be the same however the boot came to the record. */
function lasting(cells: readonly CellRecord[]): unknown[] {
  return cells.map(({ wallMs: _, cached: __, forked: ___, ...cell }) => cell);
}

/**
 * The same between two boots on a machine that is busy with something else. QEMU 7.2's main loop may see a CPU that has just halted before the CPU's
 * thread has counted its last instructions (accel/tcg: icount_start_warp_timer() against icount_process_data()); virtual
 * time is then some microseconds ahead, in one of some hundred boots.
 */
function lastingOnBusyMachine(cells: readonly CellRecord[]): unknown[] {
  return cells.map(({ wallMs: _, cached: __, forked: ___, consoleHash: ____, virtualMs: _____, ...cell }) => ({
    ...cell,
    gates: cell.gates.map(({ time: _, ...gate }) => gate),
  }));
}

test('a second run takes every boot from the cache, and its records and files are the same', async () => {
  const again = await run('fresh');
  expect(again.cells.every((cell) => cell.cached)).toBe(true);
  expect(lasting(again.cells)).toEqual(lasting(fresh.cells));
  const results = join(folder.path, 'fresh');
  for (const { folder: cell } of again.cells) {
    const [before, after] = [join(results, fresh.run, cell ?? ''), join(results, again.run, cell ?? '')];
    expect(await readdir(after)).toEqual(await readdir(before));
    for (const name of ['console.log', 'firmware.log', 'events.jsonl', 'command.sh', 'variant.dtb'])
      expect(await readFile(join(after, name)), name).toEqual(await readFile(join(before, name)));
  }
});

test('--no-cache and --repeat boot', async () => {
  const one = ['--only', 'kernel=6.1', '--only', 'async=none'];
  for (const option of [['--no-cache'], ['--repeat', '2']]) {
    const { cells, flakes } = await run('fresh', ...one, ...option);
    expect(cells.map((cell) => cell.cached)).toEqual([false, false]);
    expect(flakes).toEqual([]);
  }
});

describe('SIGKILL at a random moment', () => {
  const random = seededRandom('moments of the kills');
  const moments = Array.from({ length: KILLS }, () => Math.round(random() * 100) / 100);

  test.each(moments)('%#: at %d of the time of a run', async (moment) => {
    await rm(join(cache, 'bootrace', 'boots'), { recursive: true, force: true });
    const child = bootrace(words('killed'), { cache });
    await sleep(moment * fresh.wallMs.total);
    child.kill('SIGKILL');
    await child;
    const resumed = await run('killed');
    expect(lastingOnBusyMachine(resumed.cells)).toEqual(lastingOnBusyMachine(fresh.cells));
    expect((await readdir(join(folder.path, 'killed'))).filter((name) => name.includes('unfinished'))).toEqual([]);
    expect(await guestsIn(folder.path)).toEqual([]);
  });

  test('some of the kills left boots for the next run', async () => {
    const runs = (await readdir(join(folder.path, 'killed'))).filter((name) => name !== 'latest');
    const records = await Promise.all(
      runs.map(async (name) =>
        runRecordSchema.parse(JSON.parse(await readFile(join(folder.path, 'killed', name, 'run.json'), 'utf8'))),
      ),
    );
    expect(records.map(({ cells }) => cells.filter((cell) => cell.cached).length).some((cached) => cached > 0)).toBe(
      true,
    );
  });
});

test('four shards, run side by side on an empty cache and merged, are the whole run', async () => {
  await rm(join(cache, 'bootrace', 'boots'), { recursive: true, force: true });
  const indices = ['1', '2', '3', '4'];
  await Promise.all(indices.map((index) => run(`shard-${index}`, '--shard', `${index}/4`, '--workers', '1')));
  const parts = indices.map((index) => join(folder.path, `shard-${index}`, 'latest'));
  const merged = join(folder.path, 'merged');
  const { exitCode, stderr } = await bootrace(['merge', ...parts, '--results', merged]);
  expect(exitCode, stderr).toBe(0);
  const whole = runRecordSchema.parse(JSON.parse(await readFile(join(merged, 'latest', 'run.json'), 'utf8')));
  const byId = (cells: readonly CellRecord[]) => cells.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  expect(whole.cells.filter((cell) => cell.cached)).toEqual([]);
  expect(lastingOnBusyMachine(byId(whole.cells))).toEqual(lastingOnBusyMachine(byId(fresh.cells)));

  const compared = await bootrace(['compare', join(folder.path, 'fresh', fresh.run), join(merged, 'latest')]);
  expect(compared.exitCode).toBe(0);
  // A cell's command.sh still finds what the cells share.
  const cell = whole.cells.find(({ verdict }) => verdict === 'null-deref');
  const path = join(merged, 'latest', cell?.folder ?? '');
  const replayed = await execa('sh', [join(path, 'command.sh')], { stdin: 'ignore', stripFinalNewline: false });
  // By hand a guest goes on behind the event that ends a boot.
  const console = await readFile(join(path, 'console.log'), 'utf8');
  expect(replayed.stdout.slice(0, console.length)).toBe(console);
  expect(cell?.replay).toBe(`npm run -s bootrace -- cell ${cell?.id} --matrix ${matrix}`);
});
