import type { Words } from '../dmesg/complaints.ts';
import { EPROBE_DEFER } from '../dmesg/deferral.ts';
import { type DeviceLife, newLife, REASON_UNKNOWN } from '../dmesg/lives.ts';
import { NO_DRIVERS } from '../dmesg/spoken.ts';
import type { BindFailure, LogSummary } from '../dmesg/summary.ts';
import { isUnnamedSupplier, kindOfPart, Names, supplierOf } from './why-names.ts';
import { type Want, wantOf } from './why-wants.ts';

/** Why a root is not there. */
export type RootCause =
  /** Nothing in the log speaks of it: no driver was ever called for it. */
  | { readonly cause: 'never-probed' }
  /** The same, and nothing in the log speaks of the bus that it is behind. */
  | { readonly cause: 'no-bus'; readonly bus: string }
  /** Nothing in the log tells what became of its probe, but a driver speaks of it. */
  | { readonly cause: 'spoken-of'; readonly driver: string }
  /** It is no device, but a part that a sound card's driver looks for by this name, of this kind. */
  | { readonly cause: 'no-part'; readonly kind: string }
  | { readonly cause: 'no-driver'; readonly compatible: readonly string[] }
  | { readonly cause: 'module-not-loaded'; readonly modules: readonly string[] }
  /** The device tree has no such node, or a node of which no device is made. */
  | { readonly cause: 'half-merged-tree'; readonly what: string }
  | { readonly cause: 'node-disabled' }
  /** Deferred, and the log does not say by what. */
  | { readonly cause: 'silent' }
  /**
   * Its own driver returns -EPROBE_DEFER, and says where, of which the kind of the provider may be told. `perhaps` are
   * devices that are not bound either and that provide such a thing by their names, which is a guess.
   */
  | {
      readonly cause: 'own-deferral';
      readonly driver: string | null;
      readonly call: string | null;
      readonly wants: string | null;
      readonly perhaps: readonly string[];
      /** Those that wait for the device itself although they provide such a thing by their names: a circle, perhaps. */
      readonly circle: readonly string[];
    }
  | { readonly cause: 'failed'; readonly driver: string | null; readonly error: number | null }
  /** As a part of another device, for which it has been probed before. */
  | { readonly cause: 'bind-failed'; readonly whole: string; readonly error: number }
  /** The driver core defers it, and the log does not have the supplier's name. */
  | { readonly cause: 'unnamed-supplier' }
  /** `perhaps`: as above, of what the time-out ends the wait for. */
  | { readonly cause: 'timed-out'; readonly driver: string | null; readonly perhaps: readonly string[] }
  /** `relaxed`: fw_devlink found it and does not enforce it, so that it is a guess that its members wait. */
  | { readonly cause: 'cycle'; readonly members: readonly string[]; readonly relaxed: boolean }
  | { readonly cause: 'retry-loop'; readonly times: number; readonly rebound: string }
  | { readonly cause: 'not-returned'; readonly driver: string | null };

/** Something that others wait for, and that waits for nothing itself. */
export interface Root {
  /** A device, or where there is none the node that is waited for. */
  readonly name: string;
  readonly cause: RootCause;
  /** The words of the log that this rests on, and the line that they stand in. */
  readonly evidence: string | null;
  readonly line: number | null;
  /**
   * Devices that are not bound for its sake, each with the one that it waits for itself; the root itself is not among
   * them.
   */
  readonly waiting: readonly Waiting[];
}

/** A device that waits, and what it waits for itself. */
export interface Waiting {
  readonly device: string;
  readonly for: string;
  /** `boot`: it is bound in another boot that has what it waits for, and the device tree does not link them. */
  readonly known: 'log' | 'tree' | 'boot';
  /** The properties of its node that say so, where the device tree does. */
  readonly properties: readonly string[];
}

