import { isEarly } from '../board/waits.ts';
import { devicesOf } from '../devicetree/devices.ts';
import { type DeviceTree, isWithin } from '../devicetree/tree.ts';
import type { DeviceLife } from '../dmesg/lives.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import { compatiblesByPath, type Edges, reach, supplierGraph } from './why-graph.ts';
import type { Why } from './why-roots.ts';
import { isUnbound } from './why-settled.ts';
import { propertiesWanted } from './why-wants.ts';

/**
 * What a board's device tree adds to a log that does not say what a device waits for. All of it is a guess: the tree
 * says what a device needs, and the log which devices wait. A supplier that is missing holds back all its consumers
 * that have a driver, so that one with many consumers which do not wait is not the one.
 */
export interface TreeGuesses {
  /** The best first. */
  readonly guesses: readonly TreeGuess[];
  /** There are others, for which no more devices wait than for the last. */
  readonly more: boolean;
  /** Devices of which the log does not say what they wait for. */
  readonly open: number;
  /** Those of them that were not looked at, of a log that has more than any board. */
  readonly skipped: number;
  /** Links between the devices of the tree; so many of them were followed at most from each, to as many suppliers. */
  readonly links: number;
  readonly followed: number;
}

interface TreeGuess {
  /** Path of the node, and the name of its device where the log has one. */
  readonly node: string;
  readonly device: string | null;
  readonly compatible: readonly string[];
  /** The log itself has it among those that are not bound. */
  readonly unbound: boolean;
  /** Devices that need it, directly or through others, and that no better guess explains. */
  readonly waiting: readonly string[];
  /** Devices of the tree that need it. */
  readonly consumers: number;
  /** Those of them of which the log does not say what they wait for. */
  readonly open: number;
}

/**
 * The least part of a supplier's consumers that must wait for it to be held for missing. Of those above it, the one is
 * taken that the most devices need: one cause is likelier than two.
 */
const LEAST_PART = 0.1;
/** So many guesses, the best first. */
const GUESSES = 8;
/**
 * A log and a tree may come from anywhere, and these are more than a board has: 278 devices and 616 links are the most
 * in any of the 1313 device trees of Debian's arm64 kernels that were counted.
 */
const OPEN_DEVICES = 500;
/** From each device; a tree with no more has no more suppliers either, so that it bounds the candidates, too. */
const LINKS = 2000;

/** A node that devices wait for, or may wait for. */
interface Awaited {
  readonly node: string;
  readonly waiting: readonly string[];
}

/** A supplier of devices whose own one is not known, by path over how many links each needs it. */
interface Candidate {
  readonly node: string;
  readonly distances: Map<string, number>;
}

/**
 * Suppliers that explain, by `tree`, what the log leaves open of the devices that `found` has. Pure.
 * @param told roots of which the tree says what they wait for by itself
 */
export function guessByTree(
  found: Why,
  summary: LogSummary,
  tree: DeviceTree,
  told: ReadonlySet<string> = new Set(),
): TreeGuesses {
  const nodes = devicesOf(tree);
  const names = new Map([...nodes].map(([name, path]) => [path, name]));
  const compatible = compatiblesByPath(tree);
  const graph = supplierGraph(tree, compatible);
  const left = openDevices(found).filter(({ name }) => !told.has(name));
  const open = new Map(left.flatMap(({ name, reason }) => pathsOf([name], nodes).map((path) => [path, reason])));
  const pathsWhere = (is: (life: DeviceLife) => boolean) => {
    const devices = [...summary.devices.values()].filter(is).map(({ device }) => device);
    return new Set(pathsOf(devices, nodes));
  };
  const unbound = pathsWhere(isUnbound);
  const bound = pathsWhere(({ state }) => state === 'bound');
  const there = new Set([...bound, ...reach(bound, graph.suppliers).keys(), ...earlyOf(compatible)]);
  const looked = new Map([...open].slice(0, OPEN_DEVICES));
  const { known, candidates } = suppliersOfOpen(looked, graph.suppliers, unbound, there);
  const consumersOf = (node: string) => {
    const consumers = reach([node], graph.consumers, { links: LINKS });
    return { consumers: consumers.size, open: [...consumers.keys()].filter((path) => open.has(path)).length };
  };
  const all = [...known, ...mostNeeded(candidates, consumersOf)].sort((a, b) => b.waiting.length - a.waiting.length);
  const guesses = all.slice(0, GUESSES).map(({ node, waiting }) => {
    const name = names.get(node) ?? null;
    return {
      node,
      device: name !== null && summary.devices.has(name) ? name : null,
      compatible: compatible.get(node) ?? [],
      unbound: unbound.has(node),
      waiting: waiting.map((path) => names.get(path) ?? path),
      ...consumersOf(node),
    };
  });
  return {
    guesses,
    more: all.length > GUESSES,
    open: left.length,
    skipped: open.size - looked.size,
    links: graph.links,
    followed: Math.min(graph.links, LINKS),
  };
}

