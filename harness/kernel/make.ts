import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { ExecaError, execa } from 'execa';
import { withDir } from 'tmp-promise';
import { InfraError, InputError } from '../errors.ts';
import { commandLine } from '../invocation.ts';
import { behind, withDescendants } from '../launch.ts';
import { cancelled } from './cancel.ts';

export const CROSS_COMPILE = 'aarch64-linux-gnu-';

/** Where and how one kernel is made. */
export interface MakeContext {
  readonly source: string;
  /**
   * A child of `source`: kbuild then writes relative paths, so that both may be moved together (kernel Makefile,
   * srctree).
   */
  readonly output: string;
  /** For the compilers' own temporary files: those that are killed leave theirs. */
  readonly temporary: string;
  readonly ccache: { readonly folder: string } | null;
  /** All output of make is appended to this file. */
  readonly log: string;
  /** Inherited by make and its children: the lock is not free before the last of them is gone (lock.ts). */
  readonly lockFile: WriteStream;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

/**
 * What kbuild would otherwise take from the clock, the user, the host and the number of earlier builds
 * (Documentation/kbuild/reproducible-builds.rst): the same input gives the same Image, byte for byte.
 */
const REPRODUCIBLE = {
  KBUILD_BUILD_TIMESTAMP: 'Fri Oct 30 00:00:00 UTC 2020',
  KBUILD_BUILD_USER: 'bootrace',
  KBUILD_BUILD_HOST: 'bootrace',
  KBUILD_BUILD_VERSION: '1',
} as const;

let identity: Promise<string> | undefined;

/** Everything that decides how sources become objects, beside the sources: part of a build's key. Asked once a run. */
export function toolchainIdentity(): Promise<string> {
  identity ??= askToolchain();
  return identity;
}

async function askToolchain(): Promise<string> {
  const version = async (program: string) => {
    const { stdout } = await execa(program, ['--version']);
    return stdout.split('\n')[0] ?? '';
  };
  const programs = [`${CROSS_COMPILE}gcc`, `${CROSS_COMPILE}ld`];
  const versions = await Promise.all(programs.map(version)).catch((error: unknown) => {
    if (!(error instanceof ExecaError)) throw error;
    throw new InputError(
      `${error.command.split(' ')[0]} cannot be run: ${error.shortMessage}`,
      `\`${commandLine(['doctor'])}\` lists the packages to install`,
      { cause: error },
    );
  });
  return [...versions, ...Object.values(REPRODUCIBLE)].join('\n');
}

/**
 * Of the builds that go on at once, one is in front: it has a job for each core, and the others get what it leaves
 * while it configures, links or unpacks. So the first kernel is there about as soon as a bare make has it, and the
 * cores are never idle.
 */
export interface Turn {
  readonly inFront: boolean;
  /** Must be called when the build is over: the next one that begins is in front. */
  end(): void;
}

let taken = false;

/** In front is who comes when nobody is. */
export function takeTurn(): Turn {
  if (taken) return { inFront: false, end: () => {} };
  taken = true;
  return {
    inFront: true,
    end: () => {
      taken = false;
    },
  };
}

let slots: Promise<WriteStream> | undefined;

/**
 * A jobserver for all makes that are not in front (GNU make's manual, "POSIX Jobserver Interaction"): a FIFO with a
 * token for each core but one, as each make has a slot of its own beside. Together they have as many jobs as one.
 */
function jobServer(): Promise<WriteStream> {
  slots ??= withDir(
    async ({ path }) => {
      const fifo = join(path, 'jobs');
      await execa('mkfifo', [fifo]);
      // Open for both ends it never blocks and never ends. It stays so as long as this process.
      const stream = createWriteStream(fifo, { flags: 'r+' });
      await once(stream, 'open');
      stream.write('+'.repeat(availableParallelism() - 1));
      return stream;
    },
    { unsafeCleanup: true },
  );
  return slots;
}

/** Where a child finds {@link jobServer}: behind its standard descriptors and the lock. */
const JOB_DESCRIPTOR = 4;

/** A build that started without the user's MAKEFLAGS, ARCH, KCFLAGS and the like is the same on every machine. */
function environment(context: MakeContext): Record<string, string> {
  const kept = ['PATH', 'HOME'].flatMap((name): [string, string][] => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(kept),
    TMPDIR: context.temporary,
    LC_ALL: 'C',
    ...REPRODUCIBLE,
    MAKEFLAGS: context.turn.inFront
      ? `-j${availableParallelism()}`
      : `-j --jobserver-auth=${JOB_DESCRIPTOR},${JOB_DESCRIPTOR}`,
    // Set, though empty: the release of a git checkout then does not tell a commit with a tag from one without
    // (scripts/setlocalversion).
    LOCALVERSION: '',
    // Depend mode takes the header list from the compiler's own run instead of a run of the preprocessor; the inode
    // cache hashes a header once, not for each of the hundreds of files that include it (ccache(1)). What is left on a
    // miss is 3 % of a compilation.
    ...(context.ccache === null
      ? {}
      : {
          CCACHE_DIR: context.ccache.folder,
          CCACHE_DEPEND: 'true',
          CCACHE_INODECACHE: 'true',
          CCACHE_MAXSIZE: '2G',
        }),
  };
}

function makeVariables(context: MakeContext): string[] {
  const gcc = `${CROSS_COMPILE}gcc`;
  return [
    'ARCH=arm64',
    `CROSS_COMPILE=${CROSS_COMPILE}`,
    `CC=${context.ccache === null ? gcc : `ccache ${gcc}`}`,
    `O=${context.output}`,
  ];
}

/** A line of kbuild that makes one file: `  CC      init/main.o`, `  LD [M]  ...`. */
const STEP = /^ {2}[A-Z][A-Z0-9_]*(?: \[M\])? +\S+$/;

/** Runs make with `targets`; `onStep` is called for each file made. Throws {@link InfraError} with the first errors. */
export async function make(context: MakeContext, targets: readonly string[], onStep: () => void): Promise<void> {
  await run(context, 'make', ['--directory', context.source, ...makeVariables(context), ...targets], onStep);
}

/** The kernel's own merge of fragments into `.config`, without the make that it would run at its end (-m). */
export async function mergeConfig(context: MakeContext, fragments: readonly string[]): Promise<void> {
  const script = join(context.source, 'scripts', 'kconfig', 'merge_config.sh');
  await run(
    context,
    'sh',
    [script, '-m', '-O', context.output, join(context.output, '.config'), ...fragments],
    () => {},
  );
}

async function run(context: MakeContext, program: string, args: readonly string[], onStep: () => void): Promise<void> {
  const log = createWriteStream(context.log, { flags: 'a' });
  log.write(`$ ${[program, ...args].join(' ')}\n`);
  const words = context.turn.inFront ? ([program, args] as const) : behind(program, args);
  const child = execa(...withDescendants(...words), {
    cwd: context.output,
    env: environment(context),
    extendEnv: false,
    all: true,
    buffer: false,
    stdio: ['ignore', 'pipe', 'pipe', context.lockFile, await jobServer()],
    ...cancelled(context.signal),
  });
  try {
    for await (const line of child.iterable({ from: 'all' })) {
      log.write(`${line}\n`);
      if (STEP.test(line)) onStep();
    }
    await child;
  } catch (error) {
    if (!(error instanceof ExecaError) || error.isCanceled) throw error;
    log.end();
    await finished(log);
    throw makeError(error, context.log, await readFile(context.log, 'utf8'));
  } finally {
    log.end();
  }
}

/** Make ended by itself with an error: the source does not compile. What make leaves is consistent. */
export class BuildFailure extends InfraError {}

/**
 * The compiler or the linker says what is wrong with the source: another build of the same source would end the same
 * way.
 */
export class SourceError extends BuildFailure {}

const OF_THE_SOURCE = /: (?:fatal )?error: |undefined reference to /;
/** gcc's words for a compiler that crashed or was killed, for want of memory say. */
const OF_THE_MACHINE = /internal compiler error|Killed|terminated signal|cannot allocate|out of memory/i;

const ERROR_LINE = /\b(?:error|undefined reference|Stop\.|No space left on device)\b|\*\*\*/;
const LINES_SHOWN = 6;

function makeError(error: ExecaError, log: string, text: string): unknown {
  if (text.includes('No space left on device'))
    return new InfraError(
      `the disk is full: the kernel could not be built (log: ${log})`,
      'free 1000 MiB, or set XDG_CACHE_HOME to a folder on a larger disk',
      { cause: error },
    );
  const lines = text.slice(text.lastIndexOf('\n$ ') + 1).split('\n');
  const errors = lines.filter((line) => ERROR_LINE.test(line)).slice(0, LINES_SHOWN);
  const shown = errors.length > 0 ? errors : lines.slice(-LINES_SHOWN);
  const isOfSource = lines.some((line) => OF_THE_SOURCE.test(line)) && !lines.some((line) => OF_THE_MACHINE.test(line));
  const Failure = error.exitCode === undefined ? InfraError : isOfSource ? SourceError : BuildFailure;
  return new Failure(`the kernel could not be built:\n  ${shown.join('\n  ')}`, `the full log is ${log}`, {
    cause: error,
  });
}
