/** Exit codes of every verb (README.md, How it works). `check` under `git bisect run` has its own. */
export const EXIT = { expected: 0, unexpected: 1, usage: 2, noVerdict: 3 } as const;

/**
 * Exit code of `check` when the harness cannot answer: from 128 on `git bisect run` stops instead of judging the commit
 * (git-bisect(1)).
 */
export const CHECK_BROKEN = 128;

interface UserErrorParts {
  /** What is wrong and where, one sentence without a full stop at the end. */
  readonly what: string;
  /** What to do about it, one sentence without a full stop at the end. */
  readonly hint?: string;
}

/**
 * An error that the user can act on: printed as a sentence and a hint, without a stack.
 * `usage` (exit 2) is wrong input; `noVerdict` (exit 3) is a part of the machine that failed.
 * Any other error class that reaches the command line is a defect of the harness and keeps its stack.
 */
export class KnownError extends Error {
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(parts: UserErrorParts, exitCode: number, options?: ErrorOptions) {
    super(parts.what, options);
    this.name = new.target.name;
    this.hint = parts.hint;
    this.exitCode = exitCode;
  }

  /** Sentence and hint, where there is one line for both. */
  get whole(): string {
    return this.hint === undefined ? this.message : `${this.message} (${this.hint})`;
  }
}

/** Wrong usage or input: a matrix file, an option, a kernel recipe, a device tree. Exit code 2. */
export class InputError extends KnownError {
  constructor(what: string, hint?: string, options?: ErrorOptions) {
    super(hint === undefined ? { what } : { what, hint }, EXIT.usage, options);
  }
}

/** A tool, the cache or QEMU failed, so that no verdict can be given. Exit code 3. */
export class InfraError extends KnownError {
  constructor(what: string, hint?: string, options?: ErrorOptions) {
    super(hint === undefined ? { what } : { what, hint }, EXIT.noVerdict, options);
  }
}
