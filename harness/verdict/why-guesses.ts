import type { Words } from '../dmesg/complaints.ts';
import { I2C_DEVICE, ownNode } from '../dmesg/node-names.ts';
import { DRM, isFunction } from '../dmesg/spoken.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import { oneOf } from '../regex.ts';
import { OF_GPIOS, type Want } from './why-kinds.ts';
import { type Names, nameIn } from './why-names.ts';
import {
  type End,
  type Found,
  NOT_YET,
  type PartOfDevice,
  type Root,
  type RootCause,
  type Unspoken,
  type Why,
} from './why-roots.ts';
import { wantOf, withoutPaths } from './why-wants.ts';

/** What devices are called whose drivers others need, those first that need the least themselves. */
const PROVIDERS: readonly RegExp[] = [
  /clock|clk|rcc|\bpmc\b/,
  /power-?(?:domain|controller|manager)|blk-ctrl|pgc|\bgpc\b|rsc|rpm|scmi|mailbox|mbox|remoteproc/,
  /^(?!reg(?:ulator)?[-_]|v(?:cc|dd|bus|sys)|dc|sys).*regulator(?!y)|pmic|ldo|buck|vreg/,
  /interconnect|iommu|smmu/,
  new RegExp(oneOf(OF_GPIOS, /pinctrl|io-domains|syscon|pwm|reset/)),
  /^(?:i2c|spi|spmi|i3c)\b|\.(?:i2c|spi|spmi|i3c)$/,
  // Of the root of the tree, and switched by a GPIO.
  /^regulator(?!y)|(?<!power-)supply|^reg[-_]|^(?:vcc|vdd|vbus|vsys|dc|sys)[\w-]*$|-\dv\d$/,
  /phy|extcon|typec|retimer|mux|dma/,
];

/**
 * A device's name without those of the nodes above it (`spmi:pmic@0:temp-alarm@a00`, of_device_make_bus_id(),
 * drivers/of/device.c), which say nothing of it.
 */
function ownName(device: string): string {
  return device.slice(device.lastIndexOf(':') + 1);
}

/** How little the device needs itself by its name; what is no provider comes last. */
export function providerRank(device: string): number {
  const own = ownName(device);
  const rank = PROVIDERS.findIndex((pattern) => pattern.test(own));
  return rank === -1 ? PROVIDERS.length : rank;
}

/** Whether others may need the device, by its name. */
export function isProvider(device: string): boolean {
  return providerRank(device) < PROVIDERS.length;
}

/**
 * What firmware and other processors provide, besides what {@link isProvider} knows; what a TEE gives to others comes
 * by way of SCMI, which speaks for itself.
 */
export const SERVICE: RegExp = new RegExp(
  oneOf(
    /remoteproc|rproc|q6v5|[-_]pas$|ti[-_]?sci|scmi?\b|glink|\bsmd|smem|smp2p|\bqmp\b|aoss/,
    /imx-scu|bpmp|\bsoundwire|(?<!test_)firmware|e-?fuse|ocotp|nvmem/,
  ),
);
/** Drivers of chips that are nothing but GPIOs, whose names do not say so; a vendor's name may stand before. */
const EXPANDER = /^(?:[a-z]{2,8}[-_])?(?:pca95|pcal|pcf857|tca\d|mcp23|max73|sx15)/;
/** The same of PMICs. */
export const PMIC: RegExp = /^(?:[a-z]{2,8}[-_])?(?:axp\d|rk8\d\d|pfuze|pca94|bd71|tps6|da90|s2mp|stpmic)/;
/** Parts of a chip that supply nobody, whatever the rest of it does. */
const SUPPLIES_NOBODY = /\boptee\b|batter|charger|fuel[-_]?gauge|\brtc|touch|panel|[-_](?:ts|key|pwrkey|wdt)\b/i;

/** Whether others may need what the driver was to make of the device, by their names. */
export function mayProvide(device: string, driver: string | null): boolean {
  const names = `${driver ?? ''} ${device}`;
  if (SUPPLIES_NOBODY.test(names)) return false;
  return (
    isProvider(device) ||
    isProvider(driver ?? '') ||
    SERVICE.test(names) ||
    [EXPANDER, PMIC].some((chip) => chip.test(driver ?? ''))
  );
}

/** Providers by their names that only some need, and what those are called. */
const NEEDED_BY: readonly (readonly [provider: RegExp, by: RegExp])[] = [
  // What is needed of a flash chip is data.
  [/(?:^| )(?:spi-?n(?:or|and)|spinand|m25p80)\b/, /mtd|flash|nvmem|storage|partition|ubi/],
  [/pwm/, /regulator|v(?:cc|dd)|light|fan|led|panel|display|lcd|motor|vibrat|beep|buzz|cpu|gpu/],
  [/usb[\w-]*phy|typec|type-c|extcon|tcpc|tcpm/, /usb|dwc|phy|typec|type-c|extcon|hci|otg|musb|\bdp\b|mux|redriver/],
];

