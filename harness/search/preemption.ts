import type { Cell } from '../model/cell.ts';
import { type FunctionPlace, type Gate, placeText } from '../model/gate.ts';
import { SETTLE_MARGIN_MS, settlingFor } from './conditions.ts';
import type { Boot } from './outcome.ts';
import { createRandom, shuffled } from './random.ts';

/*
 * Preemption at chosen points, with a bound on how many a boot has (Musuvathi and Qadeer, "Iterative Context Bounding
 * for Systematic Testing of Multithreaded Programs", PLDI 2007). A task is preempted by a delay so long that all
 * others run until they wait for it, or are done. Which call is preempted is a number, so that the boot repeats.
 */

/** Virtual time for which a preempted task stands aside. */
const YIELD_MS = 2000;
/** Gates that only count, in one boot: the firmware has room for 64 stops (firmware/interface.ts). */
const COUNTED_AT_ONCE = 48;
/** A call that no boot comes to: the gate counts, and says in the end how many there were. */
const NEVER = 1_000_000;

/** One call of a function that may be preempted. */
export interface Point {
  readonly place: FunctionPlace;
  /** Which call since the kernel was started, from 1. */
  readonly nth: number;
}

/** How often each place is passed in a boot; null for one that the firmware does not tell of. */
export async function countCalls(cell: Cell, places: readonly FunctionPlace[], boot: Boot): Promise<(number | null)[]> {
  const counts: (number | null)[] = [];
  for (let from = 0; from < places.length; from += COUNTED_AT_ONCE) {
    const some = places.slice(from, from + COUNTED_AT_ONCE);
    const gates = some.map((at): Gate => ({ gate: 'delay', at: { ...at, nth: NEVER }, ms: 0 }));
    const outcome = await boot({ ...cell, gates: [...cell.gates, ...gates] });
    const missed = outcome.gates.flatMap((event) => (event.verb === 'missed' ? [event] : []));
    for (const at of some) counts.push(missed.find(({ place }) => place === placeText(at))?.calls ?? null);
  }
  return counts;
}

/** `cell` with these calls preempted. */
export function preempted(cell: Cell, points: readonly Point[]): Cell {
  const gates = points.map(({ place, nth }): Gate => ({ gate: 'delay', at: { ...place, nth }, ms: YIELD_MS }));
  return {
    ...cell,
    gates: [...cell.gates, ...gates],
    plan: settlingFor(cell.plan, points.length * YIELD_MS + SETTLE_MARGIN_MS),
  };
}

/** All sets of `size` points in an order drawn from `seed`, at most `most` of them; those of one keep their order. */
export function pointSets(points: readonly Point[], size: number, seed: number, most: number): (readonly Point[])[] {
  if (size === 1) return points.slice(0, most).map((point) => [point]);
  const sets: Point[][] = [];
  const extend = (set: readonly Point[], from: number): void => {
    if (set.length === size) sets.push([...set]);
    else
      for (let next = from; next < points.length; next++) extend([...set, ...points.slice(next, next + 1)], next + 1);
  };
  extend([], 0);
  return shuffled(sets, createRandom(seed)).slice(0, most);
}

/** How many sets of `size` there are. */
export function setCount(points: number, size: number): number {
  let count = 1;
  for (let n = 0; n < size; n++) count = (count * (points - n)) / (n + 1);
  return Math.max(0, Math.round(count));
}

/** `device_add():return, call 12`. */
export function pointText({ place, nth }: Point): string {
  const of = place.of === undefined ? '' : ` of ${place.of}`;
  return `${placeText(place)}${of}, call ${nth}`;
}
