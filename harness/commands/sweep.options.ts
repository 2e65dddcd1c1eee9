import { Command } from '@commander-js/extra-typings';
import {
  commaSeparated,
  JSON_OUTPUT,
  positiveInteger,
  RESULTS,
  WORKERS,
  wholeNumber,
} from '../terminal/option-values.ts';

export const sweepVerb = new Command('sweep')
  .description('look for bugs that depend on order, on many boards and kernels')
  .argument('<boards...>', "compiled device trees: paths, or names in the kernel's own package")
  .requiredOption('--kernel <names>', 'kernels, comma-separated', commaSeparated)
  .option(
    '--sweeps <names>',
    'what is done: async, loads, late, rebinds, suspend, pairs, comma-separated (default: all)',
    commaSeparated,
  )
  .option('--most <n>', 'most boots of each sweep for one board and kernel', positiveInteger, 16)
  .option('--reduce <n>', 'most boots to reduce each finding to what it needs, 0 for none', wholeNumber, 12)
  .option('--seed <n>', 'which boots are drawn, where there are more', positiveInteger, 1)
  .option(
    '--shard <i/n>',
    'only the i-th of n parts of the boards and kernels; a run without it reads all from the cache',
  )
  .option('--report <file>', 'write the findings into this file, too')
  .addOption(WORKERS)
  .addOption(RESULTS)
  .addOption(JSON_OUTPUT);

export type SweepOptions = ReturnType<typeof sweepVerb.opts>;
