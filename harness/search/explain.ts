import { InfraError, InputError } from '../errors.ts';
import type { Cell, Gate, Verdict } from '../matrix/cell.ts';
import { type Boot, compareOutcome, hasVerdict, type Outcome } from './boot.ts';
import { type Cause, causeOf, type ProbeCaller, probeCaller } from './cause.ts';
import { type Condition, cellWith, conditionsOf, settlingFor, type Usual } from './conditions.ts';
import { rememberBoots } from './memory.ts';
import { minimise } from './minimise.ts';
import { explanationSentence } from './sentence.ts';
import { threshold } from './threshold.ts';

/** The smallest delay of `device` in virtual milliseconds with which the minimal cell still fails. */
interface DelayThreshold {
  readonly device: string;
  readonly failsFrom: number;
  readonly passesAt: number | null;
  readonly monotone: boolean;
}

/** A needed condition without which the crash comes just the same, from another caller of the probe. */
interface CallerCondition {
  readonly condition: Condition;
  readonly otherwise: ProbeCaller | null;
}

export interface Explanation {
  /** A cell with the minimal conditions, each delay at its threshold; it fails as the given one does. */
  readonly minimal: Cell;
  readonly needed: readonly Condition[];
  /** Who called the crashing probe; null where the trace does not tell, or nothing crashed. */
  readonly caller: ProbeCaller | null;
  /** Those of `needed` that decide only who calls the probe, not whether it crashes. */
  readonly forCaller: readonly CallerCondition[];
  readonly irrelevant: readonly Condition[];
  readonly delays: readonly DelayThreshold[];
  readonly cause: Cause;
  readonly signature: string | null;
  readonly verdict: Verdict;
  readonly sentence: string;
  readonly boots: number;
}

export interface ExplainRequest {
  readonly cell: Cell;
  readonly usual: Usual;
  readonly boot: Boot;
  readonly onProgress?: (what: string, boots: number) => void;
}

const PASSING: readonly Verdict[] = ['bound', 'deferred-then-bound'];
/** Stand-in for "held as long as need be" when a hold gate is turned into a delay: longer than THREAD.md's 6 s. */
const LONG_DELAY_MS = 8000;
/** The guest must not settle before a delayed probe is over. */
const SETTLE_MARGIN_MS = 1000;

/**
 * Reduces a failing cell to the conditions it needs, by delta debugging over boots, finds the smallest delay by
 * bisection in virtual time, and says it in a sentence. The failure is the crash together with who called the probe, so that
 * the minimal cell gives the same report; what only the caller depends on is told apart. A hold gate, which no real machine has, is turned into the
 * delay of the held device where a delay alone gives the same failure.
 * @throws InputError when the cell does not fail, InfraError when its boot gives no verdict.
 */
export async function explainOrder(request: ExplainRequest): Promise<Explanation> {
  const { usual } = request;
  const memory = rememberBoots(request.boot);
  const progress = (what: string): void => request.onProgress?.(what, memory.boots());
  const wanted = await memory.boot(request.cell);
  if (!hasVerdict(wanted)) {
    throw new InfraError(`cell ${request.cell.id} gave ${wanted.verdict}, so there is no failure to explain`);
  }
  if (PASSING.includes(wanted.verdict)) {
    throw new InputError(
      `cell ${request.cell.id} does not fail: its verdict is ${wanted.verdict}`,
      'name a cell that crashes, hangs or stays deferred',
    );
  }
  const caller = probeCaller(wanted);
  const test = async (cell: Cell): Promise<'fail' | 'pass' | 'unresolved'> => {
    const outcome = await memory.boot(cell);
    const result = compareOutcome(outcome, wanted);
    return result === 'fail' && probeCaller(outcome) !== caller ? 'unresolved' : result;
  };
  const fails = async (cell: Cell): Promise<boolean> => (await test(cell)) === 'fail';
  const reduce = async (cell: Cell): Promise<Cell> => {
    const conditions = conditionsOf(cell, usual);
    progress(`reducing ${conditions.length} conditions`);
    const reduced = await minimise(conditions, (subset) => test(cellWith(cell, subset, usual)));
    return cellWith(cell, reduced.minimal, usual);
  };

  let minimal = await reduce(await straighten(request.cell, wanted, fails));
  if (minimal.gates.some((gate) => gate.gate === 'hold')) {
    progress('looking for delays that do what the holds do');
    // A delay may need a condition that the hold did not, so the whole cell is tried where the reduced one passes.
    const candidates = [minimal, request.cell].map((from) => withHoldsAsDelays(from, minimal.gates));
    for (const delayed of candidates) {
      if (!(await fails(delayed))) continue;
      minimal = await reduce(delayed);
      break;
    }
  }

  // With the long delays: each condition has a threshold of its own without the others.
  const withoutOne = await Promise.all(
    conditionsOf(minimal, usual).map((_, at, all) => memory.boot(cellWith(minimal, all.toSpliced(at, 1), usual))),
  );

  const delays: DelayThreshold[] = [];
  for (const gate of minimal.gates) {
    if (gate.gate !== 'delay') continue;
    progress(`looking for the smallest delay of ${gate.device}`);
    const found = await threshold(gate.ms, (ms) => fails(withDelay(minimal, gate.device, ms)));
    delays.push({
      device: gate.device,
      failsFrom: found.failsFrom,
      passesAt: found.passesAt,
      monotone: found.monotone,
    });
    minimal = withDelay(minimal, gate.device, found.failsFrom);
  }
  minimal = { ...minimal, id: `${request.cell.id}.minimal` };
  const needed = conditionsOf(minimal, usual);
  const forCaller = needed.flatMap((condition, at): CallerCondition[] => {
    const without = withoutOne[at];
    if (without === undefined || compareOutcome(without, wanted) !== 'fail') return [];
    return [{ condition, otherwise: probeCaller(without) }];
  });
  const outcome = await memory.boot(minimal);
  const seen = causeOf(outcome, devicesOf(request.cell), minimal.gates);
  const cause = {
    ...seen,
    unfinished: seen.unfinished.map((state) => ({ ...state, driver: state.driver ?? memory.driverOf(state.device) })),
  };
  const explanation = {
    minimal,
    needed,
    caller,
    forCaller,
    irrelevant: withoutEffect(conditionsOf(request.cell, usual), needed),
    delays,
    cause,
    signature: wanted.signature,
    verdict: wanted.verdict,
  };
  return { ...explanation, sentence: explanationSentence(explanation), boots: memory.boots() };
}

