import type { DeviceReport } from '../board/census.ts';
import { devicesOf } from '../devicetree/devices.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import type { DmesgEvent } from '../dmesg/events.ts';
import type { PlanStep } from '../model/plan.ts';
import { compatiblesByPath, type Edges, supplierGraph } from './why-graph.ts';
import type { Root, Waiting, Why } from './why-roots.ts';
import { isEndedByTimeout, propertiesWanted } from './why-wants.ts';

/**
 * What a cell's device tree and the census of its boot add to its log: which device lacks a module that the plan does
 * not load, and which of those that wait it may hold back. That is read from the tree; that it does is known when the
 * device binds in another boot in which the module is loaded. Pure.
 */

/** A device that is there, has no driver, and for which the kernel has modules that were not loaded. */
export interface Lacking {
  readonly device: string;
  /** Its node, or that of the device that it is a part of. */
  readonly node: string;
  readonly modalias: string;
  readonly modules: readonly string[];
}

/** What `reports` say of devices that have no driver; `modulesFor`: those of the kernel by modalias. */
export function lackingIn(
  reports: readonly DeviceReport[],
  loaded: ReadonlySet<string>,
  modulesFor: (modalias: string) => readonly string[],
): Lacking[] {
  return reports.flatMap(({ name, driver, node, parentNode, modalias }) => {
    const at = node ?? parentNode;
    if (driver !== null || at === null || modalias === null) return [];
    const modules = modulesFor(modalias);
    if (modules.length === 0 || modules.some((module) => loaded.has(module))) return [];
    return [{ device: name, node: at, modalias, modules }];
  });
}

/** Modules that a boot's init has loaded, by the plan or for a driver that asked. */
export function loadedIn(events: readonly DmesgEvent[]): Set<string> {
  return new Set(
    events.flatMap((event) => {
      if (event.event !== 'agent' || event.verb !== 'load') return [];
      const [module = '', result] = event.words;
      return result === 'ok' ? [module] : [];
    }),
  );
}

/** One link of the tree on the way from a device that waits to one that lacks its driver. */
interface Step {
  readonly device: string;
  /** What it needs next; of the last step what lacks its driver. */
  readonly needs: string;
  readonly properties: readonly string[];
}

/** What may hold back a device by the tree, the nearest first. */
export interface Suspect {
  readonly device: string;
  readonly lacking: Lacking;
  readonly way: readonly Step[];
}

/** Nothing has changed for so long: deferred probes are tried again at once when a device is bound. */
const SETTLE_MS = 2000;
/** From each device; more than any board has (why-tree.ts). */
const NODES = 2000;

/** What may hold back those devices of which the log of a boot does not say what they wait for. */
export function suspectsIn(
  found: Why,
  { reports, lacking, tree }: { reports: readonly DeviceReport[]; lacking: readonly Lacking[]; tree: DeviceTree },
): Suspect[] {
  const graph = supplierGraph(tree, compatiblesByPath(tree));
  const nodes = new Map(devicesOf(tree));
  for (const { name, node } of reports) if (node !== null) nodes.set(name, node);
  const names = new Map([...nodes].map(([name, node]) => [node, name]));
  const bound = new Set(reports.flatMap(({ node, driver }) => (node !== null && driver !== null ? [node] : [])));
  const at = new Map<string, Lacking[]>();
  for (const one of lacking) at.set(one.node, [...(at.get(one.node) ?? []), one]);
  return openIn(found).flatMap(({ name, first }) => {
    const start = nodes.get(name);
    if (start === undefined) return [];
    const ways = waysFrom(start, first, graph.suppliers, (node) => bound.has(node) || at.has(node));
    return ways.flatMap((way) =>
      (at.get(way.at(-1)?.to ?? '') ?? []).map((one) => ({
        device: name,
        lacking: one,
        way: way.map(({ from, to, properties }) => ({
          device: names.get(from) ?? from,
          needs: to === one.node ? one.device : (names.get(to) ?? to),
          properties,
        })),
      })),
    );
  });
}

