import type { Cell, Expectation } from '../model/cell.ts';
import { type FunctionPlace, placeText } from '../model/gate.ts';
import type { PlanStep } from '../model/plan.ts';
import { expectationOf } from './cause.ts';
import { SETTLE_MARGIN_MS, settlingFor } from './conditions.ts';
import { coverOrders, type Pause, possibleTuples } from './covering.ts';
import { type Difference, differenceTo, type EndState, stateOf } from './end-state.ts';
import { interleavings } from './interleavings.ts';
import { type Boot, hasVerdict, type Outcome, requireComparable } from './outcome.ts';
import { type Precedence, partialOrder } from './precedence.ts';
import { countCalls, type Point, pointSets, pointText, preempted, setCount } from './preemption.ts';
import { tupleSpace } from './tuples.ts';

/** Boots that came to another end than loading the modules one after the other, and the first of them. */
interface LoadingBreak extends Difference {
  readonly found: 'order' | 'threads' | 'late' | 'preemption';
  /** The order of loads, the interleaving, or the calls that were preempted. */
  readonly how: string;
  readonly verdict: Outcome['verdict'];
  /** For a preemption: whether one loader alone shows it as well; null where that was not asked. */
  readonly withOneThread: boolean | null;
  readonly cell: Cell;
  readonly expect: Expectation;
  readonly times: number;
}

export interface LoadingReport {
  readonly modules: readonly string[];
  readonly threads: number;
  readonly breaks: readonly LoadingBreak[];
  /** Orders of any two loads, where symbols and softdeps leave a choice, and how many boots came to the same. */
  readonly orders: { readonly boots: number; readonly same: number };
  /** Interleavings of the loader's threads. */
  readonly interleavings: { readonly boots: number; readonly same: number };
  /**
   * By several threads: modules that may load beside those after them, as far as boots with each alone two seconds late
   * show, and those that may not, each with the device that broke.
   */
  readonly parallel: readonly string[];
  readonly sequential: readonly { readonly module: string; readonly other: string | null }[];
  /** Places at which tasks may be preempted, and how often each is passed while the modules load. */
  readonly points: readonly { readonly place: string; readonly calls: number }[];
  /** Preempted together, 1 to the bound: sets that there are, that were booted, and whose calls all came. */
  readonly rounds: readonly {
    readonly size: number;
    readonly sets: number;
    readonly booted: number;
    readonly hit: number;
  }[];
  readonly boots: number;
  readonly stoppedBy: 'complete' | 'budget';
}

export interface LoadingRequest {
  /** What is booted with the loads put before its last settle step; `apart` among its steps stays first. */
  readonly base: Cell;
  readonly modules: readonly string[];
  /** Orders that symbols and softdeps force. */
  readonly constraints: readonly Precedence[];
  readonly threads: number;
  readonly places: readonly FunctionPlace[];
  /** Most preemptions in one boot; 0 for none. */
  readonly bound: number;
  readonly boot: Boot;
  /** Between parts of a plan, which may take seconds. */
  readonly pause: Pause;
  readonly budget: number;
  readonly seed: number;
  readonly onProgress?: (what: string, boots: number) => void;
}

/** Longest time for which the loader's threads are waited for. */
const JOIN_MS = 120_000;
const INTERLEAVINGS = 5;
/** Longer than any load of a boot: who relies on a module being there finds it missing. */
const LATE_MS = 2000;
const BATCH = 4;

/**
 * Loads modules in other orders, by several threads, and with tasks preempted at chosen calls; says what comes to
 * another end than when they are loaded one after the other in the given order.
 * @throws InputError when that first boot crashes, InfraError when it has no verdict
 */
export async function searchLoading(request: LoadingRequest): Promise<LoadingReport> {
  return new LoadingSearch(request).run();
}

