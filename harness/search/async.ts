import { DRIVER_PREFIX } from '../buses/buses.ts';
import { InputError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { didYouMean } from '../suggest.ts';
import { SETTLE_MARGIN_MS, settlingFor, withAsyncDrivers } from './conditions.ts';
import { type Difference, differenceTo, type EndState, isAutoNumbered, stateOf } from './end-state.ts';
import { interleavings } from './interleavings.ts';
import { minimise } from './minimise.ts';
import { type Boot, hasVerdict, isBroken, type Outcome, requireComparable } from './outcome.ts';
import { withTimeout } from './timeout.ts';
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
   * Those with which something is lost to the deferred probe timeout alone, since their devices are so late: with a
   * longer one every boot came to the same.
   */
  readonly timedOut: readonly (Difference & { readonly driver: string })[];
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
/** A deferred_probe_timeout, in seconds, that devices are not late enough for, however often they are retried. */
export const PATIENT_S = 60;
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
  const { seed, onProgress } = request;
  const boots = new AsyncBoots(request);
  const usual = await boots.first();
  const lateMs = Math.min(DELAY_MAX_MS, Math.max(DELAY_MIN_MS, usual.doneMs ?? 0));
  const binding = new Set(usual.drivers.values());
  const drivers = request.drivers === 'all' ? [...binding].sort() : request.drivers;
  for (const driver of drivers)
    if (!binding.has(driver))
      throw new InputError(
        `driver ${driver} binds nothing in the first boot${didYouMean(driver, binding)}`,
        'name drivers as /sys/bus lists them',
      );
  const alone = await askEach(drivers, lateMs, boots, onProgress);
  const { breaks, ...together } = await askTogether(alone.safe, alone.breaks, seed, boots);
  return {
    drivers,
    ...alone,
    breaks: [...alone.breaks, ...breaks],
    ...together,
    msBefore: usual.doneMs,
    boots: boots.count,
    lateMs,
  };
}

/** `why` is null when the budget is used up. */
type Patient = { readonly difference: Difference | null; readonly cell: Cell } | { readonly why: string | null };

/** The boots of one report, within its budget, and what they are compared with. */
class AsyncBoots {
  readonly base: Cell;
  readonly budget: number;
  count = 0;
  /** Something was lost to the deferred probe timeout, so that a driver may take two boots. */
  isAnyLate = false;
  readonly #boot: Boot;
  #usual: EndState | null = null;
  #patient: Promise<Outcome> | null = null;
  #givenUp: ReadonlySet<string> = new Set();

  constructor({ base, boot, budget }: AsyncRequest) {
    // All boots are watched for as long: the deferred probe timeout changes what is bound, too.
    this.base = { ...base, plan: settlingFor(base.plan, DELAY_MAX_MS + SETTLE_MARGIN_MS) };
    this.budget = budget;
    this.#boot = boot;
  }

  /** How many boots may be made before those of all drivers together. */
  get left(): number {
    // An interleaving with a difference is booted again with nothing asynchronous.
    return Math.max(0, this.budget - 2 * TOGETHER - this.count);
  }

