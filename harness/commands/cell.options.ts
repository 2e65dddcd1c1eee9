import { Command, Option } from '@commander-js/extra-typings';
import { CELL_ARGUMENT, MATRIX, positiveInteger, RESULTS } from '../terminal/option-values.ts';

export const cellVerb = new Command('cell')
  .description('boot one cell and show its console')
  .argument('<id>', CELL_ARGUMENT)
  .addOption(MATRIX)
  .addOption(RESULTS)
  .addOption(
    new Option('--print-command', 'print the QEMU command line without booting').conflicts(['interactive', 'gdb']),
  )
  .option('--interactive', "stop with a shell on the guest's console")
  .option('--gdb [port]', 'wait for a debugger before the first instruction', positiveInteger)
  .addOption(
    new Option('--repeat <n>', 'boot it n times without its console and compare the boots')
      .argParser(positiveInteger)
      .default(1)
      .conflicts(['printCommand', 'interactive', 'gdb']),
  )
  .option('--json', "print the cell's record instead of its console");

export type CellOptions = ReturnType<typeof cellVerb.opts>;
