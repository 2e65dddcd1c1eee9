import { Command } from '@commander-js/extra-typings';
import {
  JSON_RECORD,
  KNOWN_ISSUES,
  MATRIX,
  NO_FORK,
  ONLY,
  positiveInteger,
  REPORTER,
  RESULTS,
  WORKERS,
} from '../terminal/option-values.ts';

export const matrixVerb = new Command('matrix')
  .description('boot every cell of a matrix file and print the verdicts')
  .addOption(MATRIX)
  .addOption(ONLY)
  .option('--list', 'list the cells and their expected verdicts without booting')
  .option('--build-only', 'build the kernels of the cells without booting')
  .addOption(WORKERS)
  .option('--repeat <n>', 'boot each cell n times and compare the boots', positiveInteger, 1)
  .option('--no-cache', 'boot every cell, including those unchanged since their last boot')
  .option('--no-snapshots', 'boot every cell from reset, without snapshots of a shared guest')
  .addOption(NO_FORK)
  .addOption(RESULTS)
  .option('--shard <i/n>', 'only the i-th of n parts of equal duration; merge joins them')
  .addOption(KNOWN_ISSUES)
  .addOption(REPORTER)
  .addOption(JSON_RECORD);

export type MatrixOptions = ReturnType<typeof matrixVerb.opts>;
