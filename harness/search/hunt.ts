import { InfraError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { loadsOf } from './conditions.ts';
import type { Pause } from './covering.ts';
import type { BoundDevice } from './disturbances.ts';
import { allowedToSuspend, NOTHING_AT_THE_END, reboundInTurn, suspended } from './disturbances.ts';
import type { FoundOutcome } from './exploration.ts';
import { explore } from './explore.ts';
import { type Failure, failuresOf } from './failures.ts';
import { Findings } from './findings.ts';
import type { Target } from './knowledge.ts';
import { type Boot, hasVerdict, type Outcome, passes } from './outcome.ts';
import type { Precedence } from './precedence.ts';
import { createRandom, type Random, shuffled } from './random.ts';
import { allAsync } from './variations.ts';
import {
  boundAgainSlowly,
  countingMilestones,
  GIVING_UP,
  independentOf,
  loadedWhileAdded,
  type Milestone,
  MOST_MILESTONES,
  milestonesOf,
  missed,
  mutexesTaken,
  opened,
  slowCalls,
  tornApart,
} from './windows.ts';

/**
 * The parts of a hunt, in their order: what is cheap first. `orders` is what `explore` does; `windows` lets the others
 * in at each milestone of a device's probe.
 */
type HuntPart =
  | 'baseline'
  | 'suspend'
  | 'rebinds'
  | 'milestones'
  | 'slow-rebinds'
  | 'mutexes'
  | 'loads'
  | 'orders'
  | 'windows'
  | 'random';

export interface HuntRequest {
  /** The cell that every boot is a variation of. */
  readonly base: Cell;
  readonly targets: readonly Target[];
  readonly nodeOf: (device: string) => string | null;
  readonly loadConstraints: readonly Precedence[];
  /** Functions of `MILESTONES` at which the kernel can be stopped. */
  readonly milestones: readonly string[];
  /** The same of `NAMELESS_MILESTONES`. */
  readonly nameless: readonly string[];
  /** The same of `MUTEXES`. */
  readonly mutexes: readonly string[];
  /** Whether the kernel can suspend its devices alone: it has `SUSPEND_TEST`. */
  readonly canSuspend: boolean;
  readonly boot: Boot;
  /** Between parts of a plan, which may take seconds. */
  readonly pause: Pause;
  readonly budget: number;
  readonly seed: number;
  /** Ends the hunt when a boot shows what is looked for; the search itself is not told what that is. */
  readonly isFound: (failures: readonly Failure[], outcome: Outcome) => boolean;
  readonly onProgress?: (part: HuntPart, boots: number, outcome: Outcome) => void;
}

export interface Hunt {
  /** The boot that showed it, from 1; null where none did. */
  readonly found: { readonly boot: number; readonly part: HuntPart; readonly cell: Cell } | null;
  readonly boots: number;
  /** Distinct outcomes other than a pass, with the first cell of each. */
  readonly outcomes: readonly FoundOutcome[];
}

/** Ends a hunt: found, or the budget is used up. */
class Over extends Error {}

/** Boots of a hunt are numbered and looked at one by one, however they come about. */
class Hunter {
  readonly #request: HuntRequest;
  readonly #findings = new Findings();
  #part: HuntPart = 'baseline';
  #boots = 0;
  #found: Hunt['found'] = null;

  constructor(request: HuntRequest) {
    this.#request = request;
  }

  in(part: HuntPart): void {
    this.#part = part;
  }

  readonly boot = async (cell: Cell): Promise<Outcome> => {
    const { budget, boot, isFound, onProgress } = this.#request;
    if (this.#found !== null || this.#boots >= budget) throw new Over();
    const number = ++this.#boots;
    const id = `${this.#request.base.id}.hunt-${this.#request.seed}-${number}`;
    const outcome = await boot({ ...cell, id });
    onProgress?.(this.#part, number, outcome);
    this.#findings.note('baseline', cell, outcome, number);
    const failures = failuresOf(outcome, cell.watch);
    if (!hasVerdict(outcome) || !isFound(failures, outcome)) return outcome;
    this.#found = { boot: number, part: this.#part, cell: { ...cell, id } };
    throw new Over();
  };

  /** One after the other, so that the number of boots does not depend on how many run at a time. */
  async all(part: HuntPart, cells: readonly Cell[]): Promise<void> {
    this.in(part);
    for (const cell of cells) await this.boot(cell);
  }

  get result(): Hunt {
    const outcomes = this.#findings.all.filter((one) => hasVerdict(one) && !passes(one));
    return { found: this.#found, boots: this.#boots, outcomes };
  }
}

async function untilOver(hunter: Hunter, work: () => Promise<void>): Promise<Hunt> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Over)) throw error;
  }
  return hunter.result;
}

