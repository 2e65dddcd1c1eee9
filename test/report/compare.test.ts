import { describe, expect, it } from 'vitest';
import { type Change, compareRuns, exitCodeOfComparison, formatComparison } from '../../harness/report/compare.ts';
import type { CellRecord } from '../../harness/run/record.ts';
import { aCell, aCrash, aRun, threadRun, withCells } from './builders.ts';

const good = { verdict: 'bound', asExpected: true } as const;
const bad = { verdict: 'null-deref', asExpected: false } as const;
const otherwiseBad = { ...bad, crash: aCrash({ signature: 'null-deref elsewhere' }) };
const lost = { verdict: 'infra-error', asExpected: false } as const;
const knownBad = { verdict: 'null-deref', asExpected: true } as const;
const knownBadElsewhere = { ...knownBad, crash: aCrash({ signature: 'null-deref elsewhere' }) };

const CASES: readonly (readonly [Partial<CellRecord> | null, Partial<CellRecord> | null, Change, 0 | 1 | 3])[] = [
  [good, good, 'same', 0],
  [good, bad, 'new-failure', 1],
  [null, bad, 'new-failure', 1],
  [lost, bad, 'new-failure', 1],
  [bad, good, 'fixed', 0],
  [bad, bad, 'still-failing', 0],
  [bad, otherwiseBad, 'changed-signature', 0],
  [knownBad, knownBad, 'same', 0],
  [knownBad, knownBadElsewhere, 'changed-signature', 0],
  [good, null, 'gone', 0],
  [null, good, 'added', 0],
  [good, lost, 'no-verdict', 3],
  [bad, lost, 'no-verdict', 3],
  [lost, good, 'same', 0],
  [knownBad, { ...good, asExpected: false }, 'new-failure', 1],
];

describe('comparison', () => {
  it.each(CASES)('of %j with %j is %s, exit code %i', (before, after, change, exitCode) => {
    const run = (cell: Partial<CellRecord> | null) => aRun(cell === null ? [] : [aCell(cell)]);
    const comparison = compareRuns(run(before), run(after));
    expect(comparison.cells.map((cell) => cell.change)).toEqual([change]);
    expect(exitCodeOfComparison(comparison)).toBe(exitCode);
  });

  it('says that the expectation changed, and what it was', () => {
    const before = aRun([aCell({ verdict: 'bound', asExpected: true, expected: { verdicts: ['bound'] } })]);
    const expected = { verdicts: ['null-deref' as const], function: 'f' };
    const after = aRun([aCell({ verdict: 'bound', asExpected: false, expected })]);
    const text = formatComparison(compareRuns(before, after), { width: 110, colour: false });
    expect(text).toContain('bound  (changed: expectation, was bound)');
  });

  it('does not take another wording of the same good verdict for a change', () => {
    const comparison = compareRuns(
      aRun([aCell({ reason: 'bound after 10 ms' })]),
      aRun([aCell({ reason: 'bound after 11 ms' })]),
    );
    expect(comparison.cells[0]?.change).toBe('same');
  });

  it('finds a planted regression as the only new failure and names what changed', () => {
    const before = threadRun();
    const id = '6.1.builtin.node-last.async-both.d6000';
    const after = withCells(before, (cell) =>
      cell.id === id
        ? { ...bad, crash: aCrash(), inputs: { ...cell.inputs, image: 'f'.repeat(64), tree: '0'.repeat(64) } }
        : null,
    );
    const comparison = compareRuns(before, after);
    const changed = comparison.cells.filter((cell) => cell.change !== 'same');
    expect(changed.map((cell) => [cell.id, cell.change, cell.changed])).toEqual([
      [id, 'new-failure', ['kernel', 'device tree']],
    ]);
    const text = formatComparison(comparison, { width: 110, colour: false });
    expect(text).toContain(`✗ ${id}: deferred-then-bound -> null-deref  (changed: kernel, device tree)`);
    expect(text).toContain('1 new failure, 120 as before');
    expect(text).toContain(`npm run -s bootrace -- cell ${id}`);
  });

  it('names kernels, QEMU, harness and matrix that are not the same', () => {
    const kernel = {
      recipe: '6.1',
      linkage: 'builtin',
      release: '6.1.193',
      key: 'z'.repeat(64),
      source: null,
      imageHash: null,
    } as const;
    const comparison = compareRuns(
      aRun([aCell()]),
      aRun([aCell({ kernel })], { qemu: 'QEMU 8', harness: { version: '0.2.0', commit: null } }),
    );
    expect(comparison.inputs.map((input) => input.input)).toEqual(['kernel 6.1 builtin', 'qemu', 'harness']);
    expect(formatComparison(comparison, { width: 110, colour: false })).toContain(
      'kernel 6.1 builtin: 6.1.192 kkkkkkkkkkkk -> 6.1.193 zzzzzzzzzzzz',
    );
  });

  it('fails for a flake that is new', () => {
    const flakes = [{ id: '6.1.builtin.node-first', what: 'order' as const, repetition: 2 }];
    expect(exitCodeOfComparison(compareRuns(aRun([aCell()]), aRun([aCell()], { flakes })))).toBe(1);
    expect(exitCodeOfComparison(compareRuns(aRun([aCell()], { flakes }), aRun([aCell()], { flakes })))).toBe(0);
  });
});
