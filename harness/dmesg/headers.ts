import type { CrashKind } from './events.ts';
import { findFrame, type TraceFrame } from './frame.ts';
import type { BlameRule } from './skip.ts';

/** What the first line of a report says. */
export interface Header {
  readonly kind: CrashKind;
  /** Title up to " in FUNCTION"; the whole title where `named` is false. */
  readonly lead: string;
  /** Whether the title names the blamed function. */
  readonly named: boolean;
  readonly rule: BlameRule | null;
  /** The function that the line itself names. */
  readonly frame: TraceFrame | null;
  readonly address: string | null;
  readonly source: string | null;
  readonly comm: string | null;
  readonly pid: number | null;
  readonly cpu: number | null;
  /** `[#N]` of an oops, where this line has it. */
  readonly die: number | null;
  /** A BUG: line after which the kernel goes on. */
  readonly survives: boolean;
  /** The line is so particular that it counts without anything after it, if it stands at the start of its record. */
  readonly sure: boolean;
}

const NOTHING: Omit<Header, 'kind' | 'lead'> = {
  named: true,
  rule: null,
  frame: null,
  address: null,
  source: null,
  comm: null,
  pid: null,
  cpu: null,
  die: null,
  survives: false,
  sure: true,
};

type Match = RegExpExecArray;

interface Rule {
  /** A part of every line the pattern matches: looked for first, as it is cheap. */
  readonly needle: string;
  readonly pattern: RegExp;
  readonly header: (match: Match, text: string) => Header | null;
}

const HEX = '(?:0x)?([0-9a-fA-F]{1,16})';

/** `0x` and hexadecimal digits without leading zeros; null for no address. */
export function address(digits: string | undefined): string | null {
  if (digits === undefined) return null;
  const bare = digits
    .toLowerCase()
    .replace(/^0x/, '')
    .replace(/^0+(?=.)/, '');
  return /^[0-9a-f]{1,16}$/.test(bare) ? `0x${bare}` : null;
}

/** Below one page an address is a member of a NULL structure: do_kern_addr_fault() and die_kernel_fault() use PAGE_SIZE. */
const PAGE_SIZE = 4096n;

function isNull(at: string | null): boolean {
  return at !== null && BigInt(at) < PAGE_SIZE;
}

const simple =
  (kind: CrashKind, lead: string, extra: Partial<Header> = {}) =>
  (): Header => ({ ...NOTHING, kind, lead, ...extra });

