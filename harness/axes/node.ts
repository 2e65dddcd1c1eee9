import { type BuiltInAxis, choice } from './axis.ts';

/** Where the node that the board names under `moves` stands among its siblings: devices are created in that order. */
export const NODE: BuiltInAxis = {
  name: 'node',
  values: () => choice(['first', 'last']),
  meaningless: ({ board }) => (board.moves === null ? 'on a board that names no node under `moves`' : null),
  apply: (draft, value) => {
    const node = draft.board.moves;
    const to = value === 'first' ? 'first' : 'last';
    return node === null ? draft : { ...draft, tree: [...draft.tree, { edit: 'move', node, to }] };
  },
};
