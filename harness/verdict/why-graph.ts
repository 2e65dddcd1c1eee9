import { compatiblesOf } from '../board/interrupts.ts';
import { POPULATED, suppliersOf } from '../board/suppliers.ts';
import { type DeviceTree, parentPath, walk } from '../devicetree/tree.ts';

/** From a path to those it leads to, each with the properties that say so. */
export type Edges = ReadonlyMap<string, readonly (readonly [string, readonly string[]])[]>;

export interface SupplierGraph {
  readonly suppliers: Edges;
  readonly consumers: Edges;
  /** In one direction. */
  readonly links: number;
}

/** Who needs whom, by path, in both directions; a device needs the one above that makes it. */
export function supplierGraph(tree: DeviceTree, compatible: ReadonlyMap<string, readonly string[]>): SupplierGraph {
  const suppliers = new Map<string, [string, readonly string[]][]>();
  const consumers = new Map<string, [string, readonly string[]][]>();
  let links = 0;
  const connect = (consumer: string, supplier: string, properties: readonly string[]) => {
    push(suppliers, consumer, [supplier, properties]);
    push(consumers, supplier, [consumer, properties]);
    links++;
  };
  const known = new Set<string>();
  const addMaster = (path: string): void => {
    if (known.has(path)) return;
    known.add(path);
    const above = parentPath(path);
    const names = compatible.get(above) ?? [];
    if (above === '/' || names.length === 0) return;
    if (!names.some((name) => POPULATED.has(name))) connect(path, above, []);
    addMaster(above);
  };
  for (const { consumer, supplier, properties } of suppliersOf(tree).links) {
    connect(consumer, supplier, properties);
    addMaster(consumer);
    addMaster(supplier);
  }
  return { suppliers, consumers, links };
}

/** What every node of the tree is compatible with, by path. */
export function compatiblesByPath(tree: DeviceTree): Map<string, readonly string[]> {
  return new Map([...walk(tree.root)].map((placed) => [placed.path, compatiblesOf(placed)]));
}

interface Bounds {
  /** Picks the links that leave a start; where it picks none of a start's, all of them are followed. */
  readonly first?: ((property: string) => boolean) | null;
  /** So many links are followed at most, those of the nearest first. */
  readonly links?: number;
}

/** What is reached from `starts`, over how many links, the nearest first; the starts are not among it. */
export function reach(starts: Iterable<string>, edges: Edges, bounds: Bounds = {}): Map<string, number> {
  const { first = null, links = Number.POSITIVE_INFINITY } = bounds;
  const starting = new Set(starts);
  const found = new Map<string, number>();
  const queue = [...starting].map((path) => ({ path, distance: 0 }));
  let followed = 0;
  // The queue grows while it is gone through.
  for (const { path, distance } of queue) {
    const all = edges.get(path) ?? [];
    const picked = distance > 0 || first === null ? [] : all.filter(([, properties]) => properties.some(first));
    for (const [to] of picked.length > 0 ? picked : all) {
      if (followed === links) return found;
      followed++;
      if (starting.has(to) || found.has(to)) continue;
      found.set(to, distance + 1);
      queue.push({ path: to, distance: distance + 1 });
    }
  }
  return found;
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