interface Open {
  readonly name: string;
  /** The properties that its driver's words speak of; null where they do not tell. */
  readonly first: ((property: string) => boolean) | null;
}

function openIn(found: Why): Open[] {
  const roots = found.roots.flatMap(({ name, cause }): Open[] => {
    if (cause.cause === 'own-deferral') return [{ name, first: propertiesWanted(cause.call) }];
    if (cause.cause === 'timed-out') return [{ name, first: isEndedByTimeout }];
    const isOpen =
      cause.cause === 'silent' || cause.cause === 'no-device' || (cause.cause === 'cycle' && cause.relaxed);
    return isOpen ? [{ name, first: null }] : [];
  });
  return [...roots, ...found.unexplained.map((name) => ({ name, first: null }))];
}

interface Hop {
  readonly from: string;
  readonly to: string;
  readonly properties: readonly string[];
}

/** The shortest ways to nodes that `ends` holds for; nothing is looked for behind those. */
function waysFrom(start: string, first: Open['first'], edges: Edges, ends: (node: string) => boolean): Hop[][] {
  const ways = new Map<string, Hop[]>([[start, []]]);
  const found: Hop[][] = [];
  // The map grows while it is gone through.
  for (const [from, way] of ways) {
    const all = edges.get(from) ?? [];
    const picked = from !== start || first === null ? [] : all.filter(([, properties]) => properties.some(first));
    for (const [to, properties] of picked.length > 0 ? picked : all) {
      if (ways.has(to) || found.some((other) => other.at(-1)?.to === to)) continue;
      const longer = [...way, { from, to, properties }];
      if (ends(to)) found.push(longer);
      else if (ways.size < NODES) ways.set(to, longer);
    }
  }
  return found;
}

/** What became of the devices of a cell in another boot that loads modules after the cell's plan. */
export interface Tried {
  /** In their order, each with the devices that were bound after it, before the next was loaded. */
  readonly modules: readonly {
    readonly module: string;
    readonly bound: readonly string[];
    /** Why the kernel did not take it; null where it did. */
    readonly refused: string | null;
  }[];
  /** Devices of the cell that were not bound even so. */
  readonly left: readonly string[];
  /** Devices of the cell that are bound without any of the modules, given more time. */
  readonly late: readonly string[];
  /** Why the boot says nothing; null where it does. */
  readonly failed: string | null;
}

/** Whether the guest came to the last census of such a plan, and to its end. */
export function isCounted(events: readonly DmesgEvent[], plan: readonly PlanStep[]): boolean {
  const wanted = plan.filter(({ step }) => step === 'census').length;
  const ends = events.filter((event) => event.event === 'agent' && event.verb === 'census' && event.words[0] === 'end');
  return ends.length >= wanted;
}

const SETTLE = { step: 'settle', ms: SETTLE_MS } as const;

/**
 * Adds the loads to a plan, behind all of its own and before a shutdown or reboot that ends it, each until the guest
 * has settled, and a census after them.
 */
export function loadingAfter(plan: readonly PlanStep[], modules: readonly string[]): PlanStep[] {
  const loads = modules.flatMap((module) => [{ step: 'load', module, params: '' } as const, SETTLE]);
  return countedAfter(plan, loads.length === 0 ? [] : [SETTLE, ...loads]);
}

/** The same plan with as much time as the loads of so many modules get, and no load. */
export function waitingAfter(plan: readonly PlanStep[], modules: number): PlanStep[] {
  return countedAfter(
    plan,
    Array.from({ length: modules + 1 }, () => SETTLE),
  );
}

function countedAfter(plan: readonly PlanStep[], steps: readonly PlanStep[]): PlanStep[] {
  const end = plan.findIndex(({ step }) => step === 'shutdown' || step === 'reboot');
  const at = end === -1 ? plan.length : end;
  return [...plan.slice(0, at), ...steps, { step: 'census' }, ...plan.slice(at)];
}

/**
 * Reads a boot of {@link loadingAfter} that is counted: of the devices that were not bound without the loads, which are
 * after which. `still`: those that are not bound at its end.
 */
