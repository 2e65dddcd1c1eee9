import { type BuiltInAxis, hasRepeats, namesOf, subjectsIn } from './axis.ts';

/** Order of finit_module(), whatever the modules depend on: `smmu-scm`, each module once. */
export const LOAD: BuiltInAxis = {
  name: 'load',
  values: (board) => ({
    expected: `names joined by - in the order of loading (${namesOf(board)})`,
    accepts: (value) => {
      const order = subjectsIn(board, value, '-');
      return order !== null && !hasRepeats(order);
    },
    usual: [board.subjects.map(({ name }) => name), board.subjects.map(({ name }) => name).reverse()].map((order) =>
      order.join('-'),
    ),
  }),
  meaningless: ({ board, modules }, value) => {
    const order = subjectsIn(board, value, '-') ?? [];
    if (order.length < 2) return 'for one driver alone';
    return order.length === modules.length && order.every((subject) => modules.includes(subject))
      ? null
      : 'unless the drivers that it names, and no others, are modules';
  },
  apply: (draft, value) => ({ ...draft, modules: subjectsIn(draft.board, value, '-') ?? draft.modules }),
};
