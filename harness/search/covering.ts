import type { PartialOrder } from './precedence.ts';
import { createRandom, type Random } from './random.ts';
import { forEachOrder, forEachTuple, type TupleSpace } from './tuples.ts';

/** Candidate rows that the greedy part compares for each row; Kuhn et al. report little gain beyond a few dozen. */
const CANDIDATES = 24;
/** Tuple updates the annealing may spend in all: about one second of one core. */
const DEFAULT_EFFORT = 30_000_000;
/** Share of the remaining effort that one attempt at one row fewer may spend. */
const ATTEMPT_SHARE = 0.5;
/** Share of the effort that looks for arrays made of rows and their reverses. */
const MIRRORED_SHARE = 0.7;
/**
 * Annealing temperatures in uncovered tuples, found by trial on 9 to 20 events: hotter and cooler both give more rows.
 */
const HOT = 0.3;
const COLD = 0.1;

/** Gives way to whatever else the process has to do; throws where that ends the search. */
export type Pause = () => Promise<void>;
/** Tuple updates between two pauses: some hundredths of a second. */
const UPDATES_TO_A_PAUSE = 1_000_000;

export interface CoverRequest {
  readonly space: TupleSpace;
  /** One entry for each tuple index: 1 where a row has to run through that tuple. */
  readonly required: Uint8Array;
  /** Every row is a linear extension of this order. */
  readonly order: PartialOrder;
  readonly seed: number;
  /** Tuple updates to spend on making the array smaller; 0 leaves the greedy result. */
  readonly effort?: number;
  readonly pause: Pause;
}

/**
 * The tuples that `order` allows, as a table for `coverOrders`: a tuple is possible when no event in it has to come
 * before an earlier one.
 */
export function possibleTuples(space: TupleSpace, order: PartialOrder): Uint8Array {
  const possible = new Uint8Array(space.entries);
  forEachOrder(space, (index, events) => {
    possible[index] = allows(order, events) ? 1 : 0;
  });
  return possible;
}

function allows(order: PartialOrder, events: readonly number[]): boolean {
  return events.every((later, place) => events.slice(0, place).every((earlier) => !order.precedes(later, earlier)));
}

/**
 * Rows (permutations of all events) such that every required tuple is a subsequence of at least one: a sequence
 * covering array (Kuhn, Higdon, Lawrence, Kacker, Lei, "Combinatorial Methods for Event Sequence Testing", 2012).
 *
 * Strength 2 without constraints is a permutation and its reverse. Otherwise rows are built greedily, each followed by
 * its reverse where that is allowed, and simulated annealing then tries to do with one row fewer until the effort is
 * spent. Required tuples that `order` forbids are not covered. The result depends on the request alone.
 */
export async function coverOrders(request: CoverRequest): Promise<number[][]> {
  const { space, order, pause } = request;
  const random = createRandom(request.seed);
  const required = request.required.slice();
  forEachOrder(space, (index, events) => {
    if (required[index] === 1 && !allows(order, events)) required[index] = 0;
  });
  const greedy = await greedyRows(space, required, order, { random, pause });
  const effort = request.effort ?? DEFAULT_EFFORT;
  const context = { space, required, order, random, pause, fold: null };
  const mirror = mirrorTable(space);
  if (!required.every((entry, index) => entry === required[mirror[index] ?? 0]) || !isFree(order)) {
    return shrink(greedy, { ...context, effort });
  }
  // Half the rows and their reverses: half the search space, in which good arrays are as common.
  const half = greedy.filter((_, place) => place % 2 === 0);
  const folded = required.map((entry, index) => (index <= (mirror[index] ?? 0) ? entry : 0));
  const fold = mirror.map((other, index) => Math.min(other, index));
  const pairs = await shrink(half, { ...context, required: folded, fold, effort: effort * MIRRORED_SHARE });
  const rows = pairs.flatMap((row) => [row, row.toReversed()]);
  return shrink(rows, { ...context, effort: effort * (1 - MIRRORED_SHARE) });
}

function isFree(order: PartialOrder): boolean {
  for (let a = 0; a < order.size; a++) for (let b = 0; b < order.size; b++) if (order.precedes(a, b)) return false;
  return true;
}

/** For every tuple index the index of the same events in reverse. */
function mirrorTable(space: TupleSpace): Int32Array {
  const mirror = new Int32Array(space.entries);
  for (let index = 0; index < mirror.length; index++) mirror[index] = space.indexOf(space.eventsOf(index).reverse());
  return mirror;
}