/** Text for titles and signatures without what differs from boot to boot: addresses, counters, process ids. */
export function generalise(text: string): string {
  return text
    .replace(/0x[0-9a-fA-F]+|\b[0-9a-f]{8,16}\b/g, 'ADDR')
    .replace(/\bCPU#?\d+/g, 'CPU')
    .replace(/\b\d+\b/g, 'N')
    .replace(/[ \t]+/g, ' ')
    .trim()
    .slice(0, 160);
}

function fault(bug: string, what: string, at: string | null): Header {
  const isNullDereference = /NULL pointer/.test(what) || isNull(at);
  const lead = isNullDereference
    ? 'unable to handle kernel NULL pointer dereference'
    : `unable to handle kernel ${what.trim().replace(/^kernel /, '')}`;
  return { ...NOTHING, kind: isNullDereference ? 'null-deref' : 'paging-request', lead: bug + lead, address: at };
}

/** Names of the die() strings that say what happened; the rest is `oops`. */
function dieKind(reason: string): CrashKind {
  if (/UBSAN/.test(reason)) return 'ubsan';
  if (/KASAN/.test(reason)) return 'kasan';
  if (/SError/i.test(reason)) return 'serror';
  if (/\bBUG\b|Kernel bug detected/.test(reason)) return 'bug';
  if (/user ?space (?:memory|access)|paging request|NULL pointer/i.test(reason)) return 'paging-request';
  if (/stack overflow|overran stack/.test(reason)) return 'stack-overflow';
  if (
    /undefined instruction|illegal|bad mode|abort|exception|BTI|CFI|FPAC|MTE|BRK|ptrace|sp\/pc|alignment|misaligned|access fault|instruction|GCS/i.test(
      reason,
    )
  )
    return 'exception';
  return 'oops';
}

function dieLead(kind: CrashKind, reason: string): string {
  if (kind === 'bug') return 'kernel BUG';
  // CONFIG_UBSAN_TRAP: report_ubsan_failure(), lib/ubsan.c.
  if (kind === 'ubsan') return generalise(reason.replace(/^.*UBSAN: /, 'UBSAN: '));
  return reason === '' || reason === 'Oops' ? 'Internal error' : `Internal error: ${generalise(reason)}`;
}

const SRC = String.raw`([\w./+~-]{1,255}?\.(?:[chS]|rs|cc?|inc)):(\d{1,7})`;

/** The lead and blame rule of a WARNING, by the check that printed it. */
function warningFlavour(
  source: string | null,
  name: string,
): { kind: CrashKind; lead: string; rule: BlameRule | null } {
  const file = source?.replace(/:\d+$/, '') ?? '';
  if (file.endsWith('lib/refcount.c') || /^refcount_/.test(name))
    return { kind: 'refcount', lead: 'WARNING: refcount bug', rule: 'refcount' };
  if (file.endsWith('lib/debugobjects.c')) return { kind: 'warning', lead: 'WARNING: ODEBUG bug', rule: 'odebug' };
  if (file.endsWith('lib/kobject.c')) return { kind: 'warning', lead: 'WARNING: kobject bug', rule: 'kobject' };
  if (file.endsWith('fs/proc/generic.c') && /^proc_register/.test(name))
    return { kind: 'warning', lead: 'WARNING: proc registration bug', rule: 'proc' };
  if (file.endsWith('kernel/locking/lockdep.c')) return { kind: 'lockdep', lead: 'WARNING: locking bug', rule: null };
  if (file.endsWith('mm/usercopy.c')) return { kind: 'warning', lead: 'WARNING: bad usercopy', rule: 'usercopy' };
  if (/(?:^|\/)mm\//.test(file) && /^_*k?v?z?[mrc]*alloc/.test(name))
    return { kind: 'warning', lead: 'WARNING: kmalloc bug', rule: 'allocation' };
  if (/(?:^|\/)mm\/page_alloc\.c$/.test(file) && /alloc/.test(name))
    return { kind: 'warning', lead: 'WARNING', rule: 'allocation' };
  return { kind: 'warning', lead: 'WARNING', rule: null };
}

function warning(source: string | null, where: string, extra: Partial<Header>): Header {
  const frame = findFrame(where) ?? bareFunction(where);
  const flavour = warningFlavour(source, frame?.function ?? '');
  return { ...NOTHING, ...flavour, frame, source, ...extra };
}

function bareFunction(text: string): TraceFrame | null {
  const match = /^\s*([A-Za-z_][\w.]{1,127})(?:\s|$|\()/.exec(text);
  // An address that the kernel could not name looks like a name when it begins with a letter.
  if (match?.[1] === undefined || /^[0-9a-f]{8,16}$/.test(match[1])) return null;
  return {
    function: match[1],
    offset: null,
    size: null,
    module: null,
    source: null,
    reliable: true,
    interrupted: false,
  };
}

const lockdep = (lead: string): ((match: Match) => Header) => simple('lockdep', lead, { rule: 'header' });
const DEADLOCK = 'possible deadlock';

/** Tags that a subsystem puts before its own headers (pr_fmt). */
const TAGS = String.raw`(?:(?:NMI watchdog|watchdog|rcu|kasan|traps|perf|kfence|kcsan|CPU ?\d{1,4}|Oops): ?){0,3}`;
const at = (pattern: string, flags = ''): RegExp => new RegExp(`^${TAGS}${pattern}`, flags);
/** For what printk cannot have said by chance: anywhere in the record, after a separator. */
const anywhere = (pattern: string): RegExp => new RegExp(`(?:^|[\\s\\]>:;|"'])${pattern}`);

const RULES: readonly Rule[] = [
  // Memory faults: arm64 die_kernel_fault() and __do_kernel_fault(), arm, riscv, mips, loongarch.
  {
    needle: 'Unable to handle',
    pattern: anywhere(
      `(BUG: )?Unable to handle (?:kernel|Kernel) (NULL pointer dereference|paging request|read from unreadable memory|write to read-only memory|execut(?:e|ion) from non-executable memory|execution of (?:user|kernel) memory|access to user memory(?: outside uaccess routines| without uaccess routines| with fs=KERNEL_DS)?|ignored[\\w ]*|unknown[\\w ]*|instruction fetch|data access(?: on (?:read|write))?|unaligned access|pointer dereference in virtual (?:kernel|user) address space|NULL pointer[\\w ]*|access[\\w ]*)(?: for (?:data|instruction fetch))?(?: at|, address| for)?(?: virtual)?(?: address)?:? ?${HEX}?`,
    ),
    header: (match) => {
      const what = (match[2] ?? '').replace(/^data access.*|^instruction fetch/, 'paging request');
      return fault(match[1] === undefined ? '' : 'BUG: ', what, address(match[3]));
    },
  },
  // x86 show_fault_oops(), powerpc bad_page_fault().
  {
    needle: 'BUG: ',
    pattern: anywhere(
      `BUG: (?:(?:unable to handle |)(?:kernel |Kernel )(NULL pointer dereference|paging request)(?: on (?:read|write)| at virtual address)?|unable to handle page fault)(?:(?: at|, address:| for address:) *(?:\\[?<?\\(null\\)>?\\]?|${HEX}))?`,
    ),
    header: (match) =>
      fault(
        'BUG: ',
        match[1] ?? 'paging request',
        match[2] === undefined ? (match[1] === 'NULL pointer dereference' ? address('0') : null) : address(match[2]),
      ),
  },
  // x86 traps and riscv die() strings; 6.10 and later put "Oops: " before every one.
  {
    needle: 'general protection fault',
    pattern: at(
      `general protection fault(?:, (?:probably|maybe) for non-canonical address ${HEX})?[:,].{0,64}\\[#(\\d+)\\]`,
    ),
    header: (match) => ({
      ...NOTHING,
      kind: 'exception',
      lead: 'general protection fault',
      address: address(match[1]),
      die: Number(match[2]),
    }),
  },
  {
    needle: 'general protection fault',
    pattern: at(`general protection fault, (?:probably|maybe) for non-canonical address ${HEX}`),
    header: (match) => ({
      ...NOTHING,
      kind: 'exception',
      lead: 'general protection fault',
      address: address(match[1]),
    }),
  },
  {
    needle: '[#',
    pattern: at(
      `(stack segment|divide error|invalid opcode|int3|double fault|alignment check|segment not present|invalid TSS|bounds|bound range exceeded|overflow|coprocessor segment overrun|control protection fault|trap bounds|debug|machine check|kernel stack overflow \\(page fault\\)|stack guard page|exception stack guard page)(?: \\([^)]{0,60}\\)| fault)?(?:, [^:]{0,80})?: .{0,40}\\[#(\\d+)\\]`,
    ),
    header: (match) => {
      const what = match[1] ?? '';
      const lead = what === 'stack segment' ? 'stack segment fault' : what;
      const kind = /stack overflow|stack guard/.test(what) ? 'stack-overflow' : 'exception';
      return { ...NOTHING, kind, lead, die: Number(match[2]) };
    },
  },
  {
    needle: 'PANIC: double fault',
    pattern: anywhere('PANIC: (?:early )?double fault'),
    header: simple('exception', 'PANIC: double fault'),
  },
  {
    needle: 'PANIC: early exception',
    pattern: anywhere('PANIC: early exception'),
    header: simple('exception', 'PANIC: early exception'),
  },
  // arm64 SError and unexpected exceptions.
  {
    needle: 'SError Interrupt',
    pattern: anywhere('SError Interrupt on CPU ?(\\d+), code'),
    header: (match) => ({ ...NOTHING, kind: 'serror', lead: 'SError Interrupt', cpu: Number(match[1]) }),
  },
  {
    needle: 'ad mode in ',
    pattern: anywhere('Bad mode in (.{1,40}?) handler detected(?: on CPU ?(\\d+))?(?:, (?:code|esr)|$)'),
    header: (match, text) => {
      const kind = /Error/.test(match[1] ?? '') || text.includes('SError') ? 'serror' : 'exception';
      const lead = kind === 'serror' ? 'SError Interrupt' : 'Bad mode';
      return { ...NOTHING, kind, lead, cpu: match[2] === undefined ? null : Number(match[2]) };
    },
  },
  // arm and older arm64 do_mem_abort(); also printed for user space, when no die line follows.
  {
    needle: 'nhandled ',
    pattern: at('(?:Unhandled (?:fault|prefetch abort): )(.{3,60}?) \\(0x[0-9a-f]+\\) at (?:0x)?([0-9a-f]{1,16})'),
    header: (match) => ({
      ...NOTHING,
      kind: 'exception',
      lead: `Unhandled fault: ${generalise(match[1] ?? '')}`,
      address: address(match[2]),
      sure: false,
    }),
  },
  {
    needle: 'ynchronous ',
    pattern: at(
      '[sS]ynchronous (?:[eE]xternal [aA]bort|parity error.{0,60}|parity or ECC error.{0,60}): (.{0,60}?) ?\\(0x[0-9a-f]+\\) at (?:0x)?([0-9a-f]{1,16})',
    ),
    header: (match) => ({
      ...NOTHING,
      kind: 'exception',
      lead: 'synchronous external abort',
      address: address(match[2]),
      sure: false,
    }),
  },
  {
    needle: 'CFI failure',
    pattern: at('(?:Kernel panic - not syncing: )?CFI failure (?:at (\\S{1,200})|\\(target: (\\S{1,200}))'),
    header: (match) => ({ ...NOTHING, kind: 'exception', lead: 'CFI failure', frame: findFrame(match[1] ?? '') }),
  },
  {
    needle: 'Missing ENDBR',
    pattern: at('(?:traps: )?Missing ENDBR: (\\S{1,200})'),
    header: (match) => ({ ...NOTHING, kind: 'exception', lead: 'Missing ENDBR', frame: findFrame(match[1] ?? '') }),
  },
  {
    needle: 'Unhandled ',
    pattern: anywhere('Unhandled (\\d\\d-bit \\w+ \\w+) exception on CPU ?(\\d+), (?:ESR|ISR)'),
    header: (match, text) => ({
      ...NOTHING,
      kind: text.includes('SError') || /error/.test(match[1] ?? '') ? 'serror' : 'exception',
      lead: `Unhandled ${match[1]} exception`,
      cpu: Number(match[2]),
    }),
  },
  {
    needle: 'nsufficient stack space',
    pattern: at('Insufficient stack space to handle exception!'),
    header: simple('stack-overflow', 'kernel stack overflow'),
  },
  {
    needle: 'stack guard page was hit',
    pattern: anywhere('BUG: (?:[\\w/]+ )?stack guard page was hit at'),
    header: simple('stack-overflow', 'BUG: stack guard page was hit'),
  },
  {
    needle: 'stack overflow',
    pattern: at(
      '(?:BUG: )?(?:kernel stack overflow|stack overflow detected|do_IRQ: .{1,40} has overflown the kernel stack)',
      'i',
    ),
    header: simple('stack-overflow', 'kernel stack overflow', { sure: false }),
  },
  // BUG(): lib/bug.c.
  {
    needle: 'ernel BUG at ',
    pattern: anywhere(`[kK]ernel BUG at (?:${SRC}|(\\S{1,255}))`),
    header: (match) => {
      const source = match[1] === undefined ? null : `${match[1]}:${match[2]}`;
      const file = match[1] ?? '';
      if (file.endsWith('lib/list_debug.c')) return { ...NOTHING, kind: 'bug', lead: 'BUG: corrupted list', source };
      if (file.endsWith('mm/usercopy.c'))
        return { ...NOTHING, kind: 'bug', lead: 'BUG: bad usercopy', rule: 'usercopy', source };
      return {
        ...NOTHING,
        kind: 'bug',
        lead: 'kernel BUG',
        source,
        frame: match[3] === undefined ? null : findFrame(match[3]),
      };
    },
  },
  {
    needle: 'BUG: failure at ',
    pattern: at(`BUG: failure at ${SRC}\\/([A-Za-z_]\\w{0,127})\\(\\)`),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: 'kernel BUG',
      source: `${match[1]}:${match[2]}`,
      frame: bareFunction(match[3] ?? ''),
    }),
  },
  // Sanitizers.
  {
    needle: 'BUG: KAS',
    pattern: anywhere('BUG: KAS[aA][nN]: ([a-zA-Z -]{1,60}?)(?: access)? (?:in|on address) (.{0,300})'),
    header: (match) => {
      const what = (match[1] ?? '').trim().replaceAll(' ', '-').replace('double-free-or-invalid-free', 'invalid-free');
      return {
        ...NOTHING,
        kind: what === 'null-ptr-deref' ? 'null-deref' : 'kasan',
        lead: `KASAN: ${what}`,
        rule: what === 'double-free' || what === 'invalid-free' ? 'allocation' : null,
        frame: findFrame(match[2] ?? '') ?? bareFunction(match[2] ?? ''),
      };
    },
  },
  {
    needle: 'BUG: KMSAN',
    pattern: anywhere('BUG: KMSAN: ([a-z -]{1,60}?) in (.{0,300})'),
    header: (match) => ({
      ...NOTHING,
      kind: 'other',
      lead: `KMSAN: ${match[1]}`,
      frame: findFrame(match[2] ?? '') ?? bareFunction(match[2] ?? ''),
    }),
  },
  {
    needle: 'BUG: KCSAN',
    pattern: anywhere(
      'BUG: KCSAN: (assert: race|data-race|[a-z: -]{1,40}?) in (?:([\\w.]{1,127}) ?\\/ ?([\\w.]{1,127})|(.{1,300}))',
    ),
    header: (match) => {
      const single = match[4] === undefined ? null : (findFrame(match[4]) ?? bareFunction(match[4]));
      const first = match[2] ?? single?.function ?? null;
      const names = match[2] === undefined ? (first ?? '') : `${match[2]} / ${match[3]}`;
      return {
        ...NOTHING,
        kind: 'kcsan',
        lead: `KCSAN: ${match[1]} in ${names}`,
        named: false,
        frame: first === null ? null : bareFunction(first),
        rule: 'header',
      };
    },
  },
  {
    needle: 'BUG: KFENCE',
    pattern: anywhere('BUG: KFENCE: ([a-z -]{1,60}?)(?: in (.{0,300}))?$'),
    header: (match) => ({
      ...NOTHING,
      kind: 'kfence',
      lead: `KFENCE: ${match[1]}`,
      frame: findFrame(match[2] ?? '') ?? bareFunction(match[2] ?? ''),
    }),
  },
  {
    needle: 'UBSAN: ',
    pattern: anywhere(`UBSAN: ([A-Za-z -]{1,60}?) in ${SRC}(?::\\d{1,5})?`),
    header: (match) => ({
      ...NOTHING,
      kind: 'ubsan',
      lead: `UBSAN: ${match[1] === 'Undefined behaviour' ? 'undefined-behaviour' : match[1]}`,
      source: `${match[2]}:${match[3]}`,
    }),
  },
  {
    needle: 'BUG: memory leak',
    pattern: at('BUG: memory leak'),
    header: simple('memleak', 'memory leak', { rule: null, sure: false }),
  },
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
    pattern: anywhere(
      'INFO: task (.{1,32}?):(\\d{1,8}) (?:<[^>]{1,60}> )?(?:is )?blocked (?:in I/O wait )?for more than \\d+ seconds',
    ),
    header: (match) => ({
      ...NOTHING,
      kind: 'hung-task',
      lead: 'INFO: task hung',
      comm: match[1] ?? null,
      pid: Number(match[2]),
    }),
  },
  {
    needle: 'blocked state for more than',
    pattern: anywhere('INFO: task (.{1,32}?):(\\d{1,8}) .{0,40}blocked'),
    header: (match) => ({
      ...NOTHING,
      kind: 'hung-task',
      lead: 'INFO: task hung',
      comm: match[1] ?? null,
      pid: Number(match[2]),
    }),
  },
  {
    needle: "can't die for more than",
    pattern: anywhere("INFO: task (.{1,32}?):(\\d{1,8}) can't die for more than \\d+ seconds"),
    header: (match) => ({
      ...NOTHING,
      kind: 'hung-task',
      lead: "INFO: task can't die",
      comm: match[1] ?? null,
      pid: Number(match[2]),
    }),
  },
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
    header: (match) => ({ ...NOTHING, kind: 'lockdep', lead: `${match[1]}: suspicious RCU usage`, rule: 'rcu-usage' }),
  },
  {
    needle: 'bad unlock balance',
    pattern: anywhere('(WARNING|BUG): bad unlock balance detected'),
    header: (match) => ({ ...NOTHING, kind: 'lockdep', lead: `${match[1]}: bad unlock balance`, rule: 'header' }),
  },
  {
    needle: 'bad contention detected',
    pattern: anywhere('(WARNING|BUG): bad contention detected'),
    header: (match) => ({ ...NOTHING, kind: 'lockdep', lead: `${match[1]}: bad contention`, rule: 'header' }),
  },
  {
    needle: 'held lock freed',
    pattern: anywhere('(WARNING|BUG): held lock freed'),
    header: (match) => ({ ...NOTHING, kind: 'lockdep', lead: `${match[1]}: held lock freed`, rule: 'header' }),
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
    header: simple('lockdep', 'INFO: trying to register non-static key', { rule: 'odebug' }),
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
  // kernel/sched/core.c, lib/smp_processor_id.c.
  {
    needle: 'sleeping function called',
    pattern: anywhere(`BUG: sleeping function called from (?:invalid|illegal) context(?: at ${SRC})?`),
    header: (match) => ({
      ...NOTHING,
      kind: 'sleeping-in-atomic',
      lead: 'BUG: sleeping function called from invalid context',
      source: match[1] === undefined ? null : `${match[1]}:${match[2]}`,
    }),
  },
  {
    needle: 'scheduling while atomic',
    pattern: anywhere('BUG: scheduling while atomic: (.{1,32})\\/(\\d+)\\/'),
    header: (match) => ({
      ...NOTHING,
      kind: 'sleeping-in-atomic',
      lead: 'BUG: scheduling while atomic',
      comm: match[1] ?? null,
      pid: Number(match[2]),
    }),
  },
  {
    needle: 'assuming ',
    pattern: anywhere('BUG: assuming (atomic|non migratable) context at'),
    header: (match) => ({ ...NOTHING, kind: 'sleeping-in-atomic', lead: `BUG: assuming ${match[1]} context` }),
  },
  {
    needle: '] code: ',
    pattern: anywhere('BUG: using (\\S{3,40}) in preemptible \\[[0-9a-f]+\\] code: (.{1,32})\\/(\\d+)'),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: `BUG: using ${match[1]} in preemptible code`,
      survives: true,
      comm: match[2] ?? null,
      pid: Number(match[3]),
    }),
  },
  // kernel/locking/spinlock_debug.c.
  {
    needle: 'lock ',
    pattern: anywhere(
      'BUG: (spinlock|rwlock|rwlock-lockup|spinlock-lockup) (lockup suspected|lockup|already unlocked|recursion|bad magic|wrong owner|wrong CPU|cpu recursion|uninitialized|trylock failure on UP|[\\w ]{3,32}?) on (?:CPU#(\\d+)|UP)(?:, (.{1,32})\\/(\\d+))?',
    ),
    header: (match) => ({
      ...NOTHING,
      kind: /lockup/.test(match[2] ?? '') ? 'soft-lockup' : 'bug',
      lead: `BUG: ${match[1]} ${match[2]}`,
      survives: true,
      cpu: match[3] === undefined ? null : Number(match[3]),
      comm: match[4] ?? null,
      pid: match[5] === undefined ? null : Number(match[5]),
    }),
  },
  // mm/.
  {
    needle: 'BUG: Bad page state',
    pattern: anywhere('BUG: Bad page state in process (.{1,16}?) +pfn:'),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: 'BUG: Bad page state',
      survives: true,
      rule: 'allocation',
      comm: match[1] ?? null,
    }),
  },
  {
    needle: 'BUG: Bad page map',
    pattern: anywhere('BUG: Bad page (?:map|cache)'),
    header: simple('bug', 'BUG: Bad page map', { named: false, survives: true }),
  },
  {
    needle: 'BUG: Bad rss-counter',
    pattern: anywhere('BUG: Bad rss-counter state'),
    header: simple('bug', 'BUG: Bad rss-counter state', { named: false, survives: true, rule: 'header' }),
  },
  {
    needle: 'on freeing mm',
    pattern: anywhere('BUG: non-zero (\\w+) on freeing mm'),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: `BUG: non-zero ${match[1]} on freeing mm`,
      survives: true,
      named: false,
      rule: 'header',
    }),
  },
  {
    needle: 'BUG: Dentry ',
    pattern: anywhere('BUG: Dentry .{1,200}still in use \\(-?\\d+\\) +\\[unmount of ([^\\]]{1,64})\\]'),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: `BUG: Dentry still in use [unmount of ${generalise(match[1] ?? '')}]`,
      survives: true,
      named: false,
    }),
  },
  {
    needle: 'BUG ',
    pattern: at('BUG ([\\w.:-]{1,64}) ?\\((?:Not t|T)ainted.{0,64}?\\): (.{1,80})'),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: `BUG ${match[1]}: ${generalise((match[2] ?? '').replace(/\. .*$/, ''))}`,
      survives: true,
      rule: 'allocation',
    }),
  },
  // WARN(): __warn() in kernel/panic.c, both orders (6.19 changed it), and 3.x without CPU and PID.
  {
    needle: 'WARNING: CPU: ',
    pattern: anywhere(`WARNING: CPU: (\\d+) PID: (\\d+) at (?:${SRC} ?)?(.{0,400})`),
    header: (match) =>
      warning(match[3] === undefined ? null : `${match[3]}:${match[4]}`, match[5] ?? '', {
        cpu: Number(match[1]),
        pid: Number(match[2]),
      }),
  },
  {
    needle: ', CPU#',
    pattern: anywhere(`WARNING: (?:${SRC} )?at (.{1,400}?), CPU#(\\d+): (.{1,32})\\/(\\d+)`),
    header: (match) =>
      warning(match[1] === undefined ? null : `${match[1]}:${match[2]}`, match[3] ?? '', {
        cpu: Number(match[4]),
        comm: match[5] ?? null,
        pid: Number(match[6]),
      }),
  },
  {
    needle: 'WARNING: at ',
    pattern: anywhere(`WARNING: at ${SRC} ?(.{0,400})`),
    header: (match) => warning(`${match[1]}:${match[2]}`, match[3] ?? '', {}),
  },
  {
    needle: 'WARNING: kernel stack',
    pattern: anywhere("WARNING: kernel stack (regs|frame pointer) at \\S+ in .{1,40} has bad '?(\\w*)'? ?value"),
    header: (match) => ({
      ...NOTHING,
      kind: 'warning',
      lead: `WARNING: kernel stack ${match[1]} has bad ${match[1] === 'regs' ? `'${match[2]}' ` : ''}value`,
      named: false,
      rule: 'header',
    }),
  },
  {
    needle: 'unchecked MSR access',
    pattern: anywhere('unchecked MSR access error: (RDMSR|WRMSR)'),
    header: (match, text) => ({
      ...NOTHING,
      kind: 'warning',
      lead: 'unchecked MSR access error',
      frame: findFrame(text.slice(match.index)),
      rule: null,
    }),
  },
  {
    needle: 'cannot create duplicate filename',
    pattern: at("sysfs: cannot create duplicate filename '"),
    header: simple('warning', 'sysfs: cannot create duplicate filename', { named: false, sure: false }),
  },
  {
    needle: 'nobody cared',
    pattern: at('irq (?:event )?\\d+: (?:nobody cared|bogus return value)'),
    header: simple('warning', 'irq: nobody cared', { named: false, sure: false, rule: 'header' }),
  },
  // Die lines. They come after a header above, and stand for themselves where it is missing.
  {
    needle: 'Internal error: ',
    pattern: anywhere('Internal error: (.{0,120}?)(?::? (?:0x)?([0-9a-f]{1,16}))? \\[#(\\d+)\\]'),
    header: (match) => {
      const reason = (match[1] ?? '').replace(/[: ]+$/, '').replace(/^[: ]+/, '');
      const kind = dieKind(reason);
      return { ...NOTHING, kind, lead: dieLead(kind, reason), die: Number(match[3]) };
    },
  },
  {
    needle: '[#',
    pattern: at(
      '(?:Oops(?: - ([\\w ()/,-]{1,60}?))?|Kernel BUG|BUG|(Kernel access of bad area|Exception in kernel mode|Machine check|Weird page fault|System call|kernel (?:pointer )?[\\w ]{1,40}|[\\w ,-]{1,60}?))?(?::? ?(?:(?:0x)?[0-9a-f]{1,16}|[\\w ,:]{1,40}))? ?\\[#(\\d+)\\]',
    ),
    header: (match, text) => {
      const reason = match[1] ?? match[2] ?? '';
      const kind: CrashKind = /BUG|Kernel bug detected/.test(match[0]) ? 'bug' : dieKind(reason);
      if (!/Oops|BUG|Kernel|kernel|Exception|Unhandled|fault/i.test(text)) return null;
      const lead = kind === 'bug' ? 'kernel BUG' : reason === '' ? 'Oops' : `Oops: ${generalise(reason)}`;
      return { ...NOTHING, kind, lead, die: Number(match[3]) };
    },
  },
  // kernel/panic.c.
  {
    needle: 'ernel panic',
    pattern: anywhere('[kK]ernel panic ?-? ?(?:not syncing|NOT SYNCING)(?:: ?|$)(.{0,300})'),
    header: (match) => panicHeader(match[1] ?? ''),
  },
  // mm/oom_kill.c, mm/page_alloc.c.
  {
    needle: 'invoked oom-killer',
    pattern: at('(.{1,16}?) invoked oom-killer: gfp_mask='),
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
    header: simple('other', 'unregister_netdevice: waiting for DEV to become free', { named: false, rule: 'header' }),
  },
  {
    needle: 'Busy inodes after unmount',
    pattern: at('VFS: Busy inodes after unmount'),
    header: simple('bug', 'VFS: Busy inodes after unmount', { named: false, survives: true, rule: 'header' }),
  },
  // Anything else that a subsystem calls a BUG at the start of a kernel record.
  {
    needle: 'BUG: ',
    pattern: /^(?:\[ )?BUG: (\S.{2,200}?)(?: \])?$/,
    header: (match) => {
      if (
        /^(?:arch topology borken|lock held|unable to|Unable to|no syscalls|KASAN|KCSAN|KMSAN|KFENCE)/.test(
          match[1] ?? '',
        )
      )
        return null;
      return {
        ...NOTHING,
        kind: 'bug',
        lead: `BUG: ${generalise(match[1] ?? '')}`,
        survives: true,
        named: false,
        sure: false,
      };
    },
  },
];

