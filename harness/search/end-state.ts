import type { DmesgEvent } from '../dmesg/events.ts';
import type { Cell } from '../model/cell.ts';
import { causeOf, crashOf } from './cause.ts';
import { hasVerdict, type Outcome, passes } from './outcome.ts';

/** What a boot came to, as far as it must not depend on who came first. */
export interface EndState {
  readonly verdict: Outcome['verdict'];
  readonly signature: string | null;
  /** Driver by device, of those that are bound in the end. */
  readonly drivers: ReadonlyMap<string, string>;
  /** Device by class and name: `tty ttyAMA0`. */
  readonly names: ReadonlyMap<string, string>;
  /** Virtual milliseconds until the last device was bound. */
  readonly doneMs: number | null;
  /** Drivers that probed a device by another task; null where the log does not tell of probes. */
  readonly asynchronous: ReadonlySet<string> | null;
  /** Whether a gate can stand before the device's probe: the driver core announced it. */
  readonly gated: (device: string) => boolean;
}

/** Something that is not as usual. */
export interface Difference {
  /** The device that came to another end; null where the log does not tell. */
  readonly other: string | null;
  /** What became of it, one sentence. */
  readonly what: string;
}

const US_PER_MS = 1000;

export function stateOf({ verdict, signature, events }: Pick<Outcome, 'verdict' | 'signature' | 'events'>): EndState {
  const drivers = new Map<string, string>();
  const names = new Map<string, string>();
  const probed = new Set<string>();
  const byOthers = new Set<string>();
  const asynchronous = new Set<string>();
  let doneUs: number | null = null;
  for (const event of events) {
    if (event.event === 'probe-entered') probed.add(event.device);
    if (event.event === 'probe-async') byOthers.add(event.device);
    if (event.event === 'probe-async' && event.driver !== null) asynchronous.add(event.driver);
    if (event.event === 'bound' && event.time !== null) doneUs = event.time;
    noteReport(event, drivers, names);
  }
  for (const [device, driver] of drivers) if (byOthers.has(device)) asynchronous.add(driver);
  return {
    asynchronous: probed.size === 0 ? null : asynchronous,
    verdict,
    signature,
    drivers,
    names,
    doneMs: doneUs === null ? null : Math.round(doneUs / US_PER_MS),
    gated: (device) => probed.has(device),
  };
}

/** What the guest's init says at the end of its plan. */
function noteReport(event: DmesgEvent, drivers: Map<string, string>, names: Map<string, string>): void {
  if (event.event !== 'agent') return;
  const [first = '', second = '', third = ''] = event.words;
  if (event.verb === 'bound') drivers.set(first, second);
  if (event.verb === 'name') names.set(`${first} ${second}`, third);
}

/** The first thing that is not as usual, the worst first; null where everything is. */
export function differenceTo(usual: EndState, outcome: Outcome, base: Cell): Difference | null {
  if (!hasVerdict(outcome)) return { other: null, what: `no verdict: ${outcome.reason}` };
  const crash = crashOf(outcome);
  if (crash !== undefined && outcome.signature !== usual.signature) {
    const cause = causeOf(outcome, [...usual.drivers.keys()], base.gates);
    return { other: cause.probing?.device ?? null, what: crash.title };
  }
  const state = stateOf(outcome);
  const usualAs = identities(usual);
  const nowAs = identities(state);
  const drivers = new Map(Array.from(state.drivers, ([device, driver]) => [nowAs(device), driver]));
  for (const [device, by] of usual.drivers) {
    const now = drivers.get(usualAs(device));
    if (now === undefined) return { other: device, what: `${device} is not bound` };
    if (now !== by) return { other: device, what: `${device} is bound by ${now}, and not by ${by}` };
  }
  for (const [name, device] of usual.names) {
    const now = state.names.get(name);
    if (now === undefined || nowAs(now) !== usualAs(device))
      return { other: device, what: `${name} is ${now ?? 'gone'}, and not ${device}` };
  }
  return passes(outcome) || outcome.verdict === usual.verdict
    ? null
    : { other: null, what: `${outcome.verdict}: ${outcome.reason}` };
}

/** A device whose number is the next free one of all such devices (drivers/base/platform.c, PLATFORM_DEVID_AUTO). */
const AUTO = /^(.+)\.(\d+)\.auto$/;
/**
 * Names that begin with the number of a controller, and which of the names that controller has: I2C clients
 * (drivers/i2c/i2c-core-base.c, i2c_dev_set_name()), MMC cards (drivers/mmc/core/bus.c, mmc_add_card()) and SPI devices
 * (drivers/spi/spi.c, spi_dev_set_name()).
 */
const BEHIND: readonly (readonly [RegExp, (controller: string) => string])[] = [
  [/^(\d+)-([0-9a-f]{4})$/, (number) => `i2c-adapter i2c-${number}`],
  [/^(mmc\d+):(.+)$/, (host) => `mmc_host ${host}`],
  [/^(spi\d+)\.(\d+)$/, (master) => `spi_master ${master}`],
];

/** Whether a device's name has a number that depends on which others were made before it, and means nothing. */
export function isAutoNumbered(device: string): boolean {
  return AUTO.test(device);
}

/**
 * What a device is called whatever its number: `alarmtimer.3.auto` is the first of that name, be it the fourth device
 * with such a number or the sixth; what is behind a controller is called by that controller's device (that controllers
 * have other numbers is among the names).
 */
function identities({ drivers, names }: Pick<EndState, 'drivers' | 'names'>): (device: string) => string {
  const numbers = new Map<string, number[]>();
  for (const device of new Set([...drivers.keys(), ...names.values()])) {
    const [, base, number] = AUTO.exec(device) ?? [];
    if (base !== undefined) numbers.set(base, [...(numbers.get(base) ?? []), Number(number)]);
  }
  const identity = (device: string): string => {
    const [, base, number] = AUTO.exec(device) ?? [];
    if (base !== undefined) {
      const rank = (numbers.get(base) ?? []).filter((other) => other < Number(number)).length;
      return `${base}.auto ${rank}`;
    }
    for (const [form, nameOf] of BEHIND) {
      const [, controller, place] = form.exec(device) ?? [];
      const name = controller === undefined ? null : nameOf(controller);
      const parent = name === null ? undefined : names.get(name);
      if (name === null || parent === undefined) continue;
      // A multiplexer, or a device with two buses, has several.
      const own = [...names].flatMap(([other, of]) => (of === parent && kindOf(other) === kindOf(name) ? [other] : []));
      return `${identity(parent)} ${own.sort(byNumber).indexOf(name)} ${place}`;
    }
    return device;
  };
  return identity;
}

/** `i2c-adapter` of `i2c-adapter i2c-3`. */
function kindOf(name: string): string {
  return name.slice(0, name.indexOf(' '));
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
