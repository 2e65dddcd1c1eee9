import type { DmesgEvent } from '../dmesg/events.ts';
import { InfraError, InputError } from '../errors.ts';
import type { GateEvent } from '../firmware/gate-log.ts';
import type { Cell } from '../model/cell.ts';
import { isFault, isOfBoot, isPass, type Verdict } from '../model/verdict.ts';

/** What one boot of a cell came to, as far as the search has to know. */
export interface Outcome {
  readonly verdict: Verdict;
  /** Why, one sentence. */
  readonly reason: string;
  /** Signature of the crash, equal over rebuilds; null where there was none. */
  readonly signature: string | null;
  readonly events: readonly DmesgEvent[];
  /** The firmware's own log of the gates; empty where the cell has none. */
  readonly gates: readonly GateEvent[];
}

/** Boots one cell. The search knows nothing else of kernels and QEMU. */
export type Boot = (cell: Cell) => Promise<Outcome>;

/** False where the outcome says nothing about the order: the boot did not get to show one. */
export function hasVerdict(outcome: Pick<Outcome, 'verdict'>): boolean {
  return isOfBoot(outcome.verdict);
}

export function passes({ verdict }: Pick<Outcome, 'verdict'>): boolean {
  return isPass(verdict);
}

/** Whether the boot came to no good end of its own; a warning leaves it going. */
export function isBroken({ verdict }: Pick<Outcome, 'verdict'>): boolean {
  return isFault(verdict) && verdict !== 'warning';
}

/**
 * Refuses a first boot that no other can be compared with; one with devices that no order binds is none of those.
 * `what` names the boot in the message.
 * @throws InputError when it crashed, InfraError when it has no verdict
 */
export function requireComparable(first: Pick<Outcome, 'verdict' | 'reason'>, what: string): void {
  if (!hasVerdict(first)) throw new InfraError(`${what} has no verdict: ${first.reason}`);
  if (isBroken(first)) throw new InputError(`${what} ends in ${first.verdict}: ${first.reason}`);
}

/** What a boot came to, for a line of progress: an order that cannot be had has a reason, and no verdict. */
export function briefly(outcome: Outcome): string {
  return hasVerdict(outcome) ? outcomeKey(outcome) : outcome.reason;
}

/** What makes two outcomes the same: the crash's signature, or where there is none the verdict. */
export function outcomeKey(outcome: Outcome): string {
  return outcome.signature ?? outcome.verdict;
}

/**
 * Whether `outcome` shows the failure that `wanted` showed. A boot without a verdict, and a boot with another crash,
 * is unresolved: it neither has the failure nor proves it absent.
 */
export function compareOutcome(outcome: Outcome, wanted: Outcome): 'fail' | 'pass' | 'unresolved' {
  if (outcomeKey(outcome) === outcomeKey(wanted)) return 'fail';
  if (!hasVerdict(outcome) || outcome.signature !== null) return 'unresolved';
  return 'pass';
}
