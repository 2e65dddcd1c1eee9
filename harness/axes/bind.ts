import { type BuiltInAxis, namesOf, subjectsIn } from './axis.ts';

/** Longest sequence of probes by hand. */
const MOST_PROBES = 16;

/** Where autoprobe is off, the order of drivers_probe: `smmu-scm`; a name may come again, `smmu-scm-smmu`. */
export const BIND: BuiltInAxis = {
  name: 'bind',
  values: (board) => ({
    expected: `up to ${MOST_PROBES} names joined by - in the order of probing (${namesOf(board)})`,
    accepts: (value) => {
      const order = subjectsIn(board, value, '-');
      return order !== null && order.length <= MOST_PROBES;
    },
    usual: [board.subjects.map(({ name }) => name), board.subjects.map(({ name }) => name).reverse()].map((order) =>
      order.join('-'),
    ),
  }),
  meaningless: ({ autoprobe }) => (autoprobe ? 'where the drivers probe by themselves' : null),
  apply: (draft, value) => ({ ...draft, binds: subjectsIn(draft.board, value, '-') }),
};