/** The conditions of the given cell that the minimal one does without; a hold that became a delay is not among them. */
function withoutEffect(given: readonly Condition[], needed: readonly Condition[]): Condition[] {
  const texts = needed.map((one) => JSON.stringify(one));
  const gated = needed.flatMap((one) => gatedDevice(one) ?? []);
  return given.filter((one) => {
    const device = gatedDevice(one);
    return !texts.includes(JSON.stringify(one)) && (device === null || !gated.includes(device));
  });
}

function gatedDevice(one: Condition): string | null {
  return one.condition === 'gate' && one.gate.gate !== 'force' ? one.gate.device : null;
}

/** Devices whose state the sentence may speak of: those that are watched and those that gates name. */
function devicesOf(cell: Cell): string[] {
  const gated = cell.gates.flatMap((gate) => {
    if (gate.gate === 'force') return [];
    return gate.gate === 'hold' ? [gate.device, gate.until] : [gate.device];
  });
  return [...new Set([...cell.watch, ...gated])];
}

/**
 * Turns a chain of holds, in which no link can be left out, into a star: every device that was not bound when the
 * crash came waits for the crashing one directly. Returns the cell as it was when the star fails otherwise.
 */
async function straighten(cell: Cell, wanted: Outcome, fails: (cell: Cell) => Promise<boolean>): Promise<Cell> {
  const holds = cell.gates.filter((gate) => gate.gate === 'hold');
  const cause = causeOf(wanted, devicesOf(cell), cell.gates);
  const centre = cause.probing?.device;
  if (holds.length < 2 || centre === undefined) return cell;
  const others = cell.gates.filter((gate) => gate.gate !== 'hold');
  const star: Gate[] = cause.unfinished
    .filter(({ device }) => holds.some((hold) => hold.device === device))
    .map(({ device }) => ({ gate: 'hold', device, until: centre, phase: 'finished' }));
  const straight = { ...cell, gates: [...others, ...star] };
  return star.length > 0 && (await fails(straight)) ? straight : cell;
}

/** `cell` with its own gates gone and the holds of `gates` as long delays; other gates of `gates` are kept. */
function withHoldsAsDelays(cell: Cell, gates: readonly Gate[]): Cell {
  const forced = cell.gates.filter((gate) => gate.gate === 'force');
  const delays = new Map<string, number>();
  for (const gate of gates) {
    if (gate.gate === 'hold') delays.set(gate.device, LONG_DELAY_MS);
    else if (gate.gate === 'delay' && !delays.has(gate.device)) delays.set(gate.device, gate.ms);
  }
  const delayed: Gate[] = [...delays].map(([device, ms]) => ({ gate: 'delay', device, ms }));
  return { ...cell, gates: [...forced, ...delayed], plan: settlingFor(cell.plan, LONG_DELAY_MS + SETTLE_MARGIN_MS) };
}

function withDelay(cell: Cell, device: string, ms: number): Cell {
  return {
    ...cell,
    gates: cell.gates.map((gate) => (gate.gate === 'delay' && gate.device === device ? { ...gate, ms } : gate)),
  };
}
