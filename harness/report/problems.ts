import { posix } from 'node:path';
import { printable } from '../printable.ts';
import { oneOf } from '../regex.ts';
import type { CellRecord, RunRecord } from '../run/record.ts';
import type { Colours } from './paint.ts';
import { describeExpectation, describeOutcome, problemOf, standingOf } from './standing.ts';
import { count, groupBy, truncate, wrap } from './text.ts';

/** Different problems told in full; the rest are counted. */
const MOST_PROBLEMS = 12;
/** Cells with the same problem that are named below the first one. */
const MOST_NAMED = 6;
/** Lines of a crash report on the console: enough for its title, pc, lr and the upper end of the trace. */
const MOST_CRASH_LINES = 8;
const MOST_FRAMES = 10;

/**
 * Lines of a crash report that tell the reader something before the registers do: not modules, hardware and register
 * dumps.
 */
const NOISE = new RegExp(
  `^${oneOf(
    /Modules linked in|Hardware name|Code:|---\[|\[0{8}/,
    /Mem abort info|Data abort info|ESR|EC =|SET =|EA =|FSC =|ISV =|CM =|user pgtable|swapper pgtable/,
    /pstate|sp :|x\d+ ?:/,
  )}`,
);
const TIME_STAMP = /^(<\d{1,3}>)?\[ {0,16}\d{1,12}\.\d{1,9}\]( ?\[ {0,8}[TC]\d{1,10}\])? ?/;

/** The lines of a crash to show first, and its trace as one chain, innermost function first. */
export function crashExcerpt(crash: NonNullable<CellRecord['crash']>): string[] {
  const lines: string[] = [];
  for (const line of crash.text) {
    const text = printable(line).replace(TIME_STAMP, '').trim();
    if (text === '' || NOISE.test(text)) continue;
    if (/^Call trace:/i.test(text)) break;
    lines.push(text);
    if (lines.length === MOST_CRASH_LINES) break;
  }
  if (crash.trace.length > 0) {
    const more = crash.trace.length > MOST_FRAMES ? ' < …' : '';
    lines.push(`Call trace: ${crash.trace.slice(0, MOST_FRAMES).map(printable).join(' < ')}${more}`);
  }
  return lines;
}

/** `results/RUN/CELL/console.log:212`, which editors and terminals open at the line. Null where nothing was booted. */
export function consoleLocation(cell: CellRecord, folder: string): string | null {
  if (cell.folder === null) return null;
  const file = posix.join(folder, cell.folder, 'console.log');
  return printable(cell.crash === null ? file : `${file}:${cell.crash.line}`);
}

/**
 * Everything that was not as expected, each problem once, with what a person needs to go on: log, crash and replay
 * command.
 */
export function formatProblems(run: RunRecord, folder: string, width: number, paint: Colours): string[] {
  const unexpected = run.cells.filter((cell) => standingOf(cell) === 'unexpected');
  const noVerdict = run.cells.filter((cell) => standingOf(cell) === 'no-verdict');
  return [
    ...formatGroup('Not as expected', unexpected, folder, width, paint),
    ...formatGroup('No verdict', noVerdict, folder, width, paint),
    ...formatFlakes(run, paint),
  ];
}

function formatGroup(
  title: string,
  cells: readonly CellRecord[],
  folder: string,
  width: number,
  paint: Colours,
): string[] {
  if (cells.length === 0) return [];
  const problems = [...groupBy(cells, problemOf).values()];
  const lines = ['', paint.bold(paint.red(`${title}: ${count(cells.length, 'cell')}`))];
  for (const same of problems.slice(0, MOST_PROBLEMS)) lines.push('', ...formatProblem(same, folder, width, paint));
  const left = problems.slice(MOST_PROBLEMS).flat().length;
  if (left > 0)
    lines.push('', paint.dim(`  and ${count(left, 'cell')} with other problems: see ${printable(folder)}/run.json`));
  return lines;
}

function formatProblem(same: readonly CellRecord[], folder: string, width: number, paint: Colours): string[] {
  const [first, ...others] = same;
  if (first === undefined) return [];
  const lines = [`${paint.red('✗')} ${paint.bold(printable(first.id))}`];
  const field = (name: string, text: string) => {
    const [head, ...rest] = wrap(text, width - FIELD_WIDTH - 2);
    lines.push(`  ${paint.dim(name.padEnd(FIELD_WIDTH))}${head ?? ''}`);
    for (const line of rest) lines.push(`  ${' '.repeat(FIELD_WIDTH)}${line}`);
  };
  field('verdict', `${first.verdict}${first.crash === null ? `: ${describeOutcome(first)}` : ''}`);
  if (standingOf(first) === 'unexpected') {
    const reason = first.expected.reason === undefined ? '' : ` (${printable(first.expected.reason)})`;
    field('expected', `${describeExpectation(first.expected)}${reason}`);
  }
  if (first.crash !== null) {
    field('crash', describeOutcome(first));
    const indent = ' '.repeat(2 + FIELD_WIDTH);
    for (const line of crashExcerpt(first.crash)) {
      for (const [index, part] of wrap(line, width - indent.length - 4).entries()) {
        lines.push(paint.yellow(`${indent}| ${index === 0 ? '' : '  '}${part}`));
      }
    }
  }
  if (first.crash === null && first.deferred.length > 0) {
    field(
      'deferred',
      first.deferred.map(({ device, reason }) => printable(`${device} (${reason ?? 'no reason'})`)).join(', '),
    );
  }
  const place = consoleLocation(first, folder);
  if (place !== null) lines.push(`  ${paint.dim('console'.padEnd(FIELD_WIDTH))}${place}`);
  // One line whatever its length: it is there to be copied.
  lines.push(`  ${paint.dim('replay'.padEnd(FIELD_WIDTH))}${paint.cyan(printable(first.replay))}`);
  if (others.length > 0) {
    lines.push(`  ${paint.dim('also'.padEnd(FIELD_WIDTH))}${count(others.length, 'cell')} with the same problem:`);
    const indent = ' '.repeat(2 + FIELD_WIDTH);
    for (const cell of others.slice(0, MOST_NAMED)) lines.push(`${indent}${printable(cell.id)}`);
    if (others.length > MOST_NAMED) lines.push(`${indent}… and ${others.length - MOST_NAMED} more`);
  }
  return lines;
}

const FIELD_WIDTH = 10;

function formatFlakes(run: RunRecord, paint: Colours): string[] {
  if (run.flakes.length === 0) return [];
  const byCell = groupBy(run.flakes, (flake) => flake.id);
  const lines = [
    '',
    paint.bold(paint.red(`Differed when repeated: ${count(byCell.size, 'cell')}`)),
    paint.dim('  The same inputs must give the same boot: this is a defect of the harness, not of the kernel.'),
  ];
  for (const [id, flakes] of [...byCell].slice(0, MOST_PROBLEMS)) {
    const what = flakes.map((flake) => `${flake.what} in repetition ${flake.repetition}`).join(', ');
    lines.push(`  ${printable(id)}: ${truncate(printable(what), 100)}`);
  }
  if (byCell.size > MOST_PROBLEMS) lines.push(paint.dim(`  and ${byCell.size - MOST_PROBLEMS} more`));
  return lines;
}
