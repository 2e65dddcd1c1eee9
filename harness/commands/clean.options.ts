import { Command } from '@commander-js/extra-typings';

export const cleanVerb = new Command('clean')
  .description('remove the cache of kernels and boots, and with --results the run records')
  .option('--results [dir]', 'also the run records')
  .option('--force', 'also while a run uses the cache');

export type CleanOptions = ReturnType<typeof cleanVerb.opts>;