export interface Why {
  readonly roots: readonly Root[];
  /** Devices that are not bound, the roots among them. */
  readonly unbound: number;
  /** Unbound devices of which the log does not say why, such as those that a supplier's sync_state() waits for. */
  readonly unexplained: readonly string[];
  /** Those of them that others may wait for: a guess by what devices with such a name do. */
  readonly likely: readonly string[];
  /** Their drivers gave no reason, so that the kernel has none to tell; otherwise the log may only not print it. */
  readonly reasonless: boolean;
  /**
   * Deferred once, and no more when all were tried again or what is pending was listed, or their drivers spoke since:
   * bound or failed, as far as lines later in the log tell, which is a guess.
   */
  readonly settled: readonly string[];
  /** Where the log leaves something open: what drivers of other devices said that sounds like an error. */
  readonly complaints: readonly Words[];
  /** The root file system that the kernel or its initramfs waits for, and what may hold it of what is not bound. */
  readonly rootDevice: { readonly name: string | null; readonly perhaps: readonly string[] } | null;
}

/** What devices are called whose drivers others need, those first that need the least themselves. */
const PROVIDERS: readonly RegExp[] = [
  /clock|clk|rcc/,
  /power-?(?:domain|controller|manager)|blk-ctrl|pgc|rsc|rpm|scmi|mailbox|mbox|remoteproc/,
  /regulator|pmic|ldo|buck|vreg|(?<!power-)supply|^reg[-_]|^(?:vcc|vdd|vbus|vsys|dc|sys)[\w-]*$|-\dv\d$/,
  /interconnect|iommu|smmu/,
  /pinctrl|gpio|io-domains|syscon|pwm|reset/,
  /^(?:i2c|spi|spmi|i3c)\b|\.(?:i2c|spi|spmi|i3c)$/,
  /phy|extcon|typec|retimer|mux|dma/,
];

function providerRank(device: string): number {
  const rank = PROVIDERS.findIndex((pattern) => pattern.test(device));
  return rank === -1 ? PROVIDERS.length : rank;
}

/** Words before the reason: the subsystem and the error (dev_err_probe()). */
const PREFIX = /^(?:([\w.,-]+): )?(?:error -(?:EPROBE_DEFER|517): )?/;
const ETIMEDOUT = 110;
/** A name that more devices have says nothing. */
const PERHAPS = 3;

/** Disks of a kind, and what the devices are called that they are behind. */
const DISKS: readonly (readonly [disk: RegExp, controller: RegExp])[] = [
  [/mmcblk/, /mmc|sdhci|sdio|emmc/],
  [/nvme/, /nvme|pcie?\b/],
  [/\bsd[a-z]/, /ufs|sata|ahci|usb|scsi/],
  [/ubi|mtd/, /nand|spi|qspi/],
  [/nfs/, /ethernet|gmac/],
];
const ANY_DISK = /mmc|sdhci|emmc|nvme|pcie\b|ufs|sata|ahci/;

interface Found {
  cause: RootCause;
  evidence: string | null;
  line: number | null;
  readonly waiting: Map<string, string>;
}

