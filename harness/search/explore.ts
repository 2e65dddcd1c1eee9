import type { Crash } from '../dmesg/events.ts';
import { InfraError, InputError } from '../errors.ts';
import { HOLD_TIMEOUT_MS } from '../firmware/gates.ts';
import type { Cell, Expectation } from '../model/cell.ts';
import type { Gate } from '../model/gate.ts';
import type { Verdict } from '../model/verdict.ts';
import { type Boot, hasVerdict, type Outcome, outcomeKey } from './boot.ts';
import { expectationOf } from './cause.ts';
import { inLoadOrder, settlingFor, withAsyncDrivers, withAsyncModules } from './conditions.ts';
import { type Coverage, CoverageTable } from './coverage.ts';
import { coverOrders, possibleTuples } from './covering.ts';
import { interleavings } from './interleavings.ts';
import { type DriverWait, Knowledge, type Suspicion, type Target } from './knowledge.ts';
import { type Precedence, partialOrder } from './precedence.ts';
import { probeLives, recordedOrder, relaxedFrom, timeline } from './recorded.ts';
import { forEachOrder, type TupleSpace, tupleSpace } from './tuples.ts';

type Stage =
  | 'baseline'
  | 'pairs'
  | 'bindings'
  | 'orders'
  | 'blame'
  | 'load-orders'
  | 'async'
  | 'delays'
  | 'interleavings';

export interface ExploreRequest {
  /** The cell that every boot is a variation of. */
  readonly base: Cell;
  readonly targets: readonly Target[];
  /** Probes in a row whose orders are covered: 2, 3 or 4; lowered to the number of targets. */
  readonly strength: number;
  /** Most boots that may be used. */
  readonly budget: number;
  readonly seed: number;
  /** Work spent on making the first plan of each strength smaller, in tuple updates; see `coverOrders`. */
  readonly effort?: number;
  /** Orders of probes that are known to be forced. */
  readonly constraints: readonly Precedence[];
  /** Orders of module loads that are forced by symbols; names of modules. */
  readonly loadConstraints: readonly Precedence[];
  /** Boots one cell. Several may be asked for at once: it keeps to its own number of workers. */
  readonly boot: Boot;
  readonly stopAtFirstCrash: boolean;
  readonly onProgress?: (progress: ExploreProgress) => void;
}

interface ExploreProgress {
  readonly stage: Stage;
  readonly boots: number;
  readonly budget: number;
  readonly cell: Cell;
  readonly outcome: Outcome;
  /** True when no boot before this one came to this outcome. */
  readonly isNew: boolean;
}

/** A distinct outcome and the first cell that showed it, which replays it. */
interface FoundOutcome {
  readonly key: string;
  readonly verdict: Verdict;
  readonly signature: string | null;
  readonly title: string | null;
  readonly reason: string;
  readonly cell: Cell;
  /** What that cell has to come to again. */
  readonly expect: Expectation;
  readonly stage: Stage;
  /** Number of the boot, from 1, that showed it first. */
  readonly boot: number;
  readonly times: number;
}

/** A boot whose recorded order was not the one that it was asked for. */
interface Unrealised {
  readonly cell: string;
  readonly asked: readonly string[];
  readonly recorded: readonly string[];
  readonly why: string;
}

export interface Exploration {
  readonly boots: number;
  readonly stoppedBy: 'complete' | 'budget' | 'crash';
  readonly stages: readonly { readonly stage: Stage; readonly boots: number }[];
  readonly outcomes: readonly FoundOutcome[];
  /** Orders in which probes began, as recorded: of two, and of `strength`. */
  readonly pairs: Coverage;
  readonly coverage: Coverage;
  /** Orders in which devices were bound, as recorded; a device that defers is bound later than it begins. */
  readonly bound: { readonly covered: number; readonly total: number };
  readonly loadOrders: Coverage | null;
  readonly constraints: readonly Precedence[];
  readonly waits: readonly DriverWait[];
  readonly unrealised: readonly Unrealised[];
}

