import { type CrashKind, crashFacts } from '../model/crash.ts';
import { oneOf } from '../regex.ts';
import type { PassedOver } from './events.ts';
import { isNameless, plainName, type TraceFrame } from './frame.ts';
import type { Header } from './headers/header.ts';
import { type Role, roleWhy } from './role-names.ts';
import { isBystander, isDispatcher, roleOf } from './roles.ts';

/** A frame together with where in the report it stands. */
export interface PlacedFrame {
  readonly frame: TraceFrame;
  readonly role: 'pc' | 'trace';
  /** Sections of a report: its own trace, or one that explains it (where the memory was allocated, freed, created). */
  readonly section: 'own' | 'other';
  /** Inside x86's <IRQ> or <NMI> marks. */
  readonly interrupt: boolean;
}

export interface BlameInput {
  readonly kind: CrashKind;
  readonly header: Header;
  /** Functions that the report's text names besides the trace: `caller is f`, `takes: ... at: f`. */
  readonly named: TraceFrame | null;
  /** The function that took the last of the locks that are held, or that disabled preemption. */
  readonly atomic: TraceFrame | null;
  readonly pc: TraceFrame | null;
  readonly lr: TraceFrame | null;
  readonly frames: readonly PlacedFrame[];
}

export interface Blame {
  readonly frame: TraceFrame | null;
  readonly passedOver: readonly PassedOver[];
}

/** Where all are helpers, one of another sort is named. */
const SMALL: ReadonlySet<Role> = new Set(['memory', 'atomic', 'lock']);

/**
 * What is only called to say that something is wrong, or to look whether it is: where the trace is cut, it tells
 * nothing of whose mistake that was. lib/refcount.c, lib/list_debug.c, lib/debugobjects.c, fs/sysfs/dir.c.
 */
const CHECKERS = /^_*(?:refcount_(?:warn_saturate|error_report)|list_\w+_valid\w*|debug_print_object|sysfs_warn_dup)$/;

/** Until 5.5 the functions of lib/refcount.c looked for themselves. */
function isChecker(frame: TraceFrame, kind: CrashKind): boolean {
  const name = plainName(frame.function);
  return CHECKERS.test(name) || (kind === 'refcount' && name.startsWith('refcount_'));
}

/** More than this many reasons nobody reads. */
const MAX_REASONS = 16;

const WAIT_CONTEXT = /Invalid wait context$/;

/** Hung tasks that wait for a grace period are one problem, whoever waits: that of what holds the grace period up. */
const GROUPED = /^synchronize_(?:rcu|srcu|sched|net)(?:_expedited)?$/;

/** lib/kunit/test.c: what it calls is a test, and no helper, whatever its name: `kmalloc_oob_right`. */
const KUNIT = 'kunit_try_run_case';

/** How any task sleeps, which says nothing of why it does. */
const SLEEPS = /^(?:__switch_to|_*schedule|schedule_|io_schedule|kthread|worker_|rcu_|msleep|usleep|do_nanosleep)/;

/**
 * The frame to blame: the innermost one that neither prints the report nor only does its caller's bidding (roles.ts).
 * Where all are of that sort up to what calls registered code, the innermost one that is not merely on the way to the
 * report. No frame when the report shows no function at all.
 */
export function blame(input: BlameInput): Blame {
  const { kind } = input;
  // What sleeps where it must not is looked at as such, whoever noticed.
  const sleeps = kind === 'sleeping-in-atomic' || WAIT_CONTEXT.test(input.header.lead);
  const candidates = order(input);
  if (input.header.rule === 'header') return { frame: candidates[0] ?? null, passedOver: [] };
  const grouped = kind === 'hung-task' ? candidates.find((frame) => GROUPED.test(frame.function)) : undefined;
  if (grouped !== undefined) return { frame: grouped, passedOver: [] };
  const tested = candidates[candidates.findIndex((frame) => frame.function === KUNIT) - 1]?.function;
  const helpers: { frame: TraceFrame; role: Role }[] = [];
  let dispatcher: TraceFrame | null = null;
  const inside = sleeps ? insideOfHandle(candidates, input.atomic) : [];
  for (const frame of candidates.slice(inside.length)) {
    // An address alone says nothing, unless a module is named with it.
    if (isNameless(frame) && frame.module === null) continue;
    if (isDispatcher(frame.function) && (helpers.length > 0 || kind === 'hung-task')) {
      dispatcher = frame;
      break;
    }
    const role = frame.function === tested ? null : roleOf(frame, sleeps ? 'sleeping-in-atomic' : kind);
    if (role === null) return { frame, passedOver: [...asleep(inside), ...reasons(helpers)].slice(0, MAX_REASONS) };
    helpers.push({ frame, role });
  }
  const { blame: where } = crashFacts(kind);
  // A stuck CPU's registers are those of what the interrupt came upon, even where that is a part of RCU or of a timer.
  if (where === 'stall' && input.pc !== null && !isNameless(input.pc)) return { frame: input.pc, passedOver: [] };
  if (kind === 'hung-task') {
    // Nobody's own code waits, but what it waits for has a name: async_synchronize_full().
    const waits = helpers.findLast(({ frame, role }) => role === 'scheduling' && !SLEEPS.test(frame.function));
    return { frame: waits?.frame ?? null, passedOver: waits === undefined ? reasons(helpers) : [] };
  }
  if (where === 'stall' || kind === 'panic') return { frame: null, passedOver: reasons(helpers) };
  const calling = helpers.filter(({ frame, role }) => !isBystander(role) && !isChecker(frame, kind));
  const last = [dispatcher, input.header.frame, input.named, input.pc];
  const frame =
    (calling.find(({ role }) => !SMALL.has(role)) ?? calling[0])?.frame ??
    last.find((known) => known !== null && !isChecker(known, kind)) ??
    null;
  return { frame: frame !== null && isNameless(frame) && frame.module === null ? null : frame, passedOver: [] };
}

