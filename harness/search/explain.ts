import { InfraError, InputError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { type Gate, isPlaceGate, isShort } from '../model/gate.ts';
import { causeOf, expectationOf, probeCaller } from './cause.ts';
import { type Condition, cellWith, conditionsOf, SETTLE_MARGIN_MS, settlingFor, type Usual } from './conditions.ts';
import { type Failure, failuresOf, focused, isSameFailure, shows } from './failures.ts';
import { likelyDelay } from './likely-delay.ts';
import { minimise, type TestResult } from './minimise.ts';
import { type Boot, hasVerdict, type Outcome, passes } from './outcome.ts';
import { rememberBoots } from './remembered-boots.ts';
import { type CallerNeeds, type DelayThreshold, type Explained, explanationSentence } from './sentence.ts';
import { threshold } from './threshold.ts';

export interface Explanation extends Explained {
  /**
   * A cell that fails as the given one does, with what is needed and each delay as short as it can be; {@link
   * CallerNeeds} included.
   */
  readonly minimal: Cell;
  /** What else went wrong in the given cell, and was not looked at. */
  readonly others: readonly Failure[];
  readonly signature: string | null;
  readonly sentence: string;
  readonly boots: number;
}

export interface ExplainRequest {
  readonly cell: Cell;
  readonly usual: Usual;
  readonly boot: Boot;
  /**
   * Which failure, where there are several: a part of its title, or the name of its device. Null for {@link
   * chooseFailure}'s.
   */
  readonly failure: string | null;
  readonly onProgress?: (what: string, boots: number) => void;
}

/**
 * Stand-ins for "held as long as need be" when a hold gate is turned into a delay: longer than the six seconds that
 * modules take to come on some boards, and than what a distribution's kernel computes before its last initcall.
 */
const LONG_DELAYS_MS = [8000, 32_000] as const;

/**
 * Reduces a failing cell to the conditions it needs, by delta debugging over boots, finds the smallest delay by
 * bisection in virtual time, and says it in a sentence. A hold gate, which no real machine has, is turned into the
 * delay of the held device where a delay alone gives the same failure. Where the reduced cell crashes below another
 * caller (an initcall, not an asynchronous probe), what brings the first one back is found too, so that the minimal
 * cell prints the same trace.
 * @throws InputError when the cell does not fail, InfraError when its boot gives no verdict.
 */
export async function explainOrder(request: ExplainRequest): Promise<Explanation> {
  const { usual } = request;
  const memory = rememberBoots(request.boot);
  const progress = (what: string): void => request.onProgress?.(what, memory.boots());
  const [wanted, bare] = await Promise.all([memory.boot(request.cell), memory.boot(cellWith(request.cell, [], usual))]);
  if (!hasVerdict(wanted)) {
    throw new InfraError(
      `cell ${request.cell.id} gave ${wanted.verdict}, so there is no failure to explain: ${wanted.reason}`,
    );
  }
  if (passes(wanted)) {
    throw new InputError(
      `cell ${request.cell.id} does not fail: its verdict is ${wanted.verdict}`,
      'name a cell that crashes, hangs or stays deferred',
    );
  }
  const { watch } = request.cell;
  const failures = failuresOf(wanted, watch);
  const failure = chooseFailure(failures, failuresOf(bare, watch), request.failure);
  const test = async (cell: Cell): Promise<TestResult> => shows(await memory.boot(cell), watch, failure);
  const focus = async (cell: Cell) => focused(await memory.boot(cell), failure);
  const fails = async (cell: Cell): Promise<boolean> => (await test(cell)) === 'fail';
  const reduce = async (cell: Cell): Promise<Cell> => {
    const conditions = conditionsOf(cell, usual);
    progress(`reducing ${conditions.length} conditions`);
    const reduced = await minimise(conditions, (subset) => test(cellWith(cell, subset, usual)));
    return cellWith(cell, reduced.minimal, usual);
  };

  let reduced = await reduce(await straighten(request.cell, focused(wanted, failure), fails));
  if (reduced.gates.some((gate) => gate.gate === 'hold')) {
    progress('looking for delays that do what the holds do');
    // A delay may need a condition that the hold did not, so the whole cell is tried where the reduced one passes.
    const candidates = LONG_DELAYS_MS.flatMap((ms) =>
      [reduced, request.cell].map((from) => withHoldsAsDelays(from, reduced.gates, ms)),
    );
    for (const delayed of candidates) {
      if (!(await fails(delayed))) continue;
      reduced = await reduce(delayed);
      break;
    }
  }
  if (reduced.gates.some((gate) => gate.gate === 'delay')) progress('looking for the smallest delays');
  const { cell: least, delays } = await shortened(reduced, fails, focus, []);

  const caller = probeCaller(focused(wanted, failure));
  const isSame = async (cell: Cell) => (await fails(cell)) && probeCaller(await focus(cell)) === caller;
  const outcome = await focus(least);
  let minimal = least;
  let forCaller: CallerNeeds | null = null;
  if (caller !== null && probeCaller(outcome) !== caller) {
    progress('looking for what decides who calls the probe');
    const found = await restoreCaller(request, reduced, isSame);
    if (found !== null) {
      const short = await shortened(found.cell, isSame, focus, delays.length === 1 ? delays : []);
      minimal = short.cell;
      forCaller = { caller, otherwise: probeCaller(outcome), conditions: found.added, delays: short.delays };
    }
  }

  const needed = conditionsOf(least, usual);
  const seen = causeOf(outcome, devicesOf(request.cell), least.gates);
  const cause = {
    ...seen,
    unfinished: seen.unfinished.map((state) => ({ ...state, driver: state.driver ?? memory.driverOf(state.device) })),
  };
  const explanation = {
    minimal: {
      ...minimal,
      id: 'minimal',
      row: null,
      claim: null,
      axes: {},
      expect: expectationOf(await memory.boot(minimal)),
    },
    needed,
    forCaller,
    irrelevant: withoutEffect(conditionsOf(request.cell, usual), [...needed, ...(forCaller?.conditions ?? [])]),
    delays,
    cause,
    failure,
    others: failures.filter((other) => !isSameFailure(other, failure)),
    signature: failure.signature,
    verdict: failure.verdict,
  };
  return { ...explanation, sentence: explanationSentence(explanation), boots: memory.boots() };
}

/**
 * The failure to explain: what was asked for, or the worst one that the cell does not show without its conditions as
 * well, or the worst.
 * @throws InputError when none of them is what was asked for
 */
function chooseFailure(all: readonly Failure[], anyway: readonly Failure[], wanted: string | null): Failure {
  const named = ({ what, device, verdict }: Failure): boolean =>
    wanted === null || device === wanted || verdict === wanted || what.includes(wanted);
  const matching = all.filter(named);
  const [worst] = matching;
  if (worst === undefined)
    throw new InputError(
      `the cell shows no failure called ${wanted}`,
      `it shows ${all.map(({ what }) => what).join('; ')}`,
    );
  return matching.find((one) => !anyway.some((other) => isSameFailure(one, other))) ?? worst;
}

interface Shortened {
  readonly cell: Cell;
  readonly delays: readonly DelayThreshold[];
}

/** Borders that depend on each other may move more than once, but not for ever. */
const MOST_ROUNDS = 4;

/**
 * `cell` with each delay as short as it can be while `fails` holds and the others are as short as they are; gone where
 * none is needed.
 * @param boot tells what a boot that was seen before came to
 * @param floors a delay that is known to be needed for less than `fails`, where it is the only one
 */
async function shortened(
  cell: Cell,
  fails: (cell: Cell) => Promise<boolean>,
  boot: Boot,
  floors: readonly DelayThreshold[],
): Promise<Shortened> {
  let short = cell;
  for (let round = 1; ; round++) {
    const before = short.gates;
    const delays: DelayThreshold[] = [];
    for (const gate of before) {
      if (!isShort(gate, 'delay')) continue;
      const { device } = gate;
      const least = floors.find((one) => one.device === device)?.failsFrom ?? 0;
      const at = (ms: number) => fails(withDelay(short, device, ms));
      const longest = short;
      const guess = async () => likelyDelay(await boot(longest), await boot(withDelay(longest, device, least)), device);
      const { tests: _, ...found } = await threshold(gate.ms, at, { least, guess });
      const without = { ...short, gates: short.gates.filter((one) => !isShort(one, 'delay') || one.device !== device) };
      if (found.failsFrom === 0 && (await fails(without))) {
        short = without;
        continue;
      }
      delays.push({ device, ...found });
      short = withDelay(short, device, found.failsFrom);
    }
    const isAlone = before.filter((gate) => isShort(gate, 'delay')).length < 2;
    const isSettled = JSON.stringify(short.gates) === JSON.stringify(before);
    if (isAlone || isSettled || round === MOST_ROUNDS) return { cell: short, delays };
  }
}

/**
 * The fewest conditions of the given cell that, put back into the reduced one, make `isSame` hold; null where not even
 * all of them do, as when a hold has become a delay.
 */
async function restoreCaller(
  { cell, usual }: ExplainRequest,
  reduced: Cell,
  isSame: (cell: Cell) => Promise<boolean>,
): Promise<{ readonly cell: Cell; readonly added: readonly Condition[] } | null> {
  const settle = Math.max(0, ...reduced.plan.flatMap((step) => (step.step === 'settle' ? [step.ms] : [])));
  const whole = { ...cell, gates: reduced.gates, plan: settlingFor(cell.plan, settle) };
  const kept: Condition[] = [];
  const spare: Condition[] = [];
  const wanted = conditionsOf(reduced, usual).map(sameWherever);
  for (const condition of conditionsOf(whole, usual)) {
    const at = wanted.indexOf(sameWherever(condition));
    if (at === -1) spare.push(condition);
    else {
      wanted.splice(at, 1);
      kept.push(condition);
    }
  }
  const withAdded = (added: readonly Condition[]) => cellWith(whole, [...kept, ...added], usual);
  // With the long delay it may have been the same caller all the while.
  if (await isSame(withAdded([]))) return { cell: withAdded([]), added: [] };
  const { minimal: added, failed } = await minimise(spare, async (some) =>
    (await isSame(withAdded(some))) ? 'fail' : 'pass',
  );
  return failed ? { cell: withAdded(added), added } : null;
}

/** A condition's text, whatever place a step has in its plan. */
function sameWherever(condition: Condition): string {
  return JSON.stringify(condition.condition === 'step' ? { ...condition, at: 0 } : condition);
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
  return one.condition === 'gate' && 'device' in one.gate ? one.gate.device : null;
}

/** Devices whose state the sentence may speak of: those that are watched and those that gates name. */
function devicesOf(cell: Cell): string[] {
  const gated = cell.gates.flatMap((gate) => {
    if (!('device' in gate)) return [];
    return gate.gate === 'hold' ? [gate.device, gate.until] : [gate.device];
  });
  return [...new Set([...cell.watch, ...gated])];
}

/**
 * Turns a chain of holds, in which no link can be left out, into a star: every device that was not bound when the
 * crash came waits for the crashing one directly. Returns the cell as it was when the star fails otherwise.
 */
async function straighten(cell: Cell, wanted: Outcome, fails: (cell: Cell) => Promise<boolean>): Promise<Cell> {
  const holds = cell.gates.filter((gate) => isShort(gate, 'hold'));
  const cause = causeOf(wanted, devicesOf(cell), cell.gates);
  const centre = cause.probing?.device;
  if (holds.length < 2 || centre === undefined) return cell;
  const others = cell.gates.filter((gate) => !isShort(gate, 'hold'));
  const star: Gate[] = cause.unfinished
    .filter(({ device }) => holds.some((hold) => hold.device === device))
    .map(({ device }) => ({ gate: 'hold', device, until: centre, phase: 'finished' }));
  const straight = { ...cell, gates: [...others, ...star] };
  return star.length > 0 && (await fails(straight)) ? straight : cell;
}

/** `cell` with its own gates gone and the holds of `gates` as long delays; other gates of `gates` are kept. */
function withHoldsAsDelays(cell: Cell, gates: readonly Gate[], longest: number): Cell {
  const forced = cell.gates.filter((gate) => gate.gate === 'force' || isPlaceGate(gate));
  const delays = new Map<string, number>();
  for (const gate of gates) {
    if (isShort(gate, 'hold')) delays.set(gate.device, longest);
    else if (isShort(gate, 'delay') && !delays.has(gate.device)) delays.set(gate.device, gate.ms);
  }
  const delayed: Gate[] = [...delays].map(([device, ms]) => ({ gate: 'delay', device, ms }));
  return { ...cell, gates: [...forced, ...delayed], plan: settlingFor(cell.plan, longest + SETTLE_MARGIN_MS) };
}

function withDelay(cell: Cell, device: string, ms: number): Cell {
  return {
    ...cell,
    gates: cell.gates.map((gate) => (isShort(gate, 'delay') && gate.device === device ? { ...gate, ms } : gate)),
  };
}
