import { isMissing } from '../model/verdict.ts';
import { printable } from '../printable.ts';
import type { RunRecord } from '../run/record.ts';
import { exitCodeOf } from '../run/record.ts';
import { formatClaims } from './claims.ts';
import { formatGrids } from './grid.ts';
import { type Colours, colours } from './paint.ts';
import { formatProblems } from './problems.ts';
import { describeClockRaces, summariseOutcome, summariseVerdicts } from './standing.ts';
import { count, formatDuration } from './text.ts';

export interface TableOptions {
  /** Characters in a line; the table uses at most {@link WIDEST}. */
  readonly width: number;
  readonly colour: boolean;
  /** The run's folder as it is shown in paths; `results/RUN` when it is not given. */
  readonly folder?: string;
}

/** A wider table is no easier to read. */
const WIDEST = 120;
const NARROWEST = 72;

/**
 * A finished run for the console: the claims, all cells as grids, then, next to the prompt where the eye is, what was
 * not as expected and the summary. Ends with a line feed.
 */
export function formatTable(run: RunRecord, options: TableOptions): string {
  const width = Math.max(NARROWEST, Math.min(WIDEST, options.width));
  const paint = colours(options.colour);
  const folder = options.folder ?? `results/${run.run}`;
  const claims = formatClaims(run.cells, width, paint);
  const grids = formatGrids(run.cells, width, paint);
  const marked = run.cells.some((cell) => !cell.asExpected);
  const lines = [
    ...(claims.length === 0 ? [] : [paint.bold('Claims'), ...claims]),
    ...grids,
    ...(grids.length > 0 && marked ? [paint.dim('  ! not as expected')] : []),
    ...formatProblems(run, folder, width, paint),
    '',
    ...formatSummary(run, folder, paint),
  ];
  return `${lines.join('\n')}\n`;
}

function formatSummary(run: RunRecord, folder: string, paint: Colours): string[] {
  const outcome = summariseOutcome(run);
  const built = run.kernels.filter((kernel) => kernel.built).length;
  const cached = run.cells.filter((cell) => cell.cached).length;
  const fromSnapshot = run.cells.filter((cell) => cell.forked === true).length;
  const areSame =
    run.flakes.length === 0 &&
    run.cells.some(({ consoleHash }) => consoleHash !== null) &&
    !run.cells.some(({ verdict }) => isMissing(verdict));
  const times = [
    `in ${formatDuration(run.wallMs.total)}`,
    built === 0 ? null : `${count(built, 'kernel')} built in ${formatDuration(run.wallMs.kernels)}`,
    // Most are booted while kernels are compiled.
    built === 0
      ? `boots ${formatDuration(run.wallMs.boots)}`
      : `the last boot ${formatDuration(run.wallMs.boots)} after them`,
    count(run.workers, 'worker'),
    fromSnapshot === 0 ? null : `${count(fromSnapshot, 'cell')} from a snapshot`,
    cached === 0 ? null : `${cached} from the result cache`,
    run.repeat > 1 ? `each booted ${run.repeat} times${areSame ? ', byte for byte the same' : ''}` : null,
    run.clockRaces.length === 0 ? null : describeClockRaces(run),
    run.shard === null ? null : `shard ${run.shard.index}/${run.shard.of}`,
  ].filter((part) => part !== null);
  const colour = { 0: paint.green, 1: paint.red, 3: paint.magenta }[exitCodeOf(run)];
  return [
    summariseVerdicts(run.cells),
    `${paint.bold(colour(outcome))}  ${paint.dim(`${times.join(', ')}; records in ${printable(folder)}`)}`,
  ];
}
