import { type DeviceTree, nodeAt, parentPath, splitPath, walk } from './tree.ts';
import { stringProperty } from './values.ts';

/**
 * Name of the platform device that Linux makes of a node: `5f000000.iommu` for a node with an address, `firmware:scm`
 * for one without (drivers/of/platform.c, of_device_make_bus_id(), Linux 5.10 to 6.12). The unit address stands for the
 * translated one: buses of the stand-in map addresses to themselves.
 */
function deviceName(path: string): string {
  let name: string | null = null;
  for (const part of splitPath(path).toReversed()) {
    const [node, address] = part.split('@');
    const own = address === undefined ? part : `${address}.${node}`;
    name = name === null ? own : `${own}:${name}`;
    if (address !== undefined) break;
  }
  return name ?? '/';
}

/** Devices that the tree describes, by name, with the path of their node. Disabled nodes make none. */
export function devicesOf(tree: DeviceTree): Map<string, string> {
  const devices = new Map<string, string>();
  for (const { path, node } of walk(tree.root)) {
    const isDisabled = (at: string): boolean => {
      const found = nodeAt(tree.root, at);
      const status = found === undefined ? null : stringProperty(found, 'status');
      if (status !== null && status !== 'okay' && status !== 'ok') return true;
      return at !== '/' && isDisabled(parentPath(at));
    };
    if (path !== '/' && node.properties.has('compatible') && !isDisabled(path)) devices.set(deviceName(path), path);
  }
  return devices;
}
