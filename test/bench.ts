/**
 * `npm run bench`: where the time goes, as ratios from one run. Medians over repetitions; the two sides of a ratio take turns, so that
 * a machine that slows down slows both.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { DEFAULT_MATRIX, loadMatrix } from '../harness/matrix/load.ts';
import { selectCells } from '../harness/matrix/select.ts';
import { qemuVersion } from '../harness/qemu/version.ts';
import { runCells } from '../harness/run/run.ts';
import { measureLogParser } from './dmesg/speed.ts';

const REPETITIONS = 3;
const LOG_MB = 100;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const seconds = (ms: number) => (ms / 1000).toFixed(2);

/** The matrix's boots against a bare loop that starts the same QEMU command lines on the same number of workers. */
async function bootsAgainstBareLoop() {
  const cells = selectCells(await loadMatrix(DEFAULT_MATRIX), ['kernel=6.1,6.1-unfixed', 'linkage=builtin,modules']);
  const workers = availableParallelism();
  return withDir(
    async ({ path }) => {
      const harness: number[] = [];
      const bare: number[] = [];
      const cached: number[] = [];
      const qemu = await qemuVersion();
      const runOnce = (useCache: boolean) =>
        runCells({
          cells,
          workers,
          repeat: 1,
          results: join(path, 'results'),
          becomesLatest: false,
          signal: new AbortController().signal,
          listen: () => {},
          knownIssues: [],
          useCache,
          useForks: false,
          about: {
            harness: { version: 'bench', commit: null },
            qemu,
            matrix: { file: DEFAULT_MATRIX, hash: '', selection: [] },
            shard: null,
          },
        });
      for (let repetition = 0; repetition <= REPETITIONS; repetition++) {
        const { run, folder } = await runOnce(false);
        const scripts = run.cells.flatMap((cell) =>
          cell.folder === null ? [] : [join(folder, cell.folder, 'command.sh')],
        );
        const started = performance.now();
        // The guests end by themselves at the same point: they power off, or panic with -no-reboot. Their
        // consoles go nowhere, which is the least that a loop can do with them.
        await execa('xargs', ['-P', String(workers), '-n', '1', 'sh'], {
          input: scripts.join('\n'),
          stdout: 'ignore',
          stderr: 'ignore',
          reject: false,
        });
        // The first round only warms the page cache.
        if (repetition === 0) continue;
        harness.push(run.wallMs.boots);
        bare.push(performance.now() - started);
        cached.push((await runOnce(true)).run.wallMs.boots);
      }
      const ratio = median(harness.map((ms, n) => ms / (bare[n] ?? Number.NaN)));
      console.log(`boots: ${cells.length} cells on ${workers} workers, medians of ${REPETITIONS}`);
      console.log(
        `  harness   ${seconds(median(harness))} s, ${((cells.length * 60_000) / median(harness)).toFixed(0)} cells a minute`,
      );
      console.log(
        `  bare loop ${seconds(median(bare))} s, ${((cells.length * 60_000) / median(bare)).toFixed(0)} cells a minute`,
      );
      console.log(
        `  cache     ${seconds(median(cached))} s, ${((cells.length * 60_000) / median(cached)).toFixed(0)} cells a minute`,
      );
      console.log(`  ratio     ${ratio.toFixed(3)} (at most 1.10)`);
      return { cells: cells.length, workers, harnessMs: harness, bareMs: bare, cachedMs: cached, ratio };
    },
    { unsafeCleanup: true },
  );
}

/** A log of 100 MB through the parser. */
function parserThroughput() {
  const runs = Array.from({ length: REPETITIONS }, () => measureLogParser(LOG_MB));
  const time = median(runs.map((run) => run.seconds));
  const residentMb = Math.max(...runs.map((run) => run.residentMegabytes));
  console.log(
    `parser: ${LOG_MB} MB of log in ${time.toFixed(2)} s (under 3 s), resident ${residentMb.toFixed(0)} MB (under 200 MB)`,
  );
  return { logMb: LOG_MB, seconds: runs.map((run) => run.seconds), residentMb };
}

const parser = parserThroughput();
const boots = await bootsAgainstBareLoop();
const file = process.argv[2];
if (file !== undefined) await writeFile(file, `${JSON.stringify({ parser, boots }, null, 1)}\n`);
