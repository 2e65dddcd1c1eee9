import { Command } from '@commander-js/extra-typings';
import { JSON_OUTPUT, positiveInteger, RESULTS, WORKERS } from '../terminal/option-values.ts';

export const zooVerb = new Command('zoo')
  .description('look for known bugs, knowing no more than the devices, on kernels with and without them')
  .argument('[entries...]', 'names of entries (default: all)')
  .option('--folder <dir>', 'where the entries are (default: those that come with bootrace)')
  .option('--budget <n>', 'most boots of one search', positiveInteger, 64)
  .option(
    '--clean <n>',
    'most boots on the kernel without the bug (default: as many as the search took)',
    positiveInteger,
  )
  .option('--seed <n>', 'seed of the searches', positiveInteger, 1)
  .option('--random', 'spend the same budget on boots drawn at random, too')
  .option('--no-explain', 'do not reduce what was found to a sentence')
  .option('--docs <file>', 'write the table into this file, between its marks; for all entries only')
  .addOption(WORKERS)
  .addOption(RESULTS)
  .addOption(JSON_OUTPUT);

export type ZooOptions = ReturnType<typeof zooVerb.opts>;
