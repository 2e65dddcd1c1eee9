import { HOLD_TIMEOUT_MS } from '../firmware/gates.ts';
import type { Cell } from '../model/cell.ts';
import type { Gate } from '../model/gate.ts';
import type { PlanStep } from '../model/plan.ts';
import { settlingFor } from './conditions.ts';
import type { Target } from './knowledge.ts';
import type { Outcome } from './outcome.ts';

/*
 * Windows inside a probe. A probe is not one event: what it registers can be found by others before it is done. Every
 * call below is a moment at which a device under probe is further than before, so others are let in after each.
 */

/**
 * Functions by which a driver takes or publishes something for a device, with that device, a child of it, or something
 * that points to it among their arguments: Linux 5.10 to 7.2. Those that a kernel lacks are left out.
 */
export const MILESTONES: readonly string[] = [
  // Every managed resource, devm_kmalloc() included (drivers/base/devres.c).
  'devres_add',
  'pm_runtime_enable',
  'bus_add_device',
  'iommu_device_register',
  'of_clk_add_hw_provider',
  'nvmem_register',
  'gpiochip_add_data_with_key',
  'i2c_register_adapter',
  'phy_create',
  '__of_phy_provider_register',
  'of_gpiochip_add',
  'regulator_register',
  'led_classdev_register_ext',
  'extcon_dev_register',
  'reset_controller_register',
  'mbox_controller_register',
  'hwspin_lock_register',
  'rproc_add',
  'of_platform_populate',
];

/**
 * really_probe() calls it when a driver has refused a device, before that is on the list of those that wait
 * (drivers/base/dd.c, Linux 5.10 to 7.2).
 */
export const GIVING_UP = 'devres_release_all';

/**
 * Where a task may lose the CPU to others on any kernel: it takes a mutex (kernel/locking/mutex.c; the second names are
 * those with CONFIG_DEBUG_LOCK_ALLOC).
 */
export const MUTEXES: readonly string[] = [
  'mutex_lock',
  'mutex_lock_killable',
  'mutex_lock_interruptible',
  'mutex_lock_nested',
  'mutex_lock_killable_nested',
  'mutex_lock_interruptible_nested',
];

/**
 * The same where the device does not show in the arguments: `bus_set_iommu()` has a bus (until 6.0), the argument of
 * `iommu_device_register()` is no device in 5.10, and a `struct icc_provider` has its device too far behind.
 */
export const NAMELESS_MILESTONES: readonly string[] = [
  'iommu_device_register',
  'bus_set_iommu',
  'icc_provider_register',
];

/** Every call of a function stands still for a moment, whoever's probe it is. */
export function slowCalls(from: Cell, name: string): Cell {
  const gate: Gate = { gate: 'delay', at: { return: name }, ms: OPEN_MS };
  return { ...from, gates: [...from.gates, gate], plan: settlingFor(from.plan, SETTLE_MS) };
}

/** A place inside the probe of a device. */
export interface Milestone {
  readonly name: string;
  /** Which of its calls with the device, from 1. */
  readonly nth: number;
}

/** Most windows of one device that are opened one by one; those of `devres_add()` give way first. */
export const MOST_MILESTONES = 10;
/** Milliseconds of virtual time for which a probe stands still there: others probe, fail and are retried meanwhile. */
const OPEN_MS = 1000;
/** The same where every milestone is one. */
const EACH_MS = 200;
/**
 * How long after one probe by hand the next one comes, while a device that is bound again stands still: less than that.
 */
const BETWEEN_MS = 150;
/** Rounds of probes beyond those that the milestones take: other calls take time, too. */
const MORE_ROUNDS = 4;
const MOST_ROUNDS = 60;
/** A milestone is counted by a stop that takes next to no time. */
const COUNTED_MS = 1;
const SETTLE_MS = 3000;

function stalls(device: string, functions: readonly string[], ms: number): Gate[] {
  return functions.map((name) => ({ gate: 'delay', at: { return: name, of: device }, ms }));
}

