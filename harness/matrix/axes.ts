import { resolveBoard } from '../board/boards.ts';
import { CPUS_MAX } from '../firmware/memory-map.ts';
import { LINKAGES } from '../model/cell.ts';

/** Value of an axis that has no meaning for a cell: the load order of built-in drivers, for one. */
export const NOT_APPLICABLE = '-';

/** Longest delay of a probe: an hour of virtual time. */
const LONGEST_DELAY_MS = 3_600_000;
/** QEMU's MAX_ICOUNT_SHIFT (accel/tcg/icount-common.c). */
export const LARGEST_SHIFT = 10;

/** An axis whose values the harness turns into conditions itself (conditions.ts). */
interface BuiltInAxis {
  /** What its values may be, for error messages. */
  readonly expected: string;
  readonly accepts: (value: string) => boolean;
}

function choice(values: readonly string[]): BuiltInAxis {
  return { expected: values.join(', '), accepts: (value) => values.includes(value) };
}

function wholeNumber(unit: string, least: number, most: number): BuiltInAxis {
  return {
    expected: `${unit} from ${least} to ${most}`,
    accepts: (value) => /^(0|[1-9]\d{0,9})$/.test(value) && Number(value) >= least && Number(value) <= most,
  };
}

/** The axes the harness knows by name. Any other axis has to say under `means` what its values do. */
export const BUILT_IN_AXES: ReadonlyMap<string, BuiltInAxis> = new Map([
  ['kernel', { expected: 'the name of a recipe in kernel-configs', accepts: () => true }],
  ['linkage', choice(LINKAGES)],
  ['board', { expected: 'a board', accepts: (value) => resolveBoard(value).name === value }],
  ['node', choice(['first', 'last'])],
  ['async', choice(['none', 'scm', 'smmu', 'both'])],
  ['async-by', choice(['cmdline', 'param'])],
  ['delay', wholeNumber('milliseconds', 0, LONGEST_DELAY_MS)],
  ['load', choice(['scm-smmu', 'smmu-scm'])],
  ['autoprobe', choice(['on', 'off'])],
  ['bind', choice(['scm-smmu', 'smmu-scm', 'smmu-scm-smmu'])],
  ['cpus', wholeNumber('a number of vCPUs', 1, CPUS_MAX)],
  ['shift', wholeNumber('an icount shift', 0, LARGEST_SHIFT)],
]);
