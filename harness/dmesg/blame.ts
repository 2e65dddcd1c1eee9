import { type CrashKind, crashFacts } from '../model/crash.ts';
import { plainName, type TraceFrame } from './frame.ts';
import type { Header } from './headers/header.ts';
import { type BlameRule, isSkipped } from './skip.ts';

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
  readonly pc: TraceFrame | null;
  readonly lr: TraceFrame | null;
  readonly frames: readonly PlacedFrame[];
}

/** Hung tasks that wait for a grace period are one problem, whoever waits: that of what holds the grace period up. */
const GROUPED = /^synchronize_(?:rcu|srcu|sched|net)(?:_expedited)?$/;

/**
 * The frame to blame: the innermost one that neither prints the report nor only does its caller's bidding (skip.ts).
 * Null when the report shows no function at all.
 */
export function blame(input: BlameInput): TraceFrame | null {
  const rule: BlameRule | null = input.header.rule;
  const candidates = order(input);
  const grouped = input.kind === 'hung-task' ? candidates.find((frame) => GROUPED.test(frame.function)) : undefined;
  if (grouped !== undefined) return grouped;
  const good = candidates.find((frame) => !isSkipped(plainName(frame.function), input.kind, rule));
  if (good !== undefined) return good;
  if (input.kind === 'hung-task' || crashFacts(input.kind).blame === 'stall' || input.kind === 'panic') return null;
  return input.header.frame ?? input.pc ?? null;
}

function order(input: BlameInput): TraceFrame[] {
  const { kind, header, pc, lr, named } = input;
  if (header.rule === 'header') return [header.frame, named].filter((frame) => frame !== null);
  const own = input.frames.filter((placed) => placed.section === 'own');
  if (crashFacts(kind).blame === 'stall') {
    const usable = own.filter((placed) => !placed.interrupt && placed.frame.reliable);
    return usable.map((placed) => placed.frame);
  }
  const trace = own.filter((placed) => placed.role === 'trace').map((placed) => placed.frame);
  const first = crashFacts(kind).blame === 'trace' || BAD_TARGET.test(header.lead) ? null : pc;
  const reliable = from(
    trace.filter((frame) => frame.reliable),
    header.frame ?? first,
  );
  const unreliable = trace.filter((frame) => !frame.reliable);
  const lead = [header.frame, named, first, first === null && crashFacts(kind).blame !== 'trace' ? lr : null];
  const tail = reliable.length === 0 && unreliable.length === 0 ? [lr] : [];
  return [...lead, ...reliable, ...unreliable, ...tail].filter((frame) => frame !== null);
}

/** The pc is where the kernel should not have gone: whoever called it is to blame. */
const BAD_TARGET = /execute from non-executable|execution of (?:user|kernel) memory/;

/** Where an exception taken from kernel mode enters: arch/arm64/kernel/entry.S, arch/x86/entry/entry_64.S. */
const EXCEPTION_ENTRY =
  /^(?:el1h?_(?:64_)?(?:sync|error|irq|dabt|da|inv|undef|dbg)|asm_exc_\w+|page_fault|async_page_fault|general_protection|__dabt_svc|__und_svc|__pabt_svc)$/;

/** The part of the trace from the faulting function on: what is before it handled the exception. */
function from(trace: TraceFrame[], at: TraceFrame | null): TraceFrame[] {
  const index = at === null ? -1 : trace.findIndex((frame) => frame.function === at.function);
  if (index >= 0) return trace.slice(index);
  const interrupted = trace.findIndex((frame) => frame.interrupted);
  if (interrupted >= 0) return trace.slice(interrupted);
  const entry = trace.findIndex((frame) => EXCEPTION_ENTRY.test(frame.function));
  return entry >= 0 && entry + 1 < trace.length ? trace.slice(entry + 1) : trace;
}
