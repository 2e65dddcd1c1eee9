import type { DeviceLife, LogSummary } from '../dmesg/summary.ts';
import { oneOf } from '../regex.ts';
import { TIMED_OUT } from './judge.ts';

/** Why a root is not there. */
export type RootCause =
  /** Nothing in the log speaks of it: no driver was ever called for it. */
  | { readonly cause: 'never-probed' }
  | { readonly cause: 'no-driver'; readonly compatible: readonly string[] }
  | { readonly cause: 'module-not-loaded'; readonly modules: readonly string[] }
  /** The device tree has no such node, or a node of which no device is made. */
  | { readonly cause: 'half-merged-tree'; readonly what: string }
  | { readonly cause: 'node-disabled' }
  /** Deferred, and the log does not say by what. */
  | { readonly cause: 'silent' }
  /** Its own driver returns -EPROBE_DEFER, and says where. */
  | { readonly cause: 'own-deferral'; readonly driver: string | null; readonly call: string | null }
  | { readonly cause: 'failed'; readonly driver: string | null; readonly error: number | null }
  | { readonly cause: 'timed-out'; readonly driver: string | null }
  | { readonly cause: 'cycle'; readonly members: readonly string[] }
  | { readonly cause: 'retry-loop'; readonly times: number; readonly rebound: string }
  | { readonly cause: 'not-returned'; readonly driver: string | null };

/** Something that others wait for, and that waits for nothing itself. */
export interface Root {
  /** A device, or where there is none the node that is waited for. */
  readonly name: string;
  readonly cause: RootCause;
  /** The words of the log that this rests on. */
  readonly evidence: string | null;
  /**
   * Devices that are not bound for its sake, each with the one that it waits for itself; the root itself is not among
   * them.
   */
  readonly waiting: readonly { readonly device: string; readonly for: string }[];
}

export interface Why {
  readonly roots: readonly Root[];
  /** Devices that are not bound, the roots among them. */
  readonly unbound: number;
  /** Unbound devices of which the log does not say why, such as those that a supplier's sync_state() waits for. */
  readonly unexplained: readonly string[];
  /** Those of them that others may wait for: a guess by what devices with such a name do. */
  readonly likely: readonly string[];
}

/** What devices are called whose drivers others need, those first that need the least themselves. */
const PROVIDERS: readonly RegExp[] = [
  /clock|clk|rcc/,
  /power-?(?:domain|controller|manager)|rsc|rpm|scmi|mailbox|mbox/,
  /regulator|pmic|ldo|buck|vreg|supply/,
  /interconnect|iommu|smmu/,
  /pinctrl|gpio|io-domains|syscon|pwm|reset/,
  /^(?:i2c|spi|spmi|i3c)\b|\.(?:i2c|spi|spmi|i3c)$/,
  /phy|extcon|typec|retimer|mux|dma/,
];

function providerRank(device: string): number {
  const rank = PROVIDERS.findIndex((pattern) => pattern.test(device));
  return rank === -1 ? PROVIDERS.length : rank;
}

/**
 * How the driver core says that a supplier is missing, in all its wordings from 5.10 to 6.12 (drivers/base/core.c,
 * device_links_check_suppliers()).
 */
