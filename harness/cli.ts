import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { printError, signalOfUser } from './commands/failure.ts';
import { EXIT } from './errors.ts';

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number from 1.');
  return value;
}

function collect(word: string, earlier: readonly string[] = []): string[] {
  return [...earlier, word];
}

const program = new Command('bootrace')
  .description(
    'Boots arm64 Linux in every order its drivers may probe in, and says which orders crash, recover or hang.',
  )
  .configureHelp({ showGlobalOptions: true })
  .exitOverride();

program
  .command('matrix')
  .description('boot every cell of a matrix file and print the verdicts')
  .option('--matrix <file>', 'the matrix file (default: the one that comes with bootrace)')
  .option(
    '--only <axis=value>',
    'only cells with this value; repeatable, comma for several; also row= and id=',
    collect,
  )
  .option('--list', 'list the cells and what is expected of them, and boot nothing')
  .option('--workers <n>', 'guests at a time (default: one a core)', positiveInteger)
  .option('--repeat <n>', 'boot each cell n times and compare the boots', positiveInteger, 1)
  .option('--results <dir>', 'folder for the records of runs', 'results')
  .option('--json', 'print the run record instead of the table')
  .action(async (options) => {
    const { matrix } = await import('./commands/matrix.ts');
    process.exitCode = await matrix(options, signalOfUser());
  });

program
  .command('cell')
  .description('boot one cell and show its console')
  .argument('<id>', 'a cell of the matrix, a row such as T8, or a cell file (.yaml)')
  .option('--matrix <file>', 'the matrix file (default: the one that comes with bootrace)')
  .option('--results <dir>', 'folder for the records of runs', 'results')
  .addOption(
    new Option('--print-command', 'print the QEMU command line and boot nothing').conflicts(['interactive', 'gdb']),
  )
  .option('--interactive', "stop with a shell on the guest's console")
  .option('--gdb [port]', 'wait for a debugger before the first instruction', positiveInteger)
  .option('--json', "print the cell's record instead of its console")
  .action(async (id, options) => {
    const { cell } = await import('./commands/cell.ts');
    process.exitCode = await cell(id, options, signalOfUser());
  });

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : EXIT.usage) : printError(error);
}
