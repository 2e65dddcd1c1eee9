import { expect, test } from 'vitest';
import { interleavings } from '../../harness/search/interleavings.ts';

const sorted = (board: string, shift = 4) => interleavings({ board, shift }, 20, 1).sort((a, b) => a - b);

test('a real board is not booted at shifts at which it gets nowhere', () => {
  expect(sorted('small')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(sorted('sdm845-db845c.dtb')).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test("a cell's own shift comes first, also where no search would try it", () => {
  expect(interleavings({ board: 'board.dtb', shift: 8 }, 3, 1)).toEqual([8, expect.any(Number), expect.any(Number)]);
  expect(sorted('board.dtb', 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 8]);
});