/** A cell whose record says which milestones a probe of `device` comes by, and how it takes mutexes. */
export function countingMilestones(
  from: Cell,
  device: string,
  functions: readonly string[],
  mutexes: readonly string[],
): Cell {
  const first = mutexes.map(
    (name): Gate => ({ gate: 'delay', at: { entry: name, nth: 1, during: device }, ms: COUNTED_MS }),
  );
  return { ...from, gates: [...from.gates, ...stalls(device, functions, COUNTED_MS), ...first] };
}

/** Those of `mutexes` that such a boot shows. */
export function mutexesTaken({ gates }: Outcome, mutexes: readonly string[]): string[] {
  return mutexes.filter((name) => gates.some((event) => event.verb === 'delayed' && event.device === `${name}()`));
}

/** The milestones that such a boot shows, in the order in which they are opened. */
export function milestonesOf(outcome: Outcome): Milestone[] {
  const calls = new Map<string, number>();
  const found: Milestone[] = [];
  for (const event of outcome.gates) {
    if (event.verb !== 'delayed') continue;
    const [, name] = /^(\w+)\(\):return$/.exec(event.device) ?? [];
    if (name === undefined) continue;
    const nth = (calls.get(name) ?? 0) + 1;
    calls.set(name, nth);
    found.push({ name, nth });
  }
  // Each call: pm_runtime_set_active() enables once more what pm_runtime_enable() is yet to enable.
  const published = found.filter(({ name }) => name !== 'devres_add');
  // The last resources are taken when most of the device is there.
  const taken = found.filter(({ name }) => name === 'devres_add').reverse();
  return [...published, ...taken];
}

/**
 * The other devices are held until the probe of `device` has come to `milestone`, where it stands still for a second.
 * Its own suppliers are not held, as it would wait for them.
 * @param from a cell in which the held probes are asynchronous
 */
export function opened(from: Cell, device: string, others: readonly Target[], milestone: Milestone): Cell {
  const call = { nth: milestone.nth, of: device };
  // The moment of a return is when the call goes on, and the delay is over.
  const until = { entry: milestone.name, ...call };
  const gates: Gate[] = [
    ...others.map((other): Gate => ({ gate: 'hold', at: { probe: other.device }, until })),
    { gate: 'delay', at: { return: milestone.name, ...call }, ms: OPEN_MS },
  ];
  const names = others.map((other) => other.device);
  const plan = settlingFor(withProbesAfterLoads(from.plan, names), SETTLE_MS);
  return { ...from, gates: [...from.gates, ...gates], plan };
}

/**
 * The others are held until the driver of `device` has given up for want of them, and bind before the driver core has
 * heard of it.
 */
export function missed(from: Cell, device: string, others: readonly Target[]): Cell {
  return opened(from, device, others, { name: GIVING_UP, nth: 1 });
}

/** Rounds of probes by hand in a window: what a module's device needs may be bound by then, or not. */
const ROUNDS_IN_WINDOW = 10;

/**
 * Where modules are loaded, the others may have been deferred long before: they are probed by hand when all are loaded.
 */
function withProbesAfterLoads(plan: readonly PlanStep[], others: readonly string[]): PlanStep[] {
  const last = plan.findLastIndex(({ step }) => step === 'load');
  if (last === -1) return [...plan];
  const rounds = Array.from({ length: ROUNDS_IN_WINDOW }, () => probesOf(others)).flat();
  return [...plan.slice(0, last + 1), ...rounds, ...plan.slice(last + 1)];
}

/** Each is probed by hand, one after the other. */
function probesOf(others: readonly string[]): PlanStep[] {
  return others.flatMap((other): PlanStep[] => [
    { step: 'wait', device: other, ms: BETWEEN_MS },
    { step: 'probe', device: other },
  ]);
}

/** Targets that `device` does not need, directly or through others. */
export function independentOf(device: string, targets: readonly Target[]): Target[] {
  const needed = new Set([device]);
  for (let before = 0; before !== needed.size; ) {
    before = needed.size;
    for (const target of targets)
      if (needed.has(target.device)) for (const supplier of target.suppliers) needed.add(supplier);
  }
  return targets.filter((target) => !needed.has(target.device));
}

/**
 * `device` is unbound and bound again, and stands still for a moment at every milestone, while its files are read and
 * the others are probed by hand again and again.
 */
