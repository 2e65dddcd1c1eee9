import type { DmesgEvent } from '../dmesg/events.ts';
import type { GateEvent } from '../firmware/gate-log.ts';
import { type Gate, isShort } from '../model/gate.ts';

type ProbeGateEvent = Extract<GateEvent, { readonly device: string }>;

/** One recorded thing: a line of the kernel's log or of the firmware's. */
export type Recorded =
  | { readonly from: 'kernel'; readonly event: DmesgEvent }
  | { readonly from: 'firmware'; readonly event: ProbeGateEvent };

/** What became of one device's probe in one boot. Numbers are places in the timeline. */
export interface ProbeLife {
  readonly device: string;
  readonly driver: string | null;
  /** Where the driver's probe function began the first time, after every gate; null when it never did. */
  readonly started: number | null;
  /** Where the device was bound. */
  readonly bound: number | null;
  /** Every deferral, in their order. */
  readonly deferrals: readonly Deferral[];
}

interface Deferral {
  readonly at: number;
  /** The driver's probe returned -EPROBE_DEFER, or the driver core did not even call it. */
  readonly by: 'driver' | 'core';
  readonly reason: string | null;
}

/** How device_links_check_suppliers() says that it holds a device back (drivers/base/core.c, 5.10 to 6.12). */
const SUPPLIER_REASON = /^(?:wait for supplier (\S+)|supplier (\S+) not ready)/;

/** The device or device tree node that a deferral's reason says is waited for, or null where it does not say so. */
export function supplierIn(reason: string | null): string | null {
  const [, node, device] = SUPPLIER_REASON.exec(reason ?? '') ?? [];
  return node ?? device ?? null;
}

/**
 * Both logs of a boot in one order. The firmware counts from the machine's start and printk from the moment it has a
 * clock; what they say about one device's probe tells how far the two are apart.
 */
export function timeline(events: readonly DmesgEvent[], gates: readonly GateEvent[]): Recorded[] {
  const probes = gates.filter((gate): gate is ProbeGateEvent => 'device' in gate);
  const distance = clockDistance(events, probes);
  const merged: Recorded[] = [];
  let next = 0;
  const upTo = (time: number): void => {
    for (let gate = probes[next]; gate !== undefined && gate.time - distance < time; gate = probes[++next]) {
      merged.push({ from: 'firmware', event: gate });
    }
  };
  for (const event of events) {
    if (event.time !== null) upTo(event.time);
    merged.push({ from: 'kernel', event });
  }
  upTo(Number.POSITIVE_INFINITY);
  return merged;
}

/**
 * Microseconds from printk's zero to the firmware's. The kernel prints "probing driver" before it calls
 * platform_probe(), where the firmware's first line about a device comes from, and "bound" after platform_probe() has
 * returned, which the firmware calls finished (6.1, really_probe()): the distance lies between the two.
 */
function clockDistance(events: readonly DmesgEvent[], gates: readonly ProbeGateEvent[]): number {
  let most = Number.POSITIVE_INFINITY;
  let least = Number.NEGATIVE_INFINITY;
  for (const device of new Set(gates.map((gate) => gate.device))) {
    const first = gates.find((gate) => gate.device === device);
    const finished = gates.find((gate) => gate.device === device && gate.verb === 'finished');
    const entered = firstTime(events, 'probe-entered', device);
    const bound = firstTime(events, 'bound', device);
    if (first !== undefined && entered !== null) most = Math.min(most, first.time - entered);
    if (finished !== undefined && bound !== null) least = Math.max(least, finished.time - bound);
  }
  if (!Number.isFinite(most)) return Number.isFinite(least) ? least : 0;
  return Number.isFinite(least) ? (least + most) / 2 : most;
}

function firstTime(events: readonly DmesgEvent[], kind: 'probe-entered' | 'bound', device: string): number | null {
  return events.find((event) => event.event === kind && event.device === device)?.time ?? null;
}

/**
 * The probe lives of `devices`, in the order given, in a boot with `gates`. A device that another one waits for begins
 * when the firmware says so: between the kernel's "probing driver" and the driver's probe, really_probe() may still
 * defer it for want of an IOMMU or of pins.
 */
export function probeLives(
  recorded: readonly Recorded[],
  devices: readonly string[],
  gates: readonly Gate[],
): Map<string, ProbeLife> {
  const watched = new Set(gates.flatMap((gate) => (isShort(gate, 'hold') ? [gate.until] : [])));
  const lives = new Map(devices.map((device) => [device, new LifeReader(device, watched.has(device))]));
  for (const [at, entry] of recorded.entries()) {
    if (!('device' in entry.event)) continue;
    const life = lives.get(entry.event.device);
    if (entry.from === 'kernel') life?.takeKernel(at, entry.event);
    else life?.takeFirmware(at, entry.event);
  }
  return new Map([...lives].map(([device, reader]) => [device, reader.life()]));
}

