import { anywhere, type Header, NOTHING, type Rule, simple } from './header.ts';

const lockdep = (lead: string): (() => Header) => simple('lockdep', lead);
const DEADLOCK = 'possible deadlock';

/** Reports of the lock validator. */
export const LOCKDEP: readonly Rule[] = [
  // kernel/locking/lockdep.c: "[ INFO: ... ]" until 4.12, "WARNING: ..." since; some stayed "[ BUG: ... ]".
  {
    needle: 'possible circular locking dependency',
    pattern: anywhere('possible circular locking dependency detected'),
    header: lockdep(DEADLOCK),
  },
  {
    needle: 'possible recursive locking',
    pattern: anywhere('possible recursive locking detected'),
    header: lockdep(DEADLOCK),
  },
  {
    needle: 'lock inversion dependency',
    pattern: anywhere('possible irq lock inversion dependency detected'),
    header: lockdep(DEADLOCK),
  },
  {
    needle: 'lock order detected',
    pattern: anywhere('\\w{4,8}-safe -> \\w{4,8}-unsafe lock order detected'),
    header: lockdep(DEADLOCK),
  },
  {
    needle: 'inconsistent lock state',
    pattern: anywhere('(?:WARNING|INFO): inconsistent lock state'),
    header: lockdep('inconsistent lock state'),
  },
  {
    needle: 'Nested lock was not taken',
    pattern: anywhere('(?:WARNING|BUG): Nested lock was not taken'),
    header: lockdep('WARNING: Nested lock was not taken'),
  },
  {
    needle: 'suspicious RCU usage',
    pattern: anywhere('(WARNING|INFO): suspicious RCU usage'),
    header: (match) => ({ ...NOTHING, kind: 'lockdep', lead: `${match[1]}: suspicious RCU usage` }),
  },
  // Until 3.1.
  {
    needle: 'suspicious rcu_dereference',
    pattern: anywhere('INFO: suspicious rcu_dereference_\\w+\\(\\) usage'),
    header: lockdep('INFO: suspicious RCU usage'),
  },
  {
    needle: 'bad unlock balance',
    pattern: anywhere('(WARNING|BUG): bad unlock balance detected'),
    header: (match) => ({ ...NOTHING, kind: 'lockdep', lead: `${match[1]}: bad unlock balance` }),
  },
  {
    needle: 'bad contention detected',
    pattern: anywhere('(WARNING|BUG): bad contention detected'),
    header: (match) => ({ ...NOTHING, kind: 'lockdep', lead: `${match[1]}: bad contention` }),
  },
  {
    needle: 'held lock freed',
    pattern: anywhere('(WARNING|BUG): held lock freed'),
    header: (match) => ({ ...NOTHING, kind: 'lockdep', lead: `${match[1]}: held lock freed` }),
  },
  {
    needle: 'lock held when returning',
    pattern: anywhere('(WARNING|BUG): lock held when returning to user space'),
    header: (match) => ({
      ...NOTHING,
      kind: 'lockdep',
      lead: `${match[1]}: lock held when returning to user space`,
      rule: 'header',
    }),
  },
  {
    needle: 'still has locks held',
    pattern: anywhere('(WARNING|BUG): .{0,64}?still has locks held'),
    header: (match) => ({ ...NOTHING, kind: 'lockdep', lead: `${match[1]}: still has locks held`, rule: 'header' }),
  },
  {
    needle: 'lock held at task exit',
    pattern: anywhere('(?:WARNING|BUG): lock held at task exit'),
    header: lockdep('BUG: lock held at task exit'),
  },
  {
    needle: 'Invalid wait context',
    pattern: anywhere('BUG: Invalid wait context'),
    header: lockdep('BUG: Invalid wait context'),
  },
  {
    needle: 'register non-static key',
    pattern: anywhere('INFO: trying to register non-static key'),
    header: simple('lockdep', 'INFO: trying to register non-static key'),
  },
  {
    needle: 'has not been registered!',
    pattern: anywhere('BUG: key \\S{1,32} (?:has not been registered|not in \\.data)!'),
    header: simple('lockdep', 'BUG: key has not been registered'),
  },
  {
    needle: ' too low!',
    pattern: anywhere('BUG: (MAX_[A-Z_]{4,40}) too low!'),
    header: (match) => ({
      ...NOTHING,
      kind: 'lockdep',
      lead: `BUG: ${match[1]} too low!`,
      named: false,
      rule: 'header',
    }),
  },
  {
    needle: 'looking up invalid subclass',
    pattern: anywhere('BUG: looking up invalid subclass'),
    header: simple('lockdep', 'BUG: looking up invalid subclass'),
  },
];