/** Whether any of what waits may need what the driver was to make of the device, by their names. */
function mayProvideTo(waiting: readonly string[], device: string, driver: string | null): boolean {
  if (!mayProvide(device, driver)) return false;
  const [, by] = NEEDED_BY.find(([provider]) => provider.test(`${driver ?? ''} ${device}`)) ?? [];
  return by === undefined || waiting.some((one) => by.test(one));
}

/** Failures of which others are guessed to wait for what failed. */
export function failedProviders({ roots, unexplained }: Pick<Why, 'roots' | 'unexplained'>): Root[] {
  const isOf = (name: string, driver: string | null) => mayProvideTo(unexplained, name, driver);
  return roots.filter(({ name, cause }) => cause.cause === 'failed' && isOf(name, cause.driver));
}

/** Whether the log does not say what exactly a root lacks. */
export function isOpen({ cause }: Root): boolean {
  return ['silent', 'no-pins', 'timed-out', 'unnamed-supplier', 'never-probed', 'part-of', 'own-deferral'].includes(
    cause.cause,
  );
}

/**
 * The probes that failed and for which nothing waits as far as the log tells: what is deferred is told first. A
 * provider's may be why something waits of which the log does not tell for what, and so may any shortly before a
 * deferral whose words do not tell.
 */
export function failedAlone({ roots, unexplained }: Pick<Why, 'roots' | 'unexplained'>): ReadonlySet<string> {
  const suspects = new Set<string>();
  const before = new Set<number>();
  for (const { cause, line } of roots) {
    if (cause.cause === 'no-part') for (const name of cause.perhaps) suspects.add(name);
    if (cause.cause !== 'own-deferral') continue;
    for (const name of cause.perhaps) suspects.add(name);
    if (cause.wants === null && line !== null) for (let n = 1; n <= SHORTLY; n++) before.add(line - n);
  }
  const open = roots.filter(isOpen).map(lackedBy);
  const isVague = ({ cause, waiting }: Root) => cause.cause === 'bind-failed' && waiting.length > 0;
  const isAnyUnknown = unexplained.length > 0 || open.includes(null) || roots.some(isVague);
  const isAlone = ({ name, cause, waiting, line }: Root) => {
    if ((cause.cause !== 'failed' && cause.cause !== 'bind-failed') || waiting.length > 0) return false;
    if (suspects.has(name) || (line !== null && before.has(line))) return false;
    const driver = cause.cause === 'failed' ? cause.driver : null;
    const isNeededByMany = open.length > 0 && providerRank(name) < FIRST_PROVIDERS;
    if (isNeededByMany || (isAnyUnknown && mayProvideTo(unexplained, name, driver))) return false;
    return !open.some((want) => want?.provider?.test(name) === true || want?.provider?.test(driver ?? '') === true);
  };
  return new Set(roots.filter(isAlone).map(({ name }) => name));
}

/** More of a kind are on no board: a log may come from anywhere. */
const MOST_FIT = 64;
/** A name that more devices have says nothing. */
const PERHAPS = 3;

/** Network devices by their nodes, their drivers or as the kernel numbers them, and the buses of their PHYs. */
const NETWORK = /ethernet|gmac|emac|mdio|macb|smsc9|lan\d|\b(?:mac|fec|gbe|eth)\b|^(?:eth|end)\d/;
/** Disks of a kind, what the devices are called that they are behind, and the hosts and ports that these make. */
const DISKS: readonly (readonly [disk: RegExp, controller: RegExp, port: RegExp | null])[] = [
  [/mmcblk/, /mmc|sdhci|sdio|emmc/, /^mmc\d{1,3}(?::\w+)?$/],
  [/nvme/, /nvme|pcie?\b/, /^nvme\d/],
  // ata_port_printk() and ata_link_printk(), drivers/ata/libata-core.c.
  [/\bsd[a-z]/, /ufs|sata|ahci|usb|scsi/, /^ata\d{1,3}(?:\.\d{2})?$/],
  [/ubi|mtd/, /nand|spi|qspi/, null],
  [/nfs/i, NETWORK, NETWORK],
];
/**
 * A disk has the number of its host or controller: mmc_blk_alloc_req(), drivers/mmc/core/block.c, since 4.7 (before, in
 * the order in which they come), and nvme_init_ctrl(), drivers/nvme/host/core.c.
 */
const NUMBER = /\b(?:mmcblk|nvme)(\d{1,3})/;
const HOST = /^(?:mmc|nvme)(\d{1,3})(?=:|n\d|$)/;
const ANY_DISK = /mmc|sdhci|emmc|nvme|pcie\b|ufs|sata|ahci/;