/** Collapses everything that is deferred or failed to the roots that it waits for. Pure. */
export function whyUnbound(said: LogSummary): Why {
  const summary = { ...said, devices: withWordsOfCpus(said.devices) };
  const { devices, retryLoop, cycles, syncWaits, complaints, heard } = summary;
  const names = new Names(devices);
  const speakers = new Names(
    new Map([...heard, ...complaints].map(([device, { line }]) => [device, newLife(device, 'bound', line)])),
  );
  const binds = summary.bindFailures.filter(({ device }) => devices.get(device)?.state !== 'bound');
  const parts = new Map(binds.map((failure) => [failure.part, failure]));
  const { unbound, settled } = splitSettled(summary, names);
  const awaited = new Map<string, string>();
  /** Their supplier came after all, in this line: the kernel keeps the last reason that it was told. */
  const outdated = new Map<string, number>();
  const thereSince = (supplier: string): number | null => {
    const life = devices.get(supplier);
    if (life !== undefined) return life.state === 'bound' && !parts.has(supplier) ? life.boundLine : null;
    const speaker = speakers.deviceOf(supplier) ?? '';
    return complaints.has(speaker) ? null : (heard.get(speaker)?.line ?? null);
  };
  for (const device of unbound) {
    const reason = devices.get(device)?.reason ?? null;
    const named = supplierOf(reason);
    const said = complaints.get(device)?.words ?? null;
    const supplier =
      named === null
        ? (nodeIn(reason, names, unbound) ?? deviceIn(reason, unbound) ?? deviceIn(said, unbound))
        : names.supplierOf(device, named);
    if (supplier === null || supplier === device || devices.get(device)?.state === 'failed') continue;
    const since = thereSince(supplier);
    const isThere = since !== null && (devices.has(supplier) || since > (devices.get(device)?.reasonLine ?? 0));
    if (isThere) outdated.set(device, since);
    else awaited.set(device, supplier);
  }
  for (const device of boundSince(outdated, awaited, devices)) {
    unbound.delete(device);
    awaited.delete(device);
    settled.add(device);
  }
  for (const { device, part } of binds) {
    settled.delete(device);
    unbound.add(device);
    if (part !== device) awaited.set(device, part);
  }
  /** Who waits for it, of those the first. */
  const first = new Map([...awaited].toReversed().map(([device, supplier]) => [supplier, device]));
  const roots = new Map<string, Found>();
  const unexplained = new Set<string>();
  const rootAt = (name: string, found: () => Omit<Found, 'waiting'>) => {
    const known = roots.get(name) ?? { ...found(), waiting: new Map<string, string>() };
    roots.set(name, known);
    return known;
  };
  const ends = new Map<string, End>();
  for (const device of unbound) {
    const { end, members } = endOf(device, awaited, ends);
    const life = devices.get(end);
    const next = awaited.get(device);
    if (members !== null) {
      const root = rootAt(end, () => ({ cause: { cause: 'cycle', members, relaxed: false }, ...reasonOf(life) }));
      if (next !== undefined) root.waiting.set(device, next);
      continue;
    }
    if (life === undefined && !parts.has(end)) {
      const bus = names.busOf(end);
      const speaker = complaints.get(speakers.deviceOf(end) ?? '') ?? heard.get(speakers.deviceOf(end) ?? '');
      const waiter = devices.get(first.get(end) ?? '');
      const kind = kindOfPart(waiter?.reason ?? null);
      const unseen: RootCause = bus === null ? { cause: 'never-probed' } : { cause: 'no-bus', bus };
      rootAt(end, () =>
        speaker?.driver == null || NO_DRIVERS.has(speaker.driver)
          ? { cause: kind === null ? unseen : { cause: 'no-part', kind }, ...reasonOf(waiter) }
          : { cause: { cause: 'spoken-of', driver: speaker.driver }, evidence: speaker.words, line: speaker.line },
      );
    } else if (!roots.has(end)) {
      const known =
        withComplaint(
          causeOf(life, parts.get(end), retryLoop, outdated.has(end)),
          life?.pending === true ? complaints.get(end) : undefined,
        ) ?? (first.has(end) ? { cause: { cause: 'silent' } as const, evidence: null, line: null } : null);
      if (known === null) {
        unexplained.add(device);
        continue;
      }
      rootAt(end, () => known);
    }
    if (next !== undefined) roots.get(end)?.waiting.set(device, next);
  }
  for (const { node, with: other } of cycles) {
    // fw_devlink found it and relaxed it: only worth a word where a device of it is still not bound.
    const member = [node, other].map((one) => names.deviceOf(one)).find((one) => one !== null && unexplained.has(one));
    if (member === undefined || member === null) continue;
    const members = [node, other];
    rootAt(member, () => ({ cause: { cause: 'cycle', members, relaxed: true }, evidence: null, line: null }));
    unexplained.delete(member);
  }
  for (const { consumer } of syncWaits) if (!devices.has(consumer) && !roots.has(consumer)) unexplained.add(consumer);
  guessProviders(roots, unbound, ends, devices);
  const found = [...roots].map(([name, { cause, evidence, line, waiting }]) => ({
    name,
    cause,
    evidence,
    line,
    waiting: [...waiting].map(([device, supplier]) => ({
      device,
      for: supplier,
      known: 'log' as const,
      properties: [],
    })),
  }));
  const known = new Set([...unbound, ...settled, ...unexplained, ...roots.keys()]);
  const open = [...unexplained, ...found.flatMap(({ name, cause }) => (cause.cause === 'silent' ? [name] : []))];
  return {
    roots: found.sort((a, b) => isSilent(a) - isSilent(b) || b.waiting.length - a.waiting.length),
    unbound: unbound.size,
    unexplained: [...unexplained],
    likely: [...unexplained]
      .filter((device) => providerRank(device) < PROVIDERS.length)
      .sort((a, b) => providerRank(a) - providerRank(b)),
    reasonless: isReasonless(open.flatMap((device) => devices.get(device) ?? [])),
    settled: [...settled],
    complaints: unexplained.size > 0 || found.some(isOpen) ? othersOf(complaints, devices, known) : [],
    rootDevice: rootDeviceOf(summary, unbound),
  };
}

