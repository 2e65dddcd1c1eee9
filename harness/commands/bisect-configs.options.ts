import { Command } from '@commander-js/extra-typings';
import { JSON_OUTPUT, MATRIX, RESULTS } from '../terminal/option-values.ts';

export const bisectConfigsVerb = new Command('configs')
  .description('find which options of two kernel configurations cause the change')
  .requiredOption('--good <file>', 'a .config with which the cell works')
  .requiredOption('--bad <file>', 'a .config with which it does not')
  .requiredOption('--cell <id>', 'the cell that is booted with them; its linkage stays')
  .addOption(MATRIX)
  .addOption(RESULTS)
  .addOption(JSON_OUTPUT);

export type BisectConfigsOptions = ReturnType<typeof bisectConfigsVerb.opts>;
