import { InputError } from '../errors.ts';

/** `before` always comes before `after`, and why: a symbol dependency, a supplier, a crash already known. */
export interface Precedence {
  readonly before: string;
  readonly after: string;
  readonly reason: string;
}

/** A strict partial order over events numbered from 0, closed under transitivity. */
export interface PartialOrder {
  readonly size: number;
  /** True when `a` must come before `b`. */
  readonly precedes: (a: number, b: number) => boolean;
  /** The given constraints that together put `a` before `b`, as one sentence; null where they do not. */
  readonly reason: (a: number, b: number) => string | null;
}

/**
 * Closes `constraints` over `events`. Constraints about events that are not in the list are ignored.
 * @throws InputError when the constraints contradict each other; names the circle.
 */
export function partialOrder(events: readonly string[], constraints: readonly Precedence[]): PartialOrder {
  const size = events.length;
  const index = new Map(events.map((event, position) => [event, position]));
  // paths[a * size + b] is the chain of constraints that leads from a to b.
  const paths: (readonly Precedence[] | undefined)[] = new Array(size * size);
  for (const constraint of constraints) {
    const a = index.get(constraint.before);
    const b = index.get(constraint.after);
    if (a !== undefined && b !== undefined) paths[a * size + b] ??= [constraint];
  }
  // Warshall's algorithm, keeping one path for each pair.
  for (let via = 0; via < size; via++) {
    for (let a = 0; a < size; a++) {
      const head = paths[a * size + via];
      if (head === undefined) continue;
      for (let b = 0; b < size; b++) {
        const tail = paths[via * size + b];
        if (tail !== undefined) paths[a * size + b] ??= [...head, ...tail];
      }
    }
  }
  for (let a = 0; a < size; a++) {
    const circle = paths[a * size + a];
    if (circle !== undefined) {
      const names = circle.map((step) => step.before);
      throw new InputError(
        `the constraints contradict each other: ${[...names, names[0]].join(' before ')}`,
        'remove one of them',
      );
    }
  }
  return {
    size,
    precedes: (a, b) => paths[a * size + b] !== undefined,
    reason: (a, b) => paths[a * size + b]?.map((step) => step.reason).join('; and ') ?? null,
  };
}

/** True when adding "before precedes after" to `order` would contradict it. */
export function contradicts(order: PartialOrder, before: number, after: number): boolean {
  return before === after || order.precedes(after, before);
}