/** Nodes in those of other devices, of which no device is made, by what up to 6.2 the driver core calls them. */
const PARTS: readonly (readonly [name: RegExp, part: PartOfDevice, whole: RegExp])[] = [
  // rockchip,inno-usb2phy.yaml and phy-rockchip-typec.yaml.
  [/^(?:\.{3}\/)?(?:otg|host)-port$/, 'port', /usb2-?phy/],
  [/^(?:\.{3}\/)?(?:usb3|dp)-port$/, 'port', /^[0-9a-f]+\.phy$/],
  // nvmem.yaml: at an offset of a few bytes, unlike what is on a bus of such addresses.
  [
    /(?:trim|calib|speed[-_]?bin|fuse|mac-?addr\w*|unique-id|[-_]cal|[-_]id)(?:[-_]\w+)*@[0-9a-f]{1,4}$/,
    'NVMEM cell',
    /fuse|qfprom|nvmem|ocotp|otp|eeprom/,
  ],
  // regulator.yaml: what PMICs call theirs.
  [/^(?:\.{3}\/)?(?:ldo|buck|dcdc|smps|swbst|vldo|vgen)[-_]?\w{1,4}$/i, 'regulator', /pmic|mfd|regulators?$/],
  // fsl,imx8mq-pinctrl.yaml, and what most others have (pinctrl.yaml).
  [/^(?:\.{3}\/)?\w[\w-]*(?:grp(?:-?\d)?|[-_]pins?(?:-\d)?)$/, 'pins', /pinctrl|pin-?controller|iomux|pinmux/],
];

/** Names, for drivers that say what kind of a thing they lack, what is not bound and may provide it. */
export function guessProviders(
  roots: ReadonlyMap<string, Found>,
  unbound: ReadonlySet<string>,
  ends: ReadonlyMap<string, End>,
  devices: LogSummary['devices'],
): void {
  const providers = new Map<Want, readonly string[]>();
  // Who defers others for their pins is there.
  const isThere = (cause: RootCause | undefined) => cause?.cause === 'own-deferral' && cause.whom !== 'it';
  const all = new Set([...unbound, ...roots.keys()]);
  const candidates = [...all].filter((device) => !isThere(roots.get(device)?.cause));
  const order = new Map(candidates.map((device, index) => [device, index]));
  const named = byNodeOrDriver(candidates, devices);
  const fitting = new Map<RegExp, readonly string[]>();
  const candidatesLike = (kind: RegExp): readonly string[] => {
    const known = fitting.get(kind) ?? candidates.filter((device) => kind.test(device));
    fitting.set(kind, known);
    return known;
  };
  const failing = new FailedProviders(roots);
  const driverOf = (device: string) => {
    const cause = roots.get(device)?.cause;
    const own = cause?.cause === 'own-deferral' || cause?.cause === 'failed' ? cause.driver : null;
    return own ?? devices.get(device)?.driver ?? '';
  };
  const ofKindOf = (want: Want) => {
    const all = candidates.filter(
      (device) =>
        isProviderOf(want, device) ||
        (want.byFirmware === true && RUNS_POWER.test(driverOf(device))) ||
        isPerhapsCodec(want, device, driverOf(device), roots),
    );
    const proper = all.filter((device) => want.proper?.test(ownName(device)) === true);
    return proper.length > 0 ? proper : all;
  };
  /** What drivers have left alone, which may be for the lack of something: -ENODEV and -ENXIO. */
  const declinedOf = (want: Want) => {
    const all = [...devices.values()].filter(({ device, state }) => state === 'declined' && isProviderOf(want, device));
    return all.length > PERHAPS ? [] : all.map(({ device }) => device);
  };
  const ofFirmware = candidates.filter((device) => RUNS_POWER.test(driverOf(device)));
  const powerDomains = [...new Set([...candidatesLike(POWER_DOMAIN), ...ofFirmware])];
  // What waits itself for such a one is none; an IOMMU waits for a power domain.
  const notOver = (some: readonly string[]) => some.filter((device) => !isTimedOut(roots, device));
  const held = new Map([
    [POWER_DOMAIN, notOver(powerDomains)],
    // What cannot have its own pins is their user, whatever it is called.
    [
      PIN_CONTROLLER,
      notOver(candidatesLike(PIN_CONTROLLER)).filter(
        (device) => roots.get(device)?.evidence?.includes(`cannot claim for ${device}`) !== true,
      ),
    ],
  ]);
  for (const [name, root] of roots) {
    const { cause } = root;
    if (cause.cause === 'never-probed') {
      const [, part, whole] = PARTS.find(([pattern]) => pattern.test(name)) ?? [];
      if (part === undefined || whole === undefined) continue;
      const all = candidatesLike(whole);
      const perhaps = all.length > 2 * PERHAPS ? [] : all;
      if (perhaps.length > 0 || part !== 'port') root.cause = { cause: 'part-of', part, perhaps };
      continue;
    }
    if (cause.cause === 'timed-out') {
      const kinds = IS_IOMMU.test(name)
        ? [POWER_DOMAIN]
        : [POWER_DOMAIN, ...(HAS_IOMMU.test(name) ? [IS_IOMMU] : []), PIN_CONTROLLER];
      const all = kinds.map((kind) => (kind === IS_IOMMU ? candidatesLike(kind) : (held.get(kind) ?? [])));
      const fit = all.find((some) => some.length > 0) ?? [];
      const perhaps = fit.length > 1 && fit.length <= MOST_FIT ? nearestTo(name, fit) : fit;
      if (perhaps.length <= PERHAPS) root.cause = { ...cause, perhaps };
      continue;
    }
    if (cause.cause === 'no-part') {
      const perhaps = cause.kind.startsWith('CODEC') ? failedCodecs(roots) : [];
      if (perhaps.length <= PERHAPS) root.cause = { ...cause, perhaps };
      continue;
    }
    if (cause.cause === 'silent') {
      const provider = wantOf(root.evidence)?.provider ?? null;
      const perhaps = provider === null ? [] : besideOf(name, candidatesLike(provider));
      if (perhaps.length <= PERHAPS) root.cause = { ...cause, perhaps };
      continue;
    }
    const want = cause.cause === 'own-deferral' ? wantOf(ofPart(name, cause.call) ?? cause.call) : null;
    if (cause.cause !== 'own-deferral') continue;
    if (want === null && cause.whom === 'it')
      root.cause = { ...cause, perhaps: failing.before(root.line ?? devices.get(name)?.line ?? 0) };
    if (want?.provider == null) continue;
    const { provider } = want;
    const circle = [...root.waiting].flatMap(([device, next]) =>
      next === name && provider.test(device) ? [device] : [],
    );
    root.cause = { ...cause, circle };
    const kind = providers.get(want) ?? (ofKindOf(want).length > 0 ? ofKindOf(want) : declinedOf(want));
    providers.set(want, kind);
    const own = ownName(name);
    const words = namesIn(`${own} ${withoutPaths(cause.call ?? '')}`);
    const those = new Set(
      [...words].flatMap((word) => {
        const some = named.get(word) ?? [];
        return some.length > MOST_FIT ? [] : some;
      }),
    );
    // Of a card's parts many have no name of their kind; all else has to be one that can provide it.
    const canProvide = (device: string) => provider.test('codec') || isProviderOf(want, device);
    const others = [...those].filter((device) => nodeOf(device) !== nodeOf(name) && canProvide(device));
    const beside = kind.length > PERHAPS ? besideOf(name, kind) : [];
    const ofKind = beside.length > 0 ? beside : kind;
    const all = others.length > 0 ? others.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)) : ofKind;
    if (all.length > MOST_FIT) continue;
    // What waits for the device itself is not what it waits for, nor what lacks the same.
    const isLikeIt = (device: string) => {
      const other = roots.get(device)?.cause;
      return other?.cause === 'own-deferral' && other.call === cause.call;
    };
    const fit = all.filter((device) => {
      const end = ends.get(device)?.end ?? device;
      return !isLikeIt(device) && device !== name && end !== name && !isLikeIt(end);
    });
    // Those that lack the same count as one.
    const calls = new Set(fit.map((device) => callOf(roots.get(device)?.cause) ?? device));
    const isMany = (all.length > 2 * PERHAPS && calls.size > 1) || calls.size > PERHAPS;
    // Of many, what has failed is what the others wait for, too.
    const perhaps = isMany ? fit.filter((device) => roots.get(device)?.cause.cause === 'failed') : fit;
    const most = calls.size === 1 ? MOST_FIT : 2 * PERHAPS;
    if (perhaps.length <= (isMany ? PERHAPS : most)) root.cause = { ...cause, perhaps, circle };
  }
  const kin = new NeededByKin(roots, driverOf);
  for (const [name, root] of roots) {
    const { cause } = root;
    if (cause.cause !== 'own-deferral') continue;
    const mutual = cause.perhaps.filter((device) => {
      const other = roots.get(device)?.cause;
      return other?.cause === 'own-deferral' && other.perhaps.includes(name);
    });
    if (mutual.length > 0) root.cause = { ...cause, mutual };
    const back = cause.wants === null && cause.whom === 'it' ? kin.back(name, root.waiting) : [];
    if (back.length > 0) root.cause = { ...cause, circle: back };
  }
}

