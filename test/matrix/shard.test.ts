import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_MATRIX, loadMatrix } from '../../harness/matrix/matrix-file.ts';
import { cellsOfShard, parseShard } from '../../harness/matrix/shard.ts';

describe('cellsOfShard', async () => {
  const cells = await loadMatrix(DEFAULT_MATRIX);

  test('every cell is in exactly one shard, in the order of the matrix', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (of) => {
        const shards = Array.from({ length: of }, (_, n) => cellsOfShard(cells, { index: n + 1, of }));
        const ids = shards.map((shard) => shard.map(({ id }) => id));
        expect(ids.flat().sort()).toEqual(cells.map(({ id }) => id).sort());
        for (const shard of ids) expect(shard).toEqual(cells.map(({ id }) => id).filter((id) => shard.includes(id)));
      }),
      { numRuns: 30 },
    );
  });

  const [cell] = cells;
  if (cell === undefined) throw new Error('no cells');
  const load = { step: 'load', module: 'wobble', params: '' } as const;
  // Of at least twice the work of `short` (expectedSeconds()): each of what the duration of a boot depends on.
  const small = { ...cell, kernel: '6.1', board: 'small', cpus: 1, plan: [] };
  test.each([
    ['more vCPUs', small, { cpus: 9 }],
    ['a plan that loads many modules', small, { plan: Array.from({ length: 40 }, () => load) }],
    ['a kernel of a distribution', small, { kernel: 'debian-stock:6.12' }],
    ['a board with more devices', small, { board: 'full' }],
    ['a real board', { ...small, board: 'full' }, { board: 'sdm845-db845c.dtb' }],
  ])('a cell that takes longer for %s has a shard with fewer others', (_, others, parts) => {
    const short = [1, 2].map((n) => ({ ...others, id: `short-${n}` }));
    const idsOf = (index: number) =>
      cellsOfShard([...short, { ...others, ...parts, id: 'long' }], { index, of: 2 }).map(({ id }) => id);
    expect(idsOf(1)).toEqual(['long']);
    expect(idsOf(2)).toEqual(short.map(({ id }) => id));
  });

  test('shards have about the same work', () => {
    const sizes = [1, 2, 3, 4].map((index) => cellsOfShard(cells, { index, of: 4 }).length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(Math.ceil(cells.length / 10));
  });
});

test.each(['', '0/2', '3/2', '1', 'a/b', '1/2/3', '-1/2'])('--shard %s is refused', (text) => {
  expect(() => parseShard(text)).toThrow('expected INDEX/COUNT');
});
