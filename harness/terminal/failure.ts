import { inspect } from 'node:util';
import pc from 'picocolors';
import { CHECK_BROKEN, EXIT, InfraError, KnownError } from '../errors.ts';
import { tell } from './output.ts';

/** Refusals of the system that have been told. */
const toldRefusals = new Set<Refusal>();

/**
 * Prints why a verb could not be carried out and returns the exit code, which is never that of a verdict. A known error
 * is a sentence and a hint; anything else is a defect of the harness and keeps its stack.
 */
export function printError(error: unknown): number {
  if (error instanceof OutputLost) return error.exitCode;
  if (error instanceof Interrupted) {
    tell(`bootrace: ${error.message}\n`);
    return EXIT_BY_SIGNAL[error.signal];
  }
  const refused = fromSystem(error);
  // What follows from the same want says the same.
  if (refused !== null && toldRefusals.has(refused.code)) return refused.error.exitCode;
  if (refused !== null) toldRefusals.add(refused.code);
  const known = refused?.error ?? error;
  if (known instanceof KnownError) {
    tell(`${pc.red('bootrace:')} ${known.message}\n${known.hint === undefined ? '' : `  ${known.hint}\n`}`);
    return known.exitCode;
  }
  tell(`${inspect(error)}\n`);
  return EXIT.noVerdict;
}

/** What the system refuses wherever it is met is the machine's, and no defect of the harness (errno(3)). */
const REFUSALS = {
  ENOSPC: ['the disk is full', 'free some space, or give --results DIR'],
  EDQUOT: ['the disk quota is used up', 'free some space, or give --results DIR'],
  EROFS: ['it is on a read-only file system', 'give --results DIR'],
  EACCES: ['permission denied', 'check its owner and mode, or give --results DIR'],
  EPERM: ['the operation is not permitted', 'check its owner and mode, or give --results DIR'],
  EMFILE: ['this process may not open more files', 'raise the limit (ulimit -n)'],
  ENFILE: ['the system has too many open files', 'try again when it has less to do'],
  EAGAIN: ['the system has no room for another process', 'raise the limit (ulimit -u), or give --workers 1'],
  ENOMEM: ['there is not enough memory', 'give --workers 1'],
  EIO: ['the device reports an error', 'look at the log of this machine'],
} as const satisfies Readonly<Record<string, readonly [problem: string, hint: string]>>;

type Refusal = keyof typeof REFUSALS;

function isRefusal(code: string): code is Refusal {
  return Object.hasOwn(REFUSALS, code);
}

/**
 * What execa 9.6 (lib/methods/main-async.js) makes of a child without streams: Node.js makes none where a program
 * cannot be started for want of descriptors (lib/internal/child_process.js, spawn()).
 */
const WITHOUT_STREAMS = 'subprocess.stdio is not iterable';

function fromSystem(error: unknown): { readonly code: Refusal; readonly error: KnownError } | null {
  if (error instanceof TypeError && error.message === WITHOUT_STREAMS) {
    const [problem, hint] = REFUSALS.EMFILE;
    return { code: 'EMFILE', error: new InfraError(`spawn: ${problem} (EMFILE)`, hint, { cause: error }) };
  }
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const { code } = error;
  if (!isRefusal(code)) return null;
  const [problem, hint] = REFUSALS[code];
  const call = 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : 'a system call';
  const path = 'path' in error && typeof error.path === 'string' ? ` ${error.path}` : '';
  return { code, error: new InfraError(`${call}${path}: ${problem} (${code})`, hint, { cause: error }) };
}

/** Standard output cannot be written any more, which was told where it was seen. */
class OutputLost extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('standard output cannot be written');
    this.exitCode = exitCode;
  }
}

/** What goes on and is to be put away when the process has to end. */
const underWay = new Set<AbortController>();

/**
 * Sees to it that no fault of the harness ends in the exit code of a verdict. An error that nobody has caught keeps its
 * stack. Standard output that cannot be written ends what is under way: quietly where the reader has gone (128 +
 * SIGPIPE), with a sentence on a full disk. Standard error only tells people how things go: without it all goes on.
 */
export function guardProcess(): void {
  const failed = process.argv[2] === 'check' ? CHECK_BROKEN : EXIT.noVerdict;
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => {
    const code = printError(error);
    process.exit(code === EXIT.usage ? failed : code);
  });
  process.stderr.on('error', () => {});
  let lost: OutputLost | null = null;
  process.stdout.on('error', (error) => {
    if (lost !== null) return;
    const why = 'code' in error ? String(error.code) : error.message;
    const isClosed = why === 'EPIPE';
    lost = new OutputLost(isClosed ? EXIT_BY_SIGNAL.SIGPIPE : failed);
    if (!isClosed)
      printError(new InfraError(`standard output could not be written (${why}): the answer is not complete`));
    for (const controller of underWay) controller.abort(lost);
  });
  // Whatever the verb returns in the meantime: nobody has read its answer.
  process.on('exit', () => {
    if (lost !== null) process.exitCode = lost.exitCode;
  });
}

/** Ctrl-C or SIGTERM: everything was put away, nothing was recorded. */
export class Interrupted extends Error {
  readonly signal: 'SIGINT' | 'SIGTERM';

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** 128 + the signal's number, as shells say it. */
const EXIT_BY_SIGNAL = { SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

/**
 * One signal may come twice: timeout(1) sends it to its child and to the group of that, and `nightly` hands on what the
 * terminal has sent to all.
 */
const SAME_SIGNAL_MS = 500;

/** A user who has asked for the end waits that long before being told what is still done. */
const PATIENCE_MS = 1000;

/** Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function signalOfUser(): AbortSignal {
  const controller = new AbortController();
  underWay.add(controller);
  let first: number | null = null;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const now = performance.now();
      first ??= now;
      if (now - first > SAME_SIGNAL_MS) process.exit(EXIT_BY_SIGNAL[name]);
      if (controller.signal.aborted) return;
      controller.abort(new Interrupted(name));
      // Of a kernel's half unpacked source alone there are 80,000 files.
      const said = `bootrace: ${name}: putting away what is half done; a second one ends at once and leaves it\n`;
      setTimeout(() => tell(said), PATIENCE_MS).unref();
    });
  }
  return controller.signal;
}
