import { Command, Option } from '@commander-js/extra-typings';
import { CELL_ARGUMENT, JSON_OUTPUT, MATRIX, RESULTS, WORKERS } from '../terminal/option-values.ts';

export const bisectOrderVerb = new Command('order')
  .description('find the conditions that a failing cell needs, and how long a delay')
  .argument('<cell>', CELL_ARGUMENT)
  .option('--failure <name>', 'which failure, where there are several: a device, a verdict or a part of the crash')
  .addOption(MATRIX)
  .addOption(WORKERS)
  .addOption(RESULTS)
  .addOption(JSON_OUTPUT);

export const bisectAxesVerb = new Command('axes')
  .description('find which differences between two cells cause the change')
  .option('--good <cell>', 'a cell that works')
  .option('--bad <cell>', 'a cell that does not')
  // What bisect configs was called before it was a verb of its own.
  .addOption(new Option('--good-config <file>').conflicts(['good', 'bad']).hideHelp())
  .addOption(new Option('--bad-config <file>').conflicts(['good', 'bad']).hideHelp())
  .addOption(new Option('--cell <id>').conflicts(['good', 'bad']).hideHelp())
  .addOption(MATRIX)
  .addOption(WORKERS)
  .addOption(RESULTS)
  .addOption(JSON_OUTPUT);

export type BisectOrderOptions = ReturnType<typeof bisectOrderVerb.opts>;
export type BisectAxesOptions = ReturnType<typeof bisectAxesVerb.opts>;
