import { Command } from '@commander-js/extra-typings';
import { JSON_RECORD, RESULTS } from '../terminal/option-values.ts';

export const mergeVerb = new Command('merge')
  .description('join the shards of one matrix into one run')
  .argument('<dirs...>', 'folders of the shards')
  .addOption(RESULTS)
  .addOption(JSON_RECORD);

export type MergeOptions = ReturnType<typeof mergeVerb.opts>;
