import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { compare } from '../../harness/commands/compare.ts';
import { merge } from '../../harness/commands/merge.ts';
import { report } from '../../harness/commands/report.ts';
import { InputError } from '../../harness/errors.ts';
import { mergeRuns, type Part } from '../../harness/report/merge.ts';
import type { RunRecord } from '../../harness/run/record.ts';
import { aCell, aRun, threadRun } from './builders.ts';

/** Deals the cells of a run out to `of` shards. */
function shards(run: RunRecord, of: number, shardOf: (index: number) => number): Part[] {
  return Array.from({ length: of }, (_, shard) => ({
    from: `results/shard-${shard + 1}`,
    run: {
      ...run,
      run: `part-${shard + 1}`,
      shard: { index: shard + 1, of },
      cells: run.cells.filter((_, index) => shardOf(index) === shard),
    },
  }));
}

describe('merge', () => {
  const whole = threadRun();
  const byId = (run: RunRecord) => new Map(run.cells.map((cell) => [cell.id, cell]));

  it('gives the run that was not sharded, however the cells were dealt and in whatever order the parts come', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.infiniteStream(fc.nat(5)), fc.boolean(), (of, deal, turn) => {
        const dealt = [...deal.take(whole.cells.length)];
        const parts = shards(whole, of, (index) => (dealt[index] ?? 0) % of);
        const run = mergeRuns(turn ? [...parts].reverse() : parts, 'merged');
        expect(run.missing).toBeNull();
        expect(run.shard).toBeNull();
        expect(byId(run)).toEqual(byId(whole));
        expect(run.cells.map((cell) => cell.id)).toEqual(
          mergeRuns(
            shards(whole, 1, () => 0),
            'merged',
          ).cells.map((cell) => cell.id),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('names the shards that are missing', () => {
    const parts = shards(whole, 4, (index) => index % 4).filter((part) => part.run.shard?.index !== 3);
    const merged = mergeRuns(parts, 'merged');
    expect(merged.missing).toEqual({ shards: [3], of: 4 });
    expect(merged.cells.length).toBeLessThan(whole.cells.length);
  });

  const [one, two] = shards(whole, 2, (index) => index % 2);
  if (one === undefined || two === undefined) throw new Error('two shards were asked for');
  it.each([
    ['nothing', [], 'nothing to merge'],
    ['a whole run', [one, { from: 'x', run: whole }], 'x is a whole run, not a shard'],
    ['a shard twice', [one, one], 'are both shard 1/2'],
    [
      'other matrices',
      [one, { ...two, run: { ...two.run, matrix: { ...whole.matrix, hash: 'other' } } }],
      'differ in their matrix',
    ],
    [
      'other selections',
      [one, { ...two, run: { ...two.run, matrix: { ...whole.matrix, selection: ['row=T8'] } } }],
      'differ in their selection',
    ],
    [
      'other numbers of shards',
      [one, { ...two, run: { ...two.run, shard: { index: 2, of: 3 } } }],
      'differ in their number of shards: 2 and 3',
    ],
    [
      'another harness',
      [one, { ...two, run: { ...two.run, harness: { version: '9', commit: null } } }],
      'differ in their harness',
    ],
    ['another QEMU', [one, { ...two, run: { ...two.run, qemu: 'QEMU 9' } }], 'differ in their QEMU'],
    [
      'a cell twice',
      [one, { ...two, run: { ...two.run, cells: one.run.cells } }],
      `is in ${one.from} and in ${two.from}`,
    ],
  ])('refuses %s', (_, parts, message) => {
    expect(() => mergeRuns(parts, 'merged')).toThrow(message);
    expect(() => mergeRuns(parts, 'merged')).toThrow(InputError);
  });
});

describe('bootrace merge', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bootrace-merge-'));
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
  });

  function onDisk(part: Part): string {
    const path = join(folder, part.run.run);
    for (const cell of part.run.cells) {
      mkdirSync(join(path, cell.folder ?? '', 'x'), { recursive: true });
      writeFileSync(join(path, cell.folder ?? '', 'console.log'), `console of ${cell.id}\n`);
    }
    mkdirSync(join(path, 'shared'), { recursive: true });
    writeFileSync(join(path, 'shared/el2-firmware.bin'), 'firmware');
    writeFileSync(join(path, 'run.json'), JSON.stringify(part.run));
    return path;
  }

  it('joins records and files into a new run', async () => {
    const run = aRun(['a', 'b', 'c', 'd'].map((id) => aCell({ id })));
    const paths = shards(run, 2, (index) => index % 2).map(onDisk);
    expect(await merge(paths, { results: join(folder, 'results') })).toBe(0);
    const latest = join(folder, 'results/latest');
    expect(readFileSync(join(latest, 'cells/c/console.log'), 'utf8')).toBe('console of c\n');
    expect(existsSync(join(latest, 'shared/el2-firmware.bin'))).toBe(true);
    expect(readFileSync(join(latest, 'run.json'), 'utf8')).toContain('"shard": null');
  });

  it('exits 3 when a shard is missing and what there is is good', async () => {
    const run = aRun(['a', 'b'].map((id) => aCell({ id })));
    const [path = ''] = shards(run, 2, (index) => index % 2).map(onDisk);
    expect(await merge([path], { results: join(folder, 'results') })).toBe(3);
    // And so does everything that looks at it later.
    const latest = join(folder, 'results/latest');
    expect(await report(latest, { origin: 'bootrace' })).toBe(3);
    expect(await compare(latest, latest, {})).toBe(3);
    expect(await compare(path, latest, {})).toBe(3);
    const said = vi.mocked(process.stdout.write).mock.calls.join('');
    expect(said.match(/shard 2 of 2 is missing/g)?.length).toBeGreaterThanOrEqual(4);
    expect(said).not.toContain('all as expected');
  });

  it('refuses a record whose cells lie outside of its folder, and leaves no run behind', async () => {
    const run = aRun([aCell({ id: 'a', folder: '../elsewhere' })]);
    const [path = ''] = shards(run, 1, () => 0).map(onDisk);
    await expect(merge([path], { results: join(folder, 'results') })).rejects.toThrow('outside of the run');
    expect(existsSync(join(folder, 'results/latest'))).toBe(false);
  });
});
