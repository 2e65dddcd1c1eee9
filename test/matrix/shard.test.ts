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

  test('a cell that takes long has a shard with fewer others', () => {
    const [cell] = cells;
    if (cell === undefined) throw new Error('no cells');
    const short = [1, 2, 3, 4].map((n) => ({ ...cell, id: `short-${n}`, cpus: 1 }));
    // Of five times the work of one (expectedSeconds()), and last in the matrix.
    const long = { ...cell, id: 'long', cpus: 11 };
    const idsOf = (index: number) => cellsOfShard([...short, long], { index, of: 2 }).map(({ id }) => id);
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
