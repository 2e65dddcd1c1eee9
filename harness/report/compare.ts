import type { Verdict } from '../model/verdict.ts';
import { printable } from '../printable.ts';
import type { CellRecord, RunRecord } from '../run/record.ts';
import { type Colours, colours } from './paint.ts';
import { describeExpectation, describeMissing, describeOutcome, kernelOf, problemOf, standingOf } from './standing.ts';
import { count, groupBy, truncate } from './text.ts';

/**
 * What became of a cell from one run to the next. `failure` means: not as expected. A boot without a verdict says
 * nothing about the kernel, so it neither fixes a cell nor breaks one.
 */
export type Change =
  | 'new-failure'
  | 'fixed'
  | 'still-failing'
  /** Fails, or is expected to crash, as before, but in another way. */
  | 'changed-signature'
  | 'gone'
  | 'added'
  | 'no-verdict'
  | 'same';

interface CellChange {
  readonly id: string;
  readonly change: Change;
  /** Null where the run does not have the cell. */
  readonly before: CellSummary | null;
  readonly after: CellSummary | null;
  /** Inputs of the boot that differ, in words: `kernel`, `device tree`; and the expectation, with what it was. */
  readonly changed: readonly string[];
}

interface CellSummary {
  readonly verdict: Verdict;
  readonly asExpected: boolean;
  readonly what: string;
  readonly signature: string | null;
  readonly replay: string;
}

/** An input that is not the same in both runs. */
interface InputChange {
  /** `kernel 6.1`, `qemu`, `harness`, `matrix`. */
  readonly input: string;
  readonly before: string;
  readonly after: string;
}

export interface Comparison {
  readonly before: RunSummary;
  readonly after: RunSummary;
  readonly inputs: readonly InputChange[];
  readonly cells: readonly CellChange[];
  /** Cells whose repetitions differ in the new run and did not in the old one. */
  readonly newFlakes: readonly string[];
}

interface RunSummary {
  readonly run: string;
  readonly startedAt: string;
  readonly cells: number;
  /** What the run lacks, one clause; null where it is complete. */
  readonly missing: string | null;
}

/**
 * The names that `CellRecord.inputs` has (run/prepare.ts), in the words of a person. A name that is not here stands for
 * itself.
 */
const INPUT_WORDS: Readonly<Record<string, string>> = {
  image: 'kernel',
  modules: 'kernel',
  config: 'kernel config',
  source: 'kernel source',
  tree: 'device tree',
  init: 'harness (init)',
  firmware: 'harness (firmware)',
  registers: 'harness (registers)',
};

function changedInputs(before: CellRecord, after: CellRecord): string[] {
  const names = new Set([...Object.keys(before.inputs), ...Object.keys(after.inputs)]);
  const differing = [...names].filter((name) => before.inputs[name] !== after.inputs[name]);
  const [then, now] = [describeExpectation(before.expected), describeExpectation(after.expected)];
  return [
    ...new Set(differing.map((name) => INPUT_WORDS[name] ?? printable(name))),
    ...(then === now ? [] : [`expectation, was ${then}`]),
  ];
}

function changeOf(before: CellRecord | undefined, after: CellRecord): Change {
  const now = standingOf(after);
  if (now === 'no-verdict') return 'no-verdict';
  const then = before === undefined ? null : standingOf(before);
  if (now === 'unexpected' && then !== 'unexpected') return 'new-failure';
  if (before === undefined) return 'added';
  if (now === 'expected' && then === 'unexpected') return 'fixed';
  const alike = problemOf(before) === problemOf(after);
  // Two good verdicts may be worded differently without a meaning; a crash or a failure that moved has one.
  const tells =
    now === 'unexpected' || before.crash !== null || after.crash !== null || before.verdict !== after.verdict;
  if (then !== 'no-verdict' && !alike && tells) return 'changed-signature';
  return now === 'unexpected' ? 'still-failing' : 'same';
}

