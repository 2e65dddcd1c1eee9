import { devicesOf } from '../devicetree/devices.ts';
import { referencesInto } from '../devicetree/references.ts';
import { type DeviceTree, isWithin, walk } from '../devicetree/tree.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import type { Cell } from '../model/cell.ts';
import type { Target } from '../search/knowledge.ts';
import type { Precedence } from '../search/precedence.ts';

/** What a search has to know of the devices that it is about; one that has no node, a driver creates. */
export function targetsOf(tree: DeviceTree, devices: readonly string[]): Target[] {
  const nodes = devicesOf(tree);
  return devices.map((device) => {
    const path = nodes.get(device);
    if (path === undefined) return { device, nodes: [], suppliers: [] };
    return { device, nodes: nodeNames(tree, path), suppliers: suppliersOf(tree, path, devices, nodes) };
  });
}

/** Names of a device's node and of the nodes below it, by which the driver core names suppliers. */
function nodeNames(tree: DeviceTree, path: string): string[] {
  return [...walk(tree.root)].filter((placed) => isWithin(placed.path, path)).map(({ node }) => node.name);
}

/** Those of `devices` whose nodes the node at `path`, or one below it, refers to. */
function suppliersOf(
  tree: DeviceTree,
  path: string,
  devices: readonly string[],
  nodes: ReadonlyMap<string, string>,
): string[] {
  return devices.filter((device) => {
    const supplier = nodes.get(device);
    if (supplier === undefined || supplier === path) return false;
    return referencesInto(tree, supplier).some((reference) => isWithin(reference.from, path));
  });
}

/** Orders of loading that the modules' symbols force. */
export function symbolDependencies(base: Cell, kernel: KernelArtefact): Precedence[] {
  const loaded = base.plan.flatMap((step) => (step.step === 'load' ? [step.module] : []));
  return loaded.flatMap((after) =>
    (kernel.modules.get(after)?.depends ?? [])
      .filter((before) => loaded.includes(before))
      .map((before) => ({ before, after, reason: `${after} uses symbols of ${before}` })),
  );
}
