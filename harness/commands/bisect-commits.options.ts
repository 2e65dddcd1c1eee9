import { Command } from '@commander-js/extra-typings';
import { CELL, JSON_OUTPUT, MATRIX, ORDER, positiveInteger, RESULTS, shows } from '../terminal/option-values.ts';

export const bisectCommitsVerb = new Command('commits')
  .description('find the first commit at which a cell fails, by git bisect, and verify it')
  .requiredOption('--tree <dir>', 'a git checkout of Linux, which is not modified')
  .requiredOption('--good <revision>', 'where the cell works')
  .requiredOption('--bad <revision>', 'where it does not')
  .addOption(CELL)
  .addOption(ORDER)
  .addOption(MATRIX)
  .option('--shows <what>', 'what counts as bad, a signature or verdict; repeatable (default: as at --bad)', shows)
  .option('--interleavings <n>', 'boot each commit at n icount shifts; bad if any shows it', positiveInteger, 1)
  .addOption(RESULTS)
  .addOption(JSON_OUTPUT);

export type BisectCommitsOptions = ReturnType<typeof bisectCommitsVerb.opts>;
