import { namesOf } from './names.ts';
import type { Verdict } from './verdict.ts';

interface CrashKindFacts {
  /** The verdict of a boot in which nothing worse is found. */
  readonly verdict: Verdict;
  /**
   * What is still to come after such a report. `stopped`: the kernel, or at least the task, does not go on. `stuck`: it
   * waits or spins; nothing that comes changes the verdict. `goes-on`: a report that the kernel survives.
   */
  readonly after: 'stopped' | 'stuck' | 'goes-on';
  /**
   * Where the function to blame is looked for. `pc`: at the program counter, then in the trace. `stall`: in the trace
   * of the CPU that is stuck. `trace`: in the trace alone, a dump_stack() of the task at fault, so that a pc, if any,
   * belongs to user space or a trap.
   */
  readonly blame: 'pc' | 'stall' | 'trace';
}

/** Every kind of report in a kernel log. */
const TABLE = {
  'null-deref': { verdict: 'null-deref', after: 'stopped', blame: 'pc' },
  'paging-request': { verdict: 'oops', after: 'stopped', blame: 'pc' },
  oops: { verdict: 'oops', after: 'stopped', blame: 'pc' },
  bug: { verdict: 'oops', after: 'stopped', blame: 'pc' },
  warning: { verdict: 'warning', after: 'goes-on', blame: 'pc' },
  kasan: { verdict: 'warning', after: 'goes-on', blame: 'pc' },
  ubsan: { verdict: 'warning', after: 'goes-on', blame: 'pc' },
  kfence: { verdict: 'warning', after: 'goes-on', blame: 'pc' },
  kmsan: { verdict: 'warning', after: 'goes-on', blame: 'pc' },
  kcsan: { verdict: 'warning', after: 'goes-on', blame: 'trace' },
  lockdep: { verdict: 'warning', after: 'goes-on', blame: 'pc' },
  'rcu-stall': { verdict: 'hang', after: 'stuck', blame: 'stall' },
  'hung-task': { verdict: 'hang', after: 'stuck', blame: 'trace' },
  'soft-lockup': { verdict: 'hang', after: 'stuck', blame: 'stall' },
  'hard-lockup': { verdict: 'hang', after: 'stuck', blame: 'stall' },
  'workqueue-lockup': { verdict: 'hang', after: 'stuck', blame: 'stall' },
  // An SError is fatal by definition: arm64_serror_panic().
  serror: { verdict: 'panic', after: 'stopped', blame: 'pc' },
  exception: { verdict: 'oops', after: 'stopped', blame: 'pc' },
  panic: { verdict: 'panic', after: 'stopped', blame: 'trace' },
  oom: { verdict: 'warning', after: 'goes-on', blame: 'trace' },
  'stack-overflow': { verdict: 'oops', after: 'stopped', blame: 'pc' },
  'sleeping-in-atomic': { verdict: 'warning', after: 'goes-on', blame: 'pc' },
  refcount: { verdict: 'warning', after: 'goes-on', blame: 'pc' },
  memleak: { verdict: 'warning', after: 'goes-on', blame: 'trace' },
  other: { verdict: 'warning', after: 'goes-on', blame: 'pc' },
} as const satisfies Readonly<Record<string, CrashKindFacts>>;

export type CrashKind = keyof typeof TABLE;

export const CRASH_KINDS: readonly CrashKind[] = namesOf(TABLE);

/** What stands in the table about reports of this kind. */
export function crashFacts(kind: CrashKind): CrashKindFacts {
  return TABLE[kind];
}

/** Whether the kernel, or at least the task, does not go on after a report of this kind. */
export function isFatal(kind: CrashKind): boolean {
  return TABLE[kind].after === 'stopped';
}

/** Whether nothing that is still to come changes the verdict. The guest need not end by itself. */
export function isTerminal(kind: CrashKind): boolean {
  return TABLE[kind].after !== 'goes-on';
}
