import type { DmesgEvent } from '../dmesg/events.ts';
import { InfraError, InputError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { deviceAtFault } from './cause.ts';
import { inLoadOrder, loadsOf } from './conditions.ts';
import { CoverageTable } from './coverage.ts';
import { coverOrders, possibleTuples } from './covering.ts';
import { rebindOrders, withEnd } from './disturbances.ts';
import type { Exploration, ExploreRequest, Stage } from './exploration.ts';
import { Findings } from './findings.ts';
import { Knowledge, type Suspicion, type WaitQuestion } from './knowledge.ts';
import { KnownWarnings } from './known-warnings.ts';
import { OrderLedger } from './ledger.ts';
import { hasVerdict, isBroken, type Outcome } from './outcome.ts';
import { partialOrder } from './precedence.ts';
import { type ProbeLife, probeLives, relaxedFrom, timeline } from './recorded.ts';
import { Strangers } from './strangers.ts';
import { forEachOrder, type TupleSpace, tupleSpace } from './tuples.ts';
import { allAsync, asyncSets, delays, heldUntilBound, ordered, shifted } from './variations.ts';

/** Boots planned together before what they taught is looked at: independent of the workers, so that runs repeat. */
const BATCH = 4;
/** Tuple updates for the first plan of a strength, about a second. */
const PLAN_EFFORT = 30_000_000;
/** A plan that replaces one may cost this share of the first. */
const REPLAN_SHARE = 0.2;

/**
 * Searches the orders in which `targets` can be probed, and everything near them that may matter. First a baseline,
 * then an order and its reverse, then sequence covering arrays of the wanted strength, planned again whenever a boot
 * teaches a dependency; then module load orders, sets of asynchronous drivers, long delays and interleavings. An order
 * counts as covered when the recorded events show it. Deterministic for a seed and a deterministic `boot`.
 * @throws InputError when a target is named twice, or the constraints contradict each other, InfraError when not even
 * the base has a verdict.
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

/** Thrown inside the explorer to end it early. */
class Stop extends Error {
  readonly by: Exclude<Exploration['stoppedBy'], 'complete'>;
  constructor(by: Exclude<Exploration['stoppedBy'], 'complete'>) {
    super(by);
    this.by = by;
  }
}

class Explorer {
  readonly #request: ExploreRequest;
  readonly #devices: readonly string[];
  readonly #knowledge: Knowledge;
  readonly #ledger: OrderLedger;
  readonly #strangers: Strangers;
  readonly #warnings: KnownWarnings;
  readonly #findings = new Findings();
  readonly #drivers = new Map<string, string>();
  readonly #stages = new Map<Stage, number>();
  readonly #loads: { names: string[]; table: CoverageTable; space: TupleSpace } | null;
  readonly #blamed = new Map<string, number>();
  readonly #halved = new Set<string>();
  /** Gates of the boots that were spent on questions about waits. */
  readonly #asked = new Set<string>();
  /** Devices that were bound in the first boot, and in the last one. */
  #baseline: ReadonlySet<string> | null = null;
  #lastBound: ReadonlySet<string> = new Set();
  #atFault: Exploration['atFault'] = null;
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
    this.#ledger = new OrderLedger(this.#devices, request.strength);
    this.#warnings = new KnownWarnings(this.#devices);
    this.#strangers = new Strangers(this.#devices, request.nodeOf);
    const names = loadsOf(request.base.plan).filter((module) => request.loads.includes(module));
    const space = names.length < 2 ? null : tupleSpace(names.length, Math.min(request.strength, names.length));
    this.#loads = space === null ? null : { names, table: new CoverageTable(space, names), space };
  }

  async run(): Promise<Exploration> {
    let stoppedBy: Exploration['stoppedBy'] = 'complete';
    try {
      const { base, seed } = this.#request;
      await this.#bootPlain('baseline', [base]);
      this.#refuseUnprobed();
      await this.#coverOrders();
      if (this.#ledger.levels.length === 1) await this.#bindingOrders();
      await this.#askForWaits(true);
      await this.#loadOrders();
      // Asked for, and so before variations that nobody named: a small budget may end with those.
      await this.#rebinds();
      await this.#bootPlain('async', asyncSets(base, this.#drivers.values(), this.#request.loads));
      await this.#bootPlain('delays', delays(this.#allAsync(), this.#devices));
      await this.#bootPlain('interleavings', shifted(this.#allAsync(), seed));
      // What these boots taught may allow orders that were taken for impossible.
      await this.#coverOrders();
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      stoppedBy = error.by;
    }
    return this.#result(stoppedBy);
  }

  /** A search that is to end in another look for devices says nothing where no boot has one. */
  #refuseVainRescan({ events }: Outcome): void {
    const { rescan } = this.#request.atTheEnd;
    const isVain = (event: DmesgEvent) =>
      event.event === 'agent' && event.verb === 'rescan' && event.words[0] === rescan && event.words[1] === 'error';
    if (rescan !== null && events.some(isVain))
      throw new InputError(
        `the kernel cannot rescan the bus ${rescan}: it has no /sys/bus/${rescan}/rescan`,
        'name a bus that has such a file, as pci does, or a kernel with that bus',
      );
  }

  /** A device that no driver looked at has no place in any order. */
  #refuseUnprobed(): void {
    if (this.#request.anyway) return;
    const device = this.#devices.find((one) => !this.#drivers.has(one) && !this.#knowledge.isSeen(one));
    if (device !== undefined)
      throw new InputError(
        `no driver probed ${device} in the first boot, so that there is no order to put it into`,
        'leave it out, load the module of its driver (--plan), or search with --anyway',
      );
  }

  /** Asks for the orders of each strength that are still open, until none is. */
  async #coverOrders(): Promise<void> {
    const { pause } = this.#request;
    for (const [place, { space, table, givenUp }] of this.#ledger.levels.entries()) {
      const stage: Stage = place === 0 ? 'pairs' : 'orders';
      let effort = this.#request.effort ?? PLAN_EFFORT;
      // The first orders show which drivers defer: chained by "entered", none of them can wait for one that is held.
      const strict = place > 0;
      for (;;) {
        await this.#narrowSuspicions();
        await this.#askForWaits(false);
        const { order } = this.#knowledge;
        const required = table.open(order, givenUp);
        const seed = this.#request.seed + this.#boots;
        const rows = await coverOrders({ space, required, order, seed, effort, pause });
        if (rows.length === 0) break;
        effort = Math.ceil((this.#request.effort ?? PLAN_EFFORT) * REPLAN_SHARE);
        let learned = false;
        for (let from = 0; from < rows.length && !learned; from += BATCH) {
          learned = await this.#bootAll(rows.slice(from, from + BATCH).map((row) => this.#ordered(row, stage, strict)));
        }
      }
    }
  }

  /**
   * Asks for the orders of binding that the pairs did not happen to show: a probe that was entered first may well be
   * overtaken before it comes to what the other one prepares. Higher strengths ask for them anyway.
   */
  async #bindingOrders(): Promise<void> {
    const { order } = this.#knowledge;
    const { space, table } = this.#ledger.bindings;
    const required = table.open(order, this.#ledger.levels[0].givenUp);
    forEachOrder(space, (index, events) => {
      const [first = '', ...later] = events.map((event) => this.#devices[event] ?? '');
      if (!this.#knowledge.canFinishBefore(first, later)) required[index] = 0;
    });
    const { seed, pause, effort = PLAN_EFFORT } = this.#request;
    const rows = await coverOrders({ space, required, order, seed, effort, pause });
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
    const inTurn = [...atRisk(suspects, false), ...atRisk(suspects, true)];
    const half = inTurn.length === 1 ? 0 : Math.ceil(inTurn.length / 2);
    const wish = [
      ...atRisk(innocent, false),
      ...inTurn.slice(0, half),
      device,
      ...inTurn.slice(half),
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
   * Holds devices back until the one that may wait for them is bound, and those that would crash without them as well.
   */
  async #askForWaits(all: boolean): Promise<void> {
    for (;;) {
      const next = this.#knowledge
        .waitQuestions(all)
        .map((question) => heldUntilBound(this.#allAsync(), this.#holdsFor(question)))
        .find(({ gates }) => !this.#asked.has(JSON.stringify(gates)));
      if (next === undefined) return;
      this.#asked.add(JSON.stringify(next.gates));
      await this.#bootPlain('dependencies', [next]);
    }
  }

  /** What each device is held for; the same question is another one when it is known what crashes meanwhile. */
  #holdsFor({ device, held }: WaitQuestion): Map<string, string> {
    const holds = new Map(held.map((one) => [one, device]));
    for (const [fragile, needed] of this.#knowledge.crashingWithout(held))
      if (fragile !== device) holds.set(fragile, needed);
    return holds;
  }

  /**
   * A cell that asks for the probes in the order of `row`; a probe has to finish before the next where `strict` and
   * where it can.
   */
  #ordered(row: readonly number[], stage: Stage, strict: boolean): Planned {
    const asked = row.map((event) => this.#devices[event] ?? '');
    const finishes = (device: string, later: readonly string[]): boolean =>
      strict && this.#knowledge.canFinishBefore(device, later);
    return { stage, asked, cell: ordered(this.#allAsync(), asked, finishes) };
  }

  #allAsync(): Cell {
    return allAsync(this.#request.base, this.#drivers.values(), this.#request.loads);
  }

  async #loadOrders(): Promise<void> {
    if (this.#loads === null) return;
    const { names, space, table } = this.#loads;
    const { base, seed, pause, effort = PLAN_EFFORT } = this.#request;
    const order = partialOrder(names, this.#request.loadConstraints);
    const required = possibleTuples(space, order);
    for (const row of await coverOrders({ space, required, order, seed, effort, pause })) {
      const asked = row.map((event) => names[event] ?? '');
      if (table.add(asked) > 0)
        await this.#bootPlain('load-orders', [{ ...base, plan: inLoadOrder(base.plan, this.#around(asked)) }]);
    }
  }

  /** All loads of the plan with `asked` in this order: others as early as what they need allows. */
  #around(asked: readonly string[]): string[] {
    const { base, loadConstraints } = this.#request;
    const needs = (module: string, other: string): boolean =>
      loadConstraints.some(({ before, after }) => after === module && before === other);
    const left = loadsOf(base.plan).filter((module) => !asked.includes(module));
    const order = left.filter((module) => !asked.some((one) => needs(module, one)));
    const rest = left.filter((module) => !order.includes(module));
    for (const module of asked) {
      order.push(...rest.filter((other) => !order.includes(other) && needs(module, other)), module);
    }
    return [...order, ...rest.filter((module) => !order.includes(module))];
  }

  async #rebinds(): Promise<void> {
    if (!this.#request.rebind) return;
    const bound = this.#devices.flatMap((device) => {
      const driver = this.#drivers.get(device);
      return driver !== undefined && this.#baseline?.has(device) ? [{ device, driver }] : [];
    });
    await this.#bootPlain('rebinds', rebindOrders(this.#request.base, bound));
  }

  async #bootPlain(stage: Stage, cells: readonly Cell[]): Promise<void> {
    await this.#bootAll(cells.map((cell) => ({ stage, cell, asked: null })));
  }

  /**
   * Boots the cells, a batch at a time, and takes in what they show in their given order. True when one taught
   * something that plans depend on. A cell in which a device crashed that nobody asked about is booted again without
   * it, unless it asks for an order: those are planned anew anyway.
   */
  async #bootAll(planned: readonly Planned[]): Promise<boolean> {
    let learned = false;
    const queue = [...planned];
    while (queue.length > 0) {
      const left = this.#request.budget - this.#boots;
      if (left <= 0) throw new Stop('budget');
      const batch = queue.splice(0, Math.min(BATCH, left)).map((one, place) => {
        const id = `${this.#request.base.id}.explore-${this.#request.seed}-${this.#boots + place + 1}`;
        const plan = withEnd(one.cell.plan, this.#request.atTheEnd);
        return { planned: one, cell: this.#strangers.leaveOut({ ...one.cell, id, plan }) };
      });
      const outcomes = await Promise.all(batch.map(({ cell }) => this.#request.boot(cell)));
      const strangers = new Map<string, string>();
      for (const [place, { planned: one, cell }] of batch.entries()) {
        const booted = outcomes[place];
        if (booted === undefined) continue;
        const outcome = this.#warnings.without(booted, cell.watch);
        const stranger = this.#strangers.in(cell, outcome);
        if (this.#take({ ...one, cell }, outcome, stranger !== null)) learned = true;
        if (this.#boots === 1) this.#warnings.learn(outcome);
        if (stranger === null || outcome.signature === null) continue;
        if (outcome.verdict === 'warning') {
          this.#strangers.tell(stranger, outcome.signature);
          this.#warnings.learn(outcome, outcome.signature);
          continue;
        }
        strangers.set(stranger, outcome.signature);
        if (one.asked === null && one.stage !== 'baseline') queue.push(one);
      }
      for (const [device, signature] of strangers) if (await this.#takeOut(device, signature)) learned = true;
    }
    return learned;
  }

  /**
   * Disables the node of a device that nobody asked about, unless a device that somebody did is not bound without it.
   */
  async #takeOut(device: string, signature: string): Promise<boolean> {
    if (this.#strangers.isKnown(device) || !this.#strangers.disable(device, signature)) return false;
    await this.#bootPlain('baseline', [this.#request.base]);
    const lost = this.#devices.find((one) => this.#baseline?.has(one) && !this.#lastBound.has(one));
    if (lost !== undefined) return this.#strangers.keep(device, signature, `${lost} is not bound without it`);
    // What was asked for in vain may have failed for its sake.
    this.#ledger.reopen();
    return true;
  }

  #take({ stage, cell, asked }: Planned, outcome: Outcome, isStrange: boolean): boolean {
    this.#boots++;
    this.#stages.set(stage, (this.#stages.get(stage) ?? 0) + 1);
    const isNew = this.#findings.note(stage, cell, outcome, this.#boots);
    const { onProgress, budget, stopAtFirstCrash, anyway } = this.#request;
    onProgress?.({ stage, boots: this.#boots, budget, cell, outcome, isNew });

    if (stage === 'baseline' && !hasVerdict(outcome))
      throw new InfraError(`the boot that all others are variations of has no verdict: ${outcome.reason}`);
    if (stage === 'baseline') this.#refuseVainRescan(outcome);
    // A device that was unbound tells nothing of the order in which it is probed during boot.
    if (stage === 'rebinds') {
      if (stopAtFirstCrash && outcome.signature !== null) throw new Stop('crash');
      return false;
    }
    const recordedAll = timeline(outcome.events, outcome.gates);
    const lives = probeLives(recordedAll, this.#devices, cell.gates);
    for (const { device, driver } of lives.values()) if (driver !== null) this.#drivers.set(device, driver);
    this.#lastBound = boundIn(lives);
    const recorded = this.#ledger.see(lives, relaxedFrom(recordedAll));
    const { constraint, other } = this.#knowledge.learn(cell, asked, outcome);
    // What is known now may be why orders were not seen: they are asked for in other ways from here on.
    if (constraint || other) this.#ledger.reopen();
    if (asked !== null && !isStrange) this.#ledger.noteAsked(cell.id, asked, recorded, outcome, constraint || other);
    if (stopAtFirstCrash && outcome.signature !== null) throw new Stop('crash');
    if (this.#baseline === null) {
      this.#baseline = this.#lastBound;
      // A warning leaves the boot going.
      if (!anyway && isBroken(outcome)) {
        const device = deviceAtFault(outcome, this.#devices, cell.gates);
        this.#atFault = device === null ? null : { device, node: this.#request.nodeOf(device) };
        throw new Stop('baseline');
      }
    }
    return constraint || other;
  }

  #result(stoppedBy: Exploration['stoppedBy']): Exploration {
    const { order, constraints, waits } = this.#knowledge;
    const { pairs, coverage, bound } = this.#ledger.measure(order);
    const loads = this.#loads;
    return {
      boots: this.#boots,
      stoppedBy,
      atFault: this.#atFault,
      stages: [...this.#stages].map(([stage, boots]) => ({ stage, boots })),
      outcomes: this.#findings.all,
      strangers: this.#strangers.all,
      pairs,
      coverage,
      bound: { covered: bound.covered, total: bound.total },
      loadOrders:
        loads === null
          ? null
          : loads.table.measure(partialOrder(loads.names, this.#request.loadConstraints), new Map()),
      constraints,
      waits,
      unrealised: this.#ledger.unrealised,
    };
  }
}

function boundIn(lives: ReadonlyMap<string, ProbeLife>): Set<string> {
  return new Set([...lives.values()].flatMap(({ device, bound }) => (bound === null ? [] : [device])));
}
