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

/**
 * The first thing that is not as usual, the worst first; null where everything is. `exempt`: a driver that may bind to
 * devices of others.
 */
export function differenceTo(usual: EndState, outcome: Outcome, base: Cell, exempt: string | null): Difference | null {
  if (!hasVerdict(outcome)) return { other: null, what: `no verdict: ${outcome.reason}` };
  const crash = crashOf(outcome);
  if (crash !== undefined && outcome.signature !== usual.signature) {
    const cause = causeOf(outcome, [...usual.drivers.keys()], base.gates);
    return { other: cause.probing?.device ?? null, what: crash.title };
  }
  const state = stateOf(outcome);
  for (const [device, by] of usual.drivers) {
    const now = state.drivers.get(device);
    if (now === undefined) return { other: device, what: `${device} is not bound` };
    if (now !== by && by !== exempt) return { other: device, what: `${device} is bound by ${now}, and not by ${by}` };
  }
  for (const [name, device] of usual.names) {
    const now = state.names.get(name);
    if (now !== device) return { other: device, what: `${name} is ${now ?? 'gone'}, and not ${device}` };
  }
  return passes(outcome) || outcome.verdict === usual.verdict
    ? null
    : { other: null, what: `${outcome.verdict}: ${outcome.reason}` };
}
