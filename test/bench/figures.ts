/** Rounds of every measurement; the median counts. */
export const REPETITIONS = 3;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export const seconds = (ms: number): string => (ms / 1000).toFixed(2);

/** Of runs of so many cells that took these times. */
export function cellsAMinute(cells: number, ms: readonly number[]): string {
  return ((cells * 60_000) / median(ms)).toFixed(0);
}