/** Codecs and amplifiers, by what their devices and drivers are called. */
const OF_SOUND = /\bamp|[-_]amp\b|amplifier|speaker|\bspk|(?<!video-)codec|smart[-_]?pa\b/;

function failedCodecs(roots: ReadonlyMap<string, Found>): string[] {
  return [...roots].flatMap(([name, { cause }]) => {
    const driver = cause.cause === 'failed' ? (cause.driver ?? '') : null;
    return driver !== null && (OF_SOUND.test(`${name} ${driver}`) || OF_CODECS.test(driver)) ? [name] : [];
  });
}

/** What others of a device's kind wait for, by their node's name or their driver. */
class NeededByKin {
  readonly #needed = new Map<string, Set<string>>();
  readonly #driverOf: (device: string) => string;

  constructor(roots: ReadonlyMap<string, Found>, driverOf: (device: string) => string) {
    this.#driverOf = driverOf;
    for (const { waiting } of roots.values())
      for (const [device, next] of waiting)
        for (const kind of this.#kindsOf(device))
          this.#needed.set(kind, (this.#needed.get(kind) ?? new Set()).add(next));
  }

  /**
   * What waits for the device and is waited for by others of its kind: the GPIOs of a PMIC switch regulators, of which
   * one supplies the PMIC.
   */
  back(name: string, waiting: ReadonlyMap<string, string>): string[] {
    const kinds = this.#kindsOf(name);
    const isNeeded = (device: string) => kinds.some((kind) => this.#needed.get(kind)?.has(device) === true);
    return [...waiting].flatMap(([device, next]) => (next === name && isNeeded(device) ? [device] : []));
  }

  #kindsOf(device: string): string[] {
    const node = /^[a-z][\w-]*(?=@)/.exec(device)?.[0];
    const driver = this.#driverOf(device);
    return [...(node === undefined ? [] : [`node ${node}`]), ...(driver === '' ? [] : [`driver ${driver}`])];
  }
}

/** What belongs to one block of a chip is within so many bytes, as a GPU, its IOMMU and its clock controller. */
const BLOCK = 0x100000;

/** Those of `names` whose registers are in one block with the device's. */
function besideOf(device: string, names: readonly string[]): string[] {
  const own = ownNode(device)?.address;
  if (own === undefined || names.length > MOST_FIT) return [];
  return names.filter((name) => {
    const address = ownNode(name)?.address;
    return name !== device && address !== undefined && Math.abs(address - own) < BLOCK;
  });
}

/** An IOMMU of its own, or a power controller, has its registers beside the device's: that one of `names`, or all. */
function nearestTo(device: string, names: readonly string[]): readonly string[] {
  const own = ownNode(device)?.address ?? 0;
  const far = (name: string) => Math.abs((ownNode(name)?.address ?? 0) - own);
  const [nearest, next] = besideOf(device, names).sort((a, b) => far(a) - far(b));
  return nearest === undefined || (next !== undefined && far(next) === far(nearest)) ? names : [nearest];
}

/** Controllers of a chip's pins, by their nodes; what is no such controller needs hardly any. */
export const OF_PINS: RegExp = /^[0-9a-f]{4,16}\.(i2c|spi|serial|uart|mmc|sdhci|pwm|can|gpio|ethernet)\b/;
/** So many kinds have little in common but pins, clocks and a power domain. */
const KINDS_IN_COMMON = 3;
/** pinctrl_init(), drivers/pinctrl/core.c, says `pinctrl core: initialized`. */
const PINCTRL_CORE = 'core';
const PIN_CONTROLLERS = /pinctrl|pin-?controller|pinmux|iomux/;

/** What devices of many kinds that wait without a reason have in common, which may be among what is `missing`. */
export function inCommon(
  unexplained: readonly string[],
  missing: readonly string[],
  { heard, complaints, devices }: Pick<LogSummary, 'heard' | 'complaints' | 'devices'>,
): Why['common'] {
  const kinds = [...new Set(unexplained.flatMap((device) => OF_PINS.exec(device)?.[1] ?? []))];
  if (kinds.length < KINDS_IN_COMMON) return null;
  const spokenOf = [...heard.values(), ...complaints.values(), ...devices.values()];
  return {
    kinds,
    perhaps: [...new Set(missing)].filter((device) => PIN_CONTROLLERS.test(device)),
    isUnheard: !spokenOf.some(
      ({ device, driver }) => device !== PINCTRL_CORE && PIN_CONTROLLERS.test(`${device} ${driver ?? ''}`),
    ),
  };
}

/** Kinds of what roots lack by their drivers' words, of which none speaks that is not deferred itself. */
export function unheardOf(
  roots: readonly Root[],
  unbound: ReadonlySet<string>,
  { heard, complaints, devices }: Pick<LogSummary, 'heard' | 'complaints' | 'devices'>,
): string[] {
  const those = [...heard.values(), ...complaints.values(), ...devices.values()].flatMap(({ device, driver }) =>
    unbound.has(device) ? [] : [`${driver ?? ''} ${device}`],
  );
  const wants = new Set(
    roots.flatMap(({ cause }) => (cause.cause === 'own-deferral' ? (wantOf(cause.call) ?? []) : [])),
  );
  return [...wants].flatMap(({ noun, provider }) =>
    provider === null || those.some((names) => provider.test(names)) ? [] : [noun],
  );
}

/** Drivers of the processor, or of the firmware on it, that switches what the whole chip needs. */
const RUNS_POWER = /(?:^|[-_,])(?:rpmh?(?:-(?:proc|rsc))?|smd[-_]rpm|scmi|scpi(?:_protocol)?|ti-?sci|scu|bpmp)$/;

/** Whether a device may provide what somebody lacks, by its name; the number of a part (`mdio:00`) is none. */
function isProviderOf({ provider }: Want, device: string): boolean {
  const own = ownName(device);
  return provider?.test(/[a-z]{2}/i.test(own) ? own : device) === true;
}

/** What is needed by nearly all, and needs the least itself. */
const FIRST_PROVIDERS = 3;
/** Twelve fail alike on one board; a log may come from anywhere. */
const MOST_FAILED = 64;

/** Providers that most need, whose probes failed: whoever defers and does not say for what may wait for them. */
class FailedProviders {
  readonly #found: readonly { readonly name: string; readonly line: number }[];

