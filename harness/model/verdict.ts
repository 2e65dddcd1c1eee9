import { namesOf } from './names.ts';

/** What a verdict is about, apart from its name. */
interface VerdictFacts {
  /**
   * `pass`: every device came to what it should. `unbound`: the kernel is well, but a device or module is not in use.
   * `fault`: the kernel crashed, complained or never came to an end. `no-kernel`: Kconfig refuses the kernel, so there
   * was nothing to boot. `no-verdict`: the harness or its tools failed; never a pass and never a regression.
   */
  readonly means: 'pass' | 'unbound' | 'fault' | 'no-kernel' | 'no-verdict';
  /** Where the name does not fit a column. */
  readonly short: string;
  /** In the grid of the report page, which is read without colours, too. */
  readonly letter: string;
}

/** Every verdict, from best to worst: where several apply to one boot, the last one wins. */
const TABLE = {
  bound: { means: 'pass', short: 'bound', letter: 'B' },
  'deferred-then-bound': { means: 'pass', short: 'deferred→bound', letter: 'D' },
  'stuck-deferred': { means: 'unbound', short: 'stuck', letter: 'S' },
  'probe-failed': { means: 'unbound', short: 'probe-failed', letter: 'F' },
  'module-rejected': { means: 'unbound', short: 'mod-rejected', letter: 'R' },
  warning: { means: 'fault', short: 'warning', letter: 'W' },
  hang: { means: 'fault', short: 'hang', letter: 'H' },
  // Deferred probes that trigger each other without end; the boot never settles, so it is told apart from a hang.
  'retry-loop': { means: 'fault', short: 'retry-loop', letter: 'L' },
  oops: { means: 'fault', short: 'oops', letter: 'O' },
  'null-deref': { means: 'fault', short: 'null-deref', letter: 'N' },
  panic: { means: 'fault', short: 'panic', letter: 'P' },
  unbuildable: { means: 'no-kernel', short: 'unbuildable', letter: 'U' },
  'infra-error': { means: 'no-verdict', short: 'infra-error', letter: '?' },
} as const satisfies Readonly<Record<string, VerdictFacts>>;

export type Verdict = keyof typeof TABLE;

/** All verdicts, from best to worst. */
export const VERDICTS: readonly Verdict[] = namesOf(TABLE);

/** What stands in the table about `verdict`. */
export function verdictFacts(verdict: Verdict): VerdictFacts {
  return TABLE[verdict];
}

/** Whether everything came to what it should. */
export function isPass(verdict: Verdict): boolean {
  return TABLE[verdict].means === 'pass';
}

/** Whether the kernel crashed, complained or never came to an end, expected or not. */
export function isFault(verdict: Verdict): boolean {
  return TABLE[verdict].means === 'fault';
}

/** Whether there was a boot that can be judged: the kernel was built, and the harness did not lose the guest. */
export function isOfBoot(verdict: Verdict): boolean {
  const { means } = TABLE[verdict];
  return means !== 'no-kernel' && means !== 'no-verdict';
}

/** Whether the harness could not answer (`infra-error`): neither a pass nor a regression. */
export function isMissing(verdict: Verdict): boolean {
  return TABLE[verdict].means === 'no-verdict';
}

/** Whether `a` is a worse verdict than `b`. */
export function isWorse(a: Verdict, b: Verdict): boolean {
  return VERDICTS.indexOf(a) > VERDICTS.indexOf(b);
}
