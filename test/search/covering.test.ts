import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoverageTable } from '../../harness/search/coverage.ts';
import { coverOrders, lowerBound, possibleTuples } from '../../harness/search/covering.ts';
import { type Precedence, partialOrder } from '../../harness/search/precedence.ts';
import { forEachOrder, tupleSpace } from '../../harness/search/tuples.ts';

const QUICK = 300_000;

function names(count: number): string[] {
  return Array.from({ length: count }, (_, event) => `d${event}`);
}

const pause = async () => {};

async function rowsFor(
  count: number,
  strength: number,
  constraints: readonly Precedence[],
  seed: number,
  effort?: number,
) {
  const order = partialOrder(names(count), constraints);
  const space = tupleSpace(count, strength);
  const required = possibleTuples(space, order);
  const rows = await coverOrders({ space, required, order, seed, pause, ...(effort === undefined ? {} : { effort }) });
  return { order, space, required, rows };
}

/** Independent of the code under test: does `row` run through `events` in their order? */
function runsThrough(row: readonly number[], events: readonly number[]): boolean {
  let next = 0;
  for (const event of row) if (event === events[next]) next++;
  return next === events.length;
}

/** Constraints that agree with the order of the numbers, so that they never contradict each other. */
const constraintsOver = (count: number): fc.Arbitrary<Precedence[]> =>
  fc
    .array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: count })
    .map((pairs) =>
      pairs
        .filter(([a, b]) => a < b)
        .map(([a, b]) => ({ before: `d${a}`, after: `d${b}`, reason: `d${b} needs d${a}` })),
    );