  constructor(roots: ReadonlyMap<string, Found>) {
    const isFirst = (name: string, driver: string) =>
      Math.min(providerRank(name), providerRank(driver)) < FIRST_PROVIDERS || RUNS_POWER.test(driver);
    const failed = [...roots].filter(
      ([name, { cause }]) => cause.cause === 'failed' && isFirst(name, cause.driver ?? ''),
    );
    // Those that fail alike count as one.
    const kinds = new Set(failed.map(([, { cause, evidence }]) => `${errorOf(cause)} ${beginOf(evidence)}`));
    this.#found =
      kinds.size > PERHAPS || failed.length > MOST_FAILED
        ? []
        : failed.map(([name, { line }]) => ({ name, line: line ?? 0 }));
  }

  before(line: number): string[] {
    return this.#found.flatMap((one) => (one.line < line ? [one.name] : []));
  }
}

function errorOf(cause: RootCause): number | null {
  return cause.cause === 'failed' ? cause.error : null;
}

function beginOf(words: string | null): string {
  return words?.split(' ', PERHAPS).join(' ') ?? '';
}

/** Parts of a display that look for a panel or a bridge when they are bound: drm_of_find_panel_or_bridge(). */
const HAS_PANEL = /(?:^|[.:])(?:lvds|e?dp|m?i?p?i?_?dsi|rgb|ldb)(?:$|@)/;

/** What a part of a display lacks whose driver does not say why it cannot be bound. */
function ofPart(name: string, call: string | null): string | null {
  return call === NOT_YET && HAS_PANEL.test(name) ? 'panel' : null;
}

/** What of several roots is one reason: a call, or the time-out. */
function callOf(cause: RootCause | undefined): string | null {
  if (cause?.cause === 'timed-out') return cause.cause;
  return cause?.cause === 'own-deferral' ? cause.call : null;
}

/** Drivers of codecs and amplifiers, by their chips' names. */
export const OF_CODECS: RegExp =
  /^(?:snd|adau|ak\d|alc|aw88|cs\d|da7|es[78]|max98|nau|pcm\d|rt\d|sgtl|ssm|tas|tlv|wcd|wm\d|wsa)/;
const ON_A_BUS = /i2c/;

/**
 * Whether a sound card may wait for an I2C device: one of which nothing else is known, or that has such a driver. What
 * the driver core knows for a supplier of others is none of a card's, which it does not know.
 */
function isPerhapsCodec(
  { provider }: Want,
  device: string,
  driver: string,
  roots: ReadonlyMap<string, Found>,
): boolean {
  const isSupplier = (roots.get(device)?.waiting.size ?? 0) > 0;
  return (
    provider?.test('codec') === true &&
    I2C_DEVICE.test(device) &&
    (driver === '' ? !isSupplier : OF_CODECS.test(driver))
  );
}

/** What the words about a root say that it lacks; null where they do not tell. */
export function lackedBy({ cause, evidence }: Pick<Root, 'cause' | 'evidence'>): Want | null {
  if (cause.cause === 'timed-out') {
    const want = wantOf(evidence);
    // Words of anything else are of another attempt, or of what follows.
    return want?.timesOut === true ? want : null;
  }
  return cause.cause === 'own-deferral' ? wantOf(cause.call) : null;
}

/** So many reasons that lack one kind of a thing may have one cause. */
const LACK_ALIKE = 3;

/**
 * What a chip has few providers of and many roots lack by their words, each with how many roots, where none of these
 * providers is a root itself.
 * @param shared roots by their reasons
 */
export function lackedByMany(shared: readonly (readonly Root[])[]): ReadonlyMap<Want, number> {
  const reasons = new Map<Want, (readonly Root[])[]>();
  for (const roots of shared) {
    const [first] = roots;
    const want =
      first?.cause.cause === 'failed' ? wantOf(first.evidence) : first === undefined ? null : lackedBy(first);
    if (want?.isCentral === true) reasons.set(want, [...(reasons.get(want) ?? []), roots]);
  }
  const names = shared.flat().map(({ name }) => name);
  return new Map(
    [...reasons].flatMap(([want, those]): [Want, number][] => {
      const isTold = names.some((name) => want.provider?.test(name) === true);
      return those.length < LACK_ALIKE || isTold ? [] : [[want, those.flat().length]];
    }),
  );
}

/** Of a failure of which its driver says nothing, what another said shortly before may be the cause. */
export const SHORTLY = 8;

/** Whether a probe may have failed for what was said of another device shortly before. */
export function mayHaveFailed(
  { cause, evidence, line: failed }: Pick<Root, 'cause' | 'evidence' | 'line'>,
  { device, line }: Words,
): boolean {
  if (cause.cause !== 'failed' || failed === null || line >= failed || failed - line > SHORTLY) return false;
  return evidence !== null && !isFunction(device) && wantOf(evidence)?.provider?.test(device) === true;
}

/** Of a kind that is only guessed, something has to have failed. */
const CAME_TO_NOTHING = /fail|err|unable|can ?not|can't|could ?n[o']t|no irq domain/i;
/** pinmux_map_to_setting(), drivers/pinctrl/pinmux.c: said of a pin controller that is there, and of who asks it. */
const IS_ASKED = /^invalid function \S+ in map table/;

