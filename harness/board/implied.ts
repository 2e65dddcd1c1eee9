import { type DeviceTree, nodeAt, parentPath } from '../devicetree/tree.ts';
import { readStrings } from '../devicetree/values.ts';
import type { CensusDevice, DeviceEnd } from './census.ts';
import { POPULATED, suppliersOf } from './suppliers.ts';

/**
 * Devices that must be bound where others are. The driver core probes no consumer before the suppliers that its node
 * names are bound (fw_devlink, on by default since 5.13), and a device behind a bus is made by the driver of its
 * master. A guess where the kernel was told not to wait, or waited in vain and gave up.
 */

/** Bindings that fw_devlink calls optional (of_supplier_bindings of drivers/of/property.c, 6.12), and loose ones. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'iommus',
  'iommu-map',
  'dmas',
  'remote-endpoint',
  'msi-parent',
  'msi-map',
]);

interface Implied {
  /** The device whose end implies it. */
  readonly by: string;
  /** The line that tells that one's end. */
  readonly line: number;
}

/** What `told` implies of other devices of the tree, by name. */
export function impliedBy(
  told: ReadonlyMap<string, { readonly end: DeviceEnd; readonly line: number }>,
  devices: readonly CensusDevice[],
  tree: DeviceTree,
): Map<string, Implied> {
  const byNode = new Map<string, CensusDevice | null>();
  // One node may have several devices, of which the log may mean any.
  for (const device of devices) byNode.set(device.node, byNode.has(device.node) ? null : device);
  const { links, cycles } = suppliersOf(tree);
  const cycleOf = new Map(cycles.flatMap((cycle, at) => cycle.map((path) => [path, at] as const)));
  const suppliers = new Map<string, string[]>();
  for (const { consumer, supplier, properties } of links) {
    const isLoose = cycleOf.has(consumer) && cycleOf.get(consumer) === cycleOf.get(supplier);
    if (isLoose || properties.every((property) => OPTIONAL.has(property))) continue;
    suppliers.set(consumer, [...(suppliers.get(consumer) ?? []), supplier]);
  }
  const found = new Map<string, Implied>();
  const waiting = devices.flatMap((device) => {
    const line = told.get(device.name)?.end === 'bound' ? told.get(device.name)?.line : undefined;
    return line === undefined ? [] : [{ device, line }];
  });
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { device, line } = next;
    const master = masterOf(device, byNode, tree);
    for (const path of [...(suppliers.get(device.node) ?? []), ...(master === null ? [] : [master])]) {
      const supplier = byNode.get(path);
      if (supplier === undefined || supplier === null || told.has(supplier.name) || found.has(supplier.name)) continue;
      found.set(supplier.name, { by: device.name, line });
      waiting.push({ device: supplier, line });
    }
  }
  return found;
}

/** Path of the node above whose driver has made `device`; null where that is no driver's doing. */
function masterOf(
  { node }: CensusDevice,
  byNode: ReadonlyMap<string, CensusDevice | null>,
  tree: DeviceTree,
): string | null {
  for (let path = parentPath(node); path !== '/' && path !== ''; path = parentPath(path)) {
    const compatible = nodeAt(tree.root, path)?.properties.get('compatible');
    if (compatible === undefined || !byNode.has(path)) continue;
    return (readStrings(compatible) ?? []).some((name) => POPULATED.has(name)) ? null : path;
  }
  return null;
}
