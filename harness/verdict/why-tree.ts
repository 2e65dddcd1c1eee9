import { registersOf } from '../board/addresses.ts';
import { type Link, suppliersOf } from '../board/suppliers.ts';
import { devicesOf } from '../devicetree/devices.ts';
import { type DeviceTree, isWithin, nodeAt, parentPath } from '../devicetree/tree.ts';
import { readStrings } from '../devicetree/values.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import type { Why } from './why.ts';

/**
 * What a board's device tree adds to a log that does not say what a device waits for. All of it is a guess: the tree
 * says what a device needs, and the log which devices wait. A supplier that is missing holds back all its consumers
 * that have a driver, so that one with many consumers which do not wait is not the one.
 */
export interface TreeGuess {
  /** Path of the node, and the name of its device where the log has one. */
  readonly node: string;
  readonly device: string | null;
  readonly compatible: readonly string[];
  /** The log itself has it among those that are not bound. */
  readonly unbound: boolean;
  /** Devices that wait and need it, directly or through others. */
  readonly waiting: readonly string[];
  /** Devices of the tree that need it. */
  readonly consumers: number;
}

/** Words of a driver's reason, and the properties that it speaks of. */
const SPEAKS_OF: readonly (readonly [RegExp, RegExp])[] = [
  [/suppl(?:y|ies)|regulator|vmmc|vbus|vdd|vcc/i, /-supply$/],
  [/\bphys?\b|phy\d|-phy/i, /^phys$|^phy-handle$|^usb-phy$/],
  [/\bcl(?:oc)?ks?\b/i, /^clocks$/],
  [/gpio/i, /gpios?$/],
  [/\birqs?\b|interrupt/i, /^interrupts/],
  [/panel|bridge|endpoint|\bport\b|connector/i, /^remote-endpoint$|^panel$/],
  [/\bdai\b|codec|parse error|sound/i, /^sound-dai$|^dais?$|^remote-endpoint$|codec/],
  [/power.?domain|genpd/i, /^power-domains$/],
  [/reset/i, /^resets$/],
  [/backlight/i, /^backlight$/],
  [/\bpwms?\b/i, /^pwms$/],
  [/\bicc\b|interconnect/i, /^interconnects$/],
  [/mailbox|mbox/i, /^mboxes$/],
  [/nvmem|efuse|calib/i, /^nvmem/],
  [/extcon/i, /^extcon$/],
  [/\bdma\b/i, /^dmas$/],
  [/iommu/i, /^iommus$/],
];

/**
 * The least part of a supplier's consumers that must wait for it to be held for missing. Of those above it, the one is
 * taken that the most devices need: one cause is likelier than two.
 */
const LEAST_PART = 0.1;
/** So many guesses, the best first. */
const GUESSES = 8;
/** More candidates than a board has: a tree may come from anywhere. */
const CANDIDATES = 2000;

/** Suppliers that explain, by `tree`, what the log leaves open of the devices that `found` has. Pure. */
export function guessByTree(found: Why, summary: LogSummary, tree: DeviceTree): TreeGuess[] {
  const nodes = namedDevices(tree);
  const names = new Map([...nodes].map(([name, path]) => [path, name]));
  const graph = graphOf(tree, suppliersOf(tree).links);
  const open = openDevices(found, nodes);
  const unbound = new Set(
    [...summary.devices.values()].flatMap((life) => pathsIf(life.state !== 'bound', life.device, nodes)),
  );
  const bound = [...summary.devices.values()].flatMap((life) => pathsIf(life.state === 'bound', life.device, nodes));
  const there = new Set([...bound, ...bound.flatMap((path) => [...reach(path, graph.suppliers).keys()])]);
  const needs = new Map([...open].map(([path, reason]) => [path, reach(path, graph.suppliers, wanted(reason))]));
  const guesses: TreeGuess[] = [];
  const guess = (node: string, waiting: readonly string[], consumers: number) => {
    const name = names.get(node) ?? null;
    guesses.push({
      node,
      device: name !== null && summary.devices.has(name) ? name : null,
      compatible: compatibleOf(tree, node),
      unbound: unbound.has(node),
      waiting: waiting.map((path) => names.get(path) ?? path),
      consumers,
    });
  };
  const left = new Set(open.keys());
  // What the log knows to be missing comes first: the nearest one.
  const known = new Map<string, string[]>();
  for (const [path, reached] of needs) {
    const nearest =
      [...reached].filter(([node]) => unbound.has(node)).sort((a, b) => a[1] - b[1])[0]?.[0] ??
      onlyOne(path, graph.suppliers, wanted(open.get(path) ?? null), there);
    if (nearest === undefined) continue;
    known.set(nearest, [...(known.get(nearest) ?? []), path]);
    left.delete(path);
  }
  for (const [node, waiting] of known) guess(node, waiting, reach(node, graph.consumers).size);
  const candidates = new Map<string, { readonly consumers: ReadonlyMap<string, number> }>();
  for (const path of left)
    for (const node of needs.get(path)?.keys() ?? [])
      if (isAwaitable(node, path, tree) && !there.has(node) && !candidates.has(node) && candidates.size < CANDIDATES)
        candidates.set(node, { consumers: reach(node, graph.consumers) });
  while (left.size > 0 && guesses.length < GUESSES) {
    const best = [...candidates]
      .map(([node, { consumers }]) => {
        const waiting = [...left].filter((path) => needs.get(path)?.has(node) === true);
        const part = [...open.keys()].filter((path) => consumers.has(path)).length / Math.max(1, consumers.size);
        const cover = waiting.length / left.size;
        const distance = Math.min(...waiting.map((path) => needs.get(path)?.get(node) ?? 0));
        return { node, waiting, part, cover, consumers: consumers.size, distance };
      })
      .filter(({ waiting, part }) => waiting.length > 0 && part >= LEAST_PART)
      .sort((a, b) => b.cover - a.cover || b.part - a.part || a.distance - b.distance)[0];
    if (best === undefined) break;
    guess(best.node, best.waiting, best.consumers);
    for (const path of best.waiting) left.delete(path);
  }
  return guesses;
}