/** The plan that loads `modules` by `threads` threads, none of them before what it needs. */
export function loadingPlan(
  plan: readonly PlanStep[],
  modules: readonly string[],
  threads: number,
  needs: (module: string) => readonly string[],
): PlanStep[] {
  const load = (module: string): PlanStep => ({ step: 'load', module, params: '' });
  const loads: PlanStep[] = [];
  let block: string[] = [];
  const close = () => {
    if (threads === 1 || block.length === 1) loads.push(...block.map(load));
    else if (block.length > 0)
      loads.push({ step: 'beside', steps: block.length, tasks: Math.min(threads, block.length) }, ...block.map(load), {
        step: 'join',
        ms: JOIN_MS,
      });
    block = [];
  };
  for (const module of modules) {
    // A loader waits for what a module needs.
    if (needs(module).some((other) => block.includes(other))) close();
    block.push(module);
  }
  close();
  return putBeforeSettle(plan, loads);
}

/** The same by one thread, but for `late`, which loads beside those after it until one of them needs it. */
function latePlan(
  plan: readonly PlanStep[],
  modules: readonly string[],
  late: string,
  needs: (module: string) => readonly string[],
): PlanStep[] {
  const at = modules.indexOf(late);
  const after = modules.slice(at + 1);
  const user = after.findIndex((module) => needs(module).includes(late));
  const join = user === -1 ? after.length : user;
  const load = (module: string): PlanStep => ({ step: 'load', module, params: '' });
  return putBeforeSettle(plan, [
    ...modules.slice(0, at).map(load),
    { step: 'beside', steps: 1, tasks: 1 },
    load(late),
    ...after.slice(0, join).map(load),
    { step: 'join', ms: JOIN_MS },
    ...after.slice(join).map(load),
  ]);
}

function putBeforeSettle(plan: readonly PlanStep[], steps: readonly PlanStep[]): PlanStep[] {
  const settle = plan.findLastIndex(({ step }) => step === 'settle');
  const at = settle === -1 ? plan.length : settle;
  return [...plan.slice(0, at), ...steps, ...plan.slice(at)];
}

class Budget extends Error {}

class LoadingSearch {
  readonly #request: LoadingRequest;
  readonly #breaks = new Map<string, LoadingBreak>();
  readonly #orders = { boots: 0, same: 0 };
  readonly #interleavings = { boots: 0, same: 0 };
  readonly #parallel: string[] = [];
  readonly #sequential: { module: string; other: string | null }[] = [];
  #points: Point[] = [];
  #places: { place: string; calls: number }[] = [];
  readonly #rounds: { size: number; sets: number; booted: number; hit: number }[] = [];
  #usual: EndState | null = null;
  #boots = 0;

  constructor(request: LoadingRequest) {
    this.#request = request;
  }

