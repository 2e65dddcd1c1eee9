import type { DmesgEvent } from '../dmesg/events.ts';
import { InfraError, InputError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { type Boot, hasVerdict, type Outcome, passes } from './boot.ts';
import { causeOf, crashOf } from './cause.ts';
import { settlingFor, withAsyncDrivers } from './conditions.ts';
import { interleavings } from './interleavings.ts';
import { ASYNC_NAMES_MAX } from './variations.ts';

/** What changes when a driver probes asynchronously. */
interface AsyncBreak {
  readonly driver: string;
  /** The device that came to another end; null where the log does not tell. */
  readonly other: string | null;
  /** What became of it, one sentence. */
  readonly what: string;
  /** The cell that shows it: no other driver is asynchronous. */
  readonly cell: Cell;
}

export interface AsyncReport {
  /** Drivers that were asked about and bound something in the first boot. */
  readonly drivers: readonly string[];
  /** Of these, those with which every boot came to the same devices, drivers and names. */
  readonly safe: readonly string[];
  readonly breaks: readonly AsyncBreak[];
  /**
   * Boots with the safe drivers asynchronous, as many of them as the kernel takes names, in as many interleavings; and
   * how many came to the same.
   */
  readonly together: { readonly drivers: number; readonly boots: number; readonly same: number };
  /** Virtual milliseconds until the last device was bound: as it is, and with the safe drivers asynchronous. */
  readonly msBefore: number | null;
  readonly msAfter: number | null;
  readonly boots: number;
  /** Drivers that were not asked, and why. */
  readonly unasked: readonly { readonly driver: string; readonly why: string }[];
}

interface AsyncRequest {
  readonly base: Cell;
  /** `all`: every driver that binds a device in the first boot. */
  readonly drivers: readonly string[] | 'all';
  readonly boot: Boot;
  readonly budget: number;
  readonly seed: number;
  readonly onProgress?: (what: string, boots: number) => void;
}

/** Longer than any probe of a boot: who relies on a driver being done finds it not done. */
const DELAY_MS = 2000;
const SETTLE_MARGIN_MS = 1000;
/** Interleavings in which the safe drivers are booted together. */
const TOGETHER = 5;
const US_PER_MS = 1000;

/**
 * Which drivers may probe asynchronously. Each is made asynchronous alone with every device of it delayed, so that what
 * relies on its being done in time finds it late; then all that did no harm together, in several interleavings.
 * Compared are the devices that are bound, by which driver, and the names that they got.
 * @throws InputError when a driver bound nothing, InfraError when the first boot gives no verdict
 */
export async function asyncReport(request: AsyncRequest): Promise<AsyncReport> {
  const { base, boot, budget, seed, onProgress } = request;
  let boots = 0;
  const run = async (cell: Cell): Promise<Outcome> => {
    boots++;
    return boot({ ...cell, id: `${base.id}.async-${boots}` });
  };
  const first = await run(base);
  if (!hasVerdict(first)) throw new InfraError(`the first boot has no verdict: ${first.reason}`);
  if (!passes(first))
    throw new InputError(`the first boot, with nothing asynchronous, ends in ${first.verdict}: ${first.reason}`);
  const usual = stateOf(first.events);
  const drivers = request.drivers === 'all' ? [...new Set(usual.drivers.values())].sort() : request.drivers;
  for (const driver of drivers)
    if (![...usual.drivers.values()].includes(driver))
      throw new InputError(`driver ${driver} binds nothing in the first boot`, 'name drivers as /sys/bus lists them');

  const breaks: AsyncBreak[] = [];
  const safe: string[] = [];
  const unasked: { driver: string; why: string }[] = [];
  for (const driver of drivers) {
    const why = driver.includes(',')
      ? 'driver_async_probe= separates names by commas'
      : boots >= budget - TOGETHER
        ? 'the budget is used up'
        : null;
    if (why !== null) {
      unasked.push({ driver, why });
      continue;
    }
    const devices = [...usual.drivers].flatMap(([device, by]) => (by === driver ? [device] : []));
    const cell = late(
      base,
      driver,
      devices.filter((device) => usual.gated(device)),
    );
    const found = difference(driver, await run(cell), usual, base);
    if (found === null) safe.push(driver);
    else breaks.push({ driver, ...found, cell });
    onProgress?.(`${driver}: ${found === null ? 'no difference' : found.what}`, boots);
  }
  const listed = safe.filter((_, place) => safe.slice(0, place + 1).join().length < ASYNC_NAMES_MAX);
  const all = { ...base, bootargs: withAsyncDrivers(base.bootargs, listed) };
  const shifts = safe.length === 0 ? [] : interleavings(TOGETHER, base.shift, seed);
  let same = 0;
  let msAfter: number | null = null;
  for (const shift of shifts) {
    const outcome = await run({ ...all, shift });
    const found = difference(null, outcome, usual, base);
    if (found === null) same++;
    else breaks.push({ driver: listed.join(','), ...found, cell: { ...all, shift } });
    if (shift === base.shift) msAfter = stateOf(outcome.events).doneMs;
  }
  return {
    drivers,
    safe,
    breaks,
    together: { drivers: listed.length, boots: shifts.length, same },
    msBefore: usual.doneMs,
    msAfter,
    boots,
    unasked,
  };
}

/** `base` with one driver asynchronous, and its devices so late that whoever relies on them finds them missing. */
function late(base: Cell, driver: string, devices: readonly string[]): Cell {
  return {
    ...base,
    bootargs: withAsyncDrivers(base.bootargs, [driver]),
    gates: [...base.gates, ...devices.map((device) => ({ gate: 'delay', device, ms: DELAY_MS }) as const)],
    plan: settlingFor(base.plan, DELAY_MS + SETTLE_MARGIN_MS),
  };
}

interface State {
  /** Driver by device, of those that are bound in the end. */
  readonly drivers: ReadonlyMap<string, string>;
  /** Device by class and name: `tty ttyAMA0`. */
  readonly names: ReadonlyMap<string, string>;
  readonly doneMs: number | null;
  /** Whether a gate can stand before the device's probe: the driver core announced it. */
  readonly gated: (device: string) => boolean;
}

function stateOf(events: readonly DmesgEvent[]): State {
  const drivers = new Map<string, string>();
  const names = new Map<string, string>();
  const probed = new Set<string>();
  let doneUs: number | null = null;
  for (const event of events) {
    if (event.event === 'probe-entered') probed.add(event.device);
    if (event.event === 'bound' && event.time !== null) doneUs = event.time;
    if (event.event !== 'agent') continue;
    const [first = '', second = '', third = ''] = event.words;
    if (event.verb === 'bound') drivers.set(first, second);
    if (event.verb === 'name') names.set(`${first} ${second}`, third);
  }
  return {
    drivers,
    names,
    doneMs: doneUs === null ? null : Math.round(doneUs / US_PER_MS),
    gated: (device) => probed.has(device),
  };
}

/** The first thing that is not as usual, the worst first; null where everything is. */
function difference(
  driver: string | null,
  outcome: Outcome,
  usual: State,
  base: Cell,
): { readonly other: string | null; readonly what: string } | null {
  if (!hasVerdict(outcome)) return { other: null, what: `no verdict: ${outcome.reason}` };
  const crash = crashOf(outcome);
  if (crash !== undefined) {
    const cause = causeOf(outcome, [...usual.drivers.keys()], base.gates);
    return { other: cause.probing?.device ?? null, what: crash.title };
  }
  const state = stateOf(outcome.events);
  for (const [device, by] of usual.drivers) {
    const now = state.drivers.get(device);
    // Whoever is delayed may have been told of as bound before; it is not what breaks.
    if (now === undefined) return { other: device, what: `${device} is not bound` };
    if (now !== by && by !== driver) return { other: device, what: `${device} is bound by ${now}, and not by ${by}` };
  }
  for (const [name, device] of usual.names) {
    const now = state.names.get(name);
    if (now !== device) return { other: device, what: `${name} is ${now ?? 'gone'}, and not ${device}` };
  }
  return passes(outcome) ? null : { other: null, what: `${outcome.verdict}: ${outcome.reason}` };
}
