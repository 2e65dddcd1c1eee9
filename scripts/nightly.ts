#!/usr/bin/env -S npx tsx
/**
 * The nightly, for one machine: `npm run nightly`. Sees to the tools, runs the matrix, writes every report, boots a sample of the cells anew to find
 * flakes, compares with the night before, and removes old nights. Fails only for what is new, and for any flake.
 */
import { readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { $ } from 'zx';
import { guardProcess, printError } from '../harness/commands/failure.ts';
import { EXIT, InputError } from '../harness/errors.ts';
import { loadRun } from '../harness/report/run-folder.ts';
import { disagreements, outdatedRuns, sampleOfNight } from '../harness/run/nights.ts';

const USAGE = `npm run nightly -- [options]
  --matrix <file>        the matrix file (default: the one that comes with bootrace)
  --only <axis=value>    only cells with this value; repeatable
  --known-issues <file>  treat what this file lists as notes
  --workers <n>          guests at a time (default: one a core)
  --results <dir>        folder of the nights (default: results/nightly)
  --keep <n>             nights that are kept (default: 14)
  --sample <n>           cells that are booted again each night (default: 8)
`;

const ENTRY = fileURLToPath(new URL('../bootrace.js', import.meta.url));
const REPORTERS = ['table', 'html', 'junit', 'ktap', 'kcidb', 'markdown'];
/** Boots of each cell of the sample. */
const REPETITIONS = 2;
const MS_PER_DAY = 86_400_000;

function options() {
  try {
    return parseArgs({
      options: {
        matrix: { type: 'string' },
        only: { type: 'string', multiple: true, default: [] },
        'known-issues': { type: 'string' },
        workers: { type: 'string' },
        results: { type: 'string', default: 'results/nightly' },
        keep: { type: 'string', default: '14' },
        sample: { type: 'string', default: '8' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InputError(error.message, 'see npm run nightly -- --help', { cause: error });
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InputError(`--${name} ${text}: expected a whole number from 1`);
  return value;
}

/** Runs a verb with its output on this terminal; returns its exit code. */
async function bootrace(...words: readonly string[]): Promise<number> {
  process.stderr.write(`\n$ bootrace ${words.join(' ')}\n`);
  const { exitCode } = await $({ nothrow: true, stdio: ['ignore', 'inherit', 'inherit'] })`node ${ENTRY} ${words}`;
  return exitCode ?? EXIT.noVerdict;
}

/** The run that `latest` points to, or null before the first. */
async function latestRun(results: string): Promise<string | null> {
  return realpath(join(results, 'latest')).catch(() => null);
}

async function keepNewest(results: string, keep: number): Promise<void> {
  for (const name of outdatedRuns(await readdir(results).catch(() => []), keep)) {
    await rm(join(results, name), { recursive: true });
    process.stderr.write(`removed ${join(results, name)}\n`);
  }
}

async function nightly(): Promise<number> {
  const { help, matrix, only, workers, results, 'known-issues': knownIssues, ...numbers } = options();
  if (help) {
    process.stdout.write(USAGE);
    return EXIT.expected;
  }
  const keep = wholeNumber('keep', numbers.keep);
  const size = wholeNumber('sample', numbers.sample);
  const given = (name: string, value: string | undefined) => (value === undefined ? [] : [`--${name}`, value]);
  const common = [...given('matrix', matrix), ...given('known-issues', knownIssues), ...given('workers', workers)];
  const reporters = process.env.GITHUB_ACTIONS === undefined ? REPORTERS : [...REPORTERS, 'github'];

  const setUp = await bootrace('doctor', '--install');
  if (setUp !== EXIT.expected) return setUp;
  const before = await latestRun(results);
  const selection = only.flatMap((word) => ['--only', word]);
  const matrixCode = await bootrace(
    'matrix',
    ...common,
    ...selection,
    '--results',
    results,
    ...reporters.flatMap((name) => ['--reporter', name]),
  );
  const tonight = await latestRun(results);
  // The run did not come to an end, and has said why.
  if (tonight === null || tonight === before) return matrixCode === EXIT.expected ? EXIT.noVerdict : matrixCode;

  const night = await loadRun(tonight);
  const flaky = await findFlakes(night.run, { size, results: join(results, 'sample'), common });
  const code = before === null ? matrixCode : await bootrace('compare', before, tonight);
  await keepNewest(results, keep);
  await keepNewest(join(results, 'sample'), keep);
  return flaky ? EXIT.unexpected : code;
}

/** Boots a sample of the night's cells again and tells every difference; true when there is one. */
async function findFlakes(
  night: Awaited<ReturnType<typeof loadRun>>['run'],
  { size, results, common }: { size: number; results: string; common: readonly string[] },
): Promise<boolean> {
  const ids = sampleOfNight(night.cells, size, Math.floor(Date.now() / MS_PER_DAY));
  if (ids.length === 0) return false;
  await bootrace(
    'matrix',
    ...common,
    '--only',
    `id=${ids.join(',')}`,
    '--repeat',
    String(REPETITIONS),
    '--results',
    results,
  );
  const sample = await loadRun(join(results, 'latest'));
  const found = disagreements(night, sample.run);
  for (const { id, what } of found)
    process.stderr.write(
      `bootrace: a bug of the harness: ${id} does not repeat, its ${what} differs from boot to boot\n`,
    );
  if (found.length === 0) process.stderr.write(`${ids.length} cells booted again: every byte is the same\n`);
  return found.length > 0;
}

guardProcess();
try {
  process.exitCode = await nightly();
} catch (error) {
  process.exitCode = printError(error);
}
