import type { DmesgEvent } from '../dmesg/events.ts';
import type { Cell } from '../model/cell.ts';
import { settlingFor } from './conditions.ts';
import { type Boot, hasVerdict, type Outcome, passes } from './outcome.ts';

/** The least `deferred_probe_timeout` with which a cell does without nothing. */
export interface LeastTimeout {
  /** The parameter is in whole seconds (drivers/base/dd.c, deferred_probe_timeout_setup()). */
  readonly seconds: number;
  /**
   * How long it would have to be, in milliseconds of virtual time: the wait that was too short, and how late the last
   * supplier was.
   */
  readonly ms: number;
  /** The supplier that is late; null where the log does not tell. */
  readonly late: string | null;
  /** The largest that is too short, and what the first device then does without. */
  readonly tooShort: number;
  readonly boots: number;
}

/** There is none to tell: the cell works with one second, or not even with the longest that is tried. */
export interface NoTimeout {
  readonly seconds: null;
  /** How the boot with the longest ends, where that does not work; null where the shortest does. */
  readonly ends: string | null;
  readonly longest: number;
}

const TIMEOUT = 'deferred_probe_timeout=';
/** Ten minutes: nobody lets a boot wait for longer. */
const LONGEST_S = 600;
const US_PER_MS = 1000;
const MS_PER_S = 1000;
/** The guest must not be done before the time-out would be over. */
const SETTLE_MARGIN_MS = 2000;

/** Looks for the least time-out by bisection over boots; there is none where the cell does not depend on it. */
export async function leastTimeout(cell: Cell, boot: Boot): Promise<LeastTimeout | NoTimeout> {
  let boots = 0;
  const known = new Map<number, Outcome>();
  const bootWith = async (seconds: number): Promise<Outcome> => {
    const before = known.get(seconds);
    if (before !== undefined) return before;
    boots++;
    const outcome = await boot(withTimeout(cell, seconds));
    known.set(seconds, outcome);
    return outcome;
  };
  const works = async (seconds: number): Promise<boolean> => worksOut(await bootWith(seconds));
  if (!(await works(LONGEST_S))) return { seconds: null, ends: endOf(await bootWith(LONGEST_S)), longest: LONGEST_S };
  if (await works(1)) return { seconds: null, ends: null, longest: LONGEST_S };
  let tooShort = 1;
  let enough = LONGEST_S;
  // Upwards in steps that double: what is looked for is nearer to seconds than to minutes.
  for (let seconds = 2; seconds < LONGEST_S; seconds *= 2) {
    if (await works(seconds)) {
      enough = seconds;
      break;
    }
    tooShort = seconds;
  }
  while (enough - tooShort > 1) {
    const middle = Math.floor((tooShort + enough) / 2);
    if (await works(middle)) enough = middle;
    else tooShort = middle;
  }
  const late = lateSupplier((await bootWith(tooShort)).events, (await bootWith(enough)).events);
  const ms = late === null ? enough * MS_PER_S : tooShort * MS_PER_S + late.afterMs;
  return { seconds: enough, ms, late: late?.device ?? null, tooShort, boots };
}

/** `cell` with that `deferred_probe_timeout`, and watched for as long, but no longer than a minute. */
export function withTimeout(cell: Cell, seconds: number): Cell {
  return {
    ...cell,
    id: `${cell.id}.timeout-${seconds}`,
    bootargs: [...cell.bootargs.filter((word) => !word.startsWith(TIMEOUT)), `${TIMEOUT}${seconds}`],
    plan: settlingFor(cell.plan, Math.min(seconds, 60) * MS_PER_S + SETTLE_MARGIN_MS),
  };
}

/** Why a boot does not work, in its own words. */
function endOf({ verdict, reason, events }: Outcome): string {
  const without = events.find(({ event }) => event === 'deferral-timeout');
  if (without === undefined || !('device' in without)) return `${verdict}: ${reason}`;
  return `${without.device} goes on without a supplier that does not come`;
}

/** Everything is bound, and nothing was told to do without something that came later. */
function worksOut(outcome: Outcome): boolean {
  return hasVerdict(outcome) && passes(outcome) && !outcome.events.some(({ event }) => event === 'deferral-timeout');
}

/**
 * The supplier that came last of those that a device did without in the boot with the time-out `short`, and how long
 * after that one's end, by the boot that waited for it. A device that is deferred is retried whenever another one is
 * bound (drivers/base/dd.c, driver_bound()): what it waited for is the first that was bound after its last attempt in
 * vain. Both boots are the same up to the shorter one's end.
 */
function lateSupplier(
  short: readonly DmesgEvent[],
  long: readonly DmesgEvent[],
): { readonly device: string; readonly afterMs: number } | null {
  const expiry = short.find(({ event }) => event === 'deferral-timeout' || event === 'deferral-pending')?.time ?? null;
  if (expiry === null) return null;
  const lost = new Set(short.flatMap((event) => (event.event === 'deferral-timeout' ? [event.device] : [])));
  if (lost.size === 0) for (const device of boundIn(long)) if (!boundIn(short).has(device)) lost.add(device);
  let last: { device: string; time: number } | null = null;
  for (const device of lost) {
    const bound = long.findIndex((event) => event.event === 'bound' && event.device === device);
    const retried = long.slice(0, bound).findLastIndex((event) => event.event === 'retried' && event.device === device);
    const before = long.slice(0, Math.max(retried, 0));
    const deferred = before.findLastIndex((event) => event.event === 'deferred' && event.device === device);
    const supplier = before.slice(deferred + 1).find((event) => event.event === 'bound');
    if (supplier?.event !== 'bound' || supplier.time === null) continue;
    if (last === null || supplier.time > last.time) last = { device: supplier.device, time: supplier.time };
  }
  return last === null
    ? null
    : { device: last.device, afterMs: Math.max(0, Math.ceil((last.time - expiry) / US_PER_MS)) };
}

function boundIn(events: readonly DmesgEvent[]): Set<string> {
  return new Set(events.flatMap((event) => (event.event === 'bound' ? [event.device] : [])));
}