/** Devices by name, also by the address that the CPU has for them (of_device_make_bus_id(), drivers/of/device.c). */
function namedDevices(tree: DeviceTree): Map<string, string> {
  const translated = registersOf(tree).flatMap(({ path, node, ranges, enabled }): [string, string][] => {
    const [name, address] = node.name.split('@');
    const [first] = ranges;
    if (!enabled || address === undefined || first === undefined || !node.properties.has('compatible')) return [];
    return [[`${first.address.toString(16)}.${name}`, path]];
  });
  return new Map([...devicesOf(tree), ...translated]);
}

/** A GIC is there before any device is (IRQCHIP_DECLARE()), and what is below a device is made by its driver. */
function isAwaitable(node: string, consumer: string, tree: DeviceTree): boolean {
  return (
    !compatibleOf(tree, node).some((name) => /^arm,(?:gic|cortex-a\d+-gic)/.test(name)) && !isWithin(node, consumer)
  );
}

/** Devices of which the log does not say what they wait for, by path, with the driver's words where it has some. */
function openDevices(found: Why, nodes: ReadonlyMap<string, string>): Map<string, string | null> {
  const told = found.roots.flatMap(({ name, cause }): [string, string | null][] => {
    if (cause.cause === 'silent') return [[name, null]];
    return cause.cause === 'own-deferral' ? [[name, cause.call]] : [];
  });
  const silent = found.unexplained.map((name): [string, null] => [name, null]);
  return new Map(
    [...told, ...silent].flatMap(([name, reason]) => pathsIf(true, name, nodes).map((path) => [path, reason])),
  );
}

function pathsIf(wanted: boolean, device: string, nodes: ReadonlyMap<string, string>): string[] {
  const path = wanted ? nodes.get(device) : undefined;
  return path === undefined ? [] : [path];
}

type Edges = ReadonlyMap<string, readonly (readonly [string, readonly string[]])[]>;

/** Who needs whom, by path, in both directions; a device needs the one above that makes it. */
function graphOf(tree: DeviceTree, links: readonly Link[]): { suppliers: Edges; consumers: Edges } {
  const suppliers = new Map<string, [string, readonly string[]][]>();
  const consumers = new Map<string, [string, readonly string[]][]>();
  const connect = (consumer: string, supplier: string, properties: readonly string[]) => {
    suppliers.set(consumer, [...(suppliers.get(consumer) ?? []), [supplier, properties]]);
    consumers.set(supplier, [...(consumers.get(supplier) ?? []), [consumer, properties]]);
  };
  const known = new Set<string>();
  const addMaster = (path: string): void => {
    if (known.has(path)) return;
    known.add(path);
    const above = parentPath(path);
    const compatible = compatibleOf(tree, above);
    if (above !== '/' && compatible.length > 0 && !compatible.some((name) => POPULATED.has(name)))
      connect(path, above, []);
    if (above !== '/' && compatible.length > 0) addMaster(above);
  };
  for (const { consumer, supplier, properties } of links) {
    connect(consumer, supplier, properties);
    addMaster(consumer);
    addMaster(supplier);
  }
  return { suppliers, consumers };
}
/** Their children are made by drivers/of/platform.c, whoever binds to them (of_default_bus_match_table). */
const POPULATED: ReadonlySet<string> = new Set(['simple-bus', 'simple-mfd', 'isa', 'arm,amba-bus']);

/** What is reached from `start`, over how many edges; `first` picks those that leave it, if any is picked. */
function reach(start: string, edges: Edges, first: ((property: string) => boolean) | null = null): Map<string, number> {
  const found = new Map<string, number>();
  const own = edges.get(start) ?? [];
  const picked = first === null ? [] : own.filter(([, properties]) => properties.some(first));
  let front = (picked.length > 0 ? picked : own).map(([to]) => to);
  for (let distance = 1; front.length > 0; distance++) {
    const fresh = [...new Set(front)].filter((path) => path !== start && !found.has(path));
    for (const path of fresh) found.set(path, distance);
    front = fresh.flatMap((path) => (edges.get(path) ?? []).map(([to]) => to));
  }
  return found;
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

/** Properties that a driver's words speak of; null where they do not tell. */
function wanted(reason: string | null): ((property: string) => boolean) | null {
  const patterns = SPEAKS_OF.filter(([words]) => reason !== null && words.test(reason)).map(([, property]) => property);
  return patterns.length === 0 ? null : (property) => patterns.some((pattern) => pattern.test(property));
}

function compatibleOf(tree: DeviceTree, path: string): readonly string[] {
  return readStrings(nodeAt(tree.root, path)?.properties.get('compatible') ?? new Uint8Array()) ?? [];
}
