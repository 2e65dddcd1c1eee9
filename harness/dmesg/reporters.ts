import type { CrashKind } from '../model/crash.ts';
import { oneOf, oneOfWords } from '../regex.ts';
import type { Header } from './headers/header.ts';
import { HEADLESS } from './headers.ts';

/**
 * Functions that stand in a trace only because a report is being printed: they tell what a report is of whose beginning
 * is not in the log, as in many a commit message and in what pstore had room for.
 */
interface Reporter {
  readonly names: RegExp;
  readonly kind: CrashKind;
  readonly lead: string;
  readonly survives?: boolean;
}

const named = (list: string): RegExp => new RegExp(`^${oneOfWords(list)}$`);

/** They call panic() themselves where they are told to; what they found is what happened then. */
const STALLS: readonly Reporter[] = [
  // kernel/watchdog.c, kernel/watchdog_perf.c.
  { names: named('watchdog_timer_fn'), kind: 'soft-lockup', lead: 'BUG: soft lockup' },
  { names: named('watchdog_overflow_callback watchdog_hardlockup_check'), kind: 'hard-lockup', lead: 'hard LOCKUP' },
  // kernel/rcu/tree_stall.h.
  {
    names: named('rcu_dump_cpu_stacks print_cpu_stall print_other_cpu_stall check_cpu_stall'),
    kind: 'rcu-stall',
    lead: 'INFO: rcu detected stall',
  },
  // arch/arm64/kernel/traps.c.
  { names: named('do_serror arm64_serror_panic'), kind: 'serror', lead: 'SError Interrupt' },
];

const PANIC: Reporter = { names: named('v?panic'), kind: 'panic', lead: 'kernel panic' };

const REPORTS: readonly Reporter[] = [
  // kernel/sched/core.c, lib/smp_processor_id.c.
  { names: named('__schedule_bug'), kind: 'sleeping-in-atomic', lead: 'BUG: scheduling while atomic' },
  {
    names: named('_{2,3}might_sleep __might_resched'),
    kind: 'sleeping-in-atomic',
    lead: 'BUG: sleeping function called from invalid context',
  },
  {
    names: named('check_preemption_disabled'),
    kind: 'bug',
    lead: 'BUG: using smp_processor_id() in preemptible code',
    survives: true,
  },
  // mm/kasan, mm/kfence, mm/kmsan, lib/ubsan.c.
  { names: named('kasan_report(?:_invalid_free)?'), kind: 'kasan', lead: 'KASAN' },
  { names: named('kfence_report_error'), kind: 'kfence', lead: 'KFENCE' },
  { names: named('kmsan_report'), kind: 'kmsan', lead: 'KMSAN' },
  { names: named(String.raw`__ubsan_handle_\w+ ubsan_epilogue`), kind: 'ubsan', lead: 'UBSAN' },
  // kernel/locking/lockdep.c.
  { names: named('print_circular_bug print_deadlock_bug'), kind: 'lockdep', lead: 'possible deadlock' },
  { names: named('print_usage_bug'), kind: 'lockdep', lead: 'inconsistent lock state' },
  { names: named('lockdep_rcu_suspicious'), kind: 'lockdep', lead: 'WARNING: suspicious RCU usage' },
  { names: named('print_unlock_imbalance_bug'), kind: 'lockdep', lead: 'WARNING: bad unlock balance' },
  { names: named('print_lock_invalid_wait_context'), kind: 'lockdep', lead: 'BUG: Invalid wait context' },
  { names: named('print_irq_inversion_bug print_bad_irq_dependency'), kind: 'lockdep', lead: 'possible deadlock' },
  {
    names: named('assign_lock_key register_lock_class'),
    kind: 'lockdep',
    lead: 'INFO: trying to register non-static key',
  },
  // net/core/skbuff.c, lib/string_helpers.c, mm/usercopy.c: they end in BUG().
  { names: named('skb_panic fortify_panic usercopy_abort'), kind: 'bug', lead: 'kernel BUG' },
  // kernel/irq/spurious.c, mm/oom_kill.c.
  { names: named('__report_bad_irq'), kind: 'warning', lead: 'irq: nobody cared' },
  // lib/debugobjects.c.
  { names: named('debug_print_object'), kind: 'warning', lead: 'WARNING: ODEBUG bug' },
  { names: named('sysfs_warn_dup'), kind: 'warning', lead: 'sysfs: cannot create duplicate filename' },
  // kernel/rcu/tree_plugin.h: a context switch within a read-side critical section.
  { names: named('rcu_note_context_switch'), kind: 'warning', lead: 'WARNING' },
  { names: named('oom_kill_process'), kind: 'oom', lead: 'invoked oom-killer' },
  // kernel/panic.c; report_bug() is on the way to a BUG(), too, which dies.
  { names: named(String.raw`warn_slowpath_\w+ __warn`), kind: 'warning', lead: 'WARNING' },
];

/** Where the trace of a leaked object begins: mm/kmemleak.c, mm/slub.c. */
const LEAK: Reporter = { names: named('kmemleak_alloc slab_post_alloc_hook'), kind: 'memleak', lead: 'memory leak' };

/** Functions that are only in the trace of a task that went wrong in the kernel. */
const TRAP = new RegExp(
  `^${oneOf(
    /die|__die\w*|oops_end|report_bug|__do_kernel_fault|die_kernel_fault|do_mem_abort/,
    /el1_abort|el1h_64_sync|do_DataAbort|__dabt_svc|page_fault_oops/,
    /asm_exc_(?:page_fault|general_protection|invalid_op)/,
  )}$`,
);

/** What a trace without a beginning is the trace of; null where nothing in it is on the way to a report. */
export function reportOf(functions: readonly string[]): Header | null {
  const among = (reporters: readonly Reporter[]): Reporter | undefined => {
    for (const name of functions) {
      const found = reporters.find(({ names }) => names.test(name));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const leak = LEAK.names.test(functions[0] ?? '') ? LEAK : undefined;
  const found = leak ?? among(STALLS) ?? among([PANIC]) ?? among(REPORTS);
  if (found !== undefined)
    return { ...HEADLESS, kind: found.kind, lead: found.lead, survives: found.survives === true };
  return functions.some((name) => TRAP.test(name)) ? DIED : null;
}

/**
 * Whether a function alone says that a trace is one of a report: {@link reportOf} of a trace with it is not null.
 * @param first the trace begins with it
 */
export function isTelling(name: string, first: boolean): boolean {
  if (first && LEAK.names.test(name)) return true;
  return TRAP.test(name) || [...STALLS, PANIC, ...REPORTS].some(({ names }) => names.test(name));
}

/** A task has died, of what is not known. */
export const DIED: Header = { ...HEADLESS, kind: 'oops', lead: 'Oops' };

/** Whether a trace that begins in panic() goes on through a fault or another report of the running task. */
export function isOfFault(functions: readonly string[]): boolean {
  return functions.some((name) => TRAP.test(name) || REPORTS.some(({ names }) => names.test(name)));
}
