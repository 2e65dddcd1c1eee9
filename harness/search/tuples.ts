import { InputError } from '../errors.ts';

/** Largest table of orders the search keeps, 2^22 entries of one byte: 64 events in t = 3, 45 in t = 4. */
const MAX_TABLE = 4_194_304;

/**
 * The ordered t-tuples of distinct events 0..size-1. A tuple's index is the number whose digits in base `size`
 * are its events, so an array of size^t entries holds a fact about each.
 */
export interface TupleSpace {
  readonly size: number;
  readonly strength: number;
  readonly entries: number;
  readonly indexOf: (events: readonly number[]) => number;
  readonly eventsOf: (index: number) => number[];
}

/** @throws InputError when there are too many events for this strength, or fewer events than the strength. */
export function tupleSpace(size: number, strength: number): TupleSpace {
  if (!Number.isInteger(strength) || strength < 2 || strength > size) {
    throw new InputError(
      `orders of ${strength} events need a strength between 2 and the number of events, which is ${size}`,
      'give another strength or more devices',
    );
  }
  const entries = size ** strength;
  if (entries > MAX_TABLE) {
    throw new InputError(
      `${size} events at strength ${strength} are more than the search can keep count of`,
      'lower the strength or name fewer devices',
    );
  }
  return {
    size,
    strength,
    entries,
    indexOf: (events) => events.reduce((index, event) => index * size + event, 0),
    eventsOf: (index) => {
      const events = new Array<number>(strength);
      for (let place = strength - 1, rest = index; place >= 0; place--) {
        events[place] = rest % size;
        rest = Math.floor(rest / size);
      }
      return events;
    },
  };
}

/** Calls `visit` with the index of every ordered t-tuple that `row` runs through: its subsequences of length t. */
export function forEachTuple(space: TupleSpace, row: readonly number[], visit: (index: number) => void): void {
  const { size, strength } = space;
  const choose = (from: number, left: number, index: number): void => {
    if (left === 0) {
      visit(index);
      return;
    }
    for (let place = from; place <= row.length - left; place++) {
      choose(place + 1, left - 1, index * size + (row[place] ?? 0));
    }
  };
  choose(0, strength, 0);
}

/** Calls `visit` for every tuple of distinct events, in the order of their indexes. */
export function forEachOrder(space: TupleSpace, visit: (index: number, events: readonly number[]) => void): void {
  const events: number[] = [];
  const extend = (index: number): void => {
    if (events.length === space.strength) {
      visit(index, events);
      return;
    }
    for (let event = 0; event < space.size; event++) {
      if (events.includes(event)) continue;
      events.push(event);
      extend(index * space.size + event);
      events.pop();
    }
  };
  extend(0);
}
