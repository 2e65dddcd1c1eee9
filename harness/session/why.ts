import { reportsIn } from '../board/census.ts';
import { DeviceNodes } from '../board/device-nodes.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { summaryOf } from '../dmesg/summary.ts';
import { InfraError } from '../errors.ts';
import { encodePlan } from '../guest/plan.ts';
import type { Drivers } from '../kernel/matches.ts';
import type { ModuleMatcher } from '../kernel/modalias.ts';
import type { Cell } from '../model/cell.ts';
import type { PlanStep } from '../model/plan.ts';
import type { Verdict } from '../model/verdict.ts';
import { type Boot, hasVerdict, isBroken, type Outcome, passes } from '../search/outcome.ts';
import { whyUnbound } from '../verdict/why.ts';
import {
  isCounted,
  type Lacking,
  lackingIn,
  loadedIn,
  loadingAfter,
  type Suspect,
  suspectsIn,
  type Tried,
  triedIn,
  waitingAfter,
  withoutLate,
  withSuspects,
} from '../verdict/why-cell.ts';
import type { Root, Why } from '../verdict/why-roots.ts';
import { factOf } from './why-node.ts';

/** Boots with modules that each add what the one before has shown to be missing. */
const MOST_BOOTS = 4;
/** Modules that are tried where the tree links none of them to what waits. */
const UNLINKED = 16;

interface Known {
  readonly boot: Boot;
  readonly tree: DeviceTree;
  readonly drivers: Drivers;
  readonly matcher: ModuleMatcher;
}

/** What the boots of a cell tell of what is not bound. */
export interface WhyBooted {
  readonly found: Why;
  /** Null where no module is missing, or where the cell's own boot says nothing of one. */
  readonly tried: Tried | null;
  /** How the cell's boot ends, where that is no matter of what is bound. */
  readonly ended: string | null;
}

/** Verdicts that what is not bound explains. */
const EXPLAINED: readonly Verdict[] = ['stuck-deferred', 'probe-failed'];

/**
 * Boots a cell, and again with the modules loaded that are missing by the first boot; where one of them seems to help,
 * once more without the loads and as long. Throws {@link InfraError} for a cell whose boot has no verdict.
 */
