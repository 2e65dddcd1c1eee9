import { anywhere, at, type Header, NOTHING, ofTask, type Rule, simple } from './header.ts';

/** What a task that is shown without a report is called. */
export const BLOCKED = 'task blocked';

function ofBlocked(match: RegExpExecArray): Header {
  return { ...ofTask('hung-task', BLOCKED)(match), sure: false };
}

/** Lockups, RCU stalls and hung tasks. */
export const LOCKUPS: readonly Rule[] = [
  // kernel/watchdog.c, kernel/workqueue.c.
  {
    needle: 'BUG: soft lockup',
    pattern: anywhere('BUG: soft lockup - CPU#(\\d+) stuck for .{1,20}?! \\[(.{1,32}?):(\\d+)\\]'),
    header: (match) => ({
      ...NOTHING,
      kind: 'soft-lockup',
      lead: 'BUG: soft lockup',
      cpu: Number(match[1]),
      comm: match[2] ?? null,
      pid: Number(match[3]),
    }),
  },
  {
    needle: 'BUG: soft lockup',
    pattern: anywhere('BUG: soft lockup(?: - CPU#(\\d+))?'),
    header: (match) => ({
      ...NOTHING,
      kind: 'soft-lockup',
      lead: 'BUG: soft lockup',
      cpu: match[1] === undefined ? null : Number(match[1]),
    }),
  },
  {
    needle: 'LOCKUP on cpu',
    pattern: anywhere('Watchdog detected hard LOCKUP on cpu ?(\\d+)'),
    header: (match) => ({ ...NOTHING, kind: 'hard-lockup', lead: 'hard LOCKUP', cpu: Number(match[1]) }),
  },
  {
    needle: 'detected LOCKUP on CPU',
    pattern: anywhere('NMI Watchdog detected LOCKUP on CPU ?(\\d+)'),
    header: (match) => ({ ...NOTHING, kind: 'hard-lockup', lead: 'hard LOCKUP', cpu: Number(match[1]) }),
  },
  {
    needle: 'workqueue lockup',
    pattern: anywhere('BUG: workqueue lockup'),
    header: simple('workqueue-lockup', 'BUG: workqueue lockup', { named: false, rule: 'header' }),
  },
  {
    needle: 'workqueue leaked',
    pattern: anywhere('BUG: workqueue leaked (lock or atomic|atomic, lock or RCU)'),
    header: (match) => ({ ...NOTHING, kind: 'bug', lead: `BUG: workqueue leaked ${match[1]}`, survives: true }),
  },
  // kernel/rcu/tree_stall.h, tree_exp.h, tasks.h, update.c; older tree.c, tiny.c.
  {
    needle: 'stall',
    pattern: anywhere('(?:INFO: )?rcu_?\\w{0,24}:? (?:self-)?detected (?:expedited )?stalls? '),
    header: (match) =>
      match[0].includes('INFO') || match[0].includes('expedited')
        ? { ...NOTHING, kind: 'rcu-stall', lead: 'INFO: rcu detected stall' }
        : null,
  },
  {
    needle: 'stall',
    pattern: anywhere('INFO: rcu_?\\w{0,24}:? (?:self-)?detected (?:expedited )?stalls?'),
    header: simple('rcu-stall', 'INFO: rcu detected stall'),
  },
  // kernel/hung_task.c.
  {
    needle: 'blocked',
    pattern: anywhere('INFO: task (.{1,32}?):(\\d{1,8}) (?:<[^>]{1,60}> )?(?:is )?blocked (?:in I/O wait )?for\\b'),
    header: ofTask('hung-task', 'INFO: task hung'),
  },
  {
    needle: 'blocked state for more than',
    pattern: anywhere('INFO: task (.{1,32}?):(\\d{1,8}) .{0,40}blocked'),
    header: ofTask('hung-task', 'INFO: task hung'),
  },
  {
    needle: "can't die for more than",
    pattern: anywhere("INFO: task (.{1,32}?):(\\d{1,8}) can't die for more than \\d+ seconds"),
    header: ofTask('hung-task', "INFO: task can't die"),
  },
  // sched_show_task(), kernel/sched/core.c, since 5.10 and before: what sysrq-w lists, and what people show alone.
  {
    needle: 'state:D',
    pattern: at('task:(.{1,16}?) +state:D +stack: *\\d+ +pid: *(\\d{1,8}) '),
    header: ofBlocked,
  },
  {
    needle: ' D ',
    pattern: at('(\\S.{0,15}?) +D +(?:[0-9a-f]{8,16} +)?\\d+ +(\\d{1,8}) +\\d+ +0x[0-9a-f]{8}$'),
    header: ofBlocked,
  },
];
