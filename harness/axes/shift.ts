import { always, type BuiltInAxis, wholeNumber } from './axis.ts';

/** QEMU's MAX_ICOUNT_SHIFT (accel/tcg/icount-common.c). */
export const LARGEST_SHIFT = 10;

/** QEMU `-icount shift=`: an instruction takes 2^N ns of virtual time. Each value is another interleaving. */
export const SHIFT: BuiltInAxis = {
  name: 'shift',
  values: () => wholeNumber('an icount shift', 0, LARGEST_SHIFT),
  meaningless: always,
  apply: (draft, value) => ({ ...draft, shift: Number(value) }),
};
