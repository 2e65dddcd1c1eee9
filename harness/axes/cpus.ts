import { CPUS_MAX } from '../board/board-plan.ts';
import { STANDIN_CPUS } from '../firmware/memory-map.ts';
import { always, type BuiltInAxis, wholeNumber } from './axis.ts';

/** Virtual CPUs, QEMU `-smp`. */
export const CPUS: BuiltInAxis = {
  name: 'cpus',
  values: ({ kind }) => wholeNumber('a number of vCPUs', 1, kind === 'dtb' ? CPUS_MAX : STANDIN_CPUS),
  meaningless: always,
  apply: (draft, value) => ({ ...draft, cpus: Number(value) }),
};
