import { phandlesOf } from '../devicetree/lookup.ts';
import { referencesTo } from '../devicetree/references.ts';
import { type DeviceTree, nodeAt, parentPath, walk } from '../devicetree/tree.ts';
import { cellProperty, stringProperty } from '../devicetree/values.ts';

/** What a tree says of who needs whom, without a boot. Pure. */

export interface Link {
  readonly consumer: string;
  readonly supplier: string;
  readonly properties: readonly string[];
}

export interface Suppliers {
  /** Between enabled devices, by path. */
  readonly links: readonly Link[];
  /** Devices that need each other, by links and by their parents. */
  readonly cycles: readonly (readonly string[])[];
  /** Enabled consumers of suppliers that are disabled. */
  readonly disabled: readonly Link[];
}

/**
 * References that fw_devlink makes no link of: of_supplier_bindings of drivers/of/property.c, Linux 6.12, has none of
 * them.
 */
const NO_LINKS: ReadonlySet<string> = new Set([
  'assigned-clocks',
  'assigned-clock-parents',
  'cpu',
  'cpu-idle-states',
  'interrupt-affinity',
  'interrupt-parent',
  'memory-region',
  'next-level-cache',
  'operating-points-v2',
  'required-opps',
]);

/** Buses whose children become devices without a driver (drivers/of/platform.c, of_default_bus_match_table). */
export const POPULATED: ReadonlySet<string> = new Set(['simple-bus', 'simple-mfd', 'isa', 'arm,amba-bus']);

/** Links, cycles and disabled suppliers of a tree. */
export function suppliersOf(tree: DeviceTree): Suppliers {
  const phandles = phandlesOf(tree.root);
  const deviceAt = (path: string): string | null => {
    for (let at = path; at !== '/' && at !== ''; at = parentPath(at))
      if (nodeAt(tree.root, at)?.properties.has('compatible') === true) return at;
    return null;
  };
  const enabled = (path: string): boolean => {
    for (let at = path; at !== '/' && at !== ''; at = parentPath(at)) {
      const node = nodeAt(tree.root, at);
      const status = node === undefined ? null : stringProperty(node, 'status');
      if (status !== null && status !== 'okay' && status !== 'ok') return false;
    }
    return true;
  };
  const found = new Map<string, { link: Link; on: boolean; properties: Set<string> }>();
  for (const { from, property, to } of referencesTo(tree, phandles)) {
    const consumer = deviceAt(from);
    const supplier = deviceAt(to);
    if (NO_LINKS.has(property) || consumer === null || supplier === null || !enabled(from)) continue;
    // A device's parent is there before it; fw_devlink makes no link to an ancestor.
    if (consumer === supplier || consumer.startsWith(`${supplier}/`)) continue;
    const on = enabled(to);
    const key = `${consumer}\n${supplier}\n${on}`;
    const entry = found.get(key) ?? { link: { consumer, supplier, properties: [] }, on, properties: new Set() };
    entry.properties.add(property);
    found.set(key, entry);
  }
  const all = [...found.values()].map(({ link, on, properties }) => ({
    on,
    link: { ...link, properties: [...properties] },
  }));
  const links = all.flatMap(({ link, on }) => (on ? [link] : []));
  return { links, cycles: cyclesOf(links, deviceAt), disabled: all.flatMap(({ link, on }) => (on ? [] : [link])) };
}

/**
 * Each device that has interrupts and the controller that it or a node above names for them; fw_devlink links the two
 * (drivers/of/property.c, parse_interrupts(), drivers/of/irq.c, of_irq_find_parent(), 6.12).
 */
export function interruptLinks(tree: DeviceTree): Link[] {
  const phandles = phandlesOf(tree.root);
  const controllers = new Map<string, string | undefined>();
  const links: Link[] = [];
  for (const { path, node } of walk(tree.root)) {
    const named = cellProperty(node, 'interrupt-parent');
    const supplier = named === null ? controllers.get(parentPath(path)) : phandles.get(named);
    controllers.set(path, node.properties.has('#interrupt-cells') ? path : supplier);
    if (supplier === undefined || !node.properties.has('compatible') || !node.properties.has('interrupts')) continue;
    links.push({ consumer: path, supplier, properties: ['interrupts'] });
  }
  return links;
}

/**
 * Strongly connected components of more than one device (Kosaraju), without recursion: a tree may come from anywhere.
 */
function cyclesOf(links: readonly Link[], deviceAt: (path: string) => string | null): string[][] {
  const forth = new Map<string, Set<string>>();
  const back = new Map<string, Set<string>>();
  const add = (graph: Map<string, Set<string>>, from: string, to: string) => {
    const targets = graph.get(from) ?? new Set();
    graph.set(from, targets.add(to));
  };
  const connect = (consumer: string, supplier: string) => {
    add(forth, consumer, supplier);
    add(back, supplier, consumer);
  };
  for (const { consumer, supplier } of links) {
    connect(consumer, supplier);
    for (let at of [consumer, supplier]) {
      for (let parent = deviceAt(parentPath(at)); parent !== null; parent = deviceAt(parentPath(at))) {
        connect(at, parent);
        at = parent;
      }
    }
  }
  const visited = new Set<string>();
  const finished = [...forth.keys()].flatMap((start) => finish(start, forth, visited));
  const seen = new Set<string>();
  return finished
    .toReversed()
    .map((start) => finish(start, back, seen))
    .filter((component) => component.length > 1)
    .map((component) => component.sort());
}

/** Nodes that `start` reaches and that are not in `seen`, each after those that it reaches; `seen` grows. */
function finish(start: string, graph: ReadonlyMap<string, ReadonlySet<string>>, seen: Set<string>): string[] {
  if (seen.has(start)) return [];
  seen.add(start);
  const order: string[] = [];
  const stack = [{ at: start, next: [...(graph.get(start) ?? [])] }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.next.pop();
    if (next === undefined) {
      order.push(top.at);
      stack.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      stack.push({ at: next, next: [...(graph.get(next) ?? [])] });
    }
  }
  return order;
}
