import type { KernelProgress } from '../kernel/progress.ts';
import { printable } from '../printable.ts';
import type { LifecycleEvent, LifecycleListener } from '../run/lifecycle.ts';
import type { CellRecord } from '../run/record.ts';
import { type Colours, colours, mark, wantsColour } from './paint.ts';
import { advance, kernelsLeft, NOTHING_YET, type RunState, timeLeft } from './run-state.ts';
import { describeExpectation, describeOutcome, standingOf } from './standing.ts';
import { count, formatDuration, truncate } from './text.ts';

/**
 * The part of a terminal or log stream that progress is written to: standard error, so that standard output stays a
 * report.
 */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressRenderer {
  readonly listen: LifecycleListener;
  /** Prints a line that stays, above the status. */
  readonly note: (line: string) => void;
  /** Removes the status from the terminal; also right after an error. */
  readonly close: () => void;
}

interface ProgressOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
}

/** Shows a run while it goes on: a status that is redrawn on a terminal, now and then a line anywhere else. */
export function renderProgress(
  stream: ProgressStream,
  options: ProgressOptions = { env: process.env, now: performance.now.bind(performance) },
): ProgressRenderer {
  const isTTY = stream.isTTY === true && options.env.TERM !== 'dumb' && (options.env.CI ?? '') === '';
  const paint = colours(wantsColour(stream.isTTY === true, options.env));
  return isTTY ? terminalProgress(stream, paint, options.now) : lineProgress(stream, paint, options.now);
}

/** Shows on standard error how far `work` is, for as long as it goes on. */
export async function withProgress<T>(work: (progress: ProgressRenderer) => Promise<T>): Promise<T> {
  const progress = renderProgress(process.stderr);
  try {
    return await work(progress);
  } finally {
    progress.close();
  }
}

const DEFAULT_COLUMNS = 80;
/** Longest status line: what is further right is not seen. */
const WIDEST_STATUS = 120;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const REDRAW_MS = 100;
/** ECMA-48: CPL (cursor to the start of the line N up) and ED (erase to the end of the screen). */
const UP = (lines: number) => (lines === 0 ? '' : `\u001b[${lines}F`);
const ERASE_BELOW = '\u001b[J';

function terminalProgress(stream: ProgressStream, paint: Colours, now: () => number): ProgressRenderer {
  let state = NOTHING_YET;
  let drawn = 0;
  const erase = () => {
    if (drawn > 0) stream.write(`${UP(drawn)}${ERASE_BELOW}`);
    drawn = 0;
  };
  const draw = () => {
    const columns = Math.min(WIDEST_STATUS, stream.columns ?? DEFAULT_COLUMNS);
    const frame = FRAMES[Math.floor(now() / REDRAW_MS) % FRAMES.length] ?? '';
    // One column stays free: some terminals wrap when the last one is written.
    const lines = formatStatus(state, now()).map((line) => truncate(`${frame} ${line}`, columns - 1));
    stream.write(`${UP(drawn)}${ERASE_BELOW}${lines.map((line) => `${paint.dim(line)}\n`).join('')}`);
    drawn = lines.length;
  };
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  const keep = (lines: readonly string[]) => {
    if (lines.length === 0) return;
    erase();
    stream.write(`${lines.join('\n')}\n`);
    draw();
  };
  return {
    listen: (event) => {
      state = advance(state, event, now());
      keep(permanentLines(event, state, paint));
    },
    note: (line) => keep([printable(line)]),
    close: () => {
      clearInterval(timer);
      erase();
    },
  };
}

/** Without a terminal: often enough to see that it lives, seldom enough to be read later; the first one comes early. */
const LINE_INTERVAL_MS = 30_000;
const FIRST_LINE_MS = 10_000;
/** A status that stays as it is, as a kernel's source is unpacked, is told again after so long. */
const SILENCE_MS = 60_000;
const LOOK_MS = 1000;

function lineProgress(stream: ProgressStream, paint: Colours, now: () => number): ProgressRenderer {
  let state = NOTHING_YET;
  let last = now() - LINE_INTERVAL_MS + FIRST_LINE_MS;
  let said = now();
  let told: readonly string[] = [];
  const write = (lines: readonly string[]) => {
    for (const line of lines) stream.write(`${line}\n`);
    if (lines.length > 0) said = now();
  };
  const tell = () => {
    if (now() - last < LINE_INTERVAL_MS) return;
    last = now();
    const lines = formatStatus(state, now());
    const isSilent = now() - said >= SILENCE_MS;
    // While a kernel is compiled, the boots stand still.
    write(isSilent ? lines : lines.filter((one) => !told.includes(one)));
    told = lines;
  };
  const timer = setInterval(tell, LOOK_MS);
  timer.unref();
  return {
    listen: (event) => {
      state = advance(state, event, now());
      write(permanentLines(event, state, paint));
      tell();
    },
    note: (line) => write([printable(line)]),
    close: () => clearInterval(timer),
  };
}

