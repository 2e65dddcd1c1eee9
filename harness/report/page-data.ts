import type { Verdict } from '../model/verdict.ts';
import type { CellRecord, RunRecord } from '../run/record.ts';
import type { Timeline } from './timeline.ts';

/**
 * What the HTML report's page gets. The head is small and read at once; everything that only an opened cell shows is
 * packed in blocks of {@link BLOCK_CELLS} cells, gzip in base64, and the lines of all consoles, of which most are the
 * same in every boot, stand once in a dictionary of their own.
 */
export interface PageHead {
  readonly run: Omit<RunRecord, 'cells'>;
  readonly outcome: string;
  /** What is new and since which run, one clause; null where no earlier run was named. */
  readonly news: string | null;
  readonly summary: string;
  readonly verdicts: readonly Verdict[];
  readonly axes: readonly PageAxis[];
  readonly cells: readonly PageCell[];
  readonly blockCells: number;
}

export interface PageAxis {
  readonly name: string;
  /** In the order in which the matrix names them. */
  readonly values: readonly string[];
}

interface PageCell {
  readonly id: string;
  readonly row: string | null;
  readonly claim: string | null;
  readonly verdict: Verdict;
  readonly outcome: 'expected' | 'unexpected' | 'no-verdict';
  readonly flaky: boolean;
  /** Fails or differs when repeated, and did not in the earlier run. */
  readonly isNew: boolean;
  /** What it was expected to do; null where it did. */
  readonly expected: string | null;
  /** Index of the value of each axis of the head; -1 where the cell has none. */
  readonly axes: readonly number[];
  /** One line: the crash, or what decided the verdict. */
  readonly what: string;
}

/** What an opened cell shows. */
export interface PageDetail {
  readonly cell: CellRecord;
  readonly expectation: string;
  readonly frames: readonly PageFrame[];
  /** File and line that the crash report names, where it names them. */
  readonly source: string | null;
  readonly timeline: Timeline;
  /** One line for each difference of the device tree to the board's; null where the trees were not kept. */
  readonly tree: readonly string[] | null;
  /**
   * The console: for each line the index of its text in the dictionary and its printk time stamp in microseconds, -1
   * where it has none, one after the other. Null where there is none.
   */
  readonly console: readonly number[] | null;
  /** The console is longer than what is shown. */
  readonly cut: boolean;
}

interface PageFrame {
  readonly function: string;
  readonly module: string | null;
  readonly source: string | null;
}

/** `[    6.412345] ` as vprintk puts it in front of a line (kernel/printk/printk.c, print_time()). */
export function formatTimeStamp(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1_000_000);
  return `[${String(seconds).padStart(5)}.${String(microseconds % 1_000_000).padStart(6, '0')}] `;
}
