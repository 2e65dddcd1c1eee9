import type { CrashKind } from '../../model/crash.ts';
import { oneOf } from '../../regex.ts';
import { findFrame } from '../frame.ts';
import { anywhere, at, bareFunction, generalise, type Header, NOTHING, type Rule, simple } from './header.ts';

function panicHeader(message: string): Header {
  const protector = /^stack-protector: Kernel stack is corrupted in: ?(.{0,300})/.exec(message);
  if (protector !== null) {
    const frame = findFrame(protector[1] ?? '') ?? bareFunction(protector[1] ?? '');
    return {
      ...NOTHING,
      kind: 'panic',
      lead: 'kernel panic: stack is corrupted',
      rule: frame === null ? null : 'header',
      frame,
    };
  }
  if (/^corrupted stack end detected/.test(message)) {
    return { ...NOTHING, kind: 'stack-overflow', lead: 'kernel panic: corrupted stack end', rule: null };
  }
  if (/^kernel stack overflow/.test(message))
    return { ...NOTHING, kind: 'stack-overflow', lead: 'kernel stack overflow' };
  if (/^Attempted to kill init!/.test(message))
    return { ...NOTHING, kind: 'panic', lead: 'kernel panic: Attempted to kill init!', named: false };
  if (/^Asynchronous SError/.test(message)) return { ...NOTHING, kind: 'serror', lead: 'SError Interrupt' };
  const root = /^VFS: Unable to mount root fs on (.{1,100})/.exec(message);
  if (root !== null) {
    return {
      ...NOTHING,
      kind: 'panic',
      lead: `kernel panic: VFS: Unable to mount root fs on ${(root[1] ?? '').trim()}`,
      named: false,
    };
  }
  const text = generalise(message.replace(/ +exitcode=.*$|\. +Try passing init=.*$/, ''));
  return { ...NOTHING, kind: 'panic', lead: text === '' ? 'kernel panic' : `kernel panic: ${text}`, named: false };
}

/** Panics, and running out of memory. */
export const PANICS: readonly Rule[] = [
  // kernel/panic.c.
  {
    needle: 'ernel panic',
    pattern: anywhere('[kK]ernel panic ?-? ?(?:not syncing|NOT SYNCING)(?:: ?|$)(.{0,300})'),
    header: (match) => panicHeader(match[1] ?? ''),
  },
  // mm/oom_kill.c, mm/page_alloc.c.
  {
    needle: 'invoked oom-killer',
    pattern: at('(.{1,16}?) invoked oom-killer: gfp_mask=0x'),
    header: (match) => ({
      ...NOTHING,
      kind: 'oom',
      lead: 'invoked oom-killer',
      named: false,
      comm: match[1] ?? null,
      rule: 'header',
    }),
  },
  {
    needle: 'page allocation failure',
    pattern: at('(.{1,16}?): page allocation failure(?:: |\\. )order:'),
    header: (match) => ({ ...NOTHING, kind: 'oom', lead: 'page allocation failure', comm: match[1] ?? null }),
  },
  {
    needle: 'unregister_netdevice: waiting',
    pattern: at('unregister_netdevice: waiting for \\S+ to become free'),
    header: simple('other', 'unregister_netdevice: waiting for DEV to become free', {
      named: false,
      rule: 'header',
      notice: true,
    }),
  },
  {
    needle: 'Busy inodes after unmount',
    pattern: at('VFS: Busy inodes after unmount'),
    header: simple('bug', 'VFS: Busy inodes after unmount', { named: false, survives: true, rule: 'header' }),
  },
];

type Report = { readonly kind: CrashKind; readonly fatal: boolean };

/** Panics that only say that something else went wrong before, and what: kernel/exit.c, arch/*\/traps.c, panic_on_*. */
const CONSEQUENCES: readonly { readonly message: RegExp; readonly of: (report: Report) => boolean }[] = [
  { message: /^scheduling while atomic/, of: ({ kind }) => kind === 'sleeping-in-atomic' },
  { message: /^hung_task/, of: ({ kind }) => kind === 'hung-task' },
  { message: /^softlockup/, of: ({ kind }) => kind === 'soft-lockup' },
  { message: /^RCU Stall/i, of: ({ kind }) => kind === 'rcu-stall' },
  { message: /^(?:Hard|hard) LOCKUP|^Watchdog detected/, of: ({ kind }) => kind === 'hard-lockup' },
  { message: /^(?:System is deadlocked|Out of memory|out of memory)/, of: ({ kind }) => kind === 'oom' },
  { message: /^(?:workqueue|panic_on_workqueue)/, of: ({ kind }) => kind === 'workqueue-lockup' },
  { message: /panic_on_\w+ set|panic set|^(?:KASAN|UBSAN|KFENCE|KCSAN|KMSAN)\b/i, of: () => true },
  {
    message: new RegExp(
      `^${oneOf(
        /Oops|Fatal|Attempted to kill|Aiee|BUG!|Machine halted|Kernel mode fault|[kK]ernel stack overflow/,
        /Asynchronous SError|synchronous external abort|Unhandled exception|Nested exceptions|bad mode/,
        /CFI|panic_on_oops/,
      )}`,
    ),
    of: ({ fatal }) => fatal,
  },
];

/** Whether a panic of this message follows from an earlier report. */
export function isConsequence(message: string, report: Report): boolean {
  return CONSEQUENCES.some((consequence) => consequence.message.test(message) && consequence.of(report));
}