export async function whyBooted(cell: Cell, { boot, tree, drivers, matcher }: Known): Promise<WhyBooted> {
  // What is put behind the plan must not make it one that can be had.
  encodePlan({ steps: cell.plan, watch: cell.watch });
  const bootAs = async (part: string, plan: readonly PlanStep[]): Promise<Outcome> =>
    boot({ ...cell, id: `${cell.id}${part}`, plan });
  const nodes = new DeviceNodes(tree);
  const saidOf = (outcome: Outcome) => {
    const said = whyUnbound(summaryOf(outcome.events));
    const reports = reportsIn(outcome.events);
    const missing = lackingIn(reports, loadedIn(outcome.events), (modalias) => matcher.forModalias(modalias));
    const unloaded = new Map(missing.map(({ device, modules }) => [device, modules]));
    const found = { ...said, roots: said.roots.map((root) => refined(root, { cell, tree, drivers, nodes, unloaded })) };
    return { found, missing, linked: suspectsIn(found, { reports, lacking: missing, tree }) };
  };
  const unboundIn = ({ found }: Pick<WhyBooted, 'found'>) =>
    new Set([...devicesOfRoots(found.roots), ...found.unexplained]);
  const plan = loadingAfter(cell.plan, []);
  const first = await bootAs('', plan);
  if (!hasVerdict(first)) throw new InfraError(`cell ${cell.id} has no verdict: ${first.reason}`);
  let said = saidOf(first);
  const { found, missing } = said;
  const isWhole = isCounted(first.events, plan);
  const isOrdinary = passes(first) || EXPLAINED.includes(first.verdict);
  const ended = isWhole && isOrdinary ? null : `${first.verdict}: ${first.reason}`;
  // What ends the cell's own boot ends the others, too; and loads that run beside others are not told apart.
  if (!isWhole || isBroken(first) || cell.plan.some(({ step }) => step === 'beside'))
    return { found, tried: null, ended };
  const unbound = [...unboundIn(said)];
  const lacking = new Map<string, Lacking>();
  const suspects: Suspect[] = [];
  const modules = new Set<string>();
  let tried: Tried | null = null;
  for (let round = 1; round <= MOST_BOOTS; round++) {
    for (const one of said.missing) if (!lacking.has(one.device)) lacking.set(one.device, one);
    suspects.push(...said.linked);
    const before = modules.size;
    for (const { cause } of said.found.roots)
      if (cause.cause === 'module-not-loaded') for (const module of cause.modules) modules.add(module);
    for (const one of said.linked) for (const module of one.lacking.modules) modules.add(module);
    if (modules.size === 0 && unbound.length > 0)
      for (const module of missing.flatMap((one) => one.modules).slice(0, UNLINKED)) modules.add(module);
    if (modules.size === before) break;
    const loads = [...modules];
    const longer = loadingAfter(cell.plan, loads);
    const outcome = await bootAs(`.loading-${loads.length}`, longer);
    if (!isCounted(outcome.events, longer)) {
      const failed = `${outcome.verdict}: ${outcome.reason}`;
      const untold = loads.map((module) => ({ module, bound: [], refused: null }));
      // What a boot with fewer modules has shown stays shown.
      tried ??= { modules: untold, left: [], late: [], failed };
      break;
    }
    said = saidOf(outcome);
    tried = { ...triedIn(outcome.events, loads, { unbound, still: unboundIn(said) }), failed: null };
    if (tried.left.length === 0) break;
  }
  if (tried?.modules.some(({ bound }) => bound.length > 0)) {
    const longer = waitingAfter(cell.plan, tried.modules.length);
    const outcome = await bootAs('.waiting', longer);
    tried = isCounted(outcome.events, longer)
      ? withoutLate(tried, unboundIn(saidOf(outcome)))
      : { ...tried, failed: `without the loads, ${outcome.verdict}: ${outcome.reason}` };
  }
  return { found: tried === null ? found : withSuspects(found, suspects, [...lacking.values()], tried), tried, ended };
}

function devicesOfRoots(roots: readonly Root[]): string[] {
  return roots.flatMap(({ name, waiting }) => [name, ...waiting.map(({ device }) => device)]);
}

interface Refining extends Pick<Known, 'tree' | 'drivers'> {
  readonly cell: Cell;
  readonly nodes: DeviceNodes;
  /** Devices without a driver, by name, with the modules for them that were not loaded. */
  readonly unloaded: ReadonlyMap<string, readonly string[]>;
}

/** What the device tree and the kernel know of a root that nothing probed. */
function refined(root: Root, { cell, tree, drivers, nodes, unloaded }: Refining): Root {
  if (root.cause.cause !== 'never-probed' && root.cause.cause !== 'no-bus') return root;
  // A driver that is built in may only name what a module drives, as Rockchip's pin controller does its GPIO banks.
  const modules = unloaded.get(root.name);
  if (modules !== undefined) return { ...root, cause: { cause: 'module-not-loaded', modules } };
  const known = factOf(nodes.pathOf(root.name), tree, drivers);
  switch (known.fact) {
    case 'no-node':
      // What the tree has no node of is a supplier that somebody names, or a device that a driver is to make.
      if (root.waiting.length === 0 && cell.watch.includes(root.name))
        return { ...root, cause: { cause: 'no-device' } };
      return { ...root, cause: { cause: 'half-merged-tree', what: `it has no node called ${root.name}` } };
    case 'disabled':
      return { ...root, cause: { cause: 'node-disabled' } };
    case 'no-compatible':
      return {
        ...root,
        cause: {
          cause: 'half-merged-tree',
          what: `${known.path} has no compatible, so that no device is made of it`,
        },
      };
    case 'device': {
      const { compatible, match } = known;
      if (match?.kind === 'none') return { ...root, cause: { cause: 'no-driver', compatible } };
      const loaded = cell.plan.flatMap((step) => (step.step === 'load' ? [step.module] : []));
      if (match?.kind === 'modules' && !match.modules.some((module) => loaded.includes(module)))
        return { ...root, cause: { cause: 'module-not-loaded', modules: match.modules } };
      return root;
    }
  }
}