async function greedyRows(
  space: TupleSpace,
  required: Uint8Array,
  order: PartialOrder,
  { random, pause }: { readonly random: Random; readonly pause: Pause },
): Promise<number[][]> {
  const open = required.slice();
  let left = open.reduce((sum, entry) => sum + entry, 0);
  const rows: number[][] = [];
  const take = (row: number[]): void => {
    let gain = 0;
    forEachTuple(space, row, (index) => {
      gain += open[index] ?? 0;
      open[index] = 0;
    });
    left -= gain;
    if (gain > 0) rows.push(row);
  };
  const gainOf = (row: readonly number[]): number => {
    let gain = 0;
    forEachTuple(space, row, (index) => {
      gain += open[index] ?? 0;
    });
    return gain;
  };
  const events = Array.from({ length: space.size }, (_, event) => event);
  const later = events.map((event) => events.filter((other) => order.precedes(event, other)));
  const candidate = () => rowThrough(space.eventsOf(firstOpen(open, random)), later, random);
  while (left > 0) {
    let best = candidate();
    let bestGain = gainOf(best);
    for (let compared = 1; compared < CANDIDATES; compared++) {
      await pause();
      const row = candidate();
      const gain = gainOf(row);
      if (gain > bestGain) [best, bestGain] = [row, gain];
    }
    take(best);
    const reverse = best.toReversed();
    if (left > 0 && allows(order, reverse)) take(reverse);
  }
  return rows;
}

/** An uncovered tuple at or after a random index, which exists when the caller knows that some are left. */
function firstOpen(open: Uint8Array, random: Random): number {
  const start = random.below(open.length);
  const found = open.indexOf(1, start);
  return found === -1 ? open.indexOf(1) : found;
}

/** A random row through `chain`, events that come in this order, and a linear extension of the order of `later`. */
function rowThrough(chain: readonly number[], later: readonly (readonly number[])[], random: Random): number[] {
  const left = later.map((_, event) => event);
  const afterOf = later.map((events, event) =>
    chain.includes(event) ? [...events, ...chain.slice(chain.indexOf(event) + 1)] : events,
  );
  const awaits = left.map(() => 0);
  const count = (events: readonly number[], by: 1 | -1) => {
    for (const event of events) awaits[event] = (awaits[event] ?? 0) + by;
  };
  for (const events of afterOf) count(events, 1);
  const row: number[] = [];
  while (left.length > 0) {
    // The chain respects the order, so together they have no circle and some event is always ready.
    const ready = left.filter((event) => awaits[event] === 0);
    const event = ready[random.below(ready.length)] ?? left[0] ?? 0;
    row.push(event);
    left.splice(left.indexOf(event), 1);
    count(afterOf[event] ?? [], -1);
  }
  return row;
}

interface ShrinkContext {
  readonly space: TupleSpace;
  readonly required: Uint8Array;
  readonly order: PartialOrder;
  readonly random: Random;
  readonly effort: number;
  readonly pause: Pause;
  /** Where every row stands for its reverse too: the index under which a tuple and its reverse are counted. */
  readonly fold: Int32Array | null;
}

/** Drops rows one at a time as long as annealing can repair what each leaves uncovered. */
async function shrink(rows: number[][], context: ShrinkContext): Promise<number[][]> {
  let best = rows;
  let effort = context.effort;
  const least = lowerBound(context.space, context.required);
  while (best.length > 1 && effort > 0 && best.length > least) {
    const budget = Math.ceil(effort * ATTEMPT_SHARE);
    const { solution, spent } = await anneal(withoutPoorestRow(best, context), budget, context);
    effort -= Math.max(spent, 1);
    if (solution !== null) best = solution;
    else if (budget <= 1) break;
  }
  return best;
}

/**
 * A proven lower bound on the rows that cover `required`: each row runs through exactly one order of any t events, so
 * the set of t events with the most required orders counts. Without constraints this is t!.
 */
export function lowerBound(space: TupleSpace, required: Uint8Array): number {
  const ordersOf = new Map<string, number>();
  let most = 0;
  forEachOrder(space, (index, events) => {
    if (required[index] !== 1) return;
    const key = events.toSorted((a, b) => a - b).join(',');
    const orders = (ordersOf.get(key) ?? 0) + 1;
    ordersOf.set(key, orders);
    most = Math.max(most, orders);
  });
  return most;
}