type Report = { readonly kind: CrashKind; readonly fatal: boolean };

/** Panics that only say that something else went wrong before, and what: kernel/exit.c, arch/*\/traps.c, panic_on_*. */
const CONSEQUENCES: readonly { readonly message: RegExp; readonly of: (report: Report) => boolean }[] = [
  { message: /^hung_task/, of: ({ kind }) => kind === 'hung-task' },
  { message: /^softlockup/, of: ({ kind }) => kind === 'soft-lockup' },
  { message: /^RCU Stall/i, of: ({ kind }) => kind === 'rcu-stall' },
  { message: /^(?:Hard|hard) LOCKUP|^Watchdog detected/, of: ({ kind }) => kind === 'hard-lockup' },
  { message: /^(?:System is deadlocked|Out of memory|out of memory)/, of: ({ kind }) => kind === 'oom' },
  { message: /^(?:workqueue|panic_on_workqueue)/, of: ({ kind }) => kind === 'workqueue-lockup' },
  { message: /panic_on_\w+ set|panic set|^(?:KASAN|UBSAN|KFENCE|KCSAN|KMSAN)\b/i, of: () => true },
  {
    message:
      /^(?:Oops|Fatal|Attempted to kill|Aiee|Asynchronous SError|Unhandled exception|BUG!|bad mode|[kK]ernel stack overflow|Machine halted|synchronous external abort|Kernel mode fault|Nested exceptions|CFI|panic_on_oops)/,
    of: ({ fatal }) => fatal,
  },
];

