/** What a device is called that Linux makes of a node, by the node's path alone (of_device_make_bus_id()). */

/** `NAME@ADDRESS` of a node, the address in hexadecimal. */
const NODE = /^([^@]+)@([0-9a-f]{1,16})$/;
/** Nodes that translate the addresses of what is in them (`ranges`), by their names. */
const BUS =
  /^(?:soc|bus|apb|ahb|axi|aips|spba|interconnect|segment|target-module|peripherals|cbass|internal-regs)[\w-]*$/;

/** An I2C device (i2c_dev_set_name(), drivers/i2c/i2c-core-base.c), and its address of seven bits as buses print it. */
export const I2C_DEVICE: RegExp = /^\d{1,3}-00([0-9a-f]{2})$/;

/** The name that a device has by the address of its node alone: `100000.clock-controller`. */
export function deviceName(node: string): string {
  const [name = '', address = ''] = node.split('@');
  return `${address.replace(/^0+(?=[0-9a-f])/, '')}.${name}`;
}

/**
 * The name of the device of a node, by its path. Its address is an offset where the bus around it begins at a multiple
 * of more than that: `/soc/bus@ff600000/phy@36000` is ff636000.phy. What `ranges` say else a path does not tell.
 */
export function deviceOfPath(path: string): string {
  const nodes = path.split('/').filter((node) => node !== '');
  const node = nodes.pop() ?? '';
  const [, name, own] = NODE.exec(node) ?? [];
  if (name === undefined || own === undefined) return deviceName(node);
  let base = 0n;
  for (const above of nodes) {
    const [, bus = '', address] = NODE.exec(above) ?? [];
    if (address !== undefined && BUS.test(bus)) base = within(base, BigInt(`0x${address}`));
  }
  const address = within(base, BigInt(`0x${own}`));
  return address === BigInt(`0x${own}`) ? deviceName(node) : `${address.toString(16)}.${name}`;
}

function within(base: bigint, address: bigint): bigint {
  const size = 1n << BigInt(address.toString(2).length);
  return base % size === 0n ? base + address : address;
}

/** Addresses of Broadcom's VideoCore, and where the CPU has them: `ranges` of bcm2835.dtsi to bcm2712.dtsi. */
const VIDEOCORE = /^7[cde][0-9a-f]{6}$/;
const BROADCOM = /^(?:20|3f|f[cde]|107[cde])[0-9a-f]{6}$/;
const VIDEOCORE_DIGITS = 6;

/** Whether the CPU has the node at another address, which the path does not tell. */
export function isElsewhere(node: string): boolean {
  return VIDEOCORE.test(NODE.exec(node)?.[2] ?? '');
}

/** Shorter addresses are those of I2C, SPI and the like. */
const LEAST_DIGITS = 4;

/**
 * Whether a device may be that of a node of which no bus with an address is known: the names are the same, and so are
 * the last digits of the addresses. A guess, which holds where one device alone may be it.
 */
export function mayBeOf(device: string, path: string): boolean {
  const nodes = path.split('/');
  const [, name, own = ''] = NODE.exec(nodes.at(-1) ?? '') ?? [];
  if (name === undefined || !device.endsWith(`.${name}`)) return false;
  const address = device.slice(0, -name.length - 1);
  if (VIDEOCORE.test(own)) return BROADCOM.test(address) && address.endsWith(own.slice(-VIDEOCORE_DIGITS));
  const known = nodes.slice(0, -1).some((above) => /@[0-9a-f]*[1-9a-f]/.test(above));
  const isOffset = own.length >= LEAST_DIGITS && own.length < address.length && /^[0-9a-f]{7,16}$/.test(address);
  return isOffset && !known && address.endsWith(own);
}

/** A device's own node: of a name with its address first, or the last of those in it (`bus@f4000:cluster@78000000`). */
const OWN_NODE =
  /^(?<first>[0-9a-f]{5,16})\.(?<name>[A-Za-z][\w,-]*)$|(?:^|:)(?<last>[A-Za-z][\w,-]*)@(?<at>[0-9a-f]{5,16})$/;

/** The node that a device is made of, by its name and its address; null where the device has another name. */
export function ownNode(device: string): { readonly name: string; readonly address: number } | null {
  const { first, name, last, at } = OWN_NODE.exec(device)?.groups ?? {};
  const [node, address] = [name ?? last, first ?? at];
  return node === undefined || address === undefined ? null : { name: node, address: Number.parseInt(address, 16) };
}