function coverCounts(rows: readonly (readonly number[])[], space: TupleSpace, fold: Int32Array | null): Uint16Array {
  const counts = new Uint16Array(space.entries);
  for (const row of rows) {
    forEachTuple(space, row, (index) => {
      const counted = fold === null ? index : (fold[index] ?? 0);
      counts[counted] = (counts[counted] ?? 0) + 1;
    });
  }
  return counts;
}

function withoutPoorestRow(rows: readonly number[][], { space, required, fold }: ShrinkContext): number[][] {
  const counts = coverCounts(rows, space, fold);
  const loss = rows.map((row) => {
    let only = 0;
    forEachTuple(space, row, (index) => {
      const counted = fold === null ? index : (fold[index] ?? 0);
      if (counts[counted] === 1 && required[counted] === 1) only++;
    });
    return only;
  });
  const poorest = loss.indexOf(Math.min(...loss));
  return rows.filter((_, place) => place !== poorest).map((row) => [...row]);
}

/** For each place in a row, the sets of t places that contain it, flattened: t entries a set, ascending. */
function placesWith(space: TupleSpace): Uint8Array[] {
  const found: number[][] = Array.from({ length: space.size }, () => []);
  const places: number[] = [];
  const choose = (from: number): void => {
    if (places.length === space.strength) {
      for (const place of places) found[place]?.push(...places);
      return;
    }
    for (let place = from; place < space.size; place++) {
      places.push(place);
      choose(place + 1);
      places.pop();
    }
  };
  choose(0);
  return found.map((flat) => Uint8Array.from(flat));
}

/**
 * Simulated annealing over `rows`: moves one event of one row to another place, keeps the move when fewer required
 * tuples stay uncovered or by Metropolis' rule. Returns the rows once everything is covered, or null.
 */
async function anneal(
  rows: number[][],
  budget: number,
  { space, required, order, random, pause, fold }: ShrinkContext,
): Promise<{ solution: number[][] | null; spent: number }> {
  const { size, strength } = space;
  const counts = coverCounts(rows, space, fold);
  let uncovered = 0;
  for (let index = 0; index < required.length; index++) if (required[index] === 1 && counts[index] === 0) uncovered++;
  const combinations = placesWith(space);
  const perMove = 2 * ((combinations[0]?.length ?? 0) / strength);
  const moves = Math.floor(budget / Math.max(perMove, 1));
  const movesToAPause = Math.ceil(UPDATES_TO_A_PAUSE / Math.max(perMove, 1));

  /** Adds `by` to the counts of every tuple of `row` that contains the event at `place`. */
  const count = (row: readonly number[], place: number, by: 1 | -1): void => {
    const flat = combinations[place];
    if (flat === undefined) return;
    for (let at = 0; at < flat.length; at += strength) {
      let index = 0;
      for (let k = 0; k < strength; k++) index = index * size + (row[flat[at + k] ?? 0] ?? 0);
      if (fold !== null) index = fold[index] ?? 0;
      const now = (counts[index] ?? 0) + by;
      counts[index] = now;
      if (required[index] === 1) {
        if (by === -1 && now === 0) uncovered++;
        else if (by === 1 && now === 1) uncovered--;
      }
    }
  };

  for (let move = 0; move < moves; move++) {
    if (uncovered === 0) return { solution: rows, spent: move * perMove };
    if (move % movesToAPause === 0) await pause();
    const row = rows[random.below(rows.length)];
    if (row === undefined) break;
    const from = random.below(size);
    const to = random.below(size);
    if (from === to || !mayMove(row, from, to, order)) continue;
    const before = uncovered;
    count(row, from, -1);
    shift(row, from, to);
    count(row, to, 1);
    const worse = uncovered - before;
    const temperature = HOT * (COLD / HOT) ** (move / moves);
    if (worse > 0 && random.unit() >= Math.exp(-worse / temperature)) {
      count(row, to, -1);
      shift(row, to, from);
      count(row, from, 1);
    }
  }
  return { solution: uncovered === 0 ? rows : null, spent: budget };
}

function shift(row: number[], from: number, to: number): void {
  const event = row[from] ?? 0;
  row.copyWithin(to < from ? to + 1 : from, to < from ? to : from + 1, to < from ? from : to + 1);
  row[to] = event;
}

function mayMove(row: readonly number[], from: number, to: number, order: PartialOrder): boolean {
  const event = row[from] ?? 0;
  const step = to < from ? -1 : 1;
  for (let place = from + step; place !== to + step; place += step) {
    const passed = row[place] ?? 0;
    if (step === -1 ? order.precedes(passed, event) : order.precedes(event, passed)) return false;
  }
  return true;
}
