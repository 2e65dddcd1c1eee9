import { Command, CommanderError } from '@commander-js/extra-typings';
import metadata from '../package.json' with { type: 'json' };
import { bisectAxesVerb, bisectOrderVerb } from './commands/bisect.options.ts';
import { bisectCommitsVerb } from './commands/bisect-commits.options.ts';
import { bisectConfigsVerb } from './commands/bisect-configs.options.ts';
import { boardVerb } from './commands/board.options.ts';
import { cellVerb } from './commands/cell.options.ts';
import { checkVerb } from './commands/check.options.ts';
import { classifyVerb } from './commands/classify.options.ts';
import { cleanVerb } from './commands/clean.options.ts';
import { compareVerb } from './commands/compare.options.ts';
import { doctorVerb } from './commands/doctor.options.ts';
import { exploreVerb } from './commands/explore.options.ts';
import { matrixVerb } from './commands/matrix.options.ts';
import { mergeVerb } from './commands/merge.options.ts';
import { nightlyVerb } from './commands/nightly.options.ts';
import { reportVerb } from './commands/report.options.ts';
import { sweepVerb } from './commands/sweep.options.ts';
import { whyVerb } from './commands/why.options.ts';
import { zooVerb } from './commands/zoo.options.ts';
import { CHECK_BROKEN, EXIT, InputError } from './errors.ts';
import { guardProcess, printError, signalOfUser } from './terminal/failure.ts';

/**
 * The verbs. Each is declared in commands/VERB.options.ts, from which its options have their type, and carried out by
 * commands/VERB.ts, which is loaded when it is asked for: `bootrace --version` loads nothing but declarations.
 */
const BISECT = [
  bisectOrderVerb.action(async (cell, options) => {
    const { bisectOrder } = await import('./commands/bisect.ts');
    process.exitCode = await bisectOrder(cell, options, signalOfUser());
  }),
  bisectAxesVerb.action(async (options) => {
    const { goodConfig, badConfig, cell } = options;
    if (goodConfig === undefined && badConfig === undefined && cell === undefined) {
      const { bisectAxesOf } = await import('./commands/bisect.ts');
      process.exitCode = await bisectAxesOf(options, signalOfUser());
    } else if (goodConfig === undefined || badConfig === undefined || cell === undefined) {
      throw new InputError('two configurations and a cell are needed', 'give bisect configs --good, --bad and --cell');
    } else {
      const { bisectConfigFiles } = await import('./commands/bisect-configs.ts');
      process.exitCode = await bisectConfigFiles(
        { ...options, good: goodConfig, bad: badConfig, cell },
        signalOfUser(),
      );
    }
  }),
  bisectConfigsVerb.action(async (options) => {
    const { bisectConfigFiles } = await import('./commands/bisect-configs.ts');
    process.exitCode = await bisectConfigFiles(options, signalOfUser());
  }),
  bisectCommitsVerb.action(async (options) => {
    const { bisectCommits } = await import('./commands/bisect-commits.ts');
    process.exitCode = await bisectCommits(options, signalOfUser());
  }),
];

const VERBS = [
  matrixVerb.action(async (options) => {
    const { matrix } = await import('./commands/matrix.ts');
    process.exitCode = await matrix(options, signalOfUser());
  }),
  cellVerb.action(async (id, options) => {
    const { cell } = await import('./commands/cell.ts');
    process.exitCode = await cell(id, options, signalOfUser());
  }),
  boardVerb.action(async (dtb, options) => {
    const { board } = await import('./commands/board.ts');
    process.exitCode = await board(dtb, options, signalOfUser());
  }),
  exploreVerb.action(async (options) => {
    const { explore } = await import('./commands/explore.ts');
    process.exitCode = await explore(options, signalOfUser());
  }),
  BISECT.reduce((bisect, verb) => bisect.addCommand(verb), new Command('bisect')).description(
    'reduce a failure to what it needs',
  ),
  sweepVerb.action(async (boards, options) => {
    const { sweep } = await import('./commands/sweep.ts');
    process.exitCode = await sweep(boards, options, signalOfUser());
  }),
  zooVerb.action(async (entries, options) => {
    const { zoo } = await import('./commands/zoo.ts');
    process.exitCode = await zoo(entries, options, signalOfUser());
  }),
  checkVerb.action(async (options) => {
    const { check } = await import('./commands/check.ts');
    process.exitCode = await check(options, signalOfUser());
  }),
  classifyVerb.action(async (files, options) => {
    const { classify } = await import('./commands/classify.ts');
    process.exitCode = await classify(files, options);
  }),
  whyVerb.action(async (what, options) => {
    const { why } = await import('./commands/why.ts');
    process.exitCode = await why(what, options, signalOfUser());
  }),
  reportVerb.action(async (path, options) => {
    const { report } = await import('./commands/report.ts');
    process.exitCode = await report(path, options);
  }),
  compareVerb.action(async (before, after, options) => {
    const { compare } = await import('./commands/compare.ts');
    process.exitCode = await compare(before, after, options);
  }),
  mergeVerb.action(async (dirs, options) => {
    const { merge } = await import('./commands/merge.ts');
    process.exitCode = await merge(dirs, options);
  }),
  nightlyVerb.action(async (options) => {
    const { nightly } = await import('./commands/nightly.ts');
    process.exitCode = await nightly(options, signalOfUser());
  }),
  doctorVerb.action(async (options) => {
    const { doctor } = await import('./commands/doctor.ts');
    process.exitCode = await doctor(options);
  }),
  cleanVerb.action(async (options) => {
    const { clean } = await import('./commands/clean.ts');
    process.exitCode = await clean(options);
  }),
];

const program = VERBS.reduce((all, verb) => all.addCommand(verb), new Command('bootrace'))
  .description(
    'Boots arm64 Linux in every order its drivers may probe in, and says which orders crash, recover or hang.',
  )
  .version(metadata.version)
  .exitOverride();
for (const verb of [...BISECT, ...VERBS]) verb.copyInheritedSettings(program);

/** Under `git bisect run` any small number but 0 and 125 says that the commit is bad; 128 ends the bisection. */
function wrongUsage(): number {
  return process.argv[2] === 'check' ? CHECK_BROKEN : EXIT.usage;
}

guardProcess();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : wrongUsage()) : printError(error);
}