function summarise(cell: CellRecord): CellSummary {
  return {
    verdict: cell.verdict,
    asExpected: cell.asExpected,
    what: describeOutcome(cell),
    signature: cell.crash?.signature ?? null,
    replay: cell.replay,
  };
}

function versionOf(run: RunRecord): string {
  return run.harness.commit === null ? run.harness.version : `${run.harness.version} ${run.harness.commit}`;
}

/** Kernels of a run: release and build, which differ when source, patches, configuration or compiler do. */
function kernelsOf(run: RunRecord): Map<string, string> {
  return new Map(
    run.cells
      .filter((cell) => cell.kernel.key !== null)
      .map((cell) => [
        `kernel ${kernelOf(cell)} ${cell.kernel.linkage}`,
        `${cell.kernel.release ?? '?'} ${cell.kernel.key?.slice(0, KEY_DIGITS) ?? ''}`,
      ]),
  );
}

const KEY_DIGITS = 12;

function inputChanges(before: RunRecord, after: RunRecord): InputChange[] {
  const kernels = kernelsOf(before);
  const pairs: InputChange[] = [
    ...[...kernelsOf(after)].flatMap(([input, now]) => {
      const then = kernels.get(input);
      return then === undefined ? [] : [{ input, before: then, after: now }];
    }),
    { input: 'qemu', before: before.qemu, after: after.qemu },
    { input: 'harness', before: versionOf(before), after: versionOf(after) },
    { input: 'matrix', before: before.matrix.hash.slice(0, KEY_DIGITS), after: after.matrix.hash.slice(0, KEY_DIGITS) },
  ];
  return pairs.filter((pair) => pair.before !== pair.after);
}

/** What became of each cell from `before` to `after`, in the order of `after`, cells that are gone last. */
export function compareRuns(before: RunRecord, after: RunRecord): Comparison {
  const old = new Map(before.cells.map((cell) => [cell.id, cell]));
  const ids = new Set(after.cells.map((cell) => cell.id));
  const flaky = new Set(before.flakes.map((flake) => flake.id));
  const summary = (run: RunRecord) => ({
    run: run.run,
    startedAt: run.startedAt,
    cells: run.cells.length,
    missing: describeMissing(run),
  });
  return {
    before: summary(before),
    after: summary(after),
    inputs: inputChanges(before, after),
    cells: [
      ...after.cells.map((cell): CellChange => {
        const then = old.get(cell.id);
        return {
          id: cell.id,
          change: changeOf(then, cell),
          before: then === undefined ? null : summarise(then),
          after: summarise(cell),
          changed: then === undefined ? [] : changedInputs(then, cell),
        };
      }),
      ...before.cells
        .filter((cell) => !ids.has(cell.id))
        .map(
          (cell): CellChange => ({ id: cell.id, change: 'gone', before: summarise(cell), after: null, changed: [] }),
        ),
    ],
    newFlakes: [...new Set(after.flakes.map((flake) => flake.id))].filter((id) => !flaky.has(id)),
  };
}

/** What a report tells first: the cells that fail, or differ when repeated, and did not in an earlier run. */
export interface News {
  /** Name of the earlier run. */
  readonly since: string;
  readonly ids: ReadonlySet<string>;
}

export function newsSince(before: RunRecord, after: RunRecord): News {
  const { cells, newFlakes } = compareRuns(before, after);
  const failures = cells.filter(({ change }) => change === 'new-failure').map(({ id }) => id);
  return { since: before.run, ids: new Set([...failures, ...newFlakes]) };
}

/**
 * 1 for a failure or a flake that the old run did not have, 3 when the new run lacks verdicts or a part, otherwise 0,
 * also when old failures remain.
 */
export function exitCodeOfComparison(comparison: Comparison): 0 | 1 | 3 {
  if (comparison.newFlakes.length > 0 || comparison.cells.some((cell) => cell.change === 'new-failure')) return 1;
  const isIncomplete = comparison.after.missing !== null;
  return isIncomplete || comparison.cells.some((cell) => cell.change === 'no-verdict') ? 3 : 0;
}

