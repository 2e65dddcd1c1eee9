/**
 * Places of times on an axis on which both microseconds and seconds can be read: each gap between two neighbouring
 * events is drawn as a power of its length, so that six idle seconds do not squeeze the probes before and after them
 * into two points.
 */
export interface Scale {
  readonly place: (time: number) => number;
  readonly width: number;
}

/** 1 is a linear axis, 0 gives every gap the same width. */
const EXPONENT = 0.35;

/**
 * `times` are those that have to be told apart; a time between two of them lies on the straight line between their
 * places.
 */
export function makeScale(times: readonly number[], width: number, linear: boolean): Scale {
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  const weights = sorted.slice(1).map((time, index) => (time - (sorted[index] ?? 0)) ** (linear ? 1 : EXPONENT));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const places = [0];
  let reached = 0;
  for (const weight of weights) {
    reached += weight;
    places.push((reached / (total || 1)) * width);
  }
  const place = (time: number): number => {
    const after = sorted.findIndex((one) => one >= time);
    if (after < 0) return width;
    const [left = 0, right = 0] = [sorted[after - 1], sorted[after]];
    if (after === 0 || right === time) return places[after] ?? 0;
    const [from = 0, to = 0] = [places[after - 1], places[after]];
    return from + ((time - left) / (right - left)) * (to - from);
  };
  return { place, width };
}

/**
 * Times to write below the axis so that no two labels touch: first and last, then whatever still fits, in order of
 * time.
 */
export function chooseTicks(times: readonly number[], scale: Scale, distance: number): number[] {
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  const chosen: number[] = [];
  const fits = (time: number) => chosen.every((other) => Math.abs(scale.place(other) - scale.place(time)) >= distance);
  for (const time of [sorted[0], sorted.at(-1), ...sorted]) if (time !== undefined && fits(time)) chosen.push(time);
  return chosen.sort((a, b) => a - b);
}

const LEAST_DIGITS = 3;
const MOST_DIGITS = 6;

export function formatSeconds(microseconds: number, digits = LEAST_DIGITS): string {
  return (microseconds / 1_000_000).toFixed(digits);
}

/** Digits behind the point that tell these times apart. */
export function digitsFor(times: readonly number[]): number {
  const distinct = new Set(times).size;
  for (let digits = LEAST_DIGITS; digits < MOST_DIGITS; digits++) {
    if (new Set(times.map((time) => formatSeconds(time, digits))).size === distinct) return digits;
  }
  return MOST_DIGITS;
}

/** A span as a person would say it. */
export function formatSpan(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds} µs`;
  if (microseconds < 1_000_000) return `${(microseconds / 1000).toFixed(microseconds < 10_000 ? 1 : 0)} ms`;
  return `${(microseconds / 1_000_000).toFixed(2)} s`;
}
