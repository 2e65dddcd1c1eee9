import { HOLD_TIMEOUT_MS } from '../firmware/gates.ts';
import type { Cell } from '../model/cell.ts';
import type { Gate } from '../model/gate.ts';
import { SETTLE_MARGIN_MS, settlingFor, withAsyncDrivers, withAsyncModules } from './conditions.ts';
import { interleavings } from './interleavings.ts';

/*
 * The cells that a search boots: each is the base cell with one thing asked of it. Pure.
 */

/**
 * Longer than a boot takes to bind all else, and shorter than the deferred probe timeout of 10 s (drivers/base/dd.c).
 */
const LONG_DELAY_MS = 6000;
/** ASYNC_DRV_NAMES_MAX_LEN of drivers/base/dd.c (6.1): a longer list is cut. Names are separated by commas. */
export const ASYNC_NAMES_MAX = 256;
/** Interleavings tried, the usual one among them; a real board has fewer. */
const SHIFTS = 9;

/**
 * `base` with every one of `drivers`, and those of `modules`, asynchronous: a probe that is held must not hold up the
 * initcall or the load that called it.
 */
export function allAsync(base: Cell, drivers: Iterable<string>, modules: readonly string[]): Cell {
  const builtIn = [...new Set(drivers)].filter((driver) => !modules.includes(moduleName(driver)));
  const listable = builtIn.every((driver) => !driver.includes(',')) && builtIn.join().length < ASYNC_NAMES_MAX;
  return {
    ...base,
    bootargs: withAsyncDrivers(base.bootargs, listable ? builtIn : ['*']),
    plan: withAsyncModules(base.plan, modules),
  };
}

/** All drivers asynchronous, and each alone, without gates. */
export function asyncSets(base: Cell, drivers: Iterable<string>, modules: readonly string[]): Cell[] {
  const names = [...new Set(drivers)];
  const alone = names
    .filter((driver) => !driver.includes(','))
    .map((driver) => ({ ...base, bootargs: withAsyncDrivers(base.bootargs, [driver]) }));
  return [allAsync(base, names, modules), ...alone];
}

/**
 * Asks for the probes of `devices` in their order: each is held until the one before it has finished where `finishes`
 * says that it can by then, and otherwise until the one before it has begun.
 * @param from a cell in which the held probes are asynchronous
 */
export function ordered(
  from: Cell,
  devices: readonly string[],
  finishes: (device: string, later: readonly string[]) => boolean,
): Cell {
  const gates = devices.slice(1).map((device, place): Gate => {
    const until = devices[place] ?? '';
    return { gate: 'hold', device, until, phase: finishes(until, devices.slice(place + 1)) ? 'finished' : 'entered' };
  });
  return gated(from, gates, HOLD_TIMEOUT_MS);
}

/** Holds each of `held` until the first probe of the device that it is mapped to has returned success. */
export function heldUntilBound(from: Cell, held: ReadonlyMap<string, string>): Cell {
  const gates = [...held].map(([device, until]): Gate => ({ gate: 'hold', device, until, phase: 'finished' }));
  return gated(from, gates, HOLD_TIMEOUT_MS);
}

/** Each device delayed alone. */
export function delays(from: Cell, devices: readonly string[]): Cell[] {
  return devices.map((device) => gated(from, [{ gate: 'delay', device, ms: LONG_DELAY_MS }], LONG_DELAY_MS));
}

/** The same cell at other icount shifts. */
export function shifted(from: Cell, seed: number): Cell[] {
  return interleavings(from, SHIFTS, seed)
    .slice(1)
    .map((shift) => ({ ...from, shift }));
}

/** `cell` with `gates` added, of which each may stand still for `ms`: the guest must not settle for less. */
function gated(cell: Cell, gates: readonly Gate[], ms: number): Cell {
  return { ...cell, gates: [...cell.gates, ...gates], plan: settlingFor(cell.plan, ms + SETTLE_MARGIN_MS) };
}

/** Module names have underscores where driver names may have dashes (kernel/module/main.c, parse_args callers). */
function moduleName(driver: string): string {
  return driver.replaceAll('-', '_');
}