export function boundAgainSlowly(
  from: Cell,
  device: string,
  driver: string,
  others: readonly string[],
  milestones: readonly Milestone[],
): Cell {
  // A stop where the device never comes by would leave the boot without a verdict.
  const functions = [...new Set(milestones.map(({ name }) => name))];
  const took = milestones.length * EACH_MS;
  const rounds = Math.min(MOST_ROUNDS, Math.ceil(took / (BETWEEN_MS * Math.max(1, others.length))) + MORE_ROUNDS);
  const attempts = Array.from({ length: rounds }, () => probesOf(others)).flat();
  const plan: PlanStep[] = [
    { step: 'settle', ms: SETTLE_MS },
    { step: 'unbind', driver, device },
    { step: 'beside', steps: 2, tasks: 2 },
    { step: 'bind', driver, device },
    { step: 'read', path: `/sys/bus/platform/devices/${device}`, ms: took + SETTLE_MS },
    ...attempts,
    { step: 'settle', ms: SETTLE_MS },
  ];
  return {
    ...from,
    gates: [...from.gates, ...stalls(device, functions, EACH_MS)],
    plan: [...from.plan, ...plan],
  };
}

/** How long a probe stands still wherever it takes a mutex, and less than that: how long others are let alone. */
const AT_MUTEX_MS = 40;
const ROUND_MS = 5;
/** So many that a probe that takes some 200 mutexes is accompanied to its end; a plan in a file has 1000 steps. */
const MOST_STEPS = 900;

/**
 * `device` is unbound and bound again, and stands still wherever it takes a mutex, while the others are unbound and
 * bound again all the time.
 * @param others with the drivers that had bound them; null where none had
 */
export function tornApart(
  from: Cell,
  device: string,
  driver: string,
  others: readonly { readonly device: string; readonly driver: string | null }[],
  mutexes: readonly string[],
): Cell {
  const gates = mutexes.map((name): Gate => ({ gate: 'delay', at: { entry: name, during: device }, ms: AT_MUTEX_MS }));
  const round = others.flatMap((other): PlanStep[] => [
    // Until the device itself is bound: then the rest of the rounds takes no time.
    { step: 'wait', device, ms: ROUND_MS },
    ...(other.driver === null ? [] : [{ step: 'unbind', driver: other.driver, device: other.device } as const]),
    { step: 'probe', device: other.device },
  ]);
  const rounds = Math.floor(MOST_STEPS / Math.max(1, round.length));
  const plan: PlanStep[] = [
    { step: 'settle', ms: SETTLE_MS },
    { step: 'unbind', driver, device },
    { step: 'beside', steps: 1, tasks: 1 },
    { step: 'bind', driver, device },
    ...Array.from({ length: rounds }, () => round).flat(),
    { step: 'settle', ms: SETTLE_MS },
  ];
  return { ...from, gates: [...from.gates, ...gates], plan: [...from.plan, ...plan] };
}

/** Joins the loads of `plan`, so that each is done by a task of its own. */
function loadedAtOnce(plan: readonly PlanStep[]): PlanStep[] {
  const loads = plan.filter((step) => step.step === 'load');
  const others = plan.filter((step) => step.step !== 'load');
  if (loads.length < 2) return [...plan];
  const apart: PlanStep = { step: 'beside', steps: loads.length, tasks: loads.length };
  return [apart, ...loads, { step: 'join', ms: HOLD_TIMEOUT_MS }, ...others];
}

/**
 * `module` is loaded while `device` is being added: found by its bus, and not yet through device_add().
 * @param from a cell whose modules probe asynchronously
 */
export function loadedWhileAdded(from: Cell, device: string, module: string): Cell {
  const gates: Gate[] = [
    { gate: 'hold', at: { load: module }, until: { entry: 'bus_add_device', of: device } },
    { gate: 'delay', at: { return: 'bus_add_device', of: device }, ms: OPEN_MS },
  ];
  const plan = settlingFor(loadedAtOnce(from.plan), SETTLE_MS);
  return { ...from, gates: [...from.gates, ...gates], plan };
}
