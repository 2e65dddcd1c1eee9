import { always, type BuiltInAxis } from './axis.ts';

/**
 * Which kernel: a recipe of kernel-configs/, `debian-stock:SERIES` or `image:PATH`; looked up when the cell is booted.
 */
export const KERNEL: BuiltInAxis = {
  name: 'kernel',
  values: () => ({ expected: 'the name of a recipe in kernel-configs', accepts: () => true, usual: [] }),
  meaningless: always,
  apply: (draft, kernel) => ({ ...draft, kernel }),
};
