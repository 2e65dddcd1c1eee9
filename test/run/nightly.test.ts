import fc from 'fast-check';
import { expect, test } from 'vitest';
import { disagreements, nightlySample, outdatedRuns } from '../../harness/run/nightly.ts';
import { aCell, aRun } from '../report/builders.ts';

test('only runs beyond the newest ones are outdated, and nothing else that lies there', () => {
  const entries = [
    'latest',
    'sample',
    'notes.txt',
    '2026-11-03T02-00-00Z',
    '2026-11-01T02-00-00Z',
    '2026-11-02T02-00-00Z',
    '2026-11-02T02-00-00Z-2',
    '2026-10-01T02-00-00Z.unfinished.pid7',
  ];
  expect(outdatedRuns(entries, 2)).toEqual(['2026-11-01T02-00-00Z', '2026-11-02T02-00-00Z']);
  expect(outdatedRuns(entries, 9)).toEqual([]);
});

test('every cell that was booted has its turn, and no night boots one twice', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 12 }),
      fc.nat(100_000),
      (count, size, day) => {
        const cells = Array.from({ length: count }, (_, n) => aCell({ id: `c${n}` }));
        const seen = new Set<string>();
        for (let night = 0; night <= Math.ceil(count / size); night++) {
          const ids = nightlySample(cells, size, day + night);
          expect(new Set(ids).size).toBe(Math.min(size, count));
          for (const id of ids) seen.add(id);
        }
        expect(seen.size).toBe(count);
      },
    ),
  );
});

test('a cell without a boot is never in the sample', () => {
  const cells = [aCell({ id: 'a', consoleHash: null, verdict: 'unbuildable' }), aCell({ id: 'b' })];
  expect(nightlySample(cells, 5, 3)).toEqual(['b']);
  expect(nightlySample([], 5, 3)).toEqual([]);
});

const NO_FILES = { nightly: () => null, sample: () => null };

test('a cell disagrees that differs from the night or between its own boots', () => {
  const night = aRun([aCell({ id: 'a' }), aCell({ id: 'b' }), aCell({ id: 'c' }), aCell({ id: 'd' })]);
  const sample = aRun([
    aCell({ id: 'a', cached: false, wallMs: 1 }),
    aCell({ id: 'b', consoleHash: 'e'.repeat(64) }),
    aCell({ id: 'c', verdict: 'null-deref' }),
    aCell({ id: 'd' }),
  ]);
  expect(disagreements(night, sample, NO_FILES)).toEqual([
    { id: 'b', what: 'console', clockRace: null },
    { id: 'c', what: 'verdict', clockRace: null },
  ]);
  const lost = aRun([aCell({ id: 'a', verdict: 'infra-error' }), aCell({ id: 'b', verdict: 'infra-error' })]);
  expect(disagreements(night, lost, NO_FILES)).toEqual([]);
  const flaky = { ...sample, flakes: [{ id: 'd', what: 'order' as const, repetition: 2 }] };
  expect(disagreements(night, flaky, NO_FILES)).toContainEqual({ id: 'd', what: 'order', clockRace: null });
});

test("a nightly's boot that QEMU's clock race has put off is told as that, unless the sample's differ as well", () => {
  const night = aRun([aCell({ consoleHash: 'a'.repeat(64) })]);
  const sample = aRun([aCell({ consoleHash: 'b'.repeat(64) })]);
  const saying = (micros: number, text: string) => () => Buffer.from(`[    6.0000${micros}] ${text}\n`);
  const found = (nightly: () => Buffer, again: Pick<typeof sample, 'cells' | 'flakes'> = sample) =>
    disagreements(night, again, { nightly, sample: saying(10, 'done') }).map(({ clockRace }) => clockRace);
  expect(found(saying(15, 'done'))).toEqual([5]);
  expect(found(saying(99, 'done'))).toEqual([null]);
  expect(found(saying(15, 'gone'))).toEqual([null]);
  const flakes = [{ id: aCell().id, what: 'console' as const, repetition: 2 }];
  expect(found(saying(15, 'done'), { ...sample, flakes })).toEqual([null]);
});
