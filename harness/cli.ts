import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { guardProcess, printError, signalOfUser } from './commands/failure.ts';
import { CHECK_BROKEN, EXIT } from './errors.ts';
import { DEFAULT_BOARD } from './model/board.ts';
import { LINKAGES } from './model/cell.ts';
import type { Gate } from './model/gate.ts';
import { VERDICTS } from './model/verdict.ts';

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number from 1.');
  return value;
}

function collect(word: string, earlier: readonly string[] = []): string[] {
  return [...earlier, word];
}

/** Under `git bisect run` any small number but 0 and 125 says that the commit is bad; 128 ends the bisection. */
function wrongUsage(): number {
  return process.argv[2] === 'check' ? CHECK_BROKEN : EXIT.usage;
}

const REPORTERS = 'table, json, junit, ktap, kcidb, markdown, github or html; repeatable';

function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function bootargs(text: string): string[] {
  const found = text.split(/\s+/).filter((word) => word !== '');
  const odd = found.find((word) => !/^[\x21-\x7e]+$/.test(word));
  if (odd !== undefined) throw new InvalidArgumentError('expected words of printable ASCII.');
  return found;
}

function strength(text: string): number {
  const value = positiveInteger(text);
  if (value < 2 || value > 4) throw new InvalidArgumentError('expected 2, 3 or 4.');
  return value;
}

function force(text: string, earlier: readonly Gate[] = []): Gate[] {
  const [, symbol, value] = /^([A-Za-z_][\w.$]*)=(-?\d+)$/.exec(text) ?? [];
  if (symbol === undefined) throw new InvalidArgumentError('expected SYMBOL=NUMBER.');
  return [...earlier, { gate: 'force', symbol, value: Number(value) }];
}