const CPU = /^cpu\d+$/;

/**
 * cpufreq drivers ask for what a CPU needs in its name (dev_pm_opp_of_find_icc_paths(), clk_get(), drivers/opp), and
 * CPUs are not probed: their words are the reason of the driver's device.
 */
function withWordsOfCpus(devices: ReadonlyMap<string, DeviceLife>): ReadonlyMap<string, DeviceLife> {
  const [speaker] = [...devices.values()].filter(({ device, reason }) => CPU.test(device) && reason !== null);
  const silent = [...devices.values()].filter(
    ({ device, state, reason }) =>
      state === 'deferred' && /cpufreq/.test(device) && (reason === null || reason === REASON_UNKNOWN),
  );
  if (speaker === undefined || silent.length === 0) return devices;
  const { reason, reasonLine } = speaker;
  const mended = new Map([...devices].filter(([device]) => !CPU.test(device)));
  for (const life of silent) mended.set(life.device, { ...life, by: 'driver', reason: `cpu: ${reason}`, reasonLine });
  return mended;
}

/** A node's path in a driver's words. */
const PATH = /(?:^|\s)(\/[\w.,@+-]+(?:\/[\w.,@:+-]+)+)/;

/** The device of a node that a driver's words name, where that is not bound either. */
function nodeIn(reason: string | null, names: Names, unbound: ReadonlySet<string>): string | null {
  const path = PATH.exec(reason ?? '')?.[1];
  const device = path === undefined ? null : names.deviceOf(path);
  return device !== null && unbound.has(device) ? device : null;
}

