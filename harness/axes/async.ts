import type { Board, Subject } from '../model/board.ts';
import { always, type BuiltInAxis, hasRepeats, namesOf, subjectsIn } from './axis.ts';

/** Two subjects have a word of their own for all. */
const PAIR = 2;

/**
 * Whose probe is asynchronous: `none`, `smmu`, names joined by `+`, `all`; of a board with two subjects also `both`.
 */
export const ASYNC: BuiltInAxis = {
  name: 'async',
  values: (board) => ({
    expected: `none, ${board.subjects.length === PAIR ? 'both' : 'all'}, or names joined by + (${namesOf(board)})`,
    accepts: (value) => asynchronousOf(board, value) !== null,
    usual: ['none', 'both', 'all', ...board.subjects.map(({ name }) => name)],
  }),
  meaningless: always,
  apply: (draft, value) => ({ ...draft, asynchronous: asynchronousOf(draft.board, value) ?? [] }),
};

function asynchronousOf(board: Board, value: string): readonly Subject[] | null {
  if (value === 'none') return [];
  if (value === 'all' || (value === 'both' && board.subjects.length === PAIR)) return board.subjects;
  const named = subjectsIn(board, value, '+');
  if (named === null || hasRepeats(named)) return null;
  return board.subjects.filter((subject) => named.includes(subject));
}