/** A verdict, or the signature of a crash as records have it: `null-deref: TITLE`. */
function shows(text: string, earlier: readonly string[] = []): string[] {
  if (!VERDICTS.some((verdict) => verdict === text) && !text.includes(': '))
    throw new InvalidArgumentError(`expected the signature of a crash or one of ${VERDICTS.join(', ')}.`);
  return [...earlier, text];
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
  .option('--build-only', 'build the kernels of the cells, and boot nothing')
  .option('--workers <n>', 'guests at a time (default: one a core)', positiveInteger)
  .option('--repeat <n>', 'boot each cell n times and compare the boots', positiveInteger, 1)
  .option('--no-cache', 'boot also the cells that have not changed since they were booted last')
  .option('--no-fork', 'boot every cell from reset, also those that differ only in what comes late')
  .option('--results <dir>', 'folder for the records of runs', 'results')
  .option('--shard <i/n>', 'only the i-th of n parts of equal duration; merge joins them')
  .option('--known-issues <file>', 'treat what this file lists as notes')
  .option('--reporter <name[=file]>', REPORTERS, collect)
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
  .addOption(
    new Option('--repeat <n>', 'boot it n times without its console and compare the boots')
      .argParser(positiveInteger)
      .default(1)
      .conflicts(['printCommand', 'interactive', 'gdb']),
  )
  .option('--json', "print the cell's record instead of its console")
  .action(async (id, options) => {
    const { cell } = await import('./commands/cell.ts');
    process.exitCode = await cell(id, options, signalOfUser());
  });

program
  .command('classify')
  .description('say what happened in kernel logs of any origin')
  .argument('[files...]', 'logs; standard input where none is named')
  .option('--json', 'print JSON')
  .option('--vmlinux <file>', 'add file and line to frames from a vmlinux with debug information')
  .option('--known-issues <file>', 'treat what this file lists as notes')
  .action(async (files, options) => {
    const { classify } = await import('./commands/classify.ts');
    process.exitCode = await classify(files, options);
  });

program
  .command('explore')
  .description('search the orders of probes by booting them')
  .requiredOption('--kernel <name>', 'a recipe, debian-stock:SERIES or image:PATH')
  .addOption(new Option('--linkage <linkage>', 'which drivers are modules').choices(LINKAGES).default('builtin'))
  .option('--board <board>', 'a folder of boards/, the path of one, or the name or path of a .dtb', DEFAULT_BOARD)
  .option('--devices <names>', 'devices whose order is searched, comma between (default: the SCM and the SMMU)', words)
  .option('--force <symbol=value>', 'a function that returns this at once; repeatable', force)
  .option('--append <words>', 'words for the kernel command line of every boot', bootargs, [])
  .option('--budget <n>', 'most boots', positiveInteger, 64)
  .option('--strength <t>', 'cover all orders of this many probes: 2, 3 or 4', strength, 3)
  .option('--seed <n>', 'of the search', positiveInteger, 1)
  .option('--stop-at-first-crash', 'end as soon as a boot crashes')
  .option('--anyway', 'search on where the first boot, without any order, crashes or hangs')
  .option('--workers <n>', 'guests at a time (default: one a core)', positiveInteger)
  .option('--results <dir>', 'folder for the records of runs', 'results')
  .option('--json', 'print JSON')
  .action(async (options) => {
    const { explore } = await import('./commands/explore.ts');
    process.exitCode = await explore(options, signalOfUser());
  });

const bisect = program.command('bisect').description('reduce a failure to what it needs');

bisect
  .command('order')
  .description('the conditions of a failing cell that the failure needs, and how long a delay')
  .argument('<cell>', 'a cell of the matrix, a row such as T8, or a cell file (.yaml)')
  .option('--failure <name>', 'which one, of several: a device, a verdict or a part of the crash')
  .option('--matrix <file>', 'the matrix file (default: the one that comes with bootrace)')
  .option('--workers <n>', 'guests at a time (default: one a core)', positiveInteger)
  .option('--results <dir>', 'folder for the records of runs', 'results')
  .option('--json', 'print JSON')
  .action(async (name, options) => {
    const { bisectOrder } = await import('./commands/bisect.ts');
    process.exitCode = await bisectOrder(name, options, signalOfUser());
  });

bisect
  .command('axes')
  .description('the differences between two cells, or between two kernel configurations, that carry the change')
  .option('--good <cell>', 'a cell that works')
  .option('--bad <cell>', 'a cell that does not')
  .addOption(new Option('--good-config <file>', 'a .config with which --cell works').conflicts(['good', 'bad']))
  .addOption(new Option('--bad-config <file>', 'a .config with which it does not').conflicts(['good', 'bad']))
  .addOption(new Option('--cell <id>', 'the cell that is booted with the configurations').conflicts(['good', 'bad']))
  .option('--matrix <file>', 'the matrix file (default: the one that comes with bootrace)')
  .option('--workers <n>', 'guests at a time (default: one a core)', positiveInteger)
  .option('--results <dir>', 'folder for the records of runs', 'results')
  .option('--json', 'print JSON')
  .action(async (options) => {
    if (options.goodConfig !== undefined || options.badConfig !== undefined || options.cell !== undefined) {
      const { bisectConfigFiles } = await import('./commands/bisect-configs.ts');
      process.exitCode = await bisectConfigFiles(options, signalOfUser());
      return;
    }
    const { bisectAxesOf } = await import('./commands/bisect.ts');
    process.exitCode = await bisectAxesOf(options, options, signalOfUser());
  });

bisect
  .command('commits')
  .description('the commit from which on a cell fails, by git bisect, and its verification')
  .requiredOption('--tree <dir>', 'a git checkout of Linux; nothing in it is changed')
  .requiredOption('--good <revision>', 'where the cell works')
  .requiredOption('--bad <revision>', 'where it does not')
  .option('--cell <id>', 'a cell of the matrix, a row, or a cell file (.yaml)')
  .addOption(new Option('--order <file>', 'the minimal cell that bisect order has left').conflicts('cell'))
  .option('--matrix <file>', 'the matrix file (default: the one that comes with bootrace)')
  .option('--shows <what>', 'what counts as bad, a signature or verdict; repeatable (default: as at --bad)', shows)
  .option('--interleavings <n>', 'boot each commit at n icount shifts; bad if any shows it', positiveInteger, 1)
  .option('--results <dir>', 'folder for the records of runs', 'results')
  .option('--json', 'print JSON')
  .action(async (options) => {
    const { bisectCommits } = await import('./commands/bisect-commits.ts');
    process.exitCode = await bisectCommits(options, signalOfUser());
  });

program
  .command('check')
  .description('build a checkout and boot a cell, for git bisect run: exits 0 good, 1 bad, 125 cannot tell, 128 stop')
  .option('--cell <id>', 'a cell of the matrix, a row, or a cell file (.yaml)')
  .addOption(new Option('--order <file>', 'the minimal cell that bisect order has left').conflicts('cell'))
  .option('--tree <dir>', 'a git checkout of Linux; nothing in it is changed', '.')
  .option('--matrix <file>', 'the matrix file (default: the one that comes with bootrace)')
  .option(
    '--shows <what>',
    'what counts as bad, a signature or verdict; repeatable (default: as at the bad end of the git bisect under way, else what the cell does not expect)',
    shows,
  )
  .option('--interleavings <n>', 'boot at n icount shifts; bad if any shows it', positiveInteger, 1)
  .option('--json', 'print JSON')
  .action(async (options) => {
    const { check } = await import('./commands/check.ts');
    process.exitCode = await check(options, signalOfUser());
  });

program
  .command('report')
  .description('write reports of a finished run')
  .argument('[run]', 'folder of the run', 'results/latest')
  .option('--reporter <name[=file]>', REPORTERS, collect)
  .action(async (path, options) => {
    const { report } = await import('./commands/report.ts');
    process.exitCode = await report(path, options);
  });

program
  .command('compare')
  .description('what changed between two runs; exit 1 only for new failures')
  .argument('<old>', 'folder of a run')
  .argument('<new>', 'folder of a later run')
  .option('--json', 'print JSON')
  .action(async (before, after, options) => {
    const { compare } = await import('./commands/compare.ts');
    process.exitCode = await compare(before, after, options);
  });

program
  .command('merge')
  .description('join the shards of one matrix into one run')
  .argument('<dirs...>', 'folders of the shards')
  .option('--results <dir>', 'folder for the records of runs', 'results')
  .option('--json', 'print the run record instead of the table')
  .action(async (dirs, options) => {
    const { merge } = await import('./commands/merge.ts');
    process.exitCode = await merge(dirs, options);
  });

program
  .command('doctor')
  .description('list the tools that are needed, their versions, and what is missing')
  .option('--install', 'install what is missing, as root on Debian')
  .option('--tests', 'also what the tests need')
  .option('--json', 'print JSON')
  .action(async (options) => {
    const { doctor } = await import('./commands/doctor.ts');
    process.exitCode = await doctor(options);
  });

program
  .command('clean')
  .description('remove the cache of kernels and boots, and with --results the records of runs')
  .option('--results [dir]', 'also the records of runs')
  .action(async (options) => {
    const { clean } = await import('./commands/clean.ts');
    process.exitCode = await clean(options);
  });

guardProcess();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : wrongUsage()) : printError(error);
}