const SUPPLIER = new RegExp(
  oneOf(
    /(?:wait(?:ing)? for supplier |supplier )(\S+?)(?: not ready)?[.,;]?$/,
    /supplier (\S+) not ready/,
    /wait for supplier (\S+)/,
  ),
);
/** dt_to_map_one_config(), drivers/pinctrl/devicetree.c, up to 6.2: the node of the pins. */
const NO_PIN_CONTROLLER = /^could not find pctldev for node (\/\S+?),? deferring probe/;
/** component_bind(), drivers/base/component.c: a part of a device whose own bind is deferred. */
const PART = /\bfailed to bind (\S+) \(ops \S+/;
/** Words before the reason: the subsystem and the error (dev_err_probe()). */
const PREFIX = /^(?:[\w.,-]+: )?(?:error -(?:EPROBE_DEFER|517): )?/;
const ETIMEDOUT = 110;

/** soc_bind_dai_link(), sound/soc/soc-core.c; a name that a card's driver has not set is `(null)`. */
const PART_OF_CARD = /^ASoC: (?:CPU DAI|CODEC DAI|CODEC|platform) ([^\s(]\S*) not registered/i;
/** fmt_single_name() of soc-core.c: an I2C device's driver and its name. */
const BEHIND_I2C = /^[\w-]+\.(\d+-[0-9a-f]{4})$/;

/** The supplier that a deferral's reason names, as a device or as a node; null where it names none. */
export function supplierOf(reason: string | null): string | null {
  const part = PART.exec(reason ?? '');
  if (part?.[1] !== undefined) return part[1];
  const pins = NO_PIN_CONTROLLER.exec(reason ?? '')?.[1];
  if (pins !== undefined) return pins;
  const card = PART_OF_CARD.exec(reason ?? '')?.[1];
  if (card !== undefined) return BEHIND_I2C.exec(card)?.[1] ?? card;
  const found = SUPPLIER.exec(reason ?? '');
  return found?.[1] ?? found?.[2] ?? found?.[3] ?? null;
}

/** Collapses everything that is deferred or failed to the roots that it waits for. Pure. */
export function whyUnbound(summary: LogSummary): Why {
  const { devices, retryLoop, cycles, syncWaits } = summary;
  const unbound = [...devices.values()].filter(isUnbound);
  const awaited = new Map<string, string>();
  for (const { device, reason } of unbound) {
    const named = supplierOf(reason);
    if (named === null) continue;
    const supplier = supplierDevice(named, devices) === null ? ownerOf(named, devices) : named;
    awaited.set(device, supplierDevice(supplier, devices) ?? nameOf(supplier));
  }
  const roots = new Map<string, { cause: RootCause; evidence: string | null; waiting: Map<string, string> }>();
  const unexplained = new Set<string>();
  const rootAt = (name: string, cause: () => RootCause, evidence: string | null) => {
    const known = roots.get(name) ?? { cause: cause(), evidence, waiting: new Map<string, string>() };
    roots.set(name, known);
    return known;
  };
  for (const { device } of unbound) {
    const chain = chainFrom(device, awaited);
    const end = chain.at(-1) ?? device;
    const life = devices.get(end);
    const again = chain.indexOf(awaited.get(end) ?? '');
    let root: ReturnType<typeof rootAt>;
    if (again !== -1) {
      const members = chain.slice(again);
      const name = members.toSorted()[0] ?? end;
      root = rootAt(name, () => ({ cause: 'cycle', members }), life?.reason ?? null);
    } else if (life === undefined || life.state === 'bound') {
      const evidence = devices.get(chain.at(-2) ?? '')?.reason ?? null;
      if (life?.state === 'bound') {
        // Its supplier came after all: the kernel keeps the last reason that it was told.
        unexplained.add(device);
        continue;
      }
      const isPart = PART.test(evidence ?? '');
      const partial = { cause: 'own-deferral', driver: null, call: 'it cannot be bound as a part yet' } as const;
      root = rootAt(end, () => (isPart ? partial : { cause: 'never-probed' }), evidence);
    } else {
      const cause = causeOf(life, retryLoop) ?? (isAwaited(end, awaited) ? ({ cause: 'silent' } as const) : null);
      if (cause === null) {
        unexplained.add(device);
        continue;
      }
      root = rootAt(end, () => cause, cause.cause === 'silent' ? null : life.reason);
    }
    for (const [place, waiting] of chain.entries()) {
      const next = chain[place + 1] ?? awaited.get(waiting);
      if (next !== undefined && (again !== -1 || waiting !== end)) root.waiting.set(waiting, next);
    }
  }
  for (const { node, with: other } of cycles) {
    // fw_devlink found it and relaxed it: only worth a word where a device of it is still not bound.
    const member = [node, other]
      .map((one) => supplierDevice(one, devices))
      .find((one) => one !== null && unexplained.has(one));
    if (member === undefined || member === null) continue;
    rootAt(member, () => ({ cause: 'cycle', members: [node, other] }), null);
    unexplained.delete(member);
  }
  for (const { consumer } of syncWaits) if (!devices.has(consumer)) unexplained.add(consumer);
  const found = [...roots].map(([name, { cause, evidence, waiting }]) => ({
    name,
    cause,
    evidence,
    waiting: [...waiting].map(([device, supplier]) => ({ device, for: supplier })),
  }));
  return {
    roots: found.sort((a, b) => b.waiting.length - a.waiting.length),
    unbound: unbound.length,
    unexplained: [...unexplained],
    likely: [...unexplained]
      .filter((device) => providerRank(device) < PROVIDERS.length)
      .sort((a, b) => providerRank(a) - providerRank(b)),
  };
}

/** Whether the log says of it that it is not bound; a device that was only matched with a driver is not meant. */
export function isUnbound({ state, pending, timedOut, deferrals }: DeviceLife): boolean {
  if (state === 'bound') return false;
  return pending || timedOut || deferrals > 0 || ['failed', 'deferred', 'probing', 'unbound', 'absent'].includes(state);
}

/** From a device over what it waits for to what waits for nothing, or back into the chain. */
function chainFrom(device: string, awaited: ReadonlyMap<string, string>): string[] {
  const chain = [device];
  for (let next = awaited.get(device); next !== undefined && !chain.includes(next); next = awaited.get(next))
    chain.push(next);
  return chain;
}

function isAwaited(device: string, awaited: ReadonlyMap<string, string>): boolean {
  return [...awaited.values()].includes(device);
}

/** What became of a device that waits for nobody that the log names. */
function causeOf(life: DeviceLife, loop: LogSummary['retryLoop']): RootCause | null {
  const { device, driver, state, error, reason, timedOut, by } = life;
  if (loop !== null && loop.device === device)
    return { cause: 'retry-loop', times: loop.deferrals, rebound: loop.rebound };
  // A driver that goes on without the supplier may fail for the lack of it.
  const failedLater = state === 'failed' && error !== null && error !== ETIMEDOUT;
  if ((timedOut && !failedLater) || (state === 'failed' && error === ETIMEDOUT && reason === TIMED_OUT))
    return { cause: 'timed-out', driver };
  if (state === 'failed') return { cause: 'failed', driver, error };
  if (state === 'probing') return { cause: 'not-returned', driver };
  if (state === 'unbound' || state === 'absent') return { cause: 'never-probed' };
  const call = reason === null ? null : reason.replace(PREFIX, '').trim();
  // Without a word of who deferred it and why there is nothing to go by.
  if (call === null && by !== 'driver') return null;
  if (call === '(reason unknown)' || call === '') return null;
  return { cause: 'own-deferral', driver, call };
}

/** Shorter unit addresses are those of I2C, SPI and the like, whose devices have other names. */
const BUS_ADDRESS = /^[^@]+@[0-9a-f]{5,16}$/;

/**
 * One name for what the driver core calls by its node in 6.1, by its path since 6.3, and by its device when there is
 * one.
 */
function nameOf(supplier: string): string {
  const node = supplier.split('/').at(-1) ?? supplier;
  if (!BUS_ADDRESS.test(node)) return supplier;
  const [name = '', address = ''] = node.split('@');
  return `${address}.${name}`;
}

/** Buses whose devices have short unit addresses; in any other node, a node with one is a part of that device. */
const BUS_NODE = /^(?:i2c|spi|spmi|i3c|mdio|slim|soundwire|dsi|usb|pcie?|serial|can|rsb)(?:-\w+)?(?:@|$)/;

/**
 * The node that a device is made of, where `supplier` is the path of a part of it: pins of a pin controller, regulators
 * of a PMIC, cells of a fuse block, ports of a PHY. fw_devlink names the part where no device of that node has been
 * added yet (drivers/base/core.c, fwnode_links_check_suppliers()). Of a node without a unit address no more is known
 * than that it stands inside one that has it.
 */
function ownerOf(supplier: string, devices: ReadonlyMap<string, DeviceLife>): string {
  const parts = supplier.split('/');
  if (parts[0] !== '') return supplier;
  for (let length = parts.length; length > 2; length--) {
    const node = parts[length - 1] ?? '';
    const path = parts.slice(0, length).join('/');
    const isDevice = BUS_ADDRESS.test(node) || BUS_NODE.test(parts[length - 2] ?? '');
    if (node.includes('@') && (isDevice || supplierDevice(path, devices) !== null)) return path;
  }
  const top = parts.slice(0, 2).join('/');
  return BUS_ADDRESS.test(parts[1] ?? '') ? top : supplier;
}

/**
 * The device that the driver core means by `supplier`: a device's name, a node's (`clock-controller@100000`), or a
 * node's full path. I2C devices are named by bus and address, which a path does not give; they stay nodes.
 */
function supplierDevice(supplier: string, devices: ReadonlyMap<string, DeviceLife>): string | null {
  if (devices.has(supplier)) return supplier;
  const node = supplier.split('/').at(-1) ?? supplier;
  const [name = '', address] = node.split('@');
  const own = address === undefined ? name : `${address}.${name}`;
  if (devices.has(own)) return own;
  const below = [...devices.keys()].filter((device) => device.endsWith(`:${address === undefined ? name : own}`));
  return below.length === 1 ? (below[0] ?? null) : null;
}