/** Boots planned together before what they taught is looked at: independent of the workers, so that runs repeat. */
const BATCH = 4;
/** Tuple updates for the first plan of a strength, about a second. */
const PLAN_EFFORT = 30_000_000;
/** A plan that replaces one may cost this share of the first. */
const REPLAN_SHARE = 0.2;
/** Times an order is asked for before it is given up. */
const ASKS_BEFORE_GIVING_UP = 3;
/** The delay that THREAD.md's experiments put into a probe. */
const LONG_DELAY_MS = 6000;
/** Added to the longest stillness that gates may cause, for the probes that follow. */
const SETTLE_MARGIN_MS = 1000;
/** ASYNC_DRV_NAMES_MAX_LEN of drivers/base/dd.c (6.1): a longer list is cut. Names are separated by commas. */
const ASYNC_NAMES_MAX = 256;
/** Interleavings tried, the usual one among them. */
const SHIFTS = 9;

/**
 * Searches the orders in which `targets` can be probed, and everything near them that may matter. First a baseline,
 * then an order and its reverse, then sequence covering arrays of the wanted strength, planned again whenever a boot
 * teaches a dependency; then module load orders, sets of asynchronous drivers, long delays and interleavings. An order
 * counts as covered when the recorded events show it. Deterministic for a seed and a deterministic `boot`.
 * @throws InputError when a target is named twice, or the constraints contradict each other, InfraError when not even the base has a verdict.
 */
export async function explore(request: ExploreRequest): Promise<Exploration> {
  return new Explorer(request).run();
}

interface Planned {
  readonly stage: Stage;
  readonly cell: Cell;
  /** The order that the cell asks for, or null. */
  readonly asked: readonly string[] | null;
}

/** Thrown inside the explorer to end it: the budget is used up, or a crash was found. */
class Stop extends Error {
  readonly by: 'budget' | 'crash';
  constructor(by: 'budget' | 'crash') {
    super(by);
    this.by = by;
  }
}

class Explorer {
  readonly #request: ExploreRequest;
  readonly #devices: readonly string[];
  readonly #knowledge: Knowledge;
  readonly #spaces: readonly TupleSpace[];
  readonly #tables: readonly CoverageTable[];
  readonly #boundTable: CoverageTable;
  readonly #asks: readonly Map<number, number>[];
  readonly #givenUp: readonly Map<number, string>[];
  readonly #drivers = new Map<string, string>();
  readonly #outcomes = new Map<string, FoundOutcome>();
  readonly #stages = new Map<Stage, number>();
  readonly #unrealised: Unrealised[] = [];
  readonly #loads: { names: string[]; table: CoverageTable; space: TupleSpace } | null;
  readonly #blamed = new Map<string, number>();
  readonly #halved = new Set<string>();
  #boots = 0;