/**
 * What each open device waits for, where that is known: the nearest supplier that the log has among those that are not
 * bound, or the one that the driver's words can mean. Of the other devices, all suppliers that may be missing.
 */
function suppliersOfOpen(
  open: ReadonlyMap<string, string | null>,
  suppliers: Edges,
  unbound: ReadonlySet<string>,
  there: ReadonlySet<string>,
): { known: readonly Awaited[]; candidates: readonly Candidate[] } {
  const known = new Map<string, string[]>();
  const candidates = new Map<string, Candidate>();
  for (const [path, reason] of open) {
    const meant = propertiesWanted(reason);
    const reached = reach([path], suppliers, { first: meant, links: LINKS });
    const nearest = [...reached.keys()].find((node) => unbound.has(node)) ?? onlyOne(path, suppliers, meant, there);
    if (nearest !== undefined) {
      known.set(nearest, [...(known.get(nearest) ?? []), path]);
      continue;
    }
    for (const [node, distance] of reached) {
      // What is below a device is made by its driver.
      if (there.has(node) || isWithin(node, path)) continue;
      const candidate = candidates.get(node);
      if (candidate !== undefined) candidate.distances.set(path, distance);
      else if (candidates.size < LINKS) candidates.set(node, { node, distances: new Map([[path, distance]]) });
    }
  }
  return {
    known: [...known].map(([node, waiting]) => ({ node, waiting })),
    candidates: [...candidates.values()],
  };
}

/** The fewest candidates that explain the most, the one first that the most devices need which none before explains. */
function mostNeeded(
  candidates: readonly Candidate[],
  consumersOf: (node: string) => { readonly consumers: number; readonly open: number },
): Awaited[] {
  const likely = candidates.flatMap(({ node, distances }) => {
    const { consumers, open } = consumersOf(node);
    const part = open / Math.max(1, consumers);
    return part < LEAST_PART ? [] : [{ node, distances, part }];
  });
  const left = new Set(candidates.flatMap(({ distances }) => [...distances.keys()]));
  const found: Awaited[] = [];
  // One more than is told, which tells that there are more.
  while (found.length <= GUESSES) {
    const [best] = likely
      .map(({ node, distances, part }) => {
        const waiting = [...distances.keys()].filter((path) => left.has(path));
        const distance = Math.min(...waiting.map((path) => distances.get(path) ?? 0));
        return { node, waiting, part, distance };
      })
      .filter(({ waiting }) => waiting.length > 0)
      .sort((a, b) => b.waiting.length - a.waiting.length || b.part - a.part || a.distance - b.distance);
    if (best === undefined) break;
    found.push({ node: best.node, waiting: best.waiting });
    for (const path of best.waiting) left.delete(path);
  }
  return found;
}

/** They are there before any device is. */
function earlyOf(compatible: ReadonlyMap<string, readonly string[]>): string[] {
  return [...compatible].flatMap(([path, names]) => (isEarly(names) ? [path] : []));
}

interface OpenDevice {
  readonly name: string;
  /** The driver's words, where it has some. */
  readonly reason: string | null;
}

/** Devices of which the log does not say what they wait for, those first that others are known to wait for. */
function openDevices(found: Why): OpenDevice[] {
  const roots = found.roots.flatMap(({ name, cause }): OpenDevice[] => {
    if (cause.cause === 'silent') return [{ name, reason: null }];
    return cause.cause === 'own-deferral' ? [{ name, reason: cause.call }] : [];
  });
  return [...roots, ...found.unexplained.map((name) => ({ name, reason: null }))];
}

/** The nodes of those devices that the tree has. */
function pathsOf(devices: readonly string[], nodes: ReadonlyMap<string, string>): string[] {
  return devices.flatMap((device) => nodes.get(device) ?? []);
}

/** The one supplier that the driver's words can mean, unless it is there. */
function onlyOne(
  path: string,
  suppliers: Edges,
  isMeant: ((property: string) => boolean) | null,
  there: ReadonlySet<string>,
): string | undefined {
  const meant = (suppliers.get(path) ?? []).flatMap(([to, properties]) =>
    isMeant !== null && properties.some(isMeant) ? [to] : [],
  );
  const [first] = meant;
  return meant.length === 1 && first !== undefined && !there.has(first) ? first : undefined;
}
