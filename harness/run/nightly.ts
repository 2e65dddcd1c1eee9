import { isMissing } from '../model/verdict.ts';
import { type CellRecord, difference, type RunRecord } from './record.ts';
import { clockDifference } from './repetitions.ts';

/*
 * What the nightly (commands/nightly.ts) decides, apart from what it starts.
 */

/** Folder of a run, as run/results.ts names it. */
const RUN_NAME = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z(-\d+)?$/;

/** Names of runs beyond the newest `keep`; entries that are no runs are never among them. */
export function outdatedRuns(entries: readonly string[], keep: number): string[] {
  const runs = entries.filter((entry) => RUN_NAME.test(entry)).sort();
  return runs.slice(0, Math.max(0, runs.length - keep));
}

/**
 * Ids of `size` cells of a run that were booted, others each day, so that all have their turn. `day`: any number that
 * grows by one a day.
 */
export function nightlySample(
  cells: readonly Pick<CellRecord, 'id' | 'consoleHash'>[],
  size: number,
  day: number,
): string[] {
  const ids = cells.filter((cell) => cell.consoleHash !== null).map((cell) => cell.id);
  const start = (day * size) % Math.max(1, ids.length);
  return [...ids.slice(start), ...ids.slice(0, start)].slice(0, size);
}

interface Disagreement {
  readonly id: string;
  readonly what: RunRecord['flakes'][number]['what'];
  /** By how many microseconds QEMU's clock was off in the nightly's boot, where that is all (run/repetitions.ts). */
  readonly clockRace: number | null;
}

/**
 * Cells that do not do the same every time: between the boots of the sample, or between these and the nightly run's,
 * which may have come from the result cache. Equal inputs give equal bytes, so that each of them is the harness's own
 * bug, but for one boot that QEMU's clock race has put off while those of the sample agree.
 */
export function disagreements(
  nightly: Pick<RunRecord, 'cells'>,
  sample: Pick<RunRecord, 'cells' | 'flakes'>,
  consoles: Readonly<Record<'nightly' | 'sample', (cell: CellRecord) => Uint8Array | null>>,
): Disagreement[] {
  const byId = new Map(nightly.cells.map((cell) => [cell.id, cell]));
  const across = sample.cells.flatMap((cell): Disagreement[] => {
    const first = byId.get(cell.id);
    const tells = first !== undefined && !isMissing(first.verdict) && !isMissing(cell.verdict);
    const what = tells ? difference(first, cell) : null;
    if (first === undefined || what === null) return [];
    const bootOf = (from: keyof typeof consoles, record: CellRecord) => ({
      record,
      console: () => Buffer.from(consoles[from](record) ?? []),
    });
    return [{ id: cell.id, what, clockRace: clockDifference(bootOf('nightly', first), bootOf('sample', cell)) }];
  });
  const within = sample.flakes.map(({ id, what }) => ({ id, what, clockRace: null }));
  return [...new Map([...across, ...within].map((one) => [one.id, one])).values()];
}