/** What drivers said of devices that the log does not show bound, as roots are compared with it. */
class SaidOfOthers {
  readonly #byDevice: ReadonlyMap<string, Words>;
  readonly #byLine: ReadonlyMap<number, Words>;
  readonly #ofKinds = new Map<Want | null, readonly Words[]>();

  constructor(all: readonly Words[]) {
    const own = all.filter(({ driver }) => driver !== DRM);
    this.#byDevice = new Map(own.map((said) => [said.device, said]));
    this.#byLine = new Map(own.map((said) => [said.line, said]));
  }

  of(device: string | null): Words | undefined {
    return this.#byDevice.get(device ?? '');
  }

  has(device: string): boolean {
    return this.#byDevice.has(device);
  }

  /** What was said in so many lines before this one. */
  before(line: number, lines: number): Words[] {
    return Array.from({ length: lines }, (_, n) => this.#byLine.get(line - lines + n)).filter(
      (said) => said !== undefined,
    );
  }

  /** Of what may provide a kind; null stands for all that the time-out ends the wait for. */
  ofKind(want: Want | null): readonly Words[] {
    const known = this.#ofKinds.get(want);
    if (known !== undefined) return known;
    const isProvider = (device: string, words: string) =>
      want === null
        ? (POWER_DOMAIN.test(device) || PIN_CONTROLLER.test(device)) && CAME_TO_NOTHING.test(words)
        : isProviderOf(want, device);
    const found = [...this.#byDevice.values()].filter(
      ({ device, words }) =>
        (!isFunction(device) && isProvider(device, words) && !IS_ASKED.test(words)) || want?.said?.test(words) === true,
    );
    this.#ofKinds.set(want, found);
    return found;
  }
}

