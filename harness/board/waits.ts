import { type DeviceTree, nodeAt, parentPath } from '../devicetree/tree.ts';
import { compatiblesOf } from './interrupts.ts';
import { interruptLinks, type Link, POPULATED, type Suppliers } from './suppliers.ts';

/** Which devices of a tree would wait for ever under each value of `fw_devlink=`, without a boot. Pure. */

/** Documentation/admin-guide/kernel-parameters.txt. `rpm` is the default of 6.12, `permissive` that of 5.10. */
export const FW_DEVLINK = ['off', 'permissive', 'on', 'rpm'] as const;
type FwDevlink = (typeof FW_DEVLINK)[number];

interface Wait {
  readonly consumer: string;
  readonly supplier: string;
  readonly why: string;
  /** What holds it back is not fw_devlink: its driver may, or may not. */
  readonly guess: boolean;
}

export type Waits = Readonly<Record<FwDevlink, readonly Wait[]>>;

/** Whether a kernel has a driver for a compatible. */
export type HasDriver = (compatible: string) => boolean;

/**
 * Links that are made only with fw_devlink.strict=1: those of_supplier_bindings (drivers/of/property.c, 6.12) calls
 * optional.
 */
export const OPTIONAL: ReadonlySet<string> = new Set(['iommus', 'iommu-map', 'dmas']);

/** Graph endpoints name each other, and a driver needs one side at most: coresight the sink, a bridge its panel. */
export const EITHER_WAY = 'remote-endpoint';

/** Nodes without a compatible whose children become devices: of_platform_default_populate_init(), and the CPUs. */
const CONTAINERS: ReadonlySet<string> = new Set(['/', '/firmware', '/reserved-memory', '/cpus', '/chosen']);

/**
 * Set up before there are devices, and so no link is made to them (FWNODE_FLAG_INITIALIZED): what every kernel has of
 * CLK_OF_DECLARE(), and interrupt controllers by IRQCHIP_DECLARE(). Others may be too.
 */
const EARLY = /^fixed-(?:factor-)?clock$|^arm,(?:gic|cortex-a\d+-gic)/;

/** Whether what is compatible with `names` is there before any device is, in every kernel. */
export function isEarly(names: readonly string[]): boolean {
  return names.some((name) => EARLY.test(name));
}

/**
 * `hasDriver`: of the kernel that is to be booted; null where none is known, and every device is taken to have one. A
 * supplier that exists and has no driver is waited for until deferred_probe_timeout alone (fw_devlink_drivers_done()),
 * which is not for ever.
 */
export function waitsOf(tree: DeviceTree, suppliers: Suppliers, hasDriver: HasDriver | null): Waits {
  const inCycle = new Map(suppliers.cycles.flatMap((cycle, n) => cycle.map((path): [string, number] => [path, n])));
  const isRelaxed = ({ consumer, supplier }: Link) =>
    inCycle.has(consumer) && inCycle.get(consumer) === inCycle.get(supplier);
  const guesses: Wait[] = [
    ...suppliers.disabled.map(({ consumer, supplier, properties }) => ({
      consumer,
      supplier,
      why: `disabled (${properties.join(', ')})`,
      guess: true,
    })),
    ...suppliers.links.filter(isRelaxed).map(({ consumer, supplier, properties }) => ({
      consumer,
      supplier,
      why: `they need each other (${properties.join(', ')})`,
      guess: true,
    })),
  ];
  const enforced = suppliers.links.filter((link) => !isRelaxed(link) && isNeeded(link));
  const links = waitsForLinks(tree, enforced, hasDriver);
  const on = [...links, ...guesses];
  return { off: guesses, permissive: guesses, on, rpm: on };
}

function isNeeded({ properties }: Link): boolean {
  return properties.some((property) => !OPTIONAL.has(property));
}

/** The compatibles of a node by its path; none where there is no node. */
function namesIn(tree: DeviceTree): (path: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (path) => {
    const node = known.has(path) ? undefined : nodeAt(tree.root, path);
    const names = known.get(path) ?? (node === undefined ? [] : compatiblesOf({ node }));
    known.set(path, names);
    return names;
  };
}

