import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { $ } from 'zx';
import { EXIT } from '../errors.ts';
import { commandLine } from '../invocation.ts';
import { removeFolder } from '../kernel/cache.ts';
import { isMissing } from '../model/verdict.ts';
import { cellFiles, type LoadedRun, loadRun } from '../report/run-folder.ts';
import { count } from '../report/text.ts';
import { disagreements, nightlySample, outdatedRuns } from '../run/nightly.ts';
import type { CellRecord } from '../run/record.ts';
import { Interrupted } from '../terminal/failure.ts';
import { tell } from '../terminal/output.ts';
import type { NightlyOptions } from './nightly.options.ts';

const ENTRY = fileURLToPath(new URL('../../bootrace.js', import.meta.url));
const REPORTERS = ['table', 'html', 'junit', 'ktap', 'kcidb', 'markdown'];
/** Boots of each cell of the sample. */
const REPETITIONS = 2;
const MS_PER_DAY = 86_400_000;

/**
 * `bootrace nightly`, for one machine: installs missing tools, runs the matrix, writes every report, boots a sample of
 * the cells again to find flakes, compares with the previous nightly, and removes old ones. Returns 1 only for
 * regressions since the previous nightly, and for any flake.
 */
export async function nightly(options: NightlyOptions, signal: AbortSignal): Promise<number> {
  const { matrix, only = [], workers, results, knownIssues, keep, sample } = options;
  const given = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [`--${name}`, String(value)];
  const common = [...given('matrix', matrix), ...given('known-issues', knownIssues), ...given('workers', workers)];
  const reporters = process.env.GITHUB_ACTIONS === undefined ? REPORTERS : [...REPORTERS, 'github'];

  const runVerb = (...words: readonly string[]) => run(words, signal);
  const setUp = await runVerb('doctor', '--install');
  if (setUp !== EXIT.expected) return setUp;
  const before = await latestRun(results);
  const matrixCode = await runVerb(
    'matrix',
    ...common,
    ...only.flatMap((word) => ['--only', word]),
    '--results',
    results,
    ...reporters.flatMap((name) => ['--reporter', name]),
  );
  const tonight = await latestRun(results);
  // The run did not come to an end, and has said why.
  if (tonight === null || tonight === before) return matrixCode === EXIT.expected ? EXIT.noVerdict : matrixCode;

  const loaded = await loadRun(tonight);
  const sampled = await findFlakes(loaded, { size: sample, results: join(results, 'sample'), common, runVerb });
  const code = before === null ? matrixCode : await runVerb('compare', before, tonight);
  const written =
    before === null ? matrixCode : await runVerb('report', tonight, '--since', before, '--reporter', 'html');
  await keepNewest(results, keep);
  await keepNewest(join(results, 'sample'), keep);
  if (sampled === 'differs') return EXIT.unexpected;
  // `report` ends with what the run came to; anything else is trouble with the page.
  if (code === EXIT.expected && written !== matrixCode) return written;
  return sampled === 'not-booted' && code === EXIT.expected ? EXIT.noVerdict : code;
}

/**
 * Runs a verb with its output on this terminal; returns its exit code. Throws why `signal` was aborted, once the verb
 * has ended.
 */
async function run(words: readonly string[], signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  tell(`\n$ ${commandLine(words)}\n`);
  // The shell becomes the verb, which then gets what is sent to it.
  const verb = $({ nothrow: true, stdio: ['ignore', 'inherit', 'inherit'] })`exec node ${ENTRY} ${words}`;
  // It puts away what it has begun.
  const hand = () => verb.child?.kill(signal.reason instanceof Interrupted ? signal.reason.signal : 'SIGTERM');
  signal.addEventListener('abort', hand);
  const { exitCode } = await verb;
  signal.removeEventListener('abort', hand);
  signal.throwIfAborted();
  return exitCode ?? EXIT.noVerdict;
}

/** The run that `latest` points to, or null before the first. */
async function latestRun(results: string): Promise<string | null> {
  return realpath(join(results, 'latest')).catch(() => null);
}

async function keepNewest(results: string, keep: number): Promise<void> {
  for (const name of outdatedRuns(await readdir(results).catch(() => []), keep)) {
    await removeFolder(join(results, name));
    tell(`removed ${join(results, name)}\n`);
  }
}

/** Boots a sample of the run's cells again and prints every difference. */
async function findFlakes(
  { run, folder }: LoadedRun,
  {
    size,
    results,
    common,
    runVerb,
  }: {
    readonly size: number;
    readonly results: string;
    readonly common: readonly string[];
    readonly runVerb: (...words: readonly string[]) => Promise<number>;
  },
): Promise<'same' | 'differs' | 'not-booted'> {
  const ids = nightlySample(run.cells, size, Math.floor(Date.now() / MS_PER_DAY));
  if (ids.length === 0) return 'same';
  const words = ['--only', `id=${ids.join(',')}`, '--repeat', String(REPETITIONS), '--results', results];
  const before = await latestRun(results);
  await runVerb('matrix', ...common, ...words);
  const sample = await latestRun(results);
  const again = sample === null || sample === before ? null : await loadRun(sample);
  const consoleIn = (root: string) => {
    const read = cellFiles(root);
    return (cell: CellRecord) => read(cell, 'console.log');
  };
  const consoles = again === null ? null : { nightly: consoleIn(folder), sample: consoleIn(again.folder) };
  const found = again === null || consoles === null ? [] : disagreements(run, again.run, consoles);
  for (const { id, what, clockRace } of found)
    tell(
      clockRace === null
        ? `bootrace: a bug of the harness: ${id} does not repeat, its ${what} differs from boot to boot\n`
        : `${id}: QEMU's clock was off by ${clockRace} µs in the nightly's boot; those of the sample agree\n`,
    );
  if (found.some(({ clockRace }) => clockRace === null)) return 'differs';
  if (again === null || again.run.cells.some(({ verdict }) => isMissing(verdict))) {
    tell('bootrace: not all of the sample could be booted again: whether it repeats is not known\n');
    return 'not-booted';
  }
  if (found.length === 0) tell(`${count(ids.length, 'cell')} booted again: every byte is the same\n`);
  return 'same';
}
