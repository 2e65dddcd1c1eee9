import { crashOf } from './cause.ts';
import type { Outcome } from './outcome.ts';

const US_PER_MS = 1000;

/**
 * Milliseconds by which the probe of `device` has to be delayed to be over just after the moment at which another task
 * crashed without it: a guess, from two boots of the same cell, of which one crashed during a longer delay and one did
 * not with a shorter one. Null where their logs do not tell.
 */
export function likelyDelay(crashed: Outcome, shorter: Outcome, device: string): number | null {
  const crash = crashOf(crashed)?.time ?? null;
  const began = timeOf(crashed, 'probe-entered', device);
  if (crash === null || began === null) return null;
  const delays = shorter.gates.flatMap((gate) =>
    gate.verb === 'delayed' && gate.device === device ? [Number(gate.detail)] : [],
  );
  const entered = timeOf(shorter, 'probe-entered', device);
  const bound = timeOf(shorter, 'bound', device);
  const ownTime = entered === null || bound === null ? 0 : bound - entered - (delays[0] ?? 0) * US_PER_MS;
  const guess = Math.round((crash - began - Math.max(0, ownTime)) / US_PER_MS);
  return guess > 0 ? guess : null;
}

function timeOf({ events }: Outcome, kind: 'probe-entered' | 'bound', device: string): number | null {
  return events.find((event) => event.event === kind && event.device === device)?.time ?? null;
}