/** Links by the devices without which they are not fulfilled: the supplier, and all that it lies in. */
function dependentsOf(links: readonly Link[]): Map<string, Link[]> {
  const dependents = new Map<string, Link[]>();
  for (const link of links)
    for (let at = link.supplier; at !== '/'; at = parentPath(at)) {
      const those = dependents.get(at) ?? [];
      those.push(link);
      dependents.set(at, those);
    }
  return dependents;
}

/** A supplier that this kernel has no driver for. */
export interface Lacking {
  readonly path: string;
  /** The most specific. */
  readonly compatible: string;
}

/**
 * What the device of a path waits for that has no driver in this kernel: suppliers that the tree links it to, directly
 * or through others, interrupt controllers among them, the nearest first. A guess: a driver may do without a supplier.
 * What only an endpoint of a graph names counts for none.
 */
export function lackingFor(
  tree: DeviceTree,
  suppliers: Suppliers,
  hasDriver: HasDriver,
): (path: string) => readonly Lacking[] {
  const namesAt = namesIn(tree);
  const isBus = (path: string) => namesAt(path).some((name) => POPULATED.has(name));
  const suppliersBy = new Map<string, string[]>();
  for (const { consumer, supplier, properties } of [...suppliers.links, ...interruptLinks(tree)]) {
    const isSupplier = properties.some((property) => property !== EITHER_WAY && !OPTIONAL.has(property));
    if (!isSupplier || isEarly(namesAt(supplier))) continue;
    const those = suppliersBy.get(consumer) ?? [];
    those.push(supplier);
    suppliersBy.set(consumer, those);
  }
  return (path) => {
    const found: Lacking[] = [];
    const seen = new Set([path]);
    const reached = [path];
    for (const consumer of reached)
      for (const supplier of suppliersBy.get(consumer) ?? [])
        for (let at = supplier; at !== '/'; at = parentPath(at)) {
          // What lies in a bus does not need it to bind.
          if (seen.has(at) || (at !== supplier && isBus(at))) continue;
          seen.add(at);
          const names = namesAt(at);
          const [compatible] = names;
          if (compatible === undefined || isBus(at) || names.some(hasDriver)) reached.push(at);
          else found.push({ path: at, compatible });
        }
    return found;
  };
}

/** Consumers whose supplier never is a device, or waits for ever itself. */
function waitsForLinks(tree: DeviceTree, links: readonly Link[], hasDriver: HasDriver | null): Wait[] {
  const namesAt = namesIn(tree);
  const dependents = dependentsOf(links);
  const waits = new Map<string, Wait>();
  const binds = (path: string): string | null => {
    if (hasDriver !== null && !namesAt(path).some(hasDriver)) return `${path} has no driver in this kernel`;
    const wait = waits.get(path);
    return wait === undefined ? null : `${path} waits for ${wait.supplier}`;
  };
  /** Why nothing makes a device of a node; null where something does. */
  const absence = (path: string): string | null => {
    const parent = parentPath(path);
    if (CONTAINERS.has(parent)) return null;
    const names = namesAt(parent);
    if (names.some((name) => POPULATED.has(name))) return absence(parent);
    if (names.length > 0) return absence(parent) ?? binds(parent);
    // What holds a device's parts together has no compatible; its driver goes through them.
    for (let at = parentPath(parent); at !== '/'; at = parentPath(at))
      if (namesAt(at).length > 0) return absence(at) ?? binds(at);
    return `${parent} is no bus`;
  };
  for (const queue = [...links]; queue.length > 0; ) {
    const link = queue.pop();
    if (link === undefined || waits.has(link.consumer)) continue;
    const { consumer, supplier, properties } = link;
    if (isEarly(namesAt(supplier))) continue;
    const missing = absence(supplier);
    const own = waits.get(supplier);
    const isStuck = own !== undefined && (hasDriver === null || namesAt(supplier).some(hasDriver));
    if (missing === null && !isStuck) continue;
    const why = missing === null ? `it waits for ${own?.supplier ?? ''} itself` : `it never is a device: ${missing}`;
    waits.set(consumer, { consumer, supplier, why: `${why} (${properties.join(', ')})`, guess: false });
    for (const dependent of dependents.get(consumer) ?? []) queue.push(dependent);
  }
  return [...waits.values()].sort((a, b) => (a.consumer < b.consumer ? -1 : 1));
}