/**
 * Looks for anything that goes wrong with `targets` in another order than the usual one, without being told where:
 * suspend, unbinding and binding again, the orders of their probes, and whoever comes by while a probe is under way.
 * Deterministic for a seed and a deterministic `boot`.
 * @throws InfraError when not even the first boot has a verdict
 */
export async function hunt(request: HuntRequest): Promise<Hunt> {
  const hunter = new Hunter(request);
  return untilOver(hunter, async () => {
    const { base, targets } = request;
    const first = await hunter.boot(base);
    if (!hasVerdict(first)) throw new InfraError(`the first boot has no verdict: ${first.reason}`);
    const drivers = driversIn(first, targets);
    const bound = boundIn(first, targets, drivers);
    const devices = targets.map(({ device }) => device);
    await hunter.all('suspend', [...(request.canSuspend ? [suspended(base)] : []), allowedToSuspend(base, devices)]);
    await hunter.all('rebinds', rebinds(base, bound));
    const others = (device: string) => devices.filter((one) => one !== device);
    const passed = await passedBy(request, hunter, drivers);
    const slowly = bound.map(({ device, driver }) =>
      boundAgainSlowly(base, device, driver, others(device), passed.get(device)?.milestones ?? []),
    );
    await hunter.all('slow-rebinds', slowly);
    await hunter.all('mutexes', torn(request, bound, passed));
    await hunter.all('loads', loads(request, drivers));
    await orders(request, hunter);
    await windows(request, hunter, drivers, passed);
  });
}

async function orders(request: HuntRequest, hunter: Hunter): Promise<void> {
  const { base, targets, nodeOf, loadConstraints, pause, budget, seed } = request;
  if (targets.length < 2) return;
  hunter.in('orders');
  const strength = Math.min(3, targets.length);
  const { boot } = hunter;
  await explore({
    ...{ base, targets, nodeOf, loadConstraints, pause, budget, seed, strength, constraints: [] },
    loads: loadsOf(base.plan),
    rebind: false,
    atTheEnd: NOTHING_AT_THE_END,
    // Its batches are booted one by one here.
    boot: inTurn(boot),
    stopAtFirstCrash: false,
    anyway: true,
  });
}

/** What a device's probe comes by. */
interface Passed {
  readonly milestones: readonly Milestone[];
  readonly mutexes: readonly string[];
}

/** By device, from a boot of each. */
async function passedBy(
  { base, targets, milestones, mutexes }: HuntRequest,
  hunter: Hunter,
  drivers: ReadonlyMap<string, string>,
): Promise<Map<string, Passed>> {
  hunter.in('milestones');
  const from = allAsync(base, drivers.values(), loadsOf(base.plan));
  const passed = new Map<string, Passed>();
  for (const { device } of targets) {
    const outcome = await hunter.boot(countingMilestones(from, device, milestones, mutexes));
    passed.set(device, { milestones: milestonesOf(outcome), mutexes: mutexesTaken(outcome, mutexes) });
  }
  return passed;
}

/** Each bound device alone, with the others that it does not need. */
function torn(
  { base, targets }: HuntRequest,
  bound: readonly BoundDevice[],
  passed: ReadonlyMap<string, Passed>,
): Cell[] {
  const driverOf = new Map(bound.map(({ device, driver }) => [device, driver]));
  return bound.flatMap(({ device, driver }) => {
    const others = independentOf(device, targets);
    // A stop where the device never comes by would leave the boot without a verdict.
    const { mutexes = [] } = passed.get(device) ?? {};
    if (others.length === 0 || mutexes.length === 0) return [];
    const named = others.map((other) => ({ device: other.device, driver: driverOf.get(other.device) ?? null }));
    return [tornApart(base, device, driver, named, mutexes)];
  });
}

async function windows(
  { base, targets, milestones, nameless }: HuntRequest,
  hunter: Hunter,
  drivers: ReadonlyMap<string, string>,
  passed: ReadonlyMap<string, Passed>,
): Promise<void> {
  const from = allAsync(base, drivers.values(), loadsOf(base.plan));
  await hunter.all(
    'windows',
    nameless.map((name) => slowCalls(from, name)),
  );
  const letIn = milestones.includes(GIVING_UP)
    ? targets.flatMap(({ device }) => {
        const others = independentOf(device, targets);
        return others.length === 0 ? [] : [missed(from, device, others)];
      })
    : [];
  await hunter.all('windows', letIn);
  const cells = targets.map(({ device }) => {
    const others = independentOf(device, targets);
    if (others.length === 0) return [];
    // The first time that the probe gives up is in `letIn`, and a cell is booted once.
    return (passed.get(device)?.milestones ?? [])
      .filter(({ name, nth }) => name !== GIVING_UP || nth !== 1)
      .slice(0, MOST_MILESTONES)
      .map((milestone) => opened(from, device, others, milestone));
  });
  // A device with many milestones must not use up what others need.
  const longest = Math.max(0, ...cells.map(({ length }) => length));
  for (let place = 0; place < longest; place++)
    await hunter.all(
      'windows',
      cells.flatMap((of) => of[place] ?? []),
    );
}