/** What stands around names in a sentence. */
const BETWEEN_NAMES = /[\s,;'"()[\]]+|[.:]+(?=\s|$)/;
/** Shorter names, and those without a number, may be words. */
const LEAST_NAME = 5;

/** A device that is not bound whose name stands in a driver's words. */
function deviceIn(words: string | null, unbound: ReadonlySet<string>): string | null {
  const names = words?.split(BETWEEN_NAMES) ?? [];
  return names.find((name) => name.length >= LEAST_NAME && /\d/.test(name) && unbound.has(name)) ?? null;
}

/** Whether the log says of it that it is not bound; a device that was only matched with a driver is not meant. */
export function isUnbound({ state, pending, timedOut, deferrals }: DeviceLife): boolean {
  if (state === 'bound') return false;
  return pending || timedOut || deferrals > 0 || ['failed', 'deferred', 'probing', 'unbound', 'absent'].includes(state);
}

/** Each round tries all that are deferred; the one in which a log ends may be cut, and the one before, too. */
const ROUNDS_WITHOUT = 2;

/**
 * Devices that are not bound, without those that were deferred and are no more: their drivers have said something else
 * since, or they are not in later rounds of retries, or not in the list of what is pending that
 * deferred_probe_timeout_work_func() prints. A log may have less of them than the kernel
 * printed; what others still wait for is not bound.
 */
function splitSettled({ devices, rounds, pendingFrom }: LogSummary, names: Names) {
  const unbound = [...devices.values()].filter(isUnbound);
  const isSettled = ({ state, pending, timedOut, round, line, spoke, returned }: DeviceLife): boolean =>
    !pending &&
    ((timedOut && state !== 'failed' && spoke) ||
      (state === 'deferred' &&
        !timedOut &&
        (spoke ||
          (round > 0 && rounds - round >= ROUNDS_WITHOUT) ||
          (pendingFrom !== null && line < pendingFrom && !returned))));
  const settled = new Set(unbound.filter(isSettled).map(({ device }) => device));
  // What a device that is not settled waits for is not settled, nor what that waits for.
  const queue = unbound.filter(({ device }) => !settled.has(device));
  for (const { reason } of queue) {
    const named = supplierOf(reason);
    const supplier = named === null ? null : names.deviceOf(named);
    const life = supplier !== null && settled.delete(supplier) ? devices.get(supplier) : undefined;
    if (life !== undefined) queue.push(life);
  }
  const others = unbound.map(({ device }) => device).filter((device) => !settled.has(device));
  return { unbound: new Set(others), settled };
}

/**
 * Devices that were deferred for the lack of what came later, or of one that was: all that are deferred are tried again
 * then (driver_bound(), drivers/base/dd.c), and a driver that is deferred again says so, as it did before. Of what the
 * kernel lists at the end that is no more true, nor of what such a device waits for.
 */
function boundSince(
  outdated: ReadonlyMap<string, number>,
  awaited: ReadonlyMap<string, string>,
  devices: LogSummary['devices'],
): Set<string> {
  const isOver = (device: string, line: number) => {
    const life = devices.get(device);
    return life?.state === 'deferred' && !life.pending && !life.timedOut && life.reasonLine < line;
  };
  const since = new Map([...outdated].filter(([device, line]) => isOver(device, line)));
  const waiters = new Map<string, string[]>();
  for (const [device, supplier] of awaited) waiters.set(supplier, [...(waiters.get(supplier) ?? []), device]);
  // The map grows while it is gone through.
  for (const [device, line] of since)
    for (const waiter of waiters.get(device) ?? []) if (isOver(waiter, line)) since.set(waiter, line);
  const held = [...awaited].filter(([device, supplier]) => since.has(supplier) && !since.has(device));
  for (const [, supplier] of held)
    for (let at: string | undefined = supplier; at !== undefined && since.delete(at); ) at = awaited.get(at);
  return new Set(since.keys());
}

/** What says something of the cause comes first. */
function isSilent({ cause, evidence }: Root): 0 | 1 {
  return cause.cause === 'silent' && evidence === null ? 1 : 0;
}

/** Whether the log does not say what exactly it lacks. */
function isOpen({ cause }: Root): boolean {
  return ['silent', 'timed-out', 'unnamed-supplier', 'never-probed', 'own-deferral'].includes(cause.cause);
}

/** A driver that gave the kernel no reason, or none that tells what it lacks, may have told it in the log. */
function withComplaint(found: Omit<Found, 'waiting'> | null, said: Words | undefined): Omit<Found, 'waiting'> | null {
  if (said === undefined) return found;
  const { words: evidence, line } = said;
  if (found === null) return { cause: { cause: 'silent' }, evidence, line };
  const { cause } = found;
  const isVague = cause.cause === 'own-deferral' && cause.wants === null && !(cause.call ?? '').includes(evidence);
  return isVague ? { ...found, evidence, line } : found;
}

/** What is said of devices that are not `known` to be a root or to wait, those first that others may need. */
function othersOf(
  complaints: LogSummary['complaints'],
  devices: LogSummary['devices'],
  known: ReadonlySet<string>,
): Words[] {
  const rank = ({ device, driver }: Words) => Math.min(providerRank(device), providerRank(driver ?? ''));
  return [...complaints.values()]
    .filter(({ device }) => !known.has(device) && devices.get(device)?.state !== 'bound')
    .sort((a, b) => rank(a) - rank(b) || a.line - b.line);
}

function isReasonless(lives: readonly DeviceLife[]): boolean {
  return (
    lives.length > 0 && lives.every(({ reason, listed }) => reason === REASON_UNKNOWN || (listed && reason === null))
  );
}

/** Where a device's suppliers end: at what waits for nothing, or in a circle, whose members are given. */
interface End {
  readonly end: string;
  readonly members: readonly string[] | null;
}

/** Each link is followed once, whatever device it is followed from. */
function endOf(device: string, awaited: ReadonlyMap<string, string>, known: Map<string, End>): End {
  const path = new Map<string, number>();
  let at: string = device;
  let found = known.get(at);
  while (found === undefined) {
    const again = path.get(at);
    if (again !== undefined) {
      const members = [...path.keys()].slice(again);
      found = { end: members.toSorted()[0] ?? at, members };
      break;
    }
    path.set(at, path.size);
    const next = awaited.get(at);
    if (next === undefined) found = { end: at, members: null };
    else {
      at = next;
      found = known.get(at);
    }
  }
  for (const one of path.keys()) known.set(one, found);
  return found;
}

/** The reason of a deferral as evidence; none where the log does not have one. */
function reasonOf(life: DeviceLife | undefined): { readonly evidence: string | null; readonly line: number | null } {
  if (life === undefined || life.reason === null || life.reason === REASON_UNKNOWN)
    return { evidence: null, line: null };
  return { evidence: life.reason, line: life.reasonLine };
}

/** What became of a device that waits for nobody that the log names; null where the log does not say. */
function causeOf(
  life: DeviceLife | undefined,
  part: BindFailure | undefined,
  loop: LogSummary['retryLoop'],
  outdated: boolean,
): Omit<Found, 'waiting'> | null {
  const own = life === undefined ? null : ownCause(life, loop, outdated);
  // A part's own driver may be bound, and fails when it is bound to the whole.
  if (part === undefined || (own !== null && life?.state !== 'bound')) return own;
  const { device: whole, error, words, line } = part;
  if (error !== EPROBE_DEFER) return { cause: { cause: 'bind-failed', whole, error }, evidence: words, line };
  return { cause: deferral(null, words ?? 'it cannot be bound as a part yet'), evidence: words, line };
}

function ownCause(life: DeviceLife, loop: LogSummary['retryLoop'], outdated: boolean): Omit<Found, 'waiting'> | null {
  const { device, driver, state, error, reason, timedOut, by } = life;
  const said = reasonOf(life);
  if (loop !== null && loop.device === device)
    return { cause: { cause: 'retry-loop', times: loop.deferrals, rebound: loop.rebound }, ...said };
  // A driver that goes on without the supplier may fail for the lack of it.
  const failedLater = state === 'failed' && error !== null && error !== ETIMEDOUT;
  if (timedOut && !failedLater) return { cause: { cause: 'timed-out', driver, perhaps: [] }, ...said };
  if (state === 'failed')
    return { cause: { cause: 'failed', driver, error }, evidence: life.words, line: life.failedLine };
  if (state === 'probing') return { cause: { cause: 'not-returned', driver }, ...said };
  if (state === 'unbound' || state === 'absent') return { cause: { cause: 'never-probed' }, ...said };
  if (isUnnamedSupplier(reason)) return { cause: { cause: 'unnamed-supplier' }, ...said };
  // Without a word of who deferred it and why there is nothing to go by.
  if (outdated || reason === REASON_UNKNOWN || (reason === null && by !== 'driver')) return null;
  const [prefix = '', name] = PREFIX.exec(reason ?? '') ?? [];
  // Of a device that is not bound the driver core knows the driver that has just tried (dev_driver_string()).
  const own = name === undefined || NO_DRIVERS.has(name) || name === driver ? driver : (driver ?? name);
  const call = reason?.slice(
    own === null || name === undefined || own === name || NO_DRIVERS.has(name) ? prefix.length : 0,
  );
  if (call?.trim() === '') return null;
  return { cause: deferral(own, call?.trim() ?? null), ...said };
}

function deferral(driver: string | null, call: string | null): RootCause {
  return { cause: 'own-deferral', driver, call, wants: wantOf(call)?.noun ?? null, perhaps: [], circle: [] };
}

/** Names, for drivers that say what kind of a thing they lack, what is not bound and may provide it. */
function guessProviders(
  roots: ReadonlyMap<string, Found>,
  unbound: ReadonlySet<string>,
  ends: ReadonlyMap<string, End>,
  devices: LogSummary['devices'],
): void {
  const providers = new Map<Want, readonly string[]>();
  const candidates = [...new Set([...unbound, ...roots.keys()])];
  for (const [name, root] of roots) {
    const { cause } = root;
    if (cause.cause === 'timed-out') {
      const perhaps = candidates.filter((device) => ENDED_BY_TIMEOUT.test(device) && !isTimedOut(roots, device));
      if (perhaps.length <= PERHAPS) root.cause = { ...cause, perhaps };
      continue;
    }
    const want = cause.cause === 'own-deferral' ? wantOf(cause.call) : null;
    if (cause.cause !== 'own-deferral' || want?.provider == null) continue;
    const { provider } = want;
    const circle = [...root.waiting].flatMap(([device, next]) =>
      next === name && provider.test(device) ? [device] : [],
    );
    root.cause = { ...cause, circle };
    const kind =
      providers.get(want) ??
      candidates.filter((device) => provider.test(device) || isPerhapsCodec(want, device, roots, devices));
    providers.set(want, kind);
    const words = namesIn(`${name} ${cause.call ?? ''}`);
    const named = candidates.filter(
      (device) => device !== name && isNamedIn(words, device, devices.get(device)?.driver),
    );
    const all = named.length > 0 ? named : kind;
    if (all.length > 2 * PERHAPS) continue;
    // What waits for the device itself is not what it waits for, nor what lacks the same.
    const isLikeIt = (device: string) => {
      const other = roots.get(device)?.cause;
      return other?.cause === 'own-deferral' && other.call === cause.call;
    };
    const perhaps = all.filter((device) => !isLikeIt(device) && device !== name && ends.get(device)?.end !== name);
    if (perhaps.length <= PERHAPS) root.cause = { ...cause, perhaps, circle };
  }
}

/** Drivers of codecs and amplifiers, by their chips' names. */
const OF_CODECS = /^(?:snd|adau|ak\d|alc|aw88|cs\d|da7|es[78]|max98|nau|pcm\d|rt\d|sgtl|ssm|tas|tlv|wcd|wm\d|wsa)/;
const ON_I2C = /^\d{1,3}-00[0-9a-f]{2}$/;

/**
 * Whether a sound card may wait for an I2C device: one of which nothing else is known, or that has such a driver. What
 * the driver core knows for a supplier of others is none of a card's, which it does not know.
 */
function isPerhapsCodec(
  { provider }: Want,
  device: string,
  roots: ReadonlyMap<string, Found>,
  devices: LogSummary['devices'],
): boolean {
  const driver = devices.get(device)?.driver ?? null;
  const isSupplier = (roots.get(device)?.waiting.size ?? 0) > 0;
  return (
    provider?.test('codec') === true && ON_I2C.test(device) && (driver === null ? !isSupplier : OF_CODECS.test(driver))
  );
}

/** Providers of power domains, which clock controllers are too, IOMMUs and pin controllers. */
const ENDED_BY_TIMEOUT =
  /power-?(?:controller|domain|manager)|pgc|rpmh?pd|blk-ctrl|clock-controller|iommu|smmu|pinctrl/;

function isTimedOut(roots: ReadonlyMap<string, Found>, device: string): boolean {
  return roots.get(device)?.cause.cause === 'timed-out';
}

/** Words that every sound card has in its name. */
const OF_ANY_CARD: ReadonlySet<string> = new Set(['sound', 'card', 'audio']);
const LEAST_WORD = 4;

function namesIn(words: string): ReadonlySet<string> {
  const names = words.toLowerCase().split(/[^a-z0-9]+/);
  return new Set(names.filter((name) => name.length >= LEAST_WORD && !OF_ANY_CARD.has(name)));
}

/** Whether a device's node or driver is among the words, as a sound card is named after its codec and its links. */
function isNamedIn(words: ReadonlySet<string>, device: string, driver: string | null | undefined): boolean {
  const node = /^[0-9a-f]{4,16}\.([a-z][\w-]*)$/.exec(device)?.[1] ?? '';
  return words.has(node) || words.has(driver ?? '');
}

function rootDeviceOf({ root }: LogSummary, unbound: ReadonlySet<string>): Why['rootDevice'] {
  if (root === null) return null;
  const controller = DISKS.find(([disk]) => root.name !== null && disk.test(root.name))?.[1] ?? ANY_DISK;
  return { name: root.name, perhaps: [...unbound].filter((device) => controller.test(device)) };
}
