import pc from 'picocolors';
import { InfraError, KnownError } from '../errors.ts';

/**
 * Prints why a verb could not be carried out and returns the exit code. A known error is a sentence and a hint; anything else is a
 * defect of the harness and keeps its stack.
 */
export function printError(error: unknown): number {
  if (error instanceof Interrupted) {
    process.stderr.write(`bootrace: ${error.message}\n`);
    return EXIT_BY_SIGNAL[error.signal];
  }
  const known = fromFileSystem(error) ?? error;
  if (known instanceof KnownError) {
    process.stderr.write(
      `${pc.red('bootrace:')} ${known.message}\n${known.hint === undefined ? '' : `  ${known.hint}\n`}`,
    );
    return known.exitCode;
  }
  throw error;
}

/** What a file system refuses wherever it is met is the machine's, and no defect of the harness. */
function fromFileSystem(error: unknown): KnownError | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : 'a file';
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new InfraError(`${path} could not be written: the disk is full`, 'free some space, or give --results DIR');
    case 'EROFS':
      return new InfraError(`${path} could not be written: it is on a read-only file system`, 'give --results DIR');
    default:
      return null;
  }
}

/** Ctrl-C or SIGTERM: everything was put away, nothing was recorded. */
class Interrupted extends Error {
  readonly signal: keyof typeof EXIT_BY_SIGNAL;

  constructor(signal: keyof typeof EXIT_BY_SIGNAL) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** 128 + the signal's number, as shells say it. */
const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

/** Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function signalOfUser(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      controller.abort(new Interrupted(name));
      process.once(name, () => process.exit(EXIT_BY_SIGNAL[name]));
    });
  }
  return controller.signal;
}