/**
 * Each module is loaded while each device is being added, where that is possible: a kernel says so with the function.
 */
function loads({ base, targets, milestones }: HuntRequest, drivers: ReadonlyMap<string, string>): Cell[] {
  if (!milestones.includes('bus_add_device')) return [];
  const from = allAsync(base, drivers.values(), loadsOf(base.plan));
  const modules = base.plan.flatMap((step) => (step.step === 'load' ? [step.module] : []));
  return modules.flatMap((module) => targets.map(({ device }) => loadedWhileAdded(from, device, module)));
}

/** Each device alone, and every two in both orders. */
function rebinds(base: Cell, bound: readonly BoundDevice[]): Cell[] {
  const pairs = bound.flatMap((one) => bound.filter((other) => other !== one).map((other) => [one, other]));
  return [...bound.map((one) => [one]), ...pairs].map((some) => reboundInTurn(base, some));
}

/** Boots that are asked for at once, one after the other and in the order in which they were asked for. */
function inTurn(boot: Boot): Boot {
  let last: Promise<unknown> = Promise.resolve();
  return (cell) => {
    const next = last.then(() => boot(cell));
    last = next.catch(() => {});
    return next;
  };
}

/** Driver by device, of the targets that a driver looked at. */
function driversIn({ events }: Outcome, targets: readonly Target[]): Map<string, string> {
  const wanted = new Set(targets.map(({ device }) => device));
  const drivers = new Map<string, string>();
  for (const event of events) {
    if (event.event !== 'probe-entered' && event.event !== 'bound') continue;
    if (wanted.has(event.device) && event.driver !== null) drivers.set(event.device, event.driver);
  }
  return drivers;
}

function boundIn({ events }: Outcome, targets: readonly Target[], drivers: ReadonlyMap<string, string>): BoundDevice[] {
  const bound = new Set(events.flatMap((event) => (event.event === 'bound' ? [event.device] : [])));
  return targets.flatMap(({ device }) => {
    const driver = drivers.get(device);
    return driver !== undefined && bound.has(device) ? [{ device, driver }] : [];
  });
}

/** Delays of a random boot, in virtual milliseconds. */
const RANDOM_DELAYS = [1, 10, 100, 1000, 6000] as const;
const LARGEST_SHIFT = 8;

/**
 * The same budget spent without a plan: each boot draws which drivers are asynchronous, which devices are late and by
 * how much, the interleaving, and one of the things that are done to devices. What a hunt is held against.
 */
export async function huntAtRandom(request: HuntRequest): Promise<Hunt> {
  const hunter = new Hunter(request);
  const random = createRandom(request.seed);
  return untilOver(hunter, async () => {
    const { base, targets, budget } = request;
    const first = await hunter.boot(base);
    if (!hasVerdict(first)) throw new InfraError(`the first boot has no verdict: ${first.reason}`);
    const drivers = driversIn(first, targets);
    const bound = boundIn(first, targets, drivers);
    const cells = Array.from({ length: budget - 1 }, () => randomCell(request, drivers, bound, random));
    await hunter.all('random', cells);
  });
}

function randomCell(
  { base, targets, milestones, canSuspend }: HuntRequest,
  drivers: ReadonlyMap<string, string>,
  bound: readonly BoundDevice[],
  random: Random,
): Cell {
  const half = (): boolean => random.below(2) === 0;
  const pick = <T>(items: readonly T[]): T[] => shuffled(items, random).slice(0, 1);
  const delay = (): number => pick(RANDOM_DELAYS)[0] ?? 1;
  const asynchronous = [...drivers.values()].filter(half);
  const late = targets
    .filter(half)
    .map(({ device }) => ({ gate: 'delay', at: { probe: device }, ms: delay() }) as const);
  const inside = half()
    ? []
    : pick(targets).flatMap(({ device }) =>
        pick(milestones).map((name) => ({ gate: 'delay', at: { return: name, of: device }, ms: delay() }) as const),
      );
  const varied: Cell = {
    ...allAsync(base, asynchronous, loadsOf(base.plan)),
    gates: [...base.gates, ...late, ...inside],
    shift: random.below(LARGEST_SHIFT + 1),
  };
  const devices = targets.map(({ device }) => device);
  switch (random.below(4)) {
    case 0:
      return varied;
    case 1:
      return canSuspend && half() ? suspended(varied) : allowedToSuspend(varied, devices);
    default:
      return bound.length === 0 ? varied : reboundInTurn(varied, shuffled(bound, random).slice(0, 1 + random.below(2)));
  }
}