/** It is asked for each root. */
const others = new WeakMap<readonly Words[], SaidOfOthers>();

/**
 * Of what drivers said of devices that the log does not show bound, that of what may provide what a root lacks: the
 * first `most` of it.
 */
export function saidOfProviders(root: Root, all: readonly Words[], most: number): Words[] {
  const said = others.get(all) ?? new SaidOfOthers(all);
  others.set(all, said);
  const { cause, name } = root;
  if (cause.cause === 'failed')
    return said
      .before(root.line ?? 0, SHORTLY)
      .filter((one) => mayHaveFailed(root, one))
      .slice(0, most);
  const named =
    cause.cause === 'own-deferral'
      ? said.of(nameIn(cause.call, { has: (device) => device !== name && said.has(device) }))
      : undefined;
  if (named !== undefined) return [named];
  const want = lackedBy(root);
  // Of a wait that the time-out has ended it is known for what kinds it may have been.
  const isTimedOut = cause.cause === 'timed-out' && cause.perhaps.length === 0;
  if (want === null && !isTimedOut) return [];
  const waiting = new Set([name, ...root.waiting.map(({ device }) => device)]);
  const found: Words[] = [];
  for (const one of said.ofKind(want)) {
    if (found.length >= most) break;
    if (one.device === name) continue;
    const user = isTimedOut || want?.said?.test(one.words) === true ? null : userOf(one);
    if (user === null || waiting.has(user.device)) found.push(one);
  }
  return found;
}

/** Who says just after that what fails is what it uses, by the kind; null where nobody does. */
export function userOf(said: Words): NonNullable<Words['next']> | null {
  const known = users.get(said);
  if (known !== undefined) return known;
  const { device, next } = said;
  const user = next !== undefined && wantOf(next.words)?.provider?.test(device) === true ? next : null;
  users.set(said, user);
  return user;
}

/** It is asked of each root. */
const users = new WeakMap<Words, NonNullable<Words['next']> | null>();

/** Providers of power domains, which clock controllers are too, IOMMUs and pin controllers: what a time-out ends. */
const POWER_DOMAIN =
  /power-?(?:controller|domain|manager)|pgc|\bgpc\b|rpmh?pd|^sc[mp]i$|blk-ctrl|-power$|clock-controller/;
const IS_IOMMU = /iommu|smmu/;
/** What hardly works without one. */
const HAS_IOMMU = /gpu|display|vop|vpu|video|isp|camss|venus/;
const PIN_CONTROLLER = /pinctrl/;

function isTimedOut(roots: ReadonlyMap<string, Found>, device: string): boolean {
  return roots.get(device)?.cause.cause === 'timed-out';
}

/** Words that every sound card has in its name. */
const OF_ANY_CARD: ReadonlySet<string> = new Set(['sound', 'card', 'audio']);
const LEAST_WORD = 4;

function namesIn(words: string): ReadonlySet<string> {
  const names = words.toLowerCase().split(/[^a-z0-9]+/);
  // One of several of a kind has a number, as the HDMI of a card.
  const kinds = names.map((name) => name.replace(/\d+$/, ''));
  return new Set([...names, ...kinds].filter((name) => name.length >= LEAST_WORD && !OF_ANY_CARD.has(name)));
}

/** The name of a device's node, without its address; all of a device's name that has none. */
function nodeOf(device: string): string {
  return /^[0-9a-f]{4,16}\.([a-z][\w-]*)$/.exec(device)?.[1] ?? device;
}

