import { devicesOf } from '../devicetree/devices.ts';
import { completePath } from '../devicetree/lookup.ts';
import { type DeviceTree, nodeAt, walk } from '../devicetree/tree.ts';
import { stringProperty } from '../devicetree/values.ts';

/** Which node of a tree is meant by the name that a log has for a device: the log may be of another kernel. Pure. */

const UNIT_ADDRESS = /^([0-9a-f]+)\.[^:]+$/;

/** Names change between kernels (`1c00000.pci`, `1c00000.pcie`): one address is one device, where only one has it. */
export function renamer(devices: Iterable<string>): (name: string) => string | null {
  const names = new Set(devices);
  const byAddress = new Map<string, string | null>();
  for (const name of names) {
    const address = UNIT_ADDRESS.exec(name)?.[1];
    if (address !== undefined) byAddress.set(address, byAddress.has(address) ? null : name);
  }
  return (name) => (names.has(name) ? name : (byAddress.get(UNIT_ADDRESS.exec(name)?.[1] ?? '') ?? null));
}

/** `0-0050`, i2c_dev_set_name() of drivers/i2c/i2c-core-base.c; `spi1.0`, spi_dev_set_name() of drivers/spi/spi.c. */
const ON_BUS = /^(?:(\d{1,3})-00([0-9a-f]{2})|spi(\d{1,3})\.(\d{1,3}))$/;
const DEVICE_NAME = /^([0-9a-f]+)\.([^:]+)$/;

/** The nodes of a tree by the names of their devices. */
export class DeviceNodes {
  /** Devices of enabled nodes, by name. */
  readonly paths: ReadonlyMap<string, string>;
  readonly #tree: DeviceTree;
  readonly #rename: (name: string) => string | null;
  readonly #names: ReadonlyMap<string, string>;
  /** By a node's name, the first of these nodes. */
  readonly #nodes: ReadonlyMap<string, string>;
  /** Nodes below a bus by their unit address and what the bus is called, where only one is. */
  readonly #onBuses = new Map<string, string | null>();

  constructor(tree: DeviceTree) {
    this.#tree = tree;
    this.paths = devicesOf(tree);
    this.#rename = renamer(this.paths.keys());
    this.#names = new Map([...this.paths].map(([name, path]) => [path, name]));
    const placed = [...walk(tree.root)];
    this.#nodes = new Map(placed.map(({ path, node }): [string, string] => [node.name, path]).toReversed());
    for (const { path, node } of placed) {
      const above = path.split('/').at(-2) ?? '';
      const [, bus] = /^(i2c|spi)(?:[-@]|$)/.exec(above) ?? [];
      const [, address] = /@([0-9a-f]{1,3})$/.exec(node.name) ?? [];
      if (bus === undefined || address === undefined || this.#names.get(path) === undefined) continue;
      const key = `${bus} ${address}`;
      this.#onBuses.set(key, this.#onBuses.has(key) ? null : path);
    }
  }

  /** The path of the node of a device, or of what the driver core calls a supplier; null where the tree has none. */
  pathOf(name: string): string | null {
    const device = this.paths.get(name) ?? this.paths.get(this.#rename(name) ?? '');
    if (device !== undefined) return device;
    if (name.startsWith('/') && nodeAt(this.#tree.root, name) !== undefined) return name;
    const [, address, node] = DEVICE_NAME.exec(name) ?? [];
    const called = node === undefined ? (name.split('/').at(-1) ?? name) : `${node}@${address}`;
    return this.#nodes.get(called) ?? this.#onBus(name);
  }

  /** What a node's device is called; its path where no device is made of it. */
  nameOf(path: string): string {
    return this.#names.get(path) ?? path;
  }

  /** Of an I2C or SPI device: the node below the bus of that number, or the only one with that address. */
  #onBus(name: string): string | null {
    const [, number, i2c, ofSpi, spi] = ON_BUS.exec(name) ?? [];
    const bus = i2c === undefined ? 'spi' : 'i2c';
    const address = Number.parseInt(i2c ?? spi ?? '', 16);
    if (Number.isNaN(address)) return null;
    const unit = address.toString(16);
    const aliases = nodeAt(this.#tree.root, '/aliases');
    const alias = aliases === undefined ? null : stringProperty(aliases, `${bus}${number ?? ofSpi}`);
    const at = alias === null ? null : completePath(this.#tree.root, alias);
    const below = at === null ? undefined : nodeAt(this.#tree.root, at)?.children;
    const child = below?.find((node) => node.name.endsWith(`@${unit}`));
    if (at !== null) return child === undefined ? null : `${at}/${child.name}`;
    return this.#onBuses.get(`${bus} ${unit}`) ?? null;
  }
}
