import { Command } from '@commander-js/extra-typings';
import { KNOWN_ISSUES, MATRIX, ONLY, positiveInteger, WORKERS } from '../terminal/option-values.ts';

export const nightlyVerb = new Command('nightly')
  .description('run the matrix, compare it with the previous nightly, and boot a sample again to find flakes')
  .addOption(MATRIX)
  .addOption(ONLY)
  .addOption(KNOWN_ISSUES)
  .addOption(WORKERS)
  .option('--results <dir>', 'folder of the nightly runs', 'results/nightly')
  .option('--keep <n>', 'nightly runs to keep', positiveInteger, 14)
  .option('--sample <n>', 'cells to boot again', positiveInteger, 8);

export type NightlyOptions = ReturnType<typeof nightlyVerb.opts>;
