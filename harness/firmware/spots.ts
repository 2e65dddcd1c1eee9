import { InputError } from '../errors.ts';
import type { Gate, GatePlace, Moment, PlaceGate } from '../model/gate.ts';

/** What gates are about: devices, functions, modules and steps of the plan. */

/** Where cells that differ in nothing else share a snapshot: before the first of these happens to one of them. */
export interface SnapshotPlace {
  /** Devices whose probe some cell's gates hold or watch. */
  readonly devices: readonly string[];
  /** Functions of the image at which some cell has a gate, or which it watches. */
  readonly functions: readonly string[];
}

/** The long form of a gate. */
export function inFull(gate: Gate): PlaceGate {
  if ('at' in gate) return gate;
  switch (gate.gate) {
    case 'delay':
      return { gate: 'delay', at: { probe: gate.device }, ms: gate.ms };
    case 'hold': {
      const { device, until, phase } = gate;
      return {
        gate: 'hold',
        at: { probe: device },
        until: phase === 'entered' ? { entered: until } : { finished: until },
      };
    }
    case 'force':
      return { gate: 'force', at: { entry: gate.symbol }, value: gate.value };
  }
}

/** What a place is of: the kind of its stop, the name, and whether the entry or the return is meant. */
export interface Spot {
  readonly kind: 'probe' | 'call' | 'load' | 'step';
  readonly name: string;
  readonly side: 'entry' | 'return';
  readonly nth: number;
  readonly of: string | null;
  /** The device whose probe the call is made in. */
  readonly during: string | null;
}

/** What a place or a moment is of. Throws {@link InputError} for one that is of two things. */
export function spotOf(place: GatePlace | Moment): Spot {
  const all = { nth: 0, of: null, during: null, side: 'entry' } as const;
  if ('entry' in place || 'return' in place) {
    const [name, side] = 'entry' in place ? ([place.entry, 'entry'] as const) : ([place.return, 'return'] as const);
    const { nth = 0, of = null, during = null } = place;
    if (of !== null && during !== null)
      throw new InputError(`a gate at ${name}() is about calls of ${of} and during ${during}`, 'give one of them');
    return { kind: 'call', name, side, nth, of, during };
  }
  if ('probe' in place) return { ...all, kind: 'probe', name: place.probe };
  if ('entered' in place) return { ...all, kind: 'probe', name: place.entered };
  if ('finished' in place) return { ...all, kind: 'probe', name: place.finished, side: 'return' };
  if ('load' in place) return { ...all, kind: 'load', name: place.load };
  if ('loaded' in place) return { ...all, kind: 'load', name: place.loaded, side: 'return' };
  return { ...all, kind: 'step', name: '', nth: place.step };
}

/** What a gate stands at, and what it waits for. */
export function spotsOf(gate: Gate): Spot[] {
  const full = inFull(gate);
  return [spotOf(full.at), ...(full.gate === 'hold' ? [spotOf(full.until)] : [])];
}

/**
 * Devices whose probes gates hold or watch, and functions of the image that they stand at: what a snapshot for
 * several cells must not be behind.
 */
export function gatedBy(gates: readonly Gate[]): SnapshotPlace {
  const spots = gates.flatMap(spotsOf);
  const names = (kind: Spot['kind']) => spots.filter((spot) => spot.kind === kind).map(({ name }) => name);
  const during = spots.flatMap((spot) => spot.during ?? []);
  const functions = names('call').filter((name) => moduleOf(name) === null);
  return { devices: [...names('probe'), ...during], functions };
}

/** `module` of `module:function`, or null for a function of the image. */
export function moduleOf(name: string): string | null {
  const end = name.indexOf(':');
  return end === -1 ? null : name.slice(0, end);
}

/** What a snapshot's place is of. */
export function placeSpots({ devices, functions }: SnapshotPlace): Spot[] {
  return [...functions.map((name) => spotOf({ entry: name })), ...devices.map((device) => spotOf({ probe: device }))];
}

/** Devices whose probes are stopped at, or looked at. */
export function probedIn(spots: readonly Spot[]): string[] {
  return spots.flatMap(({ kind, name, during }) => (kind === 'probe' ? [name] : (during ?? [])));
}
