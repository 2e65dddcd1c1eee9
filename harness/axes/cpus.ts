import { CPUS_MAX } from '../firmware/memory-map.ts';
import { always, type BuiltInAxis, wholeNumber } from './axis.ts';

/** Virtual CPUs, QEMU `-smp`. */
export const CPUS: BuiltInAxis = {
  name: 'cpus',
  values: () => wholeNumber('a number of vCPUs', 1, CPUS_MAX),
  meaningless: always,
  apply: (draft, value) => ({ ...draft, cpus: Number(value) }),
};
