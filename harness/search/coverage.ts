import { lowerBound } from './covering.ts';
import type { PartialOrder } from './precedence.ts';
import { forEachOrder, forEachTuple, type TupleSpace } from './tuples.ts';

/** An order that cannot be seen, and why. */
interface ImpossibleOrder {
  readonly order: readonly string[];
  readonly reason: string;
}

export interface Coverage {
  readonly strength: number;
  /** All ordered tuples of `strength` events. */
  readonly total: number;
  /** Orders that were seen in the recorded events. */
  readonly covered: number;
  readonly missing: readonly (readonly string[])[];
  readonly impossible: readonly ImpossibleOrder[];
  /** Boots that any way of covering the possible orders needs at least. */
  readonly lowerBound: number;
  /** Boots that trying every order would take: N!. A number, exact up to 18!, then rounded. */
  readonly naive: number;
}

/** Which ordered tuples the recorded rows ran through. Rows may be incomplete: a crash ends a boot early. */
export class CoverageTable {
  readonly #space: TupleSpace;
  readonly #names: readonly string[];
  readonly #seen: Uint8Array;

  constructor(space: TupleSpace, names: readonly string[]) {
    this.#space = space;
    this.#names = names;
    this.#seen = new Uint8Array(space.entries);
  }

  /** Adds one recorded order; returns how many tuples it showed for the first time. */
  add(order: readonly string[]): number {
    const row = order.map((name) => this.#names.indexOf(name)).filter((event) => event !== -1);
    let gained = 0;
    forEachTuple(this.#space, row, (index) => {
      if (this.#seen[index] === 1) return;
      this.#seen[index] = 1;
      gained++;
    });
    return gained;
  }

  /** Tuples that `order` runs through and that no recorded order has shown. */
  unseen(order: readonly string[]): number[] {
    const row = order.map((name) => this.#names.indexOf(name)).filter((event) => event !== -1);
    const unseen: number[] = [];
    forEachTuple(this.#space, row, (index) => {
      if (this.#seen[index] !== 1) unseen.push(index);
    });
    return unseen;
  }

  /**
   * The state of every tuple. An order that was seen is covered whatever the constraints say; one that was not seen is
   * impossible when `order` forbids it or `givenUp` names a reason for it, and missing otherwise.
   */
  measure(order: PartialOrder, givenUp: ReadonlyMap<number, string>): Coverage {
    const missing: string[][] = [];
    const impossible: ImpossibleOrder[] = [];
    const wanted = new Uint8Array(this.#space.entries);
    let total = 0;
    let covered = 0;
    const names = (events: readonly number[]): string[] => events.map((event) => this.#names[event] ?? '');
    forEachOrder(this.#space, (index, events) => {
      total++;
      wanted[index] = 1;
      if (this.#seen[index] === 1) {
        covered++;
        return;
      }
      const reason = forbidden(order, events) ?? givenUp.get(index);
      if (reason === undefined) missing.push(names(events));
      else {
        wanted[index] = 0;
        impossible.push({ order: names(events), reason });
      }
    });
    return {
      strength: this.#space.strength,
      total,
      covered,
      missing,
      impossible,
      lowerBound: lowerBound(this.#space, wanted),
      naive: factorial(this.#names.length),
    };
  }

  /** Tuples that are neither seen, nor forbidden by `order`, nor given up: what further boots should ask for. */
  open(order: PartialOrder, givenUp: ReadonlyMap<number, string>): Uint8Array {
    const open = new Uint8Array(this.#space.entries);
    forEachOrder(this.#space, (index, events) => {
      if (this.#seen[index] === 0 && !givenUp.has(index) && forbidden(order, events) === undefined) open[index] = 1;
    });
    return open;
  }
}

function forbidden(order: PartialOrder, events: readonly number[]): string | undefined {
  for (const [place, later] of events.entries()) {
    for (const earlier of events.slice(0, place)) {
      const reason = order.reason(later, earlier);
      if (reason !== null) return reason;
    }
  }
  return undefined;
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}
