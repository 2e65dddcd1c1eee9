import { addressesOf } from './addresses.ts';
import { type DeviceTree, nodeAt, parentPath, walk } from './tree.ts';
import { stringProperty } from './values.ts';

/**
 * Name of the platform device that Linux makes of a node: `5f000000.iommu` for a node with an address, which is the
 * CPU's and not the one in the node's name where a bus above maps it elsewhere, and `firmware:scm` or `soc@0` for one
 * without (drivers/of/device.c, of_device_make_bus_id(), Linux 5.10 to 6.12).
 */
function deviceName(path: string, addresses: ReadonlyMap<string, number>): string {
  let name: string | null = null;
  for (let at = path; at !== '/'; at = parentPath(at)) {
    const own = at.slice(at.lastIndexOf('/') + 1);
    const address = addresses.get(at);
    const [node = own] = own.split('@');
    if (address !== undefined) {
      const first = `${address.toString(16)}.${node}`;
      return name === null ? first : `${first}:${name}`;
    }
    name = name === null ? own : `${own}:${name}`;
  }
  return name ?? '/';
}

/** Devices that the tree describes, by name, with the path of their node. Disabled nodes make none. */
export function devicesOf(tree: DeviceTree): Map<string, string> {
  const devices = new Map<string, string>();
  const addresses = new Map(addressesOf(tree).map(({ path, ranges }) => [path, ranges[0]?.address ?? 0]));
  for (const { path, node } of walk(tree.root)) {
    const isDisabled = (at: string): boolean => {
      const found = nodeAt(tree.root, at);
      const status = found === undefined ? null : stringProperty(found, 'status');
      if (status !== null && status !== 'okay' && status !== 'ok') return true;
      return at !== '/' && isDisabled(parentPath(at));
    };
    if (path !== '/' && node.properties.has('compatible') && !isDisabled(path))
      devices.set(deviceName(path, addresses), path);
  }
  return devices;
}