export function triedIn(
  events: readonly DmesgEvent[],
  modules: readonly string[],
  { unbound, still }: { readonly unbound: readonly string[]; readonly still: ReadonlySet<string> },
): Omit<Tried, 'failed'> {
  const counted = events.findLastIndex((event) => event.event === 'agent' && event.verb === 'census');
  const settled = events.flatMap((event, at) =>
    event.event === 'agent' && at < counted && /^(?:un)?settled$/.test(event.verb) ? [at] : [],
  );
  const open = new Set(unbound.filter((device) => !still.has(device)));
  const found = modules.map((module, n) => {
    const [from = events.length, to = events.length] = settled.slice(n - modules.length - 1);
    const window = events.slice(from, to);
    const bound = window.flatMap((event) =>
      event.event === 'bound' && open.delete(event.device) ? [event.device] : [],
    );
    return { module, bound, refused: refusalOf(window, module) };
  });
  return { modules: found, left: unbound.filter((device) => still.has(device)), late: [...open] };
}

/** What the guest's init said of a load (guest/init/report.c): `load MODULE error NUMBER TEXT`. */
function refusalOf(events: readonly DmesgEvent[], module: string): string | null {
  for (const event of events) {
    if (event.event !== 'agent' || event.verb !== 'load' || event.words[0] !== module) continue;
    return event.words[1] === 'error' ? event.words.slice(3).join(' ') : null;
  }
  return 'it was not loaded';
}

/** Takes out what is bound in a boot that only waits: `still`, what is not bound at the end of that one. */
export function withoutLate(tried: Tried, still: ReadonlySet<string>): Tried {
  const late = new Set(tried.late);
  const modules = tried.modules.map((one) => {
    for (const device of one.bound) if (!still.has(device)) late.add(device);
    return { ...one, bound: one.bound.filter((device) => still.has(device)) };
  });
  return { ...tried, modules, late: [...late] };
}

/**
 * Puts the devices under what holds them back: those that are bound once its module is loaded. Where no boot told that,
 * those that the tree links to it.
 */
export function withSuspects(found: Why, suspects: readonly Suspect[], lacking: readonly Lacking[], tried: Tried): Why {
  const moduleOf = new Map(tried.modules.flatMap(({ module, bound }) => bound.map((device) => [device, module])));
  const roots = new Map(found.roots.map((root) => [root.name, { ...root, waiting: [...root.waiting] }]));
  const explained = new Set<string>();
  for (const { name } of openIn(found)) {
    const own = suspects.filter(({ device }) => device === name);
    const module = moduleOf.get(name);
    const isIts = (one: Lacking) => module !== undefined && one.modules.includes(module);
    const suspect = own.find((one) => tried.failed !== null || isIts(one.lacking));
    const culprit = suspect?.lacking ?? lacking.find(isIts);
    if (culprit === undefined || culprit.device === name) continue;
    const step = suspect?.way[0];
    const before = roots.get(name)?.waiting ?? [];
    roots.delete(name);
    explained.add(name);
    const root = roots.get(culprit.device) ?? newRoot(culprit);
    const waiting: Waiting =
      step === undefined
        ? { device: name, for: culprit.device, known: 'boot', properties: [] }
        : { device: name, for: step.needs, known: 'tree', properties: step.properties };
    root.waiting.push(waiting, ...before);
    roots.set(culprit.device, root);
  }
  return {
    ...found,
    roots: [...roots.values()].sort((a, b) => b.waiting.length - a.waiting.length),
    unexplained: found.unexplained.filter((device) => !explained.has(device)),
    likely: found.likely.filter((device) => !explained.has(device)),
  };
}

function newRoot({ device, node, modalias, modules }: Lacking): Root & { waiting: Waiting[] } {
  return {
    name: device,
    cause: { cause: 'module-not-loaded', modules },
    evidence: `no driver is bound to it (modalias ${modalias}, at ${node} or a part of it)`,
    line: null,
    waiting: [],
  };
}