const TITLES: readonly (readonly [Change, string])[] = [
  ['gone', 'Gone'],
  ['added', 'Added'],
  ['still-failing', 'Still failing'],
  ['fixed', 'Fixed'],
  ['changed-signature', 'Changed'],
  ['no-verdict', 'No verdict'],
  ['new-failure', 'New failures'],
];
/** Cells of one kind of change that are told one by one. */
const MOST_TOLD = 20;

/** The comparison for the console: what became worse stands last, next to the prompt. */
export function formatComparison(comparison: Comparison, options: { width: number; colour: boolean }): string {
  const paint = colours(options.colour);
  const { before, after } = comparison;
  const lines = [
    `${describeRun(before)} -> ${describeRun(after)}`,
    ...comparison.inputs.map(
      (input) => `  ${printable(input.input)}: ${printable(input.before)} -> ${printable(input.after)}`,
    ),
  ];
  if (comparison.inputs.length === 0) lines.push(paint.dim('  the same kernels, QEMU, harness and matrix'));
  for (const [change, title] of TITLES) {
    const cells = comparison.cells.filter((cell) => cell.change === change);
    if (cells.length > 0) lines.push('', ...formatChanges(title, cells, options.width, paint));
  }
  if (comparison.newFlakes.length > 0) {
    lines.push('', paint.bold(paint.red(`New flakes: ${count(comparison.newFlakes.length, 'cell')}`)));
    lines.push(...comparison.newFlakes.slice(0, MOST_TOLD).map((id) => `  ${printable(id)}`));
  }
  lines.push('', formatCounts(comparison, paint));
  return `${lines.join('\n')}\n`;
}

function describeRun({ run, cells, missing }: RunSummary): string {
  return `${printable(run)} (${count(cells, 'cell')}${missing === null ? '' : `; ${missing}`})`;
}

function formatChanges(title: string, cells: readonly CellChange[], width: number, paint: Colours): string[] {
  const bad = cells[0]?.change === 'new-failure';
  const heading = `${title}: ${count(cells.length, 'cell')}`;
  const lines = [paint.bold(bad ? paint.red(heading) : heading)];
  for (const cell of cells.slice(0, MOST_TOLD)) {
    const then = cell.before?.verdict;
    const now = cell.after?.verdict;
    const verdicts = then === now ? now : [then, now].map((verdict) => verdict ?? 'not there').join(' -> ');
    const inputs =
      cell.changed.length === 0
        ? cell.before !== null && cell.after !== null
          ? 'no input changed'
          : ''
        : `changed: ${cell.changed.join(', ')}`;
    const why = inputs === '' ? '' : paint.dim(`  (${inputs})`);
    lines.push(`  ${bad ? paint.red('✗ ') : ''}${printable(cell.id)}: ${verdicts}${why}`);
    if (cell.change === 'new-failure' || cell.change === 'changed-signature' || cell.change === 'no-verdict') {
      lines.push(paint.dim(`      ${truncate(cell.after?.what ?? '', width - 6)}`));
    }
    if (bad) lines.push(paint.cyan(`      ${printable(cell.after?.replay ?? '')}`));
  }
  if (cells.length > MOST_TOLD) lines.push(paint.dim(`  and ${cells.length - MOST_TOLD} more`));
  return lines;
}

function formatCounts(comparison: Comparison, paint: Colours): string {
  const kinds = groupBy(comparison.cells, (cell) => cell.change);
  const parts = [...TITLES]
    .reverse()
    .map(([change, title]) => [kinds.get(change)?.length ?? 0, title.toLowerCase()] as const)
    .filter(([number, title]) => number > 0 || title === 'new failures')
    .map(([number, title]) => `${number} ${number === 1 ? title.replace(/s$/, '') : title}`);
  const colour = exitCodeOfComparison(comparison) === 0 ? paint.green : paint.red;
  const missing = comparison.after.missing === null ? [] : [`incomplete: ${comparison.after.missing}`];
  return paint.bold(colour([...missing, ...parts, `${kinds.get('same')?.length ?? 0} as before`].join(', ')));
}
