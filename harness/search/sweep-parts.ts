import type { Cell } from '../model/cell.ts';
import type { Gate } from '../model/gate.ts';
import { conditionText, inLoadOrder, loadsOf, withAsyncDrivers, withAsyncModules } from './conditions.ts';
import { type BoundDevice, rebound } from './disturbances.ts';
import { minimise, type TestResult } from './minimise.ts';
import { beforeCensus, type SweepCell, withNeededFirst } from './sweep.ts';
import { ASYNC_NAMES_MAX } from './variations.ts';

/** One thing that a boot of a sweep does and that can be left out, to see whether a difference needs it. */
export type Part =
  /** The drivers of a module probe asynchronously, or a driver that is built in does. */
  | { readonly part: 'module'; readonly module: string }
  | { readonly part: 'driver'; readonly driver: string }
  | { readonly part: 'gate'; readonly gate: Gate }
  | { readonly part: 'rebound'; readonly bound: BoundDevice }
  /** A module is loaded at its place in the order that was drawn, and not at its usual one. */
  | { readonly part: 'moved'; readonly module: string };

/** Takes a boot apart into what it does beside `base`. */
export function partsOf(
  { sweep, cell }: SweepCell,
  base: Cell,
  bound: readonly BoundDevice[],
  builtIn: readonly string[],
): Part[] {
  const modules = loadsOf(base.plan);
  switch (sweep) {
    case 'async':
    case 'late':
    case 'pairs':
      return [
        ...cell.gates.slice(base.gates.length).map((gate): Part => ({ part: 'gate', gate })),
        ...builtIn.filter((driver) => !driver.includes(',')).map((driver): Part => ({ part: 'driver', driver })),
        ...modules.map((module): Part => ({ part: 'module', module })),
      ];
    case 'rebinds': {
      const unbound = new Set(cell.plan.flatMap((step) => (step.step === 'unbind' ? [step.device] : [])));
      return bound.flatMap((one): Part[] => (unbound.has(one.device) ? [{ part: 'rebound', bound: one }] : []));
    }
    case 'loads': {
      const drawn = loadsOf(cell.plan);
      return modules.flatMap((module, place): Part[] => (drawn[place] === module ? [] : [{ part: 'moved', module }]));
    }
    case 'suspend':
      return [];
  }
}

/** The boot with those parts alone; null where the kernel cannot be asked for them. */
export function cellWithParts(
  { sweep, cell }: SweepCell,
  base: Cell,
  kept: readonly Part[],
  needs: (module: string) => readonly string[],
): Cell | null {
  switch (sweep) {
    case 'async':
    case 'late':
    case 'pairs': {
      const drivers = kept.flatMap((one) => (one.part === 'driver' ? [one.driver] : []));
      if (drivers.join().length >= ASYNC_NAMES_MAX) return null;
      const modules = kept.flatMap((one) => (one.part === 'module' ? [one.module] : []));
      return {
        ...cell,
        bootargs: withAsyncDrivers(base.bootargs, drivers),
        plan: withAsyncModules(cell.plan, modules),
        gates: [...base.gates, ...kept.flatMap((one) => (one.part === 'gate' ? [one.gate] : []))],
      };
    }
    case 'rebinds':
      return beforeCensus(
        base,
        kept.flatMap((one) => (one.part === 'rebound' ? rebound(one.bound) : [])),
      );
    case 'loads': {
      const moved = new Set(kept.flatMap((one) => (one.part === 'moved' ? [one.module] : [])));
      const order = withNeededFirst(mixed(loadsOf(base.plan), loadsOf(cell.plan), moved), needs);
      return { ...base, plan: inLoadOrder(base.plan, order) };
    }
    case 'suspend':
      return cell;
  }
}

/** `usual` with those of `moved` where `drawn` has them; the others keep their order among themselves. */
export function mixed(usual: readonly string[], drawn: readonly string[], moved: ReadonlySet<string>): string[] {
  const others = usual.filter((module) => !moved.has(module));
  return drawn.map((module) => (moved.has(module) ? module : (others.shift() ?? module)));
}

/**
 * The fewest parts that still show what all of them show, found in at most `most` tests; the guesses come first.
 * @param shows null for parts that the kernel cannot be asked for, or whose boot says nothing
 */
export async function leastParts<P>(
  all: readonly P[],
  guesses: readonly (readonly P[])[],
  most: number,
  shows: (kept: readonly P[]) => Promise<boolean | null>,
): Promise<{ readonly parts: readonly P[]; readonly isMinimal: boolean }> {
  const seen: { tests: number; best: readonly P[]; cut: boolean } = { tests: 0, best: all, cut: false };
  const test = async (kept: readonly P[]): Promise<TestResult> => {
    if (kept.length === all.length) return 'fail';
    if (seen.tests >= most) {
      seen.cut = true;
      return 'unresolved';
    }
    seen.tests++;
    const shown = await shows(kept);
    if (shown === null) seen.cut = true;
    if (shown !== true) return shown === null ? 'unresolved' : 'pass';
    if (kept.length < seen.best.length) seen.best = kept;
    return 'fail';
  };
  for (const guess of guesses) if ((await test(guess)) === 'fail') break;
  if (seen.best.length > 1) await minimise(seen.best, test);
  return { parts: seen.best, isMinimal: !seen.cut };
}

/** What is left of a boot, as part of a sentence. */
export function partsText(parts: readonly Part[]): string {
  if (parts.length === 0) return 'nothing but the time that it takes';
  const asynchronous = parts.flatMap((one) =>
    one.part === 'module' ? [`module ${one.module}`] : one.part === 'driver' ? [one.driver] : [],
  );
  const moved = parts.flatMap((one) => (one.part === 'moved' ? [one.module] : []));
  const again = parts.flatMap((one) => (one.part === 'rebound' ? [one.bound.device] : []));
  const gates = parts.flatMap((one) =>
    one.part === 'gate' ? [conditionText({ condition: 'gate', gate: one.gate })] : [],
  );
  return [
    ...(asynchronous.length === 0 ? [] : [`${asynchronous.join(', ')} asynchronous`]),
    ...(moved.length === 0 ? [] : [`${moved.join(', ')} loaded at another place`]),
    ...(again.length === 0 ? [] : [`${again.join(', ')} unbound and bound again`]),
    ...gates,
  ].join(', ');
}
