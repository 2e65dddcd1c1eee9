import { Command } from '@commander-js/extra-typings';
import { CELL, JSON_OUTPUT, MATRIX, ORDER, positiveInteger, shows } from '../terminal/option-values.ts';

export const checkVerb = new Command('check')
  .description('build a checkout and boot a cell, for git bisect run: exits 0 good, 1 bad, 125 cannot tell, 128 stop')
  .addOption(CELL)
  .addOption(ORDER)
  .option('--tree <dir>', 'a git checkout of Linux, which is not modified', '.')
  .addOption(MATRIX)
  .option(
    '--shows <what>',
    'what counts as bad, a signature or verdict; repeatable (default: as at the bad end of the git bisect ' +
      'in progress, else what the cell does not expect)',
    shows,
  )
  .option('--interleavings <n>', 'boot at n icount shifts; bad if any shows it', positiveInteger, 1)
  .addOption(JSON_OUTPUT);

export type CheckOptions = ReturnType<typeof checkVerb.opts>;
