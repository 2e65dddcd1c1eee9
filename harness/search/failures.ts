import type { Crash } from '../dmesg/events.ts';
import { summaryOf } from '../dmesg/summary.ts';
import { isWorse, type Verdict } from '../model/verdict.ts';
import { crashVerdict, deviceFinding, ofBinding } from '../verdict/judge.ts';
import { hasVerdict, type Outcome, passes } from './outcome.ts';

/** One thing that went wrong in a boot; several may in the same one. */
export interface Failure {
  readonly verdict: Verdict;
  /** Title of the crash, or what became of the device. */
  readonly what: string;
  /** Signature of the crash; null where it is none. */
  readonly signature: string | null;
  /** The device that was being probed, or that is not bound; null where that does not show. */
  readonly device: string | null;
}

/**
 * Everything that went wrong in a boot, the worst first, and of equals the first that was printed. Devices are not
 * looked at after a crash that ended the boot.
 * @param watch devices that have to be bound in the end
 */
export function failuresOf(outcome: Outcome, watch: readonly string[]): Failure[] {
  if (!hasVerdict(outcome) || passes(outcome)) return [];
  const found = seenIn(outcome, watch);
  // Whatever else the verdict may rest on.
  if (!found.some(({ verdict }) => verdict === outcome.verdict)) {
    const { verdict, reason, signature } = outcome;
    found.push({ verdict, what: reason, signature, device: null });
  }
  return worstFirst(found);
}

/**
 * The outcome as if the reports that `isLeftOut` names had not been printed; where its verdict is of one of them, the
 * worst of the rest decides.
 */
export function worstWithout(
  outcome: Outcome,
  watch: readonly string[],
  isLeftOut: (crash: Crash) => boolean,
): Outcome {
  const events = outcome.events.filter((event) => event.event !== 'crash' || !isLeftOut(event));
  if (events.length === outcome.events.length) return outcome;
  const isOfRest = events.some((event) => event.event === 'crash' && event.signature === outcome.signature);
  if (outcome.signature === null || isOfRest) return { ...outcome, events };
  const rest = { ...outcome, events };
  const rejected = events.find((event) => event.event === 'module-rejected');
  const found = seenIn(rest, watch);
  if (rejected !== undefined)
    found.push({ verdict: 'module-rejected', what: rejected.reason, signature: null, device: null });
  const [worst] = worstFirst(found);
  if (worst !== undefined) return { ...rest, verdict: worst.verdict, reason: worst.what, signature: worst.signature };
  const { verdict, reason } = ofBinding({ summary: summaryOf(rest.events), watch });
  return { ...rest, verdict, reason, signature: null };
}

/** The crashes and the devices that are not bound. */
function seenIn(outcome: Outcome, watch: readonly string[]): Failure[] {
  const found: Failure[] = [];
  const add = (failure: Failure): void => {
    if (!found.some((other) => isSameFailure(other, failure))) found.push(failure);
  };
  const crashes = outcome.events.filter((event): event is Crash => event.event === 'crash');
  for (const crash of crashes) {
    const { signature, title, probing } = crash;
    add({ verdict: crashVerdict(crash), what: title, signature, device: probing?.device ?? null });
  }
  if (!crashes.some(({ fatal }) => fatal)) for (const failure of unboundIn(outcome, watch)) add(failure);
  return found;
}

function worstFirst(found: readonly Failure[]): Failure[] {
  return found.toSorted((a, b) => (isWorse(a.verdict, b.verdict) ? -1 : isWorse(b.verdict, a.verdict) ? 1 : 0));
}

function unboundIn(outcome: Outcome, watch: readonly string[]): Failure[] {
  const { devices } = summaryOf(outcome.events);
  return watch.flatMap((device) => {
    const life = devices.get(device);
    const finding = life === undefined ? null : deviceFinding(life, true);
    return finding === null ? [] : [{ verdict: finding.verdict, what: finding.reason, signature: null, device }];
  });
}

/** Whether two boots failed in the same way: the same crash, or the same device that came to the same end. */
export function isSameFailure(a: Failure, b: Failure): boolean {
  if (a.verdict !== b.verdict || a.signature !== b.signature) return false;
  // A trace does not always show whose probe crashed.
  if (a.signature !== null) return a.device === null || b.device === null || a.device === b.device;
  return a.device === b.device;
}

/**
 * Whether `outcome` shows `wanted`. A boot without a verdict, and one in which something else went so wrong that it
 * could not show, is unresolved: it neither has the failure nor proves it absent.
 */
export function shows(outcome: Outcome, watch: readonly string[], wanted: Failure): 'fail' | 'pass' | 'unresolved' {
  if (!hasVerdict(outcome)) return 'unresolved';
  const found = failuresOf(outcome, watch);
  if (found.some((failure) => isSameFailure(failure, wanted))) return 'fail';
  return found.some(({ signature, verdict }) => signature !== null || verdict === 'hang') ? 'unresolved' : 'pass';
}

/** The outcome as if nothing but `failure` had gone wrong, for what reads its cause. */
export function focused(outcome: Outcome, { verdict, signature }: Failure): Outcome {
  return { ...outcome, verdict, signature };
}
