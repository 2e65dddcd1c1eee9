import { partIn } from '../dmesg/deferral.ts';
import type { DeviceLife } from '../dmesg/lives.ts';
import { deviceName, deviceOfPath, isElsewhere, mayBeOf } from '../dmesg/node-names.ts';
import { controllerIn } from '../dmesg/pins.ts';
import { oneOf } from '../regex.ts';

/** What a deferral calls its supplier, and which device of the log that is. */

/**
 * How the driver core says that a supplier is missing, in all its wordings from 5.10 to 6.12 (drivers/base/core.c,
 * device_links_check_suppliers()).
 */
const SUPPLIER = new RegExp(
  oneOf(
    /(?:wait(?:ing)? for supplier |supplier )(\S+?)(?: not ready)?[.,;]?$/,
    // Whoever shows the message may have cut it.
    /supplier (\S+) not\b/,
    /wait for supplier (\S+)/,
  ),
);
/** dt_to_map_one_config(), drivers/pinctrl/devicetree.c, up to 6.2: the node of the pins. */
const NO_PIN_CONTROLLER = /^could not find pctldev for node (\/\S+?),? deferring probe/;
/** create_pinctrl(), drivers/pinctrl/core.c: a device of that name, for what no device tree describes. */
const NO_PIN_DEVICE = /^unknown pinctrl device (\S{1,128}) in map entry/;
/** The same as {@link SUPPLIER}, of a message that was cut. */
const UNNAMED = /^(?:\S{1,64}: )?(?:wait for )?supplier$/;
/** soc_bind_dai_link(), sound/soc/soc-core.c; a name that a card's driver has not set is `(null)`. */
const PART_OF_CARD = /^ASoC: (CPU DAI|CODEC DAI|CODEC|platform) ([^\s(].*?) not registered/i;
/** fmt_single_name() of soc-core.c: an I2C device's driver and its name. */
const BEHIND_I2C = /^[\w-]+\.(\d+-[0-9a-f]{4})$/;

/** A device with an address, of the tree or behind I2C. */
const DEVICE = String.raw`(?<![\w.@:/-])([0-9a-f]{4,16}\.[a-z][\w-]*|\d{1,3}-00[0-9a-f]{2})(?![\w.@-]|:\S)`;
/** Drivers that know which device they defer theirs for: it `is not probed yet`, or they `wait for` it. */
const NOT_THERE = new RegExp(
  `${DEVICE}(?: \\w{1,16}){0,2}? (?:not|n't) (?:yet )?(?:been )?` +
    `${oneOf(/probed|ready|bound|registered|available|initiali[sz]ed|there|up/)}\\b`,
);
const WAITS_FOR = new RegExp(`\\bwait(?:s|ing)? (?:for|on|until)(?: [\\w-]{1,16}){0,3}? ${DEVICE}`);

/** The device that a driver's words name as one that is not there yet. */
function notThere(words: string): string | null {
  return (NOT_THERE.exec(words) ?? WAITS_FOR.exec(words))?.[1] ?? null;
}

/** The supplier that a deferral's reason names, as a device or as a node; null where it names none. */
export function supplierOf(reason: string | null): string | null {
  const part = partIn(reason);
  if (part !== null) return part;
  const pins = NO_PIN_CONTROLLER.exec(reason ?? '')?.[1];
  if (pins !== undefined) return pins;
  const device = NO_PIN_DEVICE.exec(reason ?? '')?.[1] ?? controllerIn(reason);
  if (device !== null) return device;
  const card = PART_OF_CARD.exec(reason ?? '')?.[2];
  if (card !== undefined) return BEHIND_I2C.exec(card)?.[1] ?? card;
  const found = SUPPLIER.exec(reason ?? '');
  return found?.[1] ?? found?.[2] ?? found?.[3] ?? notThere(reason ?? '');
}

/**
 * Whether a device's supplier is what registers it in its own probe, and cannot be bound before: PHYs on a switch's own
 * MDIO bus, whose name is the path of its node (drivers/net/dsa). A device on an MDIO bus ends with its address.
 */
export function isOwnParent(device: string, supplier: string): boolean {
  if (!/^!\S+:[0-9a-f]{2}$/.test(device)) return false;
  const bus = device.slice(0, -':00'.length).replaceAll('!', '/');
  if (supplier.startsWith('/')) return bus.startsWith(`${supplier}/`);
  const address = /:([0-9a-f]{2})$/.exec(supplier)?.[1];
  const above = /@([0-9a-f]{1,2})\/[^/@]+$/.exec(bus)?.[1];
  return address !== undefined && above !== undefined && Number.parseInt(address, 16) === Number.parseInt(above, 16);
}

/** What kind of a part a sound card lacks, which is a name for what a driver registers, and no device's. */
export function kindOfPart(reason: string | null): string | null {
  return PART_OF_CARD.exec(reason ?? '')?.[1] ?? null;
}

/**
 * Whether a driver may be the one that registers a part of a sound card by its name: the names of DAIs and codecs begin
 * with their chip's (`wm8960-hifi`), and of several chips a driver's name has an x for what differs (`cs42xx8`).
 */
export function mayRegister(driver: string, part: string): boolean {
  const chip = driver.toLowerCase().replace(OF_BUS, '');
  if (chip.length < LEAST_CHIP || !/^[a-z][\w-]*$/.test(chip)) return false;
  const name = part.toLowerCase();
  return (
    name.startsWith(chip) || new RegExp(`^${chip.replace(/(?<=\d)x+|x+(?=\d)/g, (x) => `\\d{${x.length}}`)}`).test(name)
  );
}
/** Names of drivers for a chip behind one of its buses. */
const OF_BUS = /^snd-soc-|[-_](?:i2c|spi|codec|sdw)$/g;
/** Shorter beginnings of a name may be any chip's. */
const LEAST_CHIP = 5;

/** Whether the driver core says in a deferral's reason that a supplier is missing, without its name. */
export function isUnnamedSupplier(reason: string | null): boolean {
  return UNNAMED.test(reason ?? '');
}

/** What stands around names in a sentence. */
const BETWEEN_NAMES = /[\s,;'"()[\]]+|[.:]+(?=\s|$)/;
/** Shorter names, and those without a number, may be words. */
const LEAST_NAME = 5;

/** The first of these devices whose name stands in a driver's words. */
export function nameIn(words: string | null, devices: Pick<ReadonlySet<string>, 'has'>): string | null {
  const names = words?.split(BETWEEN_NAMES) ?? [];
  return names.find((name) => name.length >= LEAST_NAME && /\d/.test(name) && devices.has(name)) ?? null;
}

/** Shorter unit addresses are those of I2C, SPI and the like, whose devices have other names. */
const BUS_ADDRESS = /^[^@]+@[0-9a-f]{5,16}$/;
/** An I2C device's node: an address of seven or ten bits. */
const I2C_ADDRESS = /@([0-9a-f]{1,3})$/;
/** Buses whose devices have short unit addresses; in any other node, a node with one is a part of that device. */
const BUS_NODE = /^(?:[\w-]+,)?(?:i2c|spi|spmi|i3c|mdio|slim|soundwire|dsi|usb|pcie?|serial|can|rsb)(?:-\w+)?(?:@|$)/;
/** The parts of a PMIC on this bus have drivers of their own: drivers/mfd/qcom-spmi-pmic.c. */
const SPMI = /^(?:[\w-]+,)?spmi@/;
/** Nodes that group parts of the device above, and of which no device is made. */
const GROUP = /^(?:regulators|nvmem-layout|ports?|clocks|pins|connector)(?:@|$)/;
/** A pin controller, by its usual names; the nodes in it are pins. */
const PINS = /^(?:pinctrl|pin-?controller|pinmux)(?:@|$)/;
/** A PMIC's regulators behind Qualcomm's RPMh or RPM are a device of their own: qcom,rpmh-regulator.yaml. */
const REGULATORS = /^regulators-\d+$/;
/** Before the name of a node of which no more is known. */
const ANOTHER = '.../';
/** 11 is the most in any of the 1682 device trees of kernels that were counted; a log may come from anywhere. */
const MOST_PARTS = 16;

/** A pin controller whose registers are some of a block's (`simple-mfd`): a device of its own, named after both. */
function isPartOfBlock(node: string, above = ''): boolean {
  return PINS.test(node) && !node.includes('@') && BUS_ADDRESS.test(above);
}

/** of_device_make_bus_id(), drivers/of/device.c: of a node without an address, by the nearest above that has one. */
function nameInside(parts: readonly string[]): string {
  const last = parts.findLastIndex((part) => BUS_ADDRESS.test(part));
  return [deviceOfPath(parts.slice(0, last + 1).join('/')), ...parts.slice(last + 1)].join(':');
}

/** The devices of a log, looked up by what the driver core calls them. */
export class Names {
  readonly #devices: ReadonlyMap<string, DeviceLife>;
  /** By what follows the last colon; null where there are several. */
  readonly #ends = new Map<string, string | null>();
  /** I2C devices by their address, likewise. */
  readonly #i2c = new Map<string, string | null>();
  /** Devices with an address, by what follows it. */
  readonly #alike = new Map<string, string[]>();
  /** What {@link deviceOf} has found. */
  readonly #found = new Map<string, string | null>();

  constructor(devices: ReadonlyMap<string, DeviceLife>) {
    this.#devices = devices;
    const add = (map: Map<string, string | null>, key: string, device: string) =>
      map.set(key, map.has(key) ? null : device);
    for (const device of devices.keys()) {
      const colon = device.lastIndexOf(':');
      if (colon !== -1) add(this.#ends, device.slice(colon + 1), device);
      const address = /^\d+-([0-9a-f]{4})$/.exec(device)?.[1];
      if (address !== undefined) add(this.#i2c, address, device);
      const name = /^[0-9a-f]{7,16}\.(.+)$/.exec(device)?.[1];
      if (name === undefined) continue;
      const alike = this.#alike.get(name);
      if (alike === undefined) this.#alike.set(name, [device]);
      else alike.push(device);
    }
  }

  /**
   * The device that the driver core means by `supplier`: the device's name, its node's (`clock-controller@100000`, up
   * to 6.2), its node's full path, or that of a part of it.
   */
  deviceOf(supplier: string): string | null {
    const known = this.#found.get(supplier);
    if (known !== undefined) return known;
    const found = this.#find(supplier);
    this.#found.set(supplier, found);
    return found;
  }

  /**
   * What `device` waits for, by the name or path that the driver core has for it: a device of the log, or else a node.
   * A device does not wait for itself: that is another node of its name, such as its pins (up to 6.2).
   */
  supplierOf(device: string, supplier: string): string {
    const found = this.deviceOf(supplier) ?? this.nameOf(supplier);
    if (found !== device) return found;
    const name = this.nameOf(supplier);
    return name === device ? `${ANOTHER}${supplier.split('/').at(-1)}` : name;
  }

  #find(supplier: string): string | null {
    const owner = this.#owner(supplier);
    const device = this.#named(supplier) ?? this.#named(owner);
    if (device !== null) return device;
    // Without the bus or the device around it there is no device: the nearest that is not bound.
    const parts = owner.split('/').slice(0, MOST_PARTS);
    for (let length = parts.length - 1; length > 1; length--) {
      const above = this.#named(parts.slice(0, length).join('/'));
      if (above !== null) return this.#devices.get(above)?.state === 'bound' ? null : above;
    }
    return null;
  }

  /**
   * One name for what the driver core calls by its node up to 6.2, by its path since 6.3, and by its device when there
   * is one.
   */
  nameOf(supplier: string): string {
    const owner = this.#owner(supplier);
    const [node = '', above = ''] = owner.split('/').toReversed();
    if (isElsewhere(node) && owner.startsWith('/')) return owner;
    if (BUS_ADDRESS.test(node) && above !== 'partitions') return deviceOfPath(owner);
    const bus = owner.slice(0, -node.length - 1);
    const isPart = (REGULATORS.test(node) && BUS_ADDRESS.test(above)) || isPartOfBlock(node, above);
    return isPart ? `${deviceOfPath(bus)}:${node}` : owner;
  }

  /** The bus that a node stands behind, by the name of its device, where the log has no word of that bus. */
  busOf(name: string): string | null {
    const path = name.split('/').slice(0, -1);
    const above = path.at(-1) ?? '';
    const bus = BUS_NODE.test(above) && BUS_ADDRESS.test(above) ? deviceOfPath(path.join('/')) : null;
    return bus === null || this.#devices.has(bus) ? null : bus;
  }

  #named(supplier: string): string | null {
    if (this.#devices.has(supplier)) return supplier;
    const parts = supplier
      .split('/')
      .filter((part) => part !== '')
      .slice(0, MOST_PARTS);
    const node = parts.at(-1) ?? '';
    // of_device_make_bus_id(), drivers/of/device.c: from the nearest node with an address of the CPU's on.
    let below = '';
    for (const part of parts.toReversed()) {
      const name = `${part.includes('@') ? deviceName(part) : part}${below}`;
      if (this.#devices.has(name)) return name;
      below = `:${part}${below}`;
    }
    const translated = this.#translated(supplier, node);
    if (translated !== null) return translated;
    if (isPartOfBlock(node, parts.at(-2))) {
      const part = `${deviceOfPath(`/${parts.slice(0, -1).join('/')}`)}:${node}`;
      return this.#devices.has(part) ? part : null;
    }
    const above = parts.at(-2);
    const address = I2C_ADDRESS.exec(node)?.[1];
    if (address !== undefined && (above === undefined || /^i2c/.test(above)))
      return this.#i2c.get(address.padStart(4, '0')) ?? null;
    return this.#ends.get(node) ?? (node.includes('@') ? (this.#ends.get(deviceName(node)) ?? null) : null);
  }

  /** The device of a node whose address a bus translates: by the bus's own, or the only one that it may be. */
  #translated(path: string, node: string): string | null {
    if (!node.includes('@')) return null;
    const added = deviceOfPath(path);
    if (this.#devices.has(added)) return added;
    const name = node.slice(0, node.indexOf('@'));
    const [only, ...others] = (this.#alike.get(name) ?? []).filter((device) => mayBeOf(device, path));
    return only !== undefined && others.length === 0 ? only : null;
  }

  /**
   * The node that a device is made of, where `supplier` is the path of a part of it: pins of a pin controller,
   * regulators of a PMIC, cells of a fuse block, ports of a PHY. fw_devlink names the part where no device of that node
   * has been added yet (drivers/base/core.c, fwnode_links_check_suppliers()). Of a node without a unit address no more
   * is known than that it stands inside one that has it.
   */
  #owner(supplier: string): string {
    const parts = supplier.split('/').slice(0, MOST_PARTS);
    if (parts[0] !== '') return supplier;
    for (let length = parts.length; length > 2; length--) {
      const node = parts[length - 1] ?? '';
      const path = parts.slice(0, length).join('/');
      if (REGULATORS.test(node) || isPartOfBlock(node, parts[length - 2])) return path;
      if (!node.includes('@') && this.#devices.has(nameInside(parts.slice(0, length)))) return path;
      const isDevice =
        BUS_ADDRESS.test(node) ||
        // Its registers may be a part of those of the node around it, with an offset for an address.
        PINS.test(node) ||
        BUS_NODE.test(parts[length - 2] ?? '') ||
        SPMI.test(parts[length - 3] ?? '');
      if (node.includes('@') && (isDevice || this.#named(path) !== null)) return path;
    }
    if (BUS_ADDRESS.test(parts[1] ?? '')) return parts.slice(0, 2).join('/');
    const pins = parts.findIndex((part) => PINS.test(part));
    if (pins !== -1) return parts.slice(0, pins + 1).join('/');
    const group = parts.findIndex((part, index) => index > 1 && GROUP.test(part));
    return group === -1 ? supplier : parts.slice(0, group).join('/');
  }
}
