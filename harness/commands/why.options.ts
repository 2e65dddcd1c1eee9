import { Command } from '@commander-js/extra-typings';
import { CELL_ARGUMENT, JSON_OUTPUT, MATRIX, RESULTS } from '../terminal/option-values.ts';

export const whyVerb = new Command('why')
  .description('collapse the devices that are deferred or failed to the causes they share')
  .argument('[what]', `a kernel log, or ${CELL_ARGUMENT} (default: a log on standard input)`)
  .option('--tree <dtb>', "for a log, the board's compiled device tree: a path, or a name in the package of --kernel")
  .option(
    '--kernel <name>',
    "for a log, take the tree of the log's machine from this kernel's package, and say which drivers the kernel has " +
      '(a recipe, debian-stock:SERIES|SUITE or image:PATH[,modules=FOLDER])',
  )
  .option('--timeout', 'for a cell, also find the least deferred_probe_timeout that works')
  .addOption(MATRIX)
  .addOption(RESULTS)
  .addOption(JSON_OUTPUT);

export type WhyOptions = ReturnType<typeof whyVerb.opts>;
