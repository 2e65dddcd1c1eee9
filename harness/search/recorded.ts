import type { DmesgEvent } from '../dmesg/events.ts';
import type { GateEvent } from '../soc/gates.ts';

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
  /** Every deferral, and whether the driver asked for it or the core held the device back. */
  readonly deferrals: readonly Deferral[];
}

interface Deferral {
  readonly at: number;
  readonly by: 'driver' | 'supplier' | 'unknown';
  readonly reason: string | null;
}

/**
 * Both logs of a boot in one order. The firmware counts from the machine's start and printk from the moment it has a
 * clock; the kernel prints "probing driver" right before it calls platform_probe() (6.1, really_probe()), where the
 * firmware's first line about that device comes from, so the smallest difference is the distance of the two clocks.
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

function clockDistance(events: readonly DmesgEvent[], gates: readonly ProbeGateEvent[]): number {
  let distance = Number.POSITIVE_INFINITY;
  const seen = new Set<string>();
  for (const gate of gates) {
    if (seen.has(gate.device)) continue;
    seen.add(gate.device);
    const entered = events.find((event) => event.event === 'probe-entered' && event.device === gate.device);
    if (entered?.time !== undefined && entered.time !== null) distance = Math.min(distance, gate.time - entered.time);
  }
  return Number.isFinite(distance) ? distance : 0;
}

/** The probe lives of `devices`, in the order given. */
export function probeLives(recorded: readonly Recorded[], devices: readonly string[]): Map<string, ProbeLife> {
  const lives = new Map(devices.map((device) => [device, new LifeReader(device)]));
  for (const [at, entry] of recorded.entries()) {
    if (!('device' in entry.event)) continue;
    const life = lives.get(entry.event.device);
    if (entry.from === 'kernel') life?.takeKernel(at, entry.event);
    else life?.takeFirmware(at, entry.event);
  }
  return new Map([...lives].map(([device, reader]) => [device, reader.life()]));
}

class LifeReader {
  readonly #device: string;
  readonly #deferrals: Deferral[] = [];
  #driver: string | null = null;
  #started: number | null = null;
  #bound: number | null = null;
  /** The first attempt is over, so that nothing later can be its start. */
  #over = false;

  constructor(device: string) {
    this.#device = device;
  }

  takeKernel(at: number, event: Extract<DmesgEvent, { readonly device: string }>): void {
    this.#driver ??= event.driver;
    switch (event.event) {
      case 'probe-entered':
        if (this.#started === null) this.#started = at;
        else this.#over = true;
        break;
      case 'bound':
        this.#bound ??= at;
        this.#over ||= this.#started !== null;
        break;
      case 'deferred':
        this.#deferrals.push({ at, by: event.by, reason: event.reason });
        this.#over ||= this.#started !== null;
        break;
      case 'probe-failed':
        this.#over ||= this.#started !== null;
        break;
      default:
        break;
    }
  }

  takeFirmware(at: number, event: ProbeGateEvent): void {
    if (this.#over) return;
    switch (event.verb) {
      // The kernel has announced the probe, and a gate stands before it.
      case 'held':
      case 'delayed':
        this.#started = null;
        break;
      case 'released':
      case 'timed-out':
        this.#started = at;
        break;
      case 'entered':
        this.#started ??= at;
        break;
      case 'finished':
      case 'refused':
        this.#over = true;
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

/** Devices that reached `phase`, in the order in which they did. */
export function recordedOrder(lives: ReadonlyMap<string, ProbeLife>, phase: 'started' | 'bound'): string[] {
  return [...lives.values()]
    .flatMap((life) => {
      const at = life[phase];
      return at === null ? [] : [{ device: life.device, at }];
    })
    .sort((a, b) => a.at - b.at)
    .map(({ device }) => device);
}