/** What is going on, in a line for kernels and a line for cells; nothing when nothing is. */
export function formatStatus(state: RunState, now: number): string[] {
  const lines: string[] = [];
  if (state.inHand.size > 0) {
    const done = state.kernels > 1 ? `s: ${state.kernelsDone} of ${state.kernels} ready${aboutLeft(state, now)}` : '';
    lines.push(`kernel${done}: ${[...state.inHand.values()].map(formatKernelProgress).join('; ')}`);
  }
  if (state.bootsSince === null || (state.cells > 0 && state.cellsDone === state.cells)) return lines;
  // A search has no cells, and no more to say of its end than its budget.
  const left = state.cells === 0 ? null : timeLeft(state, now);
  const atMost = state.cells === 0 ? 'at most ' : '';
  const parts = [
    state.cells === 0 ? null : `cells: ${state.cellsDone} of ${state.cells}`,
    state.boots === state.cells
      ? null
      : `boots: ${state.bootsDone}${state.boots === null ? '' : ` of ${atMost}${state.boots}`}`,
    state.unexpected === 0 ? null : `${state.unexpected} unexpected`,
    state.noVerdict === 0 ? null : `${state.noVerdict} without a verdict`,
    left === null || left === 0 ? null : `${formatDuration(left)} left`,
    state.running.length === 0 ? null : `booting ${[...new Set(state.running)].map(printable).join(' ')}`,
  ];
  return [...lines, parts.filter((part) => part !== null).join(', ')];
}

const MINUTE_MS = 60_000;

/** In whole minutes: it is a guess. */
function aboutLeft(state: RunState, now: number): string {
  const left = kernelsLeft(state, now);
  return left === null || left === 0 ? '' : `, about ${Math.ceil(left / MINUTE_MS)} min left`;
}

const MEGABYTE = 1_000_000;

/** `6.1 builtin: compiling, 812 of 1604 objects, 40 s left`. */
export function formatKernelProgress(progress: KernelProgress): string {
  const { done, total, isRough, secondsLeft } = progress;
  const bytes = progress.phase === 'downloading';
  const size = (number: number) => (bytes ? (number / MEGABYTE).toFixed(1) : String(number));
  const unit = bytes ? 'MB' : progress.phase === 'unpacking' ? 'files' : 'objects';
  const parts = [
    `${printable(progress.subject)}: ${progress.phase}`,
    done === null
      ? null
      : `${size(done)}${total === null ? '' : ` of ${isRough ? 'about ' : ''}${size(total)}`} ${unit}`,
    secondsLeft === null ? null : `${formatDuration(secondsLeft * 1000)} left`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

/**
 * What stays on the screen: a kernel that is ready, an unexpected result; and while kernels are compiled, each row that
 * is decided.
 */
function permanentLines(event: LifecycleEvent, state: RunState, paint: Colours): string[] {
  switch (event.event) {
    case 'run-started':
      return [`${count(event.cells, 'cell')} on ${count(event.kernels, 'kernel')}, ${count(event.workers, 'worker')}`];
    case 'kernel-finished': {
      const subject = printable(event.subject);
      if (event.unbuildable !== null) return [`kernel ${subject}: unbuildable: ${printable(event.unbuildable)}`];
      return event.built ? [`kernel ${subject}: built in ${formatDuration(event.wallMs)}`] : [];
    }
    case 'cell-finished':
      if (standingOf(event.cell) !== 'expected') return [formatSurprise(event.cell, paint)];
      return event.cell.row !== null && state.compiles ? [formatRow(event.cell, paint)] : [];
    case 'clock-race':
      return [
        `${printable(event.id)}: booted once more, and the same: ` +
          `QEMU's clock had been off by ${event.microseconds} µs`,
      ];
    case 'preview-finished':
      return [`while kernels are compiled, ${formatRow(event.cell, paint)}`];
    case 'preview-missed':
      return [`no answer before the first kernel is compiled: ${printable(`${event.id}: ${event.why}`)}`];
    case 'search-started':
      return event.mostBoots === null
        ? []
        : [`at most ${count(event.mostBoots, 'boot')}, ${count(event.workers, 'worker')}`];
    case 'kernel-progress':
    case 'boot-started':
    case 'boot-finished':
    case 'run-finished':
      return [];
  }
}

/** A row that is decided, before the table that has all. */
function formatRow(cell: CellRecord, paint: Colours): string {
  const kernel = printable(cell.kernel.release ?? cell.kernel.recipe);
  const row = paint.bold(printable(cell.row ?? cell.id));
  return `${kernel}: ${row} ${mark(cell, paint)} ${cell.verdict}: ${describeOutcome(cell)}`;
}

/** One line for a cell that is not as expected, printed as soon as it is known. */
function formatSurprise(cell: CellRecord, paint: Colours): string {
  const expected =
    standingOf(cell) === 'no-verdict' ? '' : paint.dim(` (expected ${describeExpectation(cell.expected)})`);
  return `${mark(cell, paint)} ${paint.bold(printable(cell.id))}: ${cell.verdict}: ${describeOutcome(cell)}${expected}`;
}