/** Whether a panic of this message follows from an earlier report. */
export function isConsequence(message: string, report: Report): boolean {
  return CONSEQUENCES.some((consequence) => consequence.message.test(message) && consequence.of(report));
}

function panicHeader(message: string): Header {
  const protector = /^stack-protector: Kernel stack is corrupted in: ?(.{0,300})/.exec(message);
  if (protector !== null) {
    return {
      ...NOTHING,
      kind: 'panic',
      lead: 'kernel panic: stack is corrupted',
      frame: findFrame(protector[1] ?? '') ?? bareFunction(protector[1] ?? ''),
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

/** A report whose beginning is not in the log: registers and a call trace that nothing introduces. */
export const HEADLESS: Header = { ...NOTHING, kind: 'other', lead: 'call trace', sure: false };

/** A user-space program that writes to /dev/kmsg names itself so; no kernel report begins like this. */
const USER_SPACE = /^[\w.@/-]{1,64}\[\d{1,10}\]: /;

export interface FoundHeader {
  readonly header: Header;
  /** The report's own words begin at the start of the record. */
  readonly atStart: boolean;
  readonly panicMessage: string | null;
}

/** The report that this record begins, or null. */
export function findHeader(text: string): FoundHeader | null {
  if (USER_SPACE.test(text) || text.startsWith('---[ end')) return null;
  for (const rule of RULES) {
    if (!text.includes(rule.needle)) continue;
    const match = rule.pattern.exec(text);
    if (match === null) continue;
    const header = rule.header(match, text);
    if (header === null) continue;
    const before = text.slice(0, match.index);
    const panicMessage = rule.needle === 'ernel panic' ? (match[1] ?? '').trim() : null;
    return {
      header,
      atStart: before.trim() === '' || /^(?:\S{1,40}: |\[ ){1,3}$/.test(`${before} `.replace(/ +$/, ' ')),
      panicMessage,
    };
  }
  return null;
}
