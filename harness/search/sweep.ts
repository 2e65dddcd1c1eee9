import type { Cell } from '../model/cell.ts';
import type { PlanStep } from '../model/plan.ts';
import { inLoadOrder, loadsOf, SETTLE_MARGIN_MS, settlingFor, withAsyncDrivers } from './conditions.ts';
import { type BoundDevice, rebound } from './disturbances.ts';
import { interleavings } from './interleavings.ts';
import { createRandom, shuffled } from './random.ts';

/** What is done to a whole board, beside the usual order. */
export const SWEEPS = ['async', 'loads', 'late', 'rebinds', 'suspend', 'pairs'] as const;
export type Sweep = (typeof SWEEPS)[number];

/** A boot of a sweep. */
export interface SweepCell {
  readonly sweep: Sweep;
  /** What differs from the usual order, as part of a sentence. */
  readonly what: string;
  readonly cell: Cell;
}

/** Virtual time by which one device's probe is late: longer than any other probe of a board takes. */
const LATE_MS = 2000;
/** Devices that are unbound and bound again in one boot. */
const REBOUND_AT_ONCE = 8;
/** Interleavings of the usual order that a difference has to differ from. */
const USUAL_SHIFTS = 3;

/** The usual order at several interleavings: whatever one of them shows does not depend on a sweep's order. */
export function usualCells(base: Cell, seed: number): Cell[] {
  return interleavings(base, USUAL_SHIFTS, seed).map((shift) => ({
    ...base,
    id: `${base.id}-usual-${shift}`,
    shift,
  }));
}

interface SweepRequest {
  /** Its plan ends with a census. */
  readonly base: Cell;
  readonly bound: readonly BoundDevice[];
  /** Devices that need the same supplier, two at a time. */
  readonly pairs: readonly (readonly [string, string])[];
  readonly sweeps: readonly Sweep[];
  /** Modules whose symbols a module needs. */
  readonly needs: (module: string) => readonly string[];
  /** Most boots of each sweep; which, is drawn by `seed`. */
  readonly most: number;
  readonly seed: number;
}

/** The boots of a sweep, the same for the same request. Pure. */
export function sweepCells(request: SweepRequest): SweepCell[] {
  const all = request.sweeps.flatMap((sweep) => {
    const cells = cellsOf(sweep, request);
    if (cells.length <= request.most) return cells;
    return shuffled(cells, createRandom(request.seed)).slice(0, request.most);
  });
  return all.map((one) => ({ ...one, cell: { ...one.cell, id: `${request.base.id}-${one.sweep}-${idOf(one.what)}` } }));
}

const LONGEST_ID = 60;

function idOf(what: string): string {
  const plain = what.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return plain.slice(0, LONGEST_ID).replace(/^-|-$/g, '');
}

function cellsOf(sweep: Sweep, { base, bound, pairs, needs, most, seed }: SweepRequest): SweepCell[] {
  const asynchronous = { ...base, bootargs: withAsyncDrivers(base.bootargs, ['*']) };
  switch (sweep) {
    case 'async':
      return [{ sweep, what: 'every driver asynchronous', cell: asynchronous }];
    case 'loads':
      return loadOrders(base, needs, most, seed);
    case 'late':
      return bound.map(({ device }) => ({
        sweep,
        what: `${device} late`,
        cell: gated(asynchronous, { gate: 'delay', device, ms: LATE_MS }),
      }));
    case 'rebinds':
      return groups(bound, REBOUND_AT_ONCE).map((some, place) => ({
        sweep,
        what: `group ${place + 1}: ${some.map(({ device }) => device).join(' ')} rebound`,
        cell: beforeCensus(base, some.flatMap(rebound)),
      }));
    case 'suspend':
      return [{ sweep, what: 'system suspend', cell: beforeCensus(base, SUSPEND) }];
    case 'pairs':
      return pairs.flatMap((pair) =>
        [pair, pair.toReversed()].map(([first = '', second = '']) => ({
          sweep,
          what: `${second} after ${first}`,
          cell: gated(asynchronous, { gate: 'hold', device: second, until: first, phase: 'finished' }),
        })),
      );
  }
}

function gated(cell: Cell, gate: Cell['gates'][number]): Cell {
  return { ...cell, gates: [...cell.gates, gate], plan: settlingFor(cell.plan, LATE_MS + SETTLE_MARGIN_MS) };
}

