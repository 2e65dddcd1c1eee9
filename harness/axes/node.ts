import { type BuiltInAxis, choice } from './axis.ts';

function moved({ board }: { readonly board: Parameters<BuiltInAxis['values']>[0] }): string | null {
  return board.kind === 'standin' ? board.moves : null;
}

/** Where the node that the board names under `moves` stands among its siblings: devices are created in that order. */
export const NODE: BuiltInAxis = {
  name: 'node',
  values: () => choice(['first', 'last']),
  meaningless: (draft) => (moved(draft) === null ? 'on a board that names no node under `moves`' : null),
  apply: (draft, value) => {
    const node = moved(draft);
    const to = value === 'first' ? 'first' : 'last';
    return node === null ? draft : { ...draft, tree: [...draft.tree, { edit: 'move', node, to }] };
  },
};