/**
 * What a subsystem's function called for its caller, where the report is that something slept: a clock's or a line's
 * driver may sleep, and whoever called that function in atomic context is to blame. Nothing where the trace goes
 * through no such function, or only further out than where other code begins; and nothing where the subsystem itself
 * holds a lock by which it must not sleep.
 */
function insideOfHandle(candidates: readonly TraceFrame[], atomic: TraceFrame | null): readonly TraceFrame[] {
  const handle = candidates.findIndex((frame) => roleOf(frame, 'sleeping-in-atomic') === 'handle');
  const by = candidates[handle];
  if (by !== undefined && ALWAYS_SPINNING.test(by.function)) return [];
  if (atomic !== null && by !== undefined && SPINNING.test(atomic.function) && subsystemOf(atomic) === subsystemOf(by))
    return [];
  const inside = candidates.slice(0, Math.max(0, handle));
  return inside.some((frame) => isDispatcher(frame.function)) ? [] : inside;
}

/** Subsystems' own spin locks: drivers/clk/clk.c, drivers/base/regmap/regmap.c. */
const SPINNING = /^(?:clk_enable_lock|regmap_lock_(?:raw_)?spinlock)$/;

/** They hold pci_lock while the host's driver reads or writes: drivers/pci/access.c. */
const ALWAYS_SPINNING = /^pci_(?:bus_|user_)?(?:read|write)_config_/;

/** The word that the names of a subsystem's functions begin with. */
function subsystemOf(frame: TraceFrame): string {
  return plainName(frame.function).replace(/^_+/, '').split('_', 1)[0] ?? '';
}

function asleep(inside: readonly TraceFrame[]): PassedOver[] {
  return inside
    .filter((frame) => roleOf(frame, 'sleeping-in-atomic') === null)
    .map((frame) => ({ function: plainName(frame.function), why: ASLEEP }));
}

const ASLEEP = 'may sleep, which the caller of the subsystem that it serves has to know';

function reasons(helpers: readonly { frame: TraceFrame; role: Role }[]): PassedOver[] {
  const found = new Map<string, string>();
  for (const { frame, role } of helpers) {
    const name = plainName(frame.function);
    if (role !== 'reporting' && found.size < MAX_REASONS) found.set(name, roleWhy(role));
  }
  return [...found].map(([name, why]) => ({ function: name, why }));
}

function order(input: BlameInput): TraceFrame[] {
  const { kind, header, pc, lr, named } = input;
  if (header.rule === 'header') return [header.frame, named].filter((frame) => frame !== null);
  const at = header.frame?.function ?? pc?.function;
  const own = input.frames.filter(
    ({ section, role, frame }) => section === 'own' && !(role === 'trace' && isAfter(frame, at)),
  );
  const { blame: where } = crashFacts(kind);
  if (where === 'stall') return ofStall(own);
  const trace = own.filter((placed) => placed.role === 'trace').map((placed) => placed.frame);
  const nowhere = pc !== null && isNameless(pc) && pc.module === null && lr !== null && !isNameless(lr);
  const first = where === 'trace' || nowhere || BAD_TARGET.test(header.lead) ? null : pc;
  const isReliable = (frame: TraceFrame) => frame.reliable || standsForPc(frame, input);
  const reliable = from(trace.filter(isReliable), header.frame ?? first, EXCEPTIONS.has(kind));
  const unreliable = trace.filter((frame) => !isReliable(frame));
  const caller = first === null ? (where === 'trace' ? null : lr) : leafCaller(first, lr, kind);
  // Only where no trace is known: what the link register holds need not be the caller of what calls others.
  const alone = reliable.length === 0 && unreliable.length === 0;
  const tail = alone && (pc === null || CALLED.has(roleOf(pc, kind))) ? [lr] : [];
  return [header.frame, named, first, caller, ...reliable, ...unreliable, ...tail].filter((frame) => frame !== null);
}