  get usual(): EndState {
    if (this.#usual === null) throw new Error('nothing has been booted');
    return this.#usual;
  }

  async first(): Promise<EndState> {
    const first = await this.run(this.base);
    requireComparable(first, 'the first boot, with nothing asynchronous,');
    this.#givenUp = givenUpIn(first);
    this.#usual = stateOf(first);
    return this.#usual;
  }

  async run(cell: Cell): Promise<Outcome> {
    this.count++;
    return this.#boot({ ...cell, id: `${this.base.id}.async-${this.count}` });
  }

  differenceOf(outcome: Outcome): Difference | null {
    return differenceTo(this.usual, outcome, this.base);
  }

  /** Whether the deferred probe timeout ends a wait that it does not end in the first boot. */
  losesToTimeout(outcome: Outcome): boolean {
    return [...givenUpIn(outcome)].some((device) => !this.#givenUp.has(device));
  }

  /** What differs where nobody is given up because others are late, with the cell; or why that is not known. */
  async patiently(cell: Cell): Promise<Patient> {
    this.isAnyLate = true;
    if (this.left < (this.#patient === null ? 2 : 1)) return { why: null };
    this.#patient ??= this.run(withTimeout(this.base, PATIENT_S));
    const late = withTimeout(cell, PATIENT_S);
    const [base, outcome] = await Promise.all([this.#patient, this.run(late)]);
    for (const one of [base, outcome])
      if (!hasVerdict(one))
        return { why: `its boot with deferred_probe_timeout=${PATIENT_S} has no verdict: ${one.reason}` };
    if (isBroken(base))
      return { why: `with deferred_probe_timeout=${PATIENT_S} nothing asynchronous ends in ${base.verdict}` };
    return { difference: differenceTo(stateOf(base), outcome, this.base), cell: late };
  }

  /** As few of the drivers as show the difference without being late, as far as the budget goes. */
  async leastWith({ what }: Difference, all: readonly string[], shift: number): Promise<readonly string[]> {
    const { minimal, failed } = await minimise(all, async (some) => {
      if (this.count >= this.budget) return 'unresolved';
      const outcome = await this.run({ ...this.base, bootargs: withAsyncDrivers(this.base.bootargs, some), shift });
      return this.differenceOf(outcome)?.what === what ? 'fail' : 'pass';
    });
    return failed ? minimal : all;
  }
}

/** Devices that go on without a supplier when the deferred probe timeout is over. */
function givenUpIn({ events }: Outcome): ReadonlySet<string> {
  return new Set(events.flatMap((event) => (event.event === 'deferral-timeout' ? [event.device] : [])));
}

type Alone = Pick<AsyncReport, 'safe' | 'synchronous' | 'breaks' | 'timedOut' | 'unasked'>;

/** Each driver asynchronous alone, and late. */
async function askEach(
  drivers: readonly string[],
  lateMs: number,
  boots: AsyncBoots,
  onProgress: AsyncRequest['onProgress'],
): Promise<Alone> {
  const { base, usual } = boots;
  const breaks: AsyncBreak[] = [];
  const timedOut: (Difference & { driver: string })[] = [];
  const safe: string[] = [];
  const synchronous: string[] = [];
  const unasked: { driver: string; why: string }[] = [];
  const askable = drivers.filter((driver) => !driver.includes(','));
  for (const driver of drivers)
    if (driver.includes(',')) unasked.push({ driver, why: 'driver_async_probe= separates names by commas' });
  const left: string[] = [];
  for (let from = 0; from < askable.length; ) {
    const affordable = Math.min(BATCH, boots.left);
    if (affordable === 0) {
      left.push(...askable.slice(from));
      break;
    }
    const batch = askable.slice(from, from + affordable).map((driver) => {
      const devices = [...usual.drivers].flatMap(([device, by]) => (by === driver ? [device] : []));
      return { driver, cell: late(base, driver, devices.filter(usual.gated), lateMs) };
    });
    from += batch.length;
    const outcomes = await Promise.all(
      batch.map(async ({ driver, cell }) => ({ driver, cell, outcome: await boots.run(cell) })),
    );
    const asked = await Promise.all(
      outcomes.map(async (one) => {
        const found = boots.differenceOf(one.outcome);
        const mayBeLate = found !== null && hasVerdict(one.outcome) && boots.losesToTimeout(one.outcome);
        const patient = mayBeLate ? await boots.patiently(one.cell) : null;
        return { ...one, found, patient: patient ?? { difference: found, cell: one.cell } };
      }),
    );
    for (const { driver, outcome, found, patient } of asked) {
      if (!hasVerdict(outcome)) unasked.push({ driver, why: `its boot has no verdict: ${outcome.reason}` });
      else if ('why' in patient && patient.why === null) left.push(driver);
      else if ('why' in patient) unasked.push({ driver, why: patient.why ?? '' });
      else if (patient.difference !== null) {
        const isOwn = patient.difference.other !== null && usual.drivers.get(patient.difference.other) === driver;
        breaks.push({ driver, ...patient.difference, isOwn, cell: patient.cell });
      } else if (found !== null) timedOut.push({ driver, ...found });
      else if (stateOf(outcome).asynchronous?.has(driver) !== false) safe.push(driver);
      else synchronous.push(driver);
      onProgress?.(`${driver}: ${found === null ? 'no difference' : found.what}`, boots.count);
    }
  }
  const once = askable.length + 1;
  const [few, most] = [once + 2 * TOGETHER, 2 * once + 2 * TOGETHER];
  // Each may be lost to the deferred probe timeout, and is then booted twice.
  const enough = boots.isAnyLate
    ? `--budget ${most} is enough for all`
    : `--budget ${few} to ${most} is enough for all`;
  for (const driver of left) unasked.push({ driver, why: `the budget is used up (${enough})` });
  return { safe, synchronous, breaks, timedOut, unasked };
}

/** As many of the safe drivers as the kernel takes names, in several interleavings; what breaks only so is reduced. */
async function askTogether(
  safe: readonly string[],
  known: readonly Difference[],
  seed: number,
  boots: AsyncBoots,
): Promise<Pick<AsyncReport, 'breaks' | 'together' | 'msAfter'>> {
  const { base } = boots;
  const listed = safe.filter((_, place) => safe.slice(0, place + 1).join().length < ASYNC_NAMES_MAX);
  const all = { ...base, bootargs: withAsyncDrivers(base.bootargs, listed) };
  const shifts = safe.length === 0 ? [] : interleavings(base, TOGETHER, seed);
  let same = 0;
  let msAfter: number | null = null;
  const broken: (Difference & { readonly shift: number })[] = [];
  const outcomes = await Promise.all(
    shifts.map(async (shift) => ({ shift, outcome: await boots.run({ ...all, shift }) })),
  );
  for (const { shift, outcome } of outcomes) {
    const found = boots.differenceOf(outcome);
    // Another interleaving may come to another end by itself; without a verdict it tells nothing.
    const reference = found === null ? null : await boots.run({ ...base, shift });
    if (found === null || reference === null) same++;
    else if (hasVerdict(outcome) && hasVerdict(reference)) {
      if (differenceTo(stateOf(reference), outcome, base) === null) same++;
      else if (![...known, ...broken].some(({ what }) => what === found.what)) broken.push({ ...found, shift });
    }
    if (shift === base.shift) msAfter = stateOf(outcome).doneMs;
  }
  const breaks: AsyncBreak[] = [];
  // Once all interleavings have had their boots.
  for (const { shift, ...found } of broken) {
    const least = await boots.leastWith(found, listed, shift);
    const cell = { ...base, bootargs: withAsyncDrivers(base.bootargs, least), shift };
    breaks.push({ driver: least.join(','), ...found, isOwn: false, cell });
  }
  return { breaks, together: { drivers: listed.length, boots: shifts.length, same }, msAfter };
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
