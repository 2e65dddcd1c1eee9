import { Command } from '@commander-js/extra-typings';
import { CELL_ARGUMENT, JSON_OUTPUT, MATRIX, RESULTS } from '../terminal/option-values.ts';

export const whyVerb = new Command('why')
  .description('collapse the devices that are deferred or failed to the causes they share')
  .argument('[what]', `a kernel log, or ${CELL_ARGUMENT} (default: a log on standard input)`)
  .option(
    '--tree <dtb>',
    "for a log, the board's device tree, which tells what devices wait for where the log does not",
  )
  .option('--timeout', 'for a cell, also find the least deferred_probe_timeout that works')
  .addOption(MATRIX)
  .addOption(RESULTS)
  .addOption(JSON_OUTPUT);

export type WhyOptions = ReturnType<typeof whyVerb.opts>;
