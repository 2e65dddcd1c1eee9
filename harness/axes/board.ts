import { resolveBoard } from '../boards/boards.ts';
import { always, type BuiltInAxis } from './axis.ts';

/** Which board; the names of a matrix file are resolved before any other axis, as the values of those depend on it. */
export const BOARD: BuiltInAxis = {
  name: 'board',
  values: () => ({ expected: 'a board', accepts: () => true, usual: [] }),
  meaningless: always,
  apply: (draft, name) => ({ ...draft, board: resolveBoard(name) }),
};