describe('coverOrders', () => {
  it('covers every order that the constraints allow, with rows that respect them', async () => {
    const problem = fc
      .record({ count: fc.integer({ min: 3, max: 7 }), strength: fc.integer({ min: 2, max: 3 }), seed: fc.nat() })
      .chain((sizes) => fc.record({ sizes: fc.constant(sizes), constraints: constraintsOver(sizes.count) }));
    await fc.assert(
      fc.asyncProperty(problem, async ({ sizes, constraints }) => {
        const { rows, space, order } = await rowsFor(sizes.count, sizes.strength, constraints, sizes.seed, QUICK);
        for (const row of rows) {
          expect(row.toSorted((a, b) => a - b)).toEqual(names(sizes.count).map((_, event) => event));
          for (const [place, later] of row.entries()) {
            for (const earlier of row.slice(0, place)) expect(order.precedes(later, earlier)).toBe(false);
          }
        }
        forEachOrder(space, (_, events) => {
          const forbidden = events.some((later, place) =>
            events.slice(0, place).some((earlier) => order.precedes(later, earlier)),
          );
          expect(rows.some((row) => runsThrough(row, events))).toBe(!forbidden);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('needs a permutation and its reverse for pairs', async () => {
    const { rows } = await rowsFor(10, 2, [], 1);
    expect(rows).toHaveLength(2);
    expect(rows[0]?.toReversed()).toEqual(rows[1]);
  });

  it('reaches the optimum where it is known: t! rows for t + 1 events (Levenshtein 1991)', async () => {
    expect((await rowsFor(4, 3, [], 1, QUICK)).rows).toHaveLength(6);
    expect((await rowsFor(5, 4, [], 1, 10 * QUICK)).rows).toHaveLength(24);
  });

  it('stays below the 14 rows that the greedy method of Kuhn et al. needs for ten events in t = 3', async () => {
    expect((await rowsFor(10, 3, [], 1, 10_000_000)).rows.length).toBeLessThanOrEqual(11);
  });

  it('gives the same rows for the same seed', async () => {
    expect((await rowsFor(8, 3, [], 7, QUICK)).rows).toEqual((await rowsFor(8, 3, [], 7, QUICK)).rows);
    expect((await rowsFor(8, 3, [], 7, QUICK)).rows).not.toEqual((await rowsFor(8, 3, [], 8, QUICK)).rows);
  });

  it('gives way while rows are made and while they are made fewer, and ends where it is told to', async () => {
    const order = partialOrder(names(30), [{ before: 'd1', after: 'd0', reason: '' }]);
    const space = tupleSpace(30, 3);
    const required = possibleTuples(space, order);
    const pausesOf = async (effort: number) => {
      let pauses = 0;
      const counted = async () => {
        pauses++;
      };
      await coverOrders({ space, required, order, seed: 1, effort, pause: counted });
      return pauses;
    };
    const greedy = await pausesOf(0);
    expect(greedy).toBeGreaterThan(100);
    expect(await pausesOf(10_000_000)).toBeGreaterThanOrEqual(greedy + 5);
    const stop = async () => Promise.reject(new Error('stop'));
    await expect(coverOrders({ space, required, order, seed: 1, pause: stop })).rejects.toThrow('stop');
  });

  it('covers only what is asked for', async () => {
    const space = tupleSpace(10, 3);
    const order = partialOrder(names(10), []);
    const required = new Uint8Array(space.entries);
    required[space.indexOf([7, 2, 5])] = 1;
    const rows = await coverOrders({ space, required, order, seed: 3, pause });
    expect(rows).toHaveLength(1);
    expect(runsThrough(rows[0] ?? [], [7, 2, 5])).toBe(true);
  });

  it('needs as many rows as the events have orders of which most are required', () => {
    const space = tupleSpace(5, 2);
    const required = new Uint8Array(space.entries);
    const pairs = [
      [0, 1],
      [1, 0],
      [2, 4],
    ];
    for (const pair of pairs) required[space.indexOf(pair)] = 1;
    expect(lowerBound(space, required)).toBe(2);
    required[space.indexOf([1, 0])] = 0;
    expect(lowerBound(space, required)).toBe(1);
  });

  it('is never smaller than the lower bound', async () => {
    for (const strength of [2, 3, 4]) {
      const { rows, space, required } = await rowsFor(6, strength, [], 5, QUICK);
      expect(rows.length).toBeGreaterThanOrEqual(lowerBound(space, required));
    }
  });

  it('refuses more than it can count and strengths that make no sense', () => {
    expect(() => tupleSpace(100, 4)).toThrow('100 events at strength 4');
    expect(() => tupleSpace(3, 4)).toThrow('orders of 4 events');
    expect(() => tupleSpace(3, 1)).toThrow('orders of 1 events');
  });
});

describe('partialOrder', () => {
  it('names the circle of contradicting constraints', () => {
    const constraints = [
      { before: 'a', after: 'b', reason: '' },
      { before: 'b', after: 'c', reason: '' },
      { before: 'c', after: 'a', reason: '' },
    ];
    expect(() => partialOrder(['a', 'b', 'c'], constraints)).toThrow(/contradict each other: .* before .* before /);
  });

  it('gives the chain of reasons', () => {
    const order = partialOrder(
      ['a', 'b', 'c'],
      [
        { before: 'a', after: 'b', reason: 'b needs a' },
        { before: 'b', after: 'c', reason: 'c needs b' },
      ],
    );
    expect(order.precedes(0, 2)).toBe(true);
    expect(order.reason(0, 2)).toBe('b needs a; and c needs b');
    expect(order.reason(2, 0)).toBeNull();
  });
});

describe('CoverageTable', () => {
  it('counts what was recorded, says what is missing, and why something is impossible', () => {
    const devices = ['a', 'b', 'c'];
    const space = tupleSpace(3, 2);
    const table = new CoverageTable(space, devices);
    const order = partialOrder(devices, [{ before: 'a', after: 'b', reason: 'b needs a' }]);
    expect(table.add(['a', 'c'])).toBe(1);
    expect(table.add(['a', 'b', 'c'])).toBe(2);
    const coverage = table.measure(order, new Map([[space.indexOf([2, 0]), 'given up']]));
    expect(coverage.total).toBe(6);
    expect(coverage.covered).toBe(3);
    expect(coverage.missing).toEqual([['c', 'b']]);
    expect(coverage.impossible).toEqual([
      { order: ['b', 'a'], reason: 'b needs a' },
      { order: ['c', 'a'], reason: 'given up' },
    ]);
    expect(coverage.naive).toBe(6);
    expect(coverage.lowerBound).toBe(2);
  });

  it('does not count impossible orders for the lower bound', () => {
    const table = new CoverageTable(tupleSpace(2, 2), ['a', 'b']);
    const order = partialOrder(['a', 'b'], [{ before: 'a', after: 'b', reason: 'b needs a' }]);
    expect(table.measure(order, new Map()).lowerBound).toBe(1);
  });
});