  constructor(request: ExploreRequest) {
    this.#request = request;
    this.#devices = request.targets.map(({ device }) => device);
    const twice = this.#devices.find((device, place) => this.#devices.indexOf(device) !== place);
    if (twice !== undefined) throw new InputError(`device ${twice} is named twice`, 'name each device once');
    if (this.#devices.length < 2) {
      throw new InputError('an order needs at least two devices', 'name two or more devices');
    }
    this.#knowledge = new Knowledge(request.targets, request.constraints);
    const strengths = [...new Set([2, Math.min(request.strength, this.#devices.length)])];
    this.#spaces = strengths.map((strength) => tupleSpace(this.#devices.length, strength));
    this.#tables = this.#spaces.map((space) => new CoverageTable(space, this.#devices));
    this.#asks = this.#spaces.map(() => new Map());
    this.#givenUp = this.#spaces.map(() => new Map());
    this.#boundTable = new CoverageTable(this.#lastSpace(), this.#devices);
    const names = request.base.plan.flatMap((step) => (step.step === 'load' ? [step.module] : []));
    const space = names.length < 2 ? null : tupleSpace(names.length, Math.min(request.strength, names.length));
    this.#loads = space === null ? null : { names, table: new CoverageTable(space, names), space };
  }

  async run(): Promise<Exploration> {
    let stoppedBy: Exploration['stoppedBy'] = 'complete';
    try {
      await this.#bootAll([{ stage: 'baseline', cell: this.#request.base, asked: null }]);
      for (const [level] of this.#spaces.entries()) await this.#coverLevel(level);
      if (this.#spaces.length === 1) await this.#bindingOrders();
      await this.#loadOrders();
      await this.#bootAll(this.#asyncSets());
      await this.#bootAll(this.#delays());
      await this.#bootAll(this.#interleavings());
      // What these boots taught may allow orders that were taken for impossible.
      for (const [level] of this.#spaces.entries()) await this.#coverLevel(level);
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      stoppedBy = error.by;
    }
    return this.#result(stoppedBy);
  }

  #lastSpace(): TupleSpace {
    const space = this.#spaces.at(-1);
    if (space === undefined) throw new Error('an explorer has at least one strength');
    return space;
  }

  /** Asks for the orders of one strength that are still open, until none is. */
  async #coverLevel(level: number): Promise<void> {
    const space = this.#spaces[level];
    const table = this.#tables[level];
    const givenUp = this.#givenUp[level];
    if (space === undefined || table === undefined || givenUp === undefined) return;
    const stage: Stage = level === 0 ? 'pairs' : 'orders';
    let effort = this.#request.effort ?? PLAN_EFFORT;
    // The first orders show which drivers defer: chained by "entered", none of them can wait for one that is held.
    const strict = level > 0;
    for (;;) {
      await this.#narrowSuspicions();
      const { order } = this.#knowledge;
      const required = table.open(order, givenUp);
      const seed = this.#request.seed + this.#boots;
      const rows = coverOrders({ space, required, order, seed, effort });
      if (rows.length === 0) return;
      effort = Math.ceil((this.#request.effort ?? PLAN_EFFORT) * REPLAN_SHARE);
      let learned = false;
      for (let from = 0; from < rows.length && !learned; from += BATCH) {
        learned = await this.#bootAll(rows.slice(from, from + BATCH).map((row) => this.#ordered(row, stage, strict)));
      }
    }
  }

  /**
   * Asks for the orders of binding that the pairs did not happen to show: a probe that was entered first may well be overtaken before
   * it comes to what the other one prepares. Higher strengths ask for them anyway.
   */
  async #bindingOrders(): Promise<void> {
    const { order } = this.#knowledge;
    const space = this.#lastSpace();
    const required = this.#boundTable.open(order, this.#givenUp[0] ?? new Map());
    forEachOrder(space, (index, events) => {
      const [first = '', ...later] = events.map((event) => this.#devices[event] ?? '');
      if (!this.#knowledge.canFinishBefore(first, later)) required[index] = 0;
    });
    const { seed, effort = PLAN_EFFORT } = this.#request;
    const rows = coverOrders({ space, required, order, seed, effort });
    await this.#bootAll(rows.map((row) => this.#ordered(row, 'bindings', true)));
  }

  /** Halves the devices that may be to blame for a crash or a deferral: half of them go before, half after. */
  async #narrowSuspicions(): Promise<void> {
    for (;;) {
      const next = this.#knowledge.suspicions
        .map((suspicion) => ({ suspicion, row: this.#halving(suspicion) }))
        .find(({ suspicion, row }) => !this.#isExhausted(suspicion, row));
      if (next === undefined) return;
      const { suspicion, row } = next;
      this.#blamed.set(suspicion.key, (this.#blamed.get(suspicion.key) ?? 0) + 1);
      this.#halved.add(row.join());
      await this.#bootAll([this.#ordered(row, 'blame', true)]);
    }
  }

  /** Halving N suspects takes log2(N) boots for each culprit; what takes more than two of them is left alone. */
  #isExhausted({ key }: Suspicion, row: readonly number[]): boolean {
    const asked = this.#blamed.get(key) ?? 0;
    return asked > 2 * Math.ceil(Math.log2(this.#devices.length)) || this.#halved.has(row.join());
  }

  /** Devices that may crash for other reasons go last: a crash of theirs would hide what is asked. */
  #halving({ device, suspects }: Suspicion): number[] {
    const others = new Set(this.#knowledge.suspicions.map((other) => other.device));
    const atRisk = (devices: readonly string[], wanted: boolean): string[] =>
      devices.filter((one) => others.has(one) === wanted);
    const innocent = this.#devices.filter((one) => one !== device && !suspects.includes(one));
    const ordered = [...atRisk(suspects, false), ...atRisk(suspects, true)];
    const half = Math.ceil(ordered.length / 2);
    const wish = [
      ...atRisk(innocent, false),
      ...ordered.slice(0, half),
      device,
      ...ordered.slice(half),
      ...atRisk(innocent, true),
    ];
    return this.#extension(wish.map((one) => this.#devices.indexOf(one)));
  }

  /** The order nearest to `wish` that respects what is known: each time the first event that may come. */
  #extension(wish: readonly number[]): number[] {
    const { order } = this.#knowledge;
    const left = [...wish];
    const row: number[] = [];
    while (left.length > 0) {
      const next = left.findIndex((event) => !left.some((other) => order.precedes(other, event)));
      row.push(...left.splice(Math.max(next, 0), 1));
    }
    return row;
  }

  /**
   * A cell that asks for the probes in the order of `row`: each is held until the one before it has finished, where
   * `strict` and where that one can finish by then, and otherwise until the one before it has begun.
   */
  #ordered(row: readonly number[], stage: Stage, strict: boolean): Planned {
    const asked = row.map((event) => this.#devices[event] ?? '');
    const gates = asked.slice(1).map((device, place): Gate => {
      const until = asked[place] ?? '';
      const finishes = strict && this.#knowledge.canFinishBefore(until, asked.slice(place + 1));
      return { gate: 'hold', device, until, phase: finishes ? 'finished' : 'entered' };
    });
    const base = this.#allAsync();
    return { stage, asked, cell: gated(base, gates, HOLD_TIMEOUT_MS) };
  }

  /** The base with every driver asynchronous: a probe that is held must not hold up the initcall that called it. */
  #allAsync(): Cell {
    const { base } = this.#request;
    const modules = base.plan.flatMap((step) => (step.step === 'load' ? [step.module] : []));
    const builtIn = [...new Set(this.#drivers.values())].filter((driver) => !modules.includes(moduleName(driver)));
    const listable = builtIn.every((driver) => !driver.includes(',')) && builtIn.join().length < ASYNC_NAMES_MAX;
    const drivers = listable ? builtIn : ['*'];
    return {
      ...base,
      bootargs: withAsyncDrivers(base.bootargs, drivers),
      plan: withAsyncModules(base.plan, modules),
    };
  }

  async #loadOrders(): Promise<void> {
    if (this.#loads === null) return;
    const { names, space, table } = this.#loads;
    const order = partialOrder(names, this.#request.loadConstraints);
    const required = possibleTuples(space, order);
    const rows = coverOrders({
      space,
      required,
      order,
      seed: this.#request.seed,
      effort: this.#request.effort ?? PLAN_EFFORT,
    });
    const { base } = this.#request;
    for (const row of rows) {
      const asked = row.map((event) => names[event] ?? '');
      const plan = inLoadOrder(base.plan, asked);
      if (table.add(asked) > 0) {
        await this.#bootAll([{ stage: 'load-orders', asked: null, cell: { ...base, plan } }]);
      }
    }
  }

  /** All drivers asynchronous, and each alone, without gates. */
  #asyncSets(): Planned[] {
    const { base } = this.#request;
    const drivers = [...new Set(this.#drivers.values())].filter((driver) => !driver.includes(','));
    const alone = drivers.map((driver) => ({ ...base, bootargs: withAsyncDrivers(base.bootargs, [driver]) }));
    return [this.#allAsync(), ...alone].map((cell) => ({ stage: 'async', cell: cell, asked: null }));
  }

  /** Each device delayed alone with all drivers asynchronous. */
  #delays(): Planned[] {
    const from = this.#allAsync();
    return this.#devices.map((device) => ({
      stage: 'delays',
      asked: null,
      cell: gated(from, [{ gate: 'delay', device, ms: LONG_DELAY_MS }], LONG_DELAY_MS),
    }));
  }

  #interleavings(): Planned[] {
    const shifts = interleavings(SHIFTS, this.#request.base.shift, this.#request.seed).slice(1);
    return shifts.map((shift) => ({
      stage: 'interleavings',
      asked: null,
      cell: { ...this.#allAsync(), shift },
    }));
  }

  /** Boots the cells, a batch at a time, and takes in what they show in their given order. True when one taught a constraint. */
  async #bootAll(planned: readonly Planned[]): Promise<boolean> {
    let learned = false;
    for (let from = 0; from < planned.length; from += BATCH) {
      const left = this.#request.budget - this.#boots;
      if (left <= 0) throw new Stop('budget');
      const batch = planned.slice(from, from + Math.min(BATCH, left)).map((one, place) => ({
        ...one,
        cell: { ...one.cell, id: `${this.#request.base.id}.explore-${this.#request.seed}-${this.#boots + place + 1}` },
      }));
      const outcomes = await Promise.all(batch.map(({ cell }) => this.#request.boot(cell)));
      for (const [place, one] of batch.entries()) {
        const outcome = outcomes[place];
        if (outcome !== undefined && this.#take(one, outcome)) learned = true;
      }
      if (batch.length < Math.min(BATCH, planned.length - from)) throw new Stop('budget');
    }
    return learned;
  }

  #take({ stage, cell, asked }: Planned, outcome: Outcome): boolean {
    this.#boots++;
    this.#stages.set(stage, (this.#stages.get(stage) ?? 0) + 1);
    const isNew = this.#noteOutcome(stage, cell, outcome);
    const { onProgress, budget, stopAtFirstCrash } = this.#request;
    onProgress?.({ stage, boots: this.#boots, budget, cell, outcome, isNew });

    if (stage === 'baseline' && !hasVerdict(outcome))
      throw new InfraError(`the boot that all others are variations of has no verdict: ${outcome.reason}`);
    const recordedAll = timeline(outcome.events, outcome.gates);
    const lives = probeLives(recordedAll, this.#devices, cell.gates);
    const relaxed = relaxedFrom(recordedAll);
    for (const { device, driver } of lives.values()) if (driver !== null) this.#drivers.set(device, driver);
    const recorded = recordedOrder(lives, 'started', relaxed);
    for (const table of this.#tables) table.add(recorded);
    this.#boundTable.add(recordedOrder(lives, 'bound', relaxed));
    const { constraint, other } = this.#knowledge.learn(cell, asked, outcome);
    // What is known now may be why orders were not seen: they are asked for in other ways from here on.
    if (constraint || other) for (const counts of [...this.#asks, ...this.#givenUp]) counts.clear();
    if (asked !== null) this.#noteAsked(cell, asked, recorded, outcome, constraint || other);
    if (stopAtFirstCrash && outcome.signature !== null) throw new Stop('crash');
    return constraint || other;
  }

  #noteOutcome(stage: Stage, cell: Cell, outcome: Outcome): boolean {
    const key = outcomeKey(outcome);
    const known = this.#outcomes.get(key);
    const { verdict, reason, signature } = outcome;
    const title = titleOf(outcome);
    const expect = expectationOf(outcome);
    this.#outcomes.set(
      key,
      known === undefined
        ? { key, verdict, signature, title, reason, cell, expect, stage, boot: this.#boots, times: 1 }
        : { ...known, times: known.times + 1 },
    );
    return known === undefined;
  }

  /**
   * Counts what was asked for and not seen, and gives an order up when it was asked for often enough. A boot that
   * taught something does not count: the next one asks in another way.
   */
  #noteAsked(
    cell: Cell,
    asked: readonly string[],
    recorded: readonly string[],
    outcome: Outcome,
    taught: boolean,
  ): void {
    const why = recorded.join() === asked.join() ? null : whyNot(asked, recorded, outcome);
    if (why === null) return;
    this.#unrealised.push({ cell: cell.id, asked, recorded, why });
    if (taught) return;
    for (const [level, table] of this.#tables.entries()) {
      const asks = this.#asks[level];
      const givenUp = this.#givenUp[level];
      const space = this.#spaces[level];
      if (asks === undefined || givenUp === undefined || space === undefined) continue;
      for (const index of table.unseen(asked)) {
        const times = (asks.get(index) ?? 0) + 1;
        asks.set(index, times);
        if (times >= ASKS_BEFORE_GIVING_UP) givenUp.set(index, `asked for in ${times} boots and not seen: ${why}`);
      }
    }
  }

  #result(stoppedBy: Exploration['stoppedBy']): Exploration {
    const { order, constraints, waits } = this.#knowledge;
    const none = new Map<number, string>();
    const measured = this.#tables.map((table, level) => table.measure(order, this.#givenUp[level] ?? none));
    const pairs = measured[0];
    const coverage = measured.at(-1);
    if (pairs === undefined || coverage === undefined) throw new Error('an explorer has at least one strength');
    const bound = this.#boundTable.measure(order, none);
    const loads = this.#loads;
    return {
      boots: this.#boots,
      stoppedBy,
      stages: [...this.#stages].map(([stage, boots]) => ({ stage, boots })),
      outcomes: [...this.#outcomes.values()],
      pairs,
      coverage,
      bound: { covered: bound.covered, total: bound.total },
      loadOrders:
        loads === null ? null : loads.table.measure(partialOrder(loads.names, this.#request.loadConstraints), none),
      constraints,
      waits,
      unrealised: this.#unrealised,
    };
  }
}

/** `cell` with `gates` added, of which each may stand still for `ms`: the guest must not settle for less. */
function gated(cell: Cell, gates: readonly Gate[], ms: number): Cell {
  return { ...cell, gates: [...cell.gates, ...gates], plan: settlingFor(cell.plan, ms + SETTLE_MARGIN_MS) };
}

/** Module names have underscores where driver names may have dashes (kernel/module/main.c, parse_args callers). */
function moduleName(driver: string): string {
  return driver.replaceAll('-', '_');
}

function titleOf(outcome: Outcome): string | null {
  const crash = outcome.events.find(
    (event): event is Crash => event.event === 'crash' && event.signature === outcome.signature,
  );
  return crash?.title ?? null;
}

function whyNot(asked: readonly string[], recorded: readonly string[], outcome: Outcome): string {
  const missing = asked.filter((device) => !recorded.includes(device));
  if (outcome.signature !== null) return `the boot crashed first (${titleOf(outcome) ?? outcome.signature})`;
  const timeouts = outcome.gates.flatMap((gate) =>
    gate.verb === 'timed-out' ? [`${gate.device} until ${gate.detail}`] : [],
  );
  if (timeouts.length > 0) return `held in vain: ${timeouts.join(', ')}`;
  if (missing.length > 0) return `never probed: ${missing.join(', ')}`;
  const place = asked.findIndex((device, at) => recorded[at] !== device);
  return `${recorded[place]} was probed before ${asked[place]}`;
}