/**
 * -EPROBE_DEFER as `probe of X returned` has it where really_probe() has not called the driver; what a driver itself
 * returns is printed as a positive number (6.1) or not at all (5.10, drivers/base/dd.c).
 */
const HELD_BACK = -517;

class LifeReader {
  readonly #device: string;
  readonly #watched: boolean;
  readonly #deferrals: Deferral[] = [];
  #driver: string | null = null;
  #started: number | null = null;
  #bound: number | null = null;
  /** The driver's probe has returned once, so that nothing later can be its beginning. */
  #returned = false;
  /** What is known of the attempt under way: one deferral may be spoken of in several lines. */
  #attempt: 'open' | 'refused' | 'deferred' = 'open';

  constructor(device: string, watched: boolean) {
    this.#device = device;
    this.#watched = watched;
  }

  takeKernel(at: number, event: Extract<DmesgEvent, { readonly device: string }>): void {
    this.#driver ??= event.driver;
    switch (event.event) {
      case 'matched':
      case 'retried':
        this.#attempt = 'open';
        break;
      case 'probe-entered':
        this.#attempt = 'open';
        if (this.#started === null && !this.#watched) this.#started = at;
        break;
      case 'deferred':
        this.#takeDeferral(at, event.by, event.reason);
        break;
      case 'probe-returned':
        // The other lines may be missing: a device that is on the list already is not added once more.
        if (event.value === HELD_BACK) this.#takeDeferral(at, 'supplier', null);
        break;
      case 'bound':
        this.#bound ??= at;
        this.#returned = true;
        break;
      case 'probe-failed':
        this.#returned ||= this.#started !== null;
        break;
      default:
        break;
    }
  }

  /**
   * The kernel says "requests probe deferral" when a driver does (call_driver_probe()). A deferral without that line is
   * the core's own: of really_probe() before it calls the driver, for want of a supplier, an IOMMU or pins.
   */
  #takeDeferral(at: number, said: 'driver' | 'supplier' | 'unknown', reason: string | null): void {
    if (this.#attempt === 'deferred') return;
    const held = said === 'supplier' || supplierIn(reason) !== null;
    const by = !held && (said === 'driver' || this.#attempt === 'refused') ? 'driver' : 'core';
    this.#attempt = 'deferred';
    this.#deferrals.push({ at, by, reason });
    if (by === 'driver') this.#returned = true;
    else if (!this.#returned) this.#started = null;
  }

  takeFirmware(at: number, event: ProbeGateEvent): void {
    if (event.verb === 'refused') this.#attempt = 'refused';
    if (this.#returned) return;
    switch (event.verb) {
      // The kernel has announced the probe, and a gate stands before it.
      case 'held':
      case 'delayed':
        this.#started = null;
        break;
      case 'released':
      case 'timed-out':
        if (!this.#watched) this.#started = at;
        break;
      case 'entered':
        this.#started ??= at;
        break;
      case 'finished':
      case 'refused':
        this.#returned = true;
        break;
    }
  }

  life(): ProbeLife {
    return {
      device: this.#device,
      driver: this.#driver,
      started: this.#started,
      bound: this.#bound,
      deferrals: this.#deferrals,
    };
  }
}

/**
 * From where on the kernel does without suppliers that it has waited for in vain: deferred_probe_timeout_work_func()
 * (6.1, drivers/base/dd.c) drops optional ones and then names what is still pending. What happens later clears nobody,
 * and is no order that a boot could have had without the wait.
 */
export function relaxedFrom(recorded: readonly Recorded[]): number {
  const at = recorded.findIndex(
    ({ event }) => 'event' in event && (event.event === 'deferral-timeout' || event.event === 'deferral-pending'),
  );
  return at === -1 ? Number.POSITIVE_INFINITY : at;
}

/** Devices that reached `phase` before place `end` of the timeline, in the order in which they did. */
export function recordedOrder(
  lives: ReadonlyMap<string, ProbeLife>,
  phase: 'started' | 'bound',
  end: number = Number.POSITIVE_INFINITY,
): string[] {
  return [...lives.values()]
    .flatMap((life) => {
      const at = life[phase];
      return at === null || at >= end ? [] : [{ device: life.device, at }];
    })
    .sort((a, b) => a.at - b.at)
    .map(({ device }) => device);
}