/** Orders in which `modprobe` would load the modules if it were asked for them in an order that is drawn. */
function loadOrders(base: Cell, needs: SweepRequest['needs'], most: number, seed: number): SweepCell[] {
  const modules = loadsOf(base.plan);
  if (modules.length < 2) return [];
  const random = createRandom(seed);
  return Array.from({ length: most }, (_, place) => {
    const order = withNeededFirst(shuffled(modules, random), needs);
    return {
      sweep: 'loads',
      what: `module order ${place + 1}`,
      cell: { ...base, plan: inLoadOrder(base.plan, order) },
    };
  });
}

/** `wanted` with each module behind those of them that it needs. */
export function withNeededFirst(wanted: readonly string[], needs: SweepRequest['needs']): string[] {
  const known = new Set(wanted);
  const order = new Set<string>();
  const under = new Set<string>();
  const add = (module: string): void => {
    if (order.has(module) || under.has(module)) return;
    under.add(module);
    for (const other of needs(module)) if (known.has(other)) add(other);
    order.add(module);
  };
  for (const module of wanted) add(module);
  return [...order];
}

const SETTLE: PlanStep = { step: 'settle', ms: 1000 };
const SUSPEND: readonly PlanStep[] = [{ step: 'suspend', test: 'devices' }];

/** `cell` with steps before it counts. */
export function beforeCensus(cell: Cell, steps: readonly PlanStep[]): Cell {
  const at = cell.plan.findLastIndex(({ step }) => step === 'census');
  return { ...cell, plan: [...cell.plan.slice(0, at), ...steps, SETTLE, ...cell.plan.slice(at)] };
}

function groups<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, place) =>
    items.slice(place * size, (place + 1) * size),
  );
}

/** What one boot of a board came to. */
export interface BoardOutcome {
  readonly crashes: readonly {
    readonly signature: string;
    readonly title: string;
    readonly function: string | null;
    readonly probing: { readonly device: string; readonly driver: string | null } | null;
    readonly trace: readonly string[];
    /** Modules that stand in the trace. */
    readonly modules: readonly string[];
  }[];
  /** How each device ended, and by which driver: `bound by stmmac`. */
  readonly ends: ReadonlyMap<string, string>;
  /** Bus and node of each device: what it is still known by where the kernel gives it another number, as i2c/0-0039. */
  readonly places: ReadonlyMap<string, string>;
  /** What answers for each device's registers: `models`, `plain memory`, `broken polls`, `none`. */
  readonly answers: ReadonlyMap<string, string>;
  /** Why a device is not bound, where the kernel says so. */
  readonly reasons: ReadonlyMap<string, string>;
  /** False where there was no guest: what the cell asks for cannot be had. */
  readonly booted: boolean;
  /** False where the guest did not get to its census. */
  readonly complete: boolean;
}

/** Something that a boot shows and no boot in the usual order does. */
export type Difference =
  | { readonly kind: 'crash'; readonly key: string; readonly crash: BoardOutcome['crashes'][number] }
  | {
      readonly kind: 'end';
      readonly key: string;
      readonly device: string;
      readonly usual: string;
      readonly now: string;
      /** Why it is not bound in one of them, and what answers for its registers; null where that is not known. */
      readonly reason: string | null;
      readonly answers: string | null;
    }
  | { readonly kind: 'incomplete'; readonly key: string };

/** Devices by their place and what else they are known by: alone, or by their names without the numbers. */
function byPlace({ places }: BoardOutcome): ReadonlyMap<string, readonly string[]> {
  const counts = new Map<string, number>();
  for (const place of places.values()) counts.set(place, (counts.get(place) ?? 0) + 1);
  const devices = new Map<string, string[]>();
  const inTurn = [...places].toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  for (const [device, place] of inTurn) {
    const key = counts.get(place) === 1 ? place : `${place} ${device.replace(/\d+/g, '#')}`;
    devices.set(key, [...(devices.get(key) ?? []), device]);
  }
  return devices;
}

/**
 * The name that a device of `outcome` has in the usual order, where that is another one: adapters are numbered in the
 * order in which they come, and devices alike of one node in that in which its driver makes them, if all are there. A
 * name that is another device's in the usual order is no device's of it.
 */