/** Devices by their nodes' and their drivers' names, as a sound card is named after its codec and its links. */
function byNodeOrDriver(
  candidates: readonly string[],
  devices: LogSummary['devices'],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const device of candidates)
    for (const name of new Set([nodeOf(device), devices.get(device)?.driver ?? ''])) {
      const known = found.get(name) ?? [];
      if (known.push(device) === 1) found.set(name, known);
    }
  return found;
}

/** What nodes are called on whose drivers others depend, or that are in such a node. */
const KINDS: readonly (readonly [node: RegExp, what: string, parts: string])[] = [
  [/pmic/, 'a PMIC', 'a PMIC'],
  [/regulator(?!y)|^(?:ldo|buck|dcdc)/i, 'a regulator', 'regulators'],
  [/gpio|expander/, 'a GPIO chip', 'GPIOs'],
  [/clock|clk/, 'a clock controller', 'clocks'],
  [/pinctrl|pinmux/, 'a pin controller', 'pins'],
  [/codec/, 'a codec', 'a codec'],
  [/bridge|panel/, 'a part of the display', 'a part of the display'],
  [/mux/, 'a multiplexer', 'a multiplexer'],
];

/** More tell nothing. */
const MOST_SILENT = 8;

/** What an I2C device is by the nodes from its own on, as `pmic@20/regulators/...`; null where they do not tell. */
function whatIs(nodes: readonly string[]): string | null {
  const [own = '', ...below] = nodes.map((node) => KINDS.find(([pattern]) => pattern.test(node)));
  const part = below.find((kind) => kind !== undefined && kind !== own)?.[2];
  if (own !== '' && own !== undefined) return part === undefined ? own[1] : `${own[1]} with ${part}`;
  return part === undefined ? null : `which has ${part}`;
}

/**
 * I2C devices that are there, which no driver speaks of, and which are not deferred: by the log's paths what others may
 * need, or in a cycle with what is not `unbound` either. A path does not tell the bus's number.
 */
export function unspokenOf(
  { cycles, devices, heard, complaints, banner }: LogSummary,
  unbound: ReadonlySet<string>,
  names: Names,
): Unspoken[] {
  if (banner === null) return [];
  const paths = cycles.flatMap((cycle) => [cycle.node, cycle.with]).filter((name) => name.includes('/'));
  const named = new Set(cycles.flatMap((cycle) => [cycle.node, cycle.with]).filter((name) => I2C_DEVICE.test(name)));
  const silent = [...named].filter((name) => !devices.has(name) && !heard.has(name) && !complaints.has(name));
  return silent.slice(0, MOST_SILENT).flatMap((device): Unspoken[] => {
    const address = `@${device.slice(device.lastIndexOf('-') + 1).replace(/^0+/, '')}`;
    const nodes = paths.flatMap((path) => {
      const all = path.split('/');
      const at = all.findIndex((node, index) => node.endsWith(address) && ON_A_BUS.test(all[index - 1] ?? ''));
      return at === -1 ? [] : [all.slice(at)];
    });
    const [what = null] = nodes.flatMap((those) => whatIs(those) ?? []);
    const isTied = cycles.some(({ node, with: other }) => {
      const partner = node === device ? other : other === device ? node : null;
      return partner !== null && unbound.has(names.deviceOf(partner) ?? partner);
    });
    return what !== null || isTied ? [{ device, what }] : [];
  });
}

/** What device-mapper makes of other devices: drivers/md/dm-init.c, and names that udev gives. */
const MAPPED = /^(?:\/dev\/)?(?:mapper\/|dm-\d)/;
/** DM_MSG_PREFIX, include/linux/device-mapper.h. */
const DEVICE_MAPPER = 'device-mapper';

/** The root file system that is awaited, and what of what is not bound it may be behind. */
export function rootDeviceOf(
  { root, complaints, partitions }: Pick<LogSummary, 'root' | 'complaints' | 'partitions'>,
  unbound: ReadonlySet<string>,
): Why['rootDevice'] {
  if (root === null) return null;
  const { name, shell } = root;
  const ofMapper = complaints.get(DEVICE_MAPPER);
  const mapped = MAPPED.test(name ?? '') || (name === null && ofMapper !== undefined);
  if (mapped) return { name, perhaps: [], said: ofMapper === undefined ? [] : [ofMapper], mapped, partitions, shell };
  const kind = DISKS.find(([disk]) => name !== null && disk.test(name));
  const [, controller = ANY_DISK, port = null] = kind ?? [];
  const [, number] = NUMBER.exec(name ?? '') ?? [];
  const isAnother = (device: string) => number !== undefined && (HOST.exec(device)?.[1] ?? number) !== number;
  const those = {
    name,
    mapped,
    partitions: partitions.filter((one) => kind === undefined || kind[0].test(one)),
    shell,
  };
  const perhaps = [...unbound].filter((device) => controller.test(device) && !isAnother(device));
  if (perhaps.length > 0) return { ...those, perhaps, said: [] };
  const said = [...complaints.values()].filter(
    ({ device }) => port?.test(device) === true && !unbound.has(device) && !isAnother(device),
  );
  return { ...those, perhaps, said };
}
