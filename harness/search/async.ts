import { DRIVER_PREFIX } from '../buses/buses.ts';
import { InputError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { didYouMean } from '../suggest.ts';
import { SETTLE_MARGIN_MS, settlingFor, withAsyncDrivers } from './conditions.ts';
import { type Difference, differenceTo, isAutoNumbered, stateOf } from './end-state.ts';
import { interleavings } from './interleavings.ts';
import { minimise } from './minimise.ts';
import { type Boot, hasVerdict, type Outcome, requireComparable } from './outcome.ts';
import { ASYNC_NAMES_MAX } from './variations.ts';

/** What changes when a driver probes asynchronously. */
interface AsyncBreak extends Difference {
  readonly driver: string;
  /** Whether `other` is a device of the driver itself. */
  readonly isOwn: boolean;
  /** The cell that shows it: no other driver is asynchronous. */
  readonly cell: Cell;
}

export interface AsyncReport {
  /** Drivers that were asked about and bound something in the first boot. */
  readonly drivers: readonly string[];
  /** Of these, those that were asynchronous, and with which every boot came to the same devices, drivers and names. */
  readonly safe: readonly string[];
  /** Those that the kernel went on to probe synchronously: PROBE_FORCE_SYNCHRONOUS, or devices that come too early. */
  readonly synchronous: readonly string[];
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
  /** Milliseconds of virtual time by which devices were late. */
  readonly lateMs: number;
  /** Drivers that were not asked, or whose boot has no verdict, and why. */
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

/**
 * How late the devices of a driver are: as long as the first boot took to bind its last device, so that who relies on
 * the driver being done finds it not done; but not as long as the deferred probe timeout of 10 s (drivers/base/dd.c).
 */
const DELAY_MIN_MS = 2000;
const DELAY_MAX_MS = 8000;
/** Interleavings in which the safe drivers are booted together. */
const TOGETHER = 5;
/** Boots that are asked for at once. */
const BATCH = 4;

/**
 * Which drivers may probe asynchronously. Each is made asynchronous alone with every device of it delayed, so that what
 * relies on its being done in time finds it late; then all that did no harm together, in several interleavings.
 * Compared are the devices that are bound, by which driver, and the names that they got.
 * @throws InputError when a driver bound nothing, InfraError when the first boot gives no verdict
 */
export async function asyncReport(request: AsyncRequest): Promise<AsyncReport> {
  const { boot, budget, seed, onProgress } = request;
  // All boots are watched for as long: the deferred probe timeout changes what is bound, too.
  const base = { ...request.base, plan: settlingFor(request.base.plan, DELAY_MAX_MS + SETTLE_MARGIN_MS) };
  let boots = 0;
  const isOwn = ({ other }: Difference, driver: string): boolean =>
    other !== null && usual.drivers.get(other) === driver;
  const run = async (cell: Cell): Promise<Outcome> => {
    boots++;
    return boot({ ...cell, id: `${base.id}.async-${boots}` });
  };
  /** As few of the drivers as show the difference without being late, as far as the budget goes. */
  const leastWith = async ({ what }: Difference, all: readonly string[], shift: number): Promise<readonly string[]> => {
    const { minimal, failed } = await minimise(all, async (some) => {
      if (boots >= budget) return 'unresolved';
      const outcome = await run({ ...base, bootargs: withAsyncDrivers(base.bootargs, some), shift });
      return differenceTo(usual, outcome, base, null)?.what === what ? 'fail' : 'pass';
    });
    return failed ? minimal : all;
  };
  const first = await run(base);
  requireComparable(first, 'the first boot, with nothing asynchronous,');
  const usual = stateOf(first);
  const lateMs = Math.min(DELAY_MAX_MS, Math.max(DELAY_MIN_MS, usual.doneMs ?? 0));
  const binding = new Set(usual.drivers.values());
  const drivers = request.drivers === 'all' ? [...binding].sort() : request.drivers;
  for (const driver of drivers)
    if (!binding.has(driver))
      throw new InputError(
        `driver ${driver} binds nothing in the first boot${didYouMean(driver, binding)}`,
        'name drivers as /sys/bus lists them',
      );

  const breaks: AsyncBreak[] = [];
  const safe: string[] = [];
  const synchronous: string[] = [];
  const unasked: { driver: string; why: string }[] = [];
  // An interleaving with a difference is booted again with nothing asynchronous.
  const affordable = Math.max(0, budget - 2 * TOGETHER - boots);
  const askable = drivers.filter((driver) => !driver.includes(','));
  const usedUp = `the budget is used up (--budget ${askable.length + 2 * TOGETHER + 1} is enough for all)`;
  for (const driver of drivers)
    if (driver.includes(',')) unasked.push({ driver, why: 'driver_async_probe= separates names by commas' });
  for (const driver of askable.slice(affordable)) unasked.push({ driver, why: usedUp });
  const asked = askable.slice(0, affordable);
  for (let from = 0; from < asked.length; from += BATCH) {
    const batch = asked.slice(from, from + BATCH).map((driver) => {
      const devices = [...usual.drivers].flatMap(([device, by]) => (by === driver ? [device] : []));
      return { driver, cell: late(base, driver, devices.filter(usual.gated), lateMs) };
    });
    const outcomes = await Promise.all(batch.map(({ cell }) => run(cell)));
    for (const [place, { driver, cell }] of batch.entries()) {
      const outcome = outcomes[place];
      const found = outcome === undefined ? null : differenceTo(usual, outcome, base, driver);
      if (outcome !== undefined && !hasVerdict(outcome))
        unasked.push({ driver, why: `its boot has no verdict: ${outcome.reason}` });
      else if (found !== null) breaks.push({ driver, ...found, isOwn: isOwn(found, driver), cell });
      else if (outcome === undefined || stateOf(outcome).asynchronous?.has(driver) !== false) safe.push(driver);
      else synchronous.push(driver);
      onProgress?.(`${driver}: ${found === null ? 'no difference' : found.what}`, boots);
    }
  }
  const listed = safe.filter((_, place) => safe.slice(0, place + 1).join().length < ASYNC_NAMES_MAX);
  const all = { ...base, bootargs: withAsyncDrivers(base.bootargs, listed) };
  const shifts = safe.length === 0 ? [] : interleavings(base, TOGETHER, seed);
  let same = 0;
  let msAfter: number | null = null;
  const broken: (Difference & { readonly shift: number })[] = [];
  const outcomes = await Promise.all(shifts.map((shift) => run({ ...all, shift })));
  for (const [place, outcome] of outcomes.entries()) {
    const shift = shifts[place] ?? base.shift;
    const found = differenceTo(usual, outcome, base, null);
    // Another interleaving may come to another end by itself.
    const isUsual =
      found !== null && differenceTo(stateOf(await run({ ...base, shift })), outcome, base, null) === null;
    if (found === null || isUsual) same++;
    else if (hasVerdict(outcome)) {
      const known = [...breaks, ...broken].some(({ what }) => what === found.what);
      if (!known) broken.push({ ...found, shift });
    }
    if (shift === base.shift) msAfter = stateOf(outcome).doneMs;
  }
  // Once all interleavings have had their boots.
  for (const { shift, ...found } of broken) {
    const least = await leastWith(found, listed, shift);
    const cell = { ...base, bootargs: withAsyncDrivers(base.bootargs, least), shift };
    breaks.push({ driver: least.join(','), ...found, isOwn: false, cell });
  }
  return {
    drivers,
    safe,
    synchronous,
    breaks,
    together: { drivers: listed.length, boots: shifts.length, same },
    msBefore: usual.doneMs,
    msAfter,
    boots,
    lateMs,
    unasked,
  };
}

/** `base` with one driver asynchronous, and its devices so late that whoever relies on them finds them missing. */
function late(base: Cell, driver: string, devices: readonly string[], ms: number): Cell {
  // What others do first may give a device another number.
  const held = new Set(devices.map((device) => (isAutoNumbered(device) ? `${DRIVER_PREFIX}${driver}` : device)));
  return {
    ...base,
    bootargs: withAsyncDrivers(base.bootargs, [driver]),
    gates: [...base.gates, ...[...held].map((device) => ({ gate: 'delay', device, ms }) as const)],
  };
}