/**
 * Whether the topmost frame of powerpc's trace is that of the function that faulted, or of the caller of one that makes
 * no frame. It may be an old value of the stack where that function has called nothing yet: a pc is worth more.
 */
export function standsForPc({ topmost }: TraceFrame, { kind, pc }: Pick<BlameInput, 'kind' | 'pc'>): boolean {
  return topmost && pc === null && EXCEPTIONS.has(kind);
}

/**
 * A call that never returns ends its function, so that its return address is where the next function begins:
 * `arch_seccomp_spec_mitigate+0x0/0x14` is panic()'s caller by no means. The faulting function may have been at its
 * beginning.
 */
function isAfter({ offset, function: name }: TraceFrame, at: string | undefined): boolean {
  return offset === 0 && name !== at;
}

/** What a stuck CPU was doing when an interrupt looked at it. */
function ofStall(own: readonly PlacedFrame[]): TraceFrame[] {
  const reliable = own.filter(({ frame }) => frame.reliable);
  const marked = reliable.filter(({ interrupt }) => !interrupt);
  const frames = (marked.length > 0 ? marked : reliable).map(({ frame }) => frame);
  const entry = frames.findIndex((frame) => INTERRUPT_ENTRY.test(frame.function));
  // The trace of the stuck task may come first, and then that of the interrupt that found it.
  if (frames.slice(0, Math.max(0, entry)).some((frame) => roleOf(frame, 'rcu-stall') === null)) return frames;
  return entry >= 0 && entry + 1 < frames.length ? frames.slice(entry + 1) : frames;
}

/**
 * A function that calls none (strcmp, memcpy in assembler) makes no frame: the trace goes on with its caller's caller,
 * and the caller is in the link register.
 */
function leafCaller(pc: TraceFrame, lr: TraceFrame | null, kind: CrashKind): TraceFrame | null {
  const role = roleOf(pc, kind);
  if (role === 'lock') return RAW_LOCK.test(pc.function) ? lr : null;
  return role !== null && LEAVES.has(role) ? lr : null;
}

/** Roles whose functions call none, or fail before they do. */
const LEAVES: ReadonlySet<Role> = new Set(['memory', 'atomic', 'container', 'instrumentation', 'text', 'scheduling']);

/** What faults on what it was handed, mostly before it calls anything. */
const CALLED: ReadonlySet<Role | null> = new Set(['handle', 'object', 'lock']);
/** Locks that are taken without a call. */
const RAW_LOCK = /^_raw_(?:spin|read|write)_(?:try)?lock/;

/** The pc is where the kernel should not have gone: whoever called it is to blame. */
const BAD_TARGET = /execute from non-executable|execution of (?:user|kernel) memory/;

/** Kinds that are reported from within an exception; all others from the function that noticed. */
const EXCEPTIONS: ReadonlySet<CrashKind> = new Set([
  'null-deref',
  'paging-request',
  'oops',
  'bug',
  'exception',
  'serror',
  'warning',
  'refcount',
  'stack-overflow',
  'ubsan',
]);

/** Where an exception taken from kernel mode enters: arch/arm64/kernel/entry.S, arch/x86/entry/entry_64.S. */
const EXCEPTION_ENTRY = new RegExp(
  `^${oneOf(
    /el1h?_(?:64_)?(?:sync|error|dabt|da|inv|undef|dbg)/,
    /asm_exc_\w+|page_fault|async_page_fault|general_protection/,
    /__dabt_svc|__und_svc|__pabt_svc/,
  )}$`,
);
/** Where an interrupt enters. */
const INTERRUPT_ENTRY = new RegExp(
  `^${oneOf(
    /el1h?_(?:64_)?(?:irq|fiq)/,
    /asm_(?:sysvec_\w+|common_interrupt)|(?:smp_)?apic_timer_interrupt|common_interrupt|ret_from_intr/,
    /__irq_svc|handle_(?:riscv_)?irq|reschedule_interrupt/,
  )}$`,
);

/** The part of the trace from the faulting function on: what is before it handled the exception. */
function from(trace: TraceFrame[], at: TraceFrame | null, exception: boolean): TraceFrame[] {
  const index = at === null ? -1 : trace.findIndex((frame) => frame.function === at.function);
  if (index >= 0) return trace.slice(index);
  if (!exception) return trace;
  const interrupted = trace.findIndex((frame) => frame.interrupted);
  if (interrupted >= 0) return trace.slice(interrupted);
  const entry = trace.findIndex((frame) => EXCEPTION_ENTRY.test(frame.function));
  return entry >= 0 && entry + 1 < trace.length ? trace.slice(entry + 1) : trace;
}