  async run(): Promise<LoadingReport> {
    const { modules, threads, bound, seed } = this.#request;
    let stoppedBy: LoadingReport['stoppedBy'] = 'complete';
    try {
      const [first] = await this.#bootAll([this.#loading(modules, 1)]);
      if (first === undefined) throw new Error('the first boot has no outcome');
      requireComparable(first, 'the boot that loads the modules one after the other');
      this.#usual = stateOf(first);
      await this.#tryOrders();
      if (threads > 1) {
        const cell = this.#loading(modules, threads);
        const cells = interleavings(cell, INTERLEAVINGS, seed).map((shift) => ({ ...cell, shift }));
        await this.#compareAll('threads', this.#interleavings, cells, ({ shift }) => `icount shift ${shift}`);
        await this.#delayEach();
      }
      await this.#findPoints();
      for (let size = 1; size <= bound; size++) await this.#preempt(size);
    } catch (error) {
      if (!(error instanceof Budget)) throw error;
      stoppedBy = 'budget';
    }
    return {
      modules,
      threads,
      breaks: [...this.#breaks.values()],
      orders: this.#orders,
      interleavings: this.#interleavings,
      parallel: this.#parallel,
      sequential: this.#sequential,
      points: this.#places,
      rounds: this.#rounds,
      boots: this.#boots,
      stoppedBy,
    };
  }

  #loading(modules: readonly string[], threads: number): Cell {
    const { base } = this.#request;
    return { ...base, plan: loadingPlan(base.plan, modules, threads, (module) => this.#needs(module)) };
  }

  /** Each order of two loads that symbols leave open, in as few boots as cover them. */
  async #tryOrders(): Promise<void> {
    const { modules, constraints, seed, pause } = this.#request;
    if (modules.length < 2) return;
    const order = partialOrder(modules, constraints);
    const space = tupleSpace(modules.length, 2);
    const required = possibleTuples(space, order);
    const planned = await coverOrders({ space, required, order, seed, effort: PLAN_EFFORT, pause });
    const rows = planned
      .map((row) => row.map((event) => modules[event] ?? ''))
      .filter((row) => row.join() !== modules.join());
    const cells = rows.map((row) => this.#loading(row, 1));
    const names = new Map(cells.map((cell, place) => [cell, (rows[place] ?? []).join(', ')]));
    await this.#compareAll('order', this.#orders, cells, (cell) => names.get(cell) ?? '');
  }

  /** Each module beside those after it, and late, alone. */
  async #delayEach(): Promise<void> {
    const { base, modules } = this.#request;
    for (let from = 0; from < modules.length - 1; from += BATCH) {
      const batch = modules.slice(from, Math.min(from + BATCH, modules.length - 1)).map((module) => {
        const gates = [...base.gates, { gate: 'delay', at: { load: module }, ms: LATE_MS } as const];
        const plan = latePlan(base.plan, modules, module, (one) => this.#needs(one));
        return { module, cell: { ...base, gates, plan: settlingFor(plan, LATE_MS + SETTLE_MARGIN_MS) } };
      });
      const outcomes = await this.#bootAll(batch.map(({ cell }) => cell));
      for (const [place, { module, cell }] of batch.entries()) {
        const outcome = outcomes[place];
        if (outcome === undefined || this.#usual === null || !hasVerdict(outcome)) continue;
        const difference = differenceTo(this.#usual, outcome, base);
        if (difference === null) this.#parallel.push(module);
        else this.#sequential.push({ module, other: difference.other });
        this.#compare('late', module, cell, outcome);
      }
    }
  }

  #needs(module: string): string[] {
    return this.#request.constraints.flatMap(({ before, after }) => (after === module ? [before] : []));
  }

  /** Counts calls with and without the loads: what is between was called while the modules load. */
  async #findPoints(): Promise<void> {
    const { base, modules, threads, places, bound } = this.#request;
    if (bound === 0 || places.length === 0) return;
    const cell = this.#loading(modules, threads);
    const boot = async (one: Cell) => (await this.#bootAll([one]))[0] ?? Promise.reject(new Budget());
    const before = await countCalls(base, places, boot);
    const after = await countCalls(cell, places, boot);
    this.#places = places.map((place, at) => ({
      place: placeText(place),
      calls: Math.max(0, (after[at] ?? 0) - (before[at] ?? 0)),
    }));
    this.#points = places.flatMap((place, at) =>
      Array.from({ length: this.#places[at]?.calls ?? 0 }, (_, n) => ({ place, nth: (before[at] ?? 0) + n + 1 })),
    );
  }

  async #preempt(size: number): Promise<void> {
    const { modules, threads, seed, budget } = this.#request;
    if (this.#points.length < size) return;
    const sets = pointSets(this.#points, size, seed, Math.max(0, budget - this.#boots));
    const round = { size, sets: setCount(this.#points.length, size), booted: 0, hit: 0 };
    this.#rounds.push(round);
    const cell = this.#loading(modules, threads);
    for (let from = 0; from < sets.length; from += BATCH) {
      const batch = sets.slice(from, from + BATCH).map((set) => ({ set, cell: preempted(cell, set) }));
      const outcomes = await this.#bootAll(batch.map((one) => one.cell));
      for (const [place, { set, cell: one }] of batch.entries()) {
        const outcome = outcomes[place];
        if (outcome === undefined) continue;
        round.booted++;
        if (set.every((point) => wasPreempted(outcome, point))) round.hit++;
        const isNew = this.#compare('preemption', set.map(pointText).join(' and '), one, outcome);
        if (isNew !== null && threads > 1) await this.#tryAlone(isNew, preempted(this.#loading(modules, 1), set));
      }
    }
    if (sets.length < round.sets) throw new Budget();
  }

  /** Whether one loader shows the same, so that it takes no two loads at once. */
  async #tryAlone(key: string, cell: Cell): Promise<void> {
    const [outcome] = await this.#bootAll([cell]);
    const found = this.#breaks.get(key);
    if (outcome === undefined || found === undefined || this.#usual === null) return;
    const alone = differenceTo(this.#usual, outcome, this.#request.base);
    this.#breaks.set(key, { ...found, withOneThread: alone?.what === found.what });
  }

  /** Whether one thread comes to the same at this interleaving. */
  async #isUsualAt(shift: number, outcome: Outcome): Promise<boolean> {
    const [alone] = await this.#bootAll([{ ...this.#loading(this.#request.modules, 1), shift }]);
    return alone !== undefined && differenceTo(stateOf(alone), outcome, this.#request.base) === null;
  }

  async #compareAll(
    found: LoadingBreak['found'],
    tally: { boots: number; same: number },
    cells: readonly Cell[],
    how: (cell: Cell) => string,
  ): Promise<void> {
    for (let from = 0; from < cells.length; from += BATCH) {
      const batch = cells.slice(from, from + BATCH);
      const outcomes = await this.#bootAll(batch);
      for (const [place, cell] of batch.entries()) {
        const outcome = outcomes[place];
        if (outcome === undefined || this.#usual === null) continue;
        tally.boots++;
        const difference = differenceTo(this.#usual, outcome, this.#request.base);
        // Another interleaving may come to another end by itself.
        const isUsual = difference === null || (found === 'threads' && (await this.#isUsualAt(cell.shift, outcome)));
        if (isUsual) tally.same++;
        else this.#compare(found, how(cell), cell, outcome);
      }
    }
  }

  /** Notes what is not as usual; the key of a difference that no boot before showed, else null. */
  #compare(found: LoadingBreak['found'], how: string, cell: Cell, outcome: Outcome): string | null {
    const difference = this.#usual === null ? null : differenceTo(this.#usual, outcome, this.#request.base);
    this.#request.onProgress?.(
      `${found} ${how}: ${difference === null ? 'no difference' : difference.what}`,
      this.#boots,
    );
    if (difference === null || !hasVerdict(outcome)) return null;
    const key = difference.what;
    const known = this.#breaks.get(key);
    if (known !== undefined) {
      this.#breaks.set(key, { ...known, times: known.times + 1 });
      return null;
    }
    const { verdict } = outcome;
    const expect = expectationOf(outcome);
    this.#breaks.set(key, { ...difference, found, how, verdict, withOneThread: null, cell, expect, times: 1 });
    return key;
  }

  /** @throws Budget where no boot is left */
  async #bootAll(cells: readonly Cell[]): Promise<Outcome[]> {
    const { boot, budget, base } = this.#request;
    const affordable = cells.slice(0, Math.max(0, budget - this.#boots));
    if (affordable.length === 0) throw new Budget();
    const named = affordable.map((cell) => ({ ...cell, id: `${base.id}.load-${++this.#boots}` }));
    return Promise.all(named.map((cell) => boot(cell)));
  }
}

/** Work spent on making the list of orders shorter (covering.ts). */
const PLAN_EFFORT = 5_000_000;

function wasPreempted({ gates }: Outcome, { place }: Point): boolean {
  return gates.some((event) => event.verb === 'delayed' && event.device === placeText(place));
}
