import { isMissing, isPass, VERDICTS, type Verdict } from '../model/verdict.ts';
import { printable } from '../printable.ts';
import type { CellRecord, RunRecord } from '../run/record.ts';
import { count } from './text.ts';

/**
 * How a cell stands in every report: as expected, not, or without a verdict. An `infra-error` is never a pass and never
 * a regression.
 */
export type Standing = 'expected' | 'unexpected' | 'no-verdict';

export function standingOf(cell: Pick<CellRecord, 'verdict' | 'asExpected'>): Standing {
  if (isMissing(cell.verdict)) return 'no-verdict';
  return cell.asExpected ? 'expected' : 'unexpected';
}

/** The kernel that a cell boots, as the matrix names it. */
export function kernelOf(cell: Pick<CellRecord, 'kernel' | 'axes'>): string {
  return cell.axes.kernel ?? cell.kernel.recipe;
}

/** What a cell was expected to do, one clause: `deferred-then-bound`, `null-deref in qcom_scm_x at 0x0`. */
export function describeExpectation(expected: CellRecord['expected']): string {
  const place = [
    expected.function === undefined ? '' : ` in ${expected.function}`,
    expected.address === undefined ? '' : ` at ${expected.address}`,
  ].join('');
  return printable(`${expected.verdicts.join(' or ')}${place}`);
}

/**
 * What happened, one clause: the crash's title with its address and probe, or the sentence that decided the verdict.
 */
export function describeOutcome(cell: Pick<CellRecord, 'crash' | 'reason'>): string {
  const crash = cell.crash;
  if (crash === null) return printable(cell.reason);
  const address = crash.address === null ? '' : ` at ${crash.address}`;
  const probing = crash.driver === null ? '' : `, ${crash.driver} probing ${crash.device ?? 'a device'}`;
  return printable(`${crash.title}${address}${probing}`);
}

/** As {@link describeOutcome}, for a line that stands below the verdict's name: where, without repeating what. */
export function describePlace(cell: Pick<CellRecord, 'crash' | 'reason'>): string {
  const title = cell.crash?.title ?? '';
  const place = cell.crash?.function ?? null;
  const from = place === null ? -1 : title.lastIndexOf(`in ${place}`);
  if (cell.crash === null || from < 0) return describeOutcome(cell);
  return describeOutcome({ ...cell, crash: { ...cell.crash, title: title.slice(from) } });
}

/** Cells that failed in the same way are one problem to the reader. */
export function problemOf(cell: Pick<CellRecord, 'verdict' | 'crash' | 'reason'>): string {
  return `${cell.verdict} ${cell.crash?.signature ?? cell.reason}`;
}

interface VerdictCount {
  readonly verdict: Verdict;
  readonly cells: number;
  readonly unexpected: number;
}

/** How many cells have each verdict, best verdict first; verdicts that no cell has are left out. */
function countVerdicts(cells: readonly CellRecord[]): VerdictCount[] {
  return VERDICTS.map((verdict) => {
    const having = cells.filter((cell) => cell.verdict === verdict);
    return { verdict, cells: having.length, unexpected: having.filter((cell) => !cell.asExpected).length };
  }).filter(({ cells }) => cells > 0);
}

/**
 * "Expected" is worth saying of what is no pass: `98 cells: 60 bound, 20 deferred-then-bound, 14 null-deref
 * (expected)`.
 */
export function summariseVerdicts(cells: readonly CellRecord[]): string {
  const parts = countVerdicts(cells).map(({ verdict, cells: all, unexpected }) => {
    if (isMissing(verdict)) return `${all} ${verdict}`;
    if (unexpected === 0) return `${all} ${verdict}${isPass(verdict) ? '' : ' (expected)'}`;
    return `${all} ${verdict} (${unexpected === all ? '' : `${unexpected} `}unexpected)`;
  });
  return `${count(cells.length, 'cell')}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}

/** What a run lacks, one clause: `shards 2 and 3 of 4 are missing`; null where it is complete. */
export function describeMissing({ missing }: Pick<RunRecord, 'missing'>): string | null {
  if (missing === null) return null;
  const { shards, of } = missing;
  const names = [shards.slice(0, -1).join(', '), String(shards.at(-1) ?? '')]
    .filter((part) => part !== '')
    .join(' and ');
  return `${shards.length === 1 ? `shard ${names} of ${of} is` : `shards ${names} of ${of} are`} missing`;
}

/** The answer of a run in one clause, worst first: `2 unexpected, 1 without a verdict`, `all as expected`. */
export function summariseOutcome(run: Pick<RunRecord, 'cells' | 'flakes' | 'missing'>): string {
  const having = (standing: Standing) => run.cells.filter((cell) => standingOf(cell) === standing).length;
  const flaky = new Set(run.flakes.map((flake) => flake.id)).size;
  const parts = [
    [having('unexpected'), 'unexpected'],
    [flaky, 'differed when repeated'],
    [having('no-verdict'), 'without a verdict'],
  ] as const;
  const bad = [
    describeMissing(run) ?? '',
    ...parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`),
  ].filter((part) => part !== '');
  return bad.length === 0 ? 'all as expected' : bad.join(', ');
}

/** `2 boots made once more: QEMU's clock had been off by up to 25 µs`; for a run that has some. */
export function describeClockRaces({ clockRaces }: Pick<RunRecord, 'clockRaces'>): string {
  const most = Math.max(...clockRaces.map(({ microseconds }) => microseconds));
  return `${count(clockRaces.length, 'boot')} made once more: QEMU's clock had been off by up to ${most} µs`;
}
