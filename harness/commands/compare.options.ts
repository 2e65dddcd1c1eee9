import { Command } from '@commander-js/extra-typings';
import { JSON_OUTPUT } from '../terminal/option-values.ts';

export const compareVerb = new Command('compare')
  .description('show what changed between two runs; exit 1 only for new failures')
  .argument('<old>', 'folder of a run')
  .argument('<new>', 'folder of a later run')
  .addOption(JSON_OUTPUT);

export type CompareOptions = ReturnType<typeof compareVerb.opts>;
