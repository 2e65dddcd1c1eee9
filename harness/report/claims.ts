import { isOfBoot } from '../model/verdict.ts';
import { printable } from '../printable.ts';
import type { CellRecord } from '../run/record.ts';
import { type Colours, mark, paintVerdict } from './paint.ts';
import { describePlace, kernelOf } from './standing.ts';
import { formatDuration, groupBy, truncate, wrap } from './text.ts';

const ROW_WIDTH = 4;
const VERDICT_WIDTH = 19;
const TIME_WIDTH = 7;
const LONGEST_KERNELS = 24;

/** `T8` before `T10`. */
function byRow(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function kernels(cells: readonly CellRecord[]): string {
  return printable([...new Set(cells.map(kernelOf))].join(' '));
}

function time(cells: readonly CellRecord[]): string {
  if (cells.every((cell) => cell.cached)) return 'cached';
  if (cells.every((cell) => cell.folder === null)) return '';
  return formatDuration(cells.reduce((sum, cell) => sum + cell.wallMs, 0));
}

/** Worth a second line: a crash and where, why a kernel cannot be built, why there is no verdict. */
function tellsMore(cell: CellRecord): boolean {
  return cell.crash !== null || !cell.asExpected || !isOfBoot(cell.verdict);
}

/**
 * The rows of the problem statement with what real boots say to each. A row that several cells answer in the same way
 * (the same conditions on several kernels) is one line.
 */
export function formatClaims(cells: readonly CellRecord[], width: number, paint: Colours): string[] {
  const rows = groupBy(
    cells.filter((cell) => cell.row !== null),
    (cell) => cell.row ?? '',
  );
  if (rows.size === 0) return [];
  const answersOf = new Map(
    [...rows].map(([row, cells]) => [
      row,
      [...groupBy(cells, (cell) => `${cell.verdict} ${cell.asExpected}`).values()],
    ]),
  );
  const kernelsWidth = Math.min(
    LONGEST_KERNELS,
    Math.max(...[...answersOf.values()].flat().map((a) => kernels(a).length)),
  );
  const claimWidth = width - (2 + ROW_WIDTH + 1 + 2 + VERDICT_WIDTH + 2 + 2 + kernelsWidth + 2 + TIME_WIDTH);
  const lines: string[] = [];
  for (const [row, answers] of [...answersOf].sort(([a], [b]) => byRow(a, b))) {
    for (const [index, answer] of answers.entries()) {
      const first = answer[0];
      if (first === undefined) continue;
      const [claim = '', ...more] = index === 0 ? wrap(printable(first.claim ?? ''), claimWidth) : [];
      const head = [
        '  ',
        paint.bold((index === 0 ? printable(row) : '').padEnd(ROW_WIDTH)),
        ' ',
        mark(first, paint),
        ' ',
        paintVerdict(first, first.verdict, paint),
        ' '.repeat(Math.max(0, VERDICT_WIDTH - first.verdict.length) + 2),
        claim.padEnd(claimWidth + 2),
        paint.dim(truncate(kernels(answer), kernelsWidth).padEnd(kernelsWidth + 2)),
        time(answer).padStart(TIME_WIDTH),
      ];
      lines.push(head.join('').trimEnd());
      const claimIndent = ' '.repeat(2 + ROW_WIDTH + 1 + 2 + VERDICT_WIDTH + 2);
      for (const part of more) lines.push(`${claimIndent}${part}`);
      if (tellsMore(first)) {
        const indent = ' '.repeat(2 + ROW_WIDTH + 1 + 2);
        lines.push(paint.dim(`${indent}${truncate(describePlace(first), width - indent.length)}`));
      }
    }
  }
  return lines;
}
