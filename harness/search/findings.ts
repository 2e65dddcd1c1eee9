import type { Cell } from '../model/cell.ts';
import { crashOf, expectationOf } from './cause.ts';
import type { FoundOutcome, Stage } from './exploration.ts';
import { failuresOf } from './failures.ts';
import { hasVerdict, type Outcome, outcomeKey } from './outcome.ts';

/** Functions of a trace that say where a crash happened. */
const PLACE_FRAMES = 5;

/** The distinct outcomes of a search, in the order in which they were first seen. */
export class Findings {
  readonly #found = new Map<string, FoundOutcome>();

  get all(): FoundOutcome[] {
    return [...this.#found.values()];
  }

  /**
   * Notes what boot number `boot` came to; true when none before it did. A hold that timed out is no outcome: the order
   * that was asked for could not be had, which is said where orders are counted.
   */
  note(stage: Stage, cell: Cell, outcome: Outcome, boot: number): boolean {
    if (!hasVerdict(outcome) && outcome.gates.some(({ verb }) => verb === 'timed-out')) return false;
    const key = keyOf(outcome, cell.watch);
    const known = this.#found.get(key);
    if (known !== undefined) {
      this.#found.set(key, { ...known, times: known.times + 1 });
      return false;
    }
    const { verdict, reason, signature } = outcome;
    const place = placeOf(outcome);
    const title = titleOf(outcome);
    const expect = expectationOf(outcome);
    this.#found.set(key, { key, verdict, signature, title, place, reason, cell, expect, stage, boot, times: 1 });
    return true;
  }
}

/** A crash by its signature, whosever probe it was; what is not bound by its devices. */
function keyOf(outcome: Outcome, watch: readonly string[]): string {
  if (outcome.signature !== null) return outcome.signature;
  const devices = failuresOf(outcome, watch).flatMap(({ verdict, device }) =>
    verdict === outcome.verdict && device !== null ? [device] : [],
  );
  return [outcomeKey(outcome), ...devices].join(' ');
}

export function titleOf(outcome: Outcome): string | null {
  return crashOf(outcome)?.title ?? null;
}

function placeOf(outcome: Outcome): string[] {
  const crash = crashOf(outcome);
  if (crash === undefined) return [];
  const functions = [
    ...(crash.function === null ? [] : [crash.function]),
    ...crash.trace.map((frame) => frame.function),
  ];
  return [...new Set(functions)].slice(0, PLACE_FRAMES);
}
