import { ASYNC } from './async.ts';
import { ASYNC_BY } from './async-by.ts';
import { AUTOPROBE } from './autoprobe.ts';
import type { BuiltInAxis } from './axis.ts';
import { BIND } from './bind.ts';
import { BOARD } from './board.ts';
import { CPUS } from './cpus.ts';
import { DELAY } from './delay.ts';
import { KERNEL } from './kernel.ts';
import { LINKAGE } from './linkage.ts';
import { LOAD } from './load.ts';
import { NODE } from './node.ts';
import { SHIFT } from './shift.ts';

/**
 * The axes that the harness knows by name, in the order in which they are applied to a cell: what one decides, the next
 * may build on.
 */
export const AXES: readonly BuiltInAxis[] = [
  BOARD,
  KERNEL,
  LINKAGE,
  NODE,
  ASYNC,
  ASYNC_BY,
  DELAY,
  LOAD,
  AUTOPROBE,
  BIND,
  CPUS,
  SHIFT,
];