function usualNames(usual: BoardOutcome | undefined, outcome: BoardOutcome): ReadonlyMap<string, string> {
  if (usual === undefined) return new Map();
  const before = byPlace(usual);
  const names = new Map<string, string>();
  for (const [key, devices] of byPlace(outcome)) {
    const known = before.get(key) ?? [];
    for (const [turn, device] of devices.entries()) {
      const place = outcome.places.get(device);
      const isTaken = usual.places.has(device) && usual.places.get(device) !== place;
      const name = known.length === devices.length ? known[turn] : undefined;
      const usually = name ?? (isTaken ? `${device} of ${place}` : device);
      if (usually !== device) names.set(device, usually);
    }
  }
  return names;
}

function renamed<T>(devices: ReadonlyMap<string, T>, names: ReadonlyMap<string, string>): Map<string, T> {
  return new Map([...devices].map(([device, value]) => [names.get(device) ?? device, value]));
}

/** Crashes are the same by their signature; devices by both ends and their name (their node where it has a number). */
export function differencesTo(usual: readonly BoardOutcome[], outcome: BoardOutcome): Difference[] {
  if (!outcome.booted) return [];
  const known = new Set(usual.flatMap(({ crashes }) => crashes.map(({ signature }) => signature)));
  const found = new Map<string, Difference>();
  for (const crash of outcome.crashes)
    if (!known.has(crash.signature)) found.set(crash.signature, { kind: 'crash', key: crash.signature, crash });
  if (!outcome.complete) {
    if (found.size === 0 && usual.every(({ complete }) => complete))
      found.set('incomplete', { kind: 'incomplete', key: 'the guest did not come to its end' });
    return [...found.values()];
  }
  const [first] = usual;
  const endsIn = (one: BoardOutcome) => renamed(one.ends, usualNames(first, one));
  const usualEnds = usual.map(endsIn);
  const names = usualNames(first, outcome);
  const ends = renamed(outcome.ends, names);
  const reasons = renamed(outcome.reasons, names);
  const answered = renamed(outcome.answers, names);
  for (const [device, now] of ends) {
    const before = first?.ends.get(device);
    if (before === undefined || usualEnds.some((others) => others.get(device) === now)) continue;
    const key = `${device}: ${before} / ${now}`;
    const reason = reasons.get(device) ?? first?.reasons.get(device) ?? null;
    found.set(key, {
      kind: 'end',
      key,
      device,
      usual: before,
      now,
      reason,
      answers: answered.get(device) ?? null,
    });
  }
  for (const [device, before] of first?.ends ?? []) {
    if (ends.has(device) || usualEnds.some((others) => !others.has(device))) continue;
    const key = `${device}: ${before} / not there`;
    const answers = first?.answers.get(device) ?? null;
    found.set(key, { kind: 'end', key, device, usual: before, now: 'not there', reason: null, answers });
  }
  return [...found.values()];
}

/** Whether two outcomes show the same difference. */
export function showsDifference(usual: readonly BoardOutcome[], outcome: BoardOutcome, wanted: Difference): boolean {
  return differencesTo(usual, outcome).some(({ key }) => key === wanted.key);
}

/** Something found on one board with one kernel. */
export interface Finding {
  readonly difference: Difference;
  readonly board: string;
  readonly kernel: string;
  readonly release: string;
  /** What the first boot that showed it did, and how many did. */
  readonly what: string;
  readonly times: number;
  /** What of it is enough; null where that was not asked for. */
  readonly needs: string | null;
  /** Whether no part of that can be left out. */
  readonly isMinimal: boolean;
  readonly file: string;
}

/** One board with one kernel. */
export interface Swept {
  readonly board: string;
  readonly kernel: string;
  readonly release: string | null;
  /** What kept it from an answer. */
  readonly problem: string | null;
  readonly devices: number;
  readonly bound: number;
  readonly boots: number;
  /** Why boots could not be had. */
  readonly unbooted: readonly string[];
  /** Sweeps that this kernel cannot do, and why. */
  readonly leftOut: readonly string[];
  /** Signatures of crashes in the usual order: the stand-in's own doing, or no matter of order. */
  readonly usualCrashes: readonly string[];
  readonly findings: readonly Finding[];
}
