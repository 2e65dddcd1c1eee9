import type { GoodWords, Words } from '../dmesg/complaints.ts';
import { EPROBE_DEFER, ERROR_NUMBER } from '../dmesg/deferral.ts';
import { type DeviceLife, newLife, REASON_UNKNOWN } from '../dmesg/lives.ts';
import { deviceName, I2C_DEVICE, ownNode } from '../dmesg/node-names.ts';
import { controllerIn, lacksPins, REPEATS, saidByPinController } from '../dmesg/pins.ts';
import { IS_DEVICE, NO_DRIVERS } from '../dmesg/spoken.ts';
import type { BindFailure, LogSummary } from '../dmesg/summary.ts';
import { nameBelow, nameFarEnds, withPanels } from './why-below.ts';
import { crashOfBoot, warnedProviders } from './why-crash.ts';
import {
  failedAlone,
  failedProviders,
  guessProviders,
  inCommon,
  isProvider,
  providerRank,
  rootDeviceOf,
  SHORTLY,
  unheardOf,
  unspokenOf,
} from './why-guesses.ts';
import { isUnnamedSupplier, kindOfPart, mayRegister, Names, nameIn, supplierOf } from './why-names.ts';
import { nameParents, withoutMade } from './why-parents.ts';
import { withProvenSuppliers } from './why-proven.ts';
import { type End, type Found, mayBeBound, NOT_YET, type Root, type RootCause, type Why } from './why-roots.ts';
import {
  atWorkByWords,
  boundAfterDeferral,
  boundSince,
  hasPartSince,
  isEarly,
  longestWait,
  partsOfBound,
  splitSettled,
} from './why-settled.ts';
import { harmlessWords, silentFailures, splitErrors, withOwnWords } from './why-silent.ts';
import { withEndless, withMoreWords } from './why-spoken.ts';
import { othersOf, suspectsOf } from './why-suspects.ts';
import { wantOf } from './why-wants.ts';

/** Words before the reason: the subsystem and the error (dev_err_probe()). */
const PREFIX = /^(?:([\w.,-]+): )?(?:error -(?:EPROBE_DEFER|517): )?/;
const ETIMEDOUT = 110;

/** Collapses everything that is deferred or failed to the roots that it waits for. Pure. */
export function whyUnbound(said: LogSummary): Why {
  const log = withEndless(said);
  const summary = { ...log, devices: withPanels(withProvenSuppliers(log, withMoreWords(log))) };
  const { devices, retryLoop, cycles, syncWaits, complaints, heard } = summary;
  const names = new Names(devices);
  const speakers = new Names(
    new Map([...heard, ...complaints].map(([device, { line }]) => [device, newLife(device, 'bound', line)])),
  );
  const binds = summary.bindFailures.filter(({ device }) => devices.get(device)?.state !== 'bound');
  const parts = new Map(binds.map((failure) => [failure.part, failure]));
  const { unbound, settled } = splitSettled(summary, names);
  const { awaited, outdated } = awaitedBy(unbound, summary, { names, speakers, parts });
  for (const device of boundSince(outdated, awaited, summary)) {
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
    const waiter = devices.get(first.get(end) ?? '');
    const givesNoPins = life?.state === 'bound' && controllerIn(waiter?.reason ?? null) !== null;
    if ((life === undefined || givesNoPins) && !parts.has(end)) {
      rootAt(end, () => unseen(end, waiter, summary, { names, speakers }));
    } else if (!roots.has(end)) {
      const known =
        withComplaint(
          causeOf(life, parts.get(end), retryLoop, outdated.has(end)),
          life?.pending === true || life?.timedOut === true ? complaints.get(end) : undefined,
          life?.line ?? 0,
        ) ?? (first.has(end) ? { cause: { cause: 'silent', perhaps: [] } as const, evidence: null, line: null } : null);
      if (known === null) {
        unexplained.add(device);
        continue;
      }
      rootAt(end, () => known);
    }
    if (next !== undefined) roots.get(end)?.waiting.set(device, next);
  }
  /** What fw_devlink found to need each other, by devices of which nothing else is known. */
  const partners = new Map<string, Set<string>>();
  for (const { node, with: other } of cycles) {
    // A node needs what it makes itself in no circle.
    if (node === other || other.startsWith(`${node}/`)) continue;
    // fw_devlink found it and relaxed it: only worth a word where a device of it is still not bound.
    const [one, two] = [node, other].map((path) => names.deviceOf(path) ?? path);
    const member = [one, two].find((device) => device !== undefined && unexplained.has(device));
    const partner = member === one ? two : one;
    if (member === undefined || partner === undefined || partner === member) continue;
    if (!isOwnPath(member, member === one ? node : other)) continue;
    // What is bound holds nothing back, and what a device stands below was there before it.
    if (devices.get(partner)?.state === 'bound' || isBelow(member, other) || isBelow(member, node)) continue;
    partners.set(member, (partners.get(member) ?? new Set()).add(partner));
  }
  nameFarEnds(roots, cycles, names);
  for (const [member, others] of partners) {
    const cause = { cause: 'cycle' as const, members: [...others], relaxed: true };
    rootAt(member, () => ({ cause, evidence: null, line: null }));
    unexplained.delete(member);
  }
  const undriven: (typeof syncWaits)[number][] = [];
  for (const wait of syncWaits) {
    const { consumer, line } = wait;
    if (devices.has(consumer) || roots.has(consumer) || (heard.get(consumer)?.line ?? 0) > line) continue;
    const said = complaints.get(consumer);
    // No deferral: the kernel looks before user space loads modules, of which one may drive it.
    if (said === undefined) {
      if (!hasPartSince(consumer, line, summary)) undriven.push(wait);
      continue;
    }
    unbound.add(consumer);
    rootAt(consumer, () => ({ cause: { cause: 'spoken-of', driver: null }, evidence: said.words, line: said.line }));
  }
  // Who has no driver yet may be what somebody lacks.
  guessProviders(roots, new Set([...unbound, ...undriven.map(({ consumer }) => consumer)]), ends, devices);
  nameBelow(roots, cycles);
  nameParents(roots);
  const found = [...roots].map(([name, { waiting, ...root }]) => ({
    ...root,
    name,
    waiting: [...waiting].map(([device, supplier]) => ({
      device,
      for: supplier,
      known: 'log' as const,
      properties: [],
    })),
  }));
  const atWork = atWorkByWords(settled, summary);
  const { bound, madeBy } = withoutMade(boundAfterDeferral(summary, roots, atWork), devices, names);
  const known = new Set([
    ...unbound,
    ...settled,
    ...bound.map(({ device }) => device),
    ...partsOfBound(summary),
    ...madeBy.flatMap(({ children }) => children),
    ...unexplained,
    ...roots.keys(),
  ]);
  const silent = [...unexplained, ...found.flatMap(({ name, cause }) => (cause.cause === 'silent' ? [name] : []))];
  const goneOn = found.filter(mayBeBound).length;
  const failedParts = found.flatMap(({ name, cause }) => (cause.cause === 'bind-failed' ? [name] : []));
  const held = heldBy(found);
  const unspoken = unexplained.size > 0 ? unspokenOf(summary, unbound, names) : [];
  // Of what failed, that which something may wait for comes first.
  const suppliers = new Set(failedProviders({ roots: found, unexplained: [...unexplained] }));
  const idle = (root: Root) => (unexplained.size > 0 && root.cause.cause === 'failed' && !suppliers.has(root) ? 1 : 0);
  const rootDevice = rootDeviceOf(summary, unbound);
  const others = othersOf(summary, known, found);
  const alone = failedAlone({ roots: found, unexplained: [...unexplained] });
  const harmless = harmlessWords(
    summary,
    new Set([...others.map(({ device }) => device), ...unbound, ...roots.keys()]),
  );
  const suspects = suspectsOf(others, { roots: found, unexplained: [...unexplained], unspoken }, summary);
  const isPiece = summary.banner === null && !summary.started;
  return {
    kernel: summary.banner ?? summary.release,
    boot: null,
    isPiece,
    isEarly: isEarly([...unbound, ...roots.keys()], summary),
    crash: crashOfBoot(summary),
    roots: found
      .sort((a, b) => unsaid(a, alone) - unsaid(b, alone) || held(b) - held(a) || idle(a) - idle(b))
      .map((root) => withOwnWords(root, harmless)),
    unbound: new Set([...unbound, ...failedParts]).size - goneOn,
    goneOn,
    undriven: atLast(undriven),
    unexplained: [...unexplained],
    seen: lastSeen(
      [...unexplained].flatMap((device) => devices.get(device) ?? []),
      summary,
      isPiece,
    ),
    likely: likelyOf([...unexplained], unbound).sort((a, b) => providerRank(a) - providerRank(b)),
    unspoken,
    unheard: isPiece ? [] : unheardOf(found, unbound, summary),
    common: inCommon([...unexplained], [...unbound, ...roots.keys()], summary),
    refused: refusedOf([...unexplained].flatMap((device) => devices.get(device) ?? [])),
    reasonless: isReasonless(silent.flatMap((device) => devices.get(device) ?? [])),
    settled: [...settled].filter((device) => !atWork.has(device)),
    bound: bound.toSorted((a, b) => b.line - a.line),
    madeBy,
    waited: unbound.size + found.length > 0 || rootDevice !== null ? null : longestWait(summary),
    console: consoleOf(unbound, summary),
    doubles: doublesOf(found, summary),
    rejected: firstOfEach(summary.rejected),
    said: others,
    ...splitErrors(suspects, silentFailures(others, harmless, summary), found.length + unexplained.size > 0),
    warnedProviders: warnedProviders(summary, found),
    withoutPins: [...summary.withoutPins].flatMap(([device, line]) =>
      unbound.has(device) || roots.has(device) ? [] : [{ device, line }],
    ),
    unread: known.size > 0 ? [] : summary.unread.filter(({ text }) => !speaksOfBound(text, devices)),
    rootDevice,
  };
}

/** Those that others may wait for: I2C buses have PMICs on them, and SPI only what is named after it. */
function likelyOf(unexplained: readonly string[], unbound: ReadonlySet<string>): string[] {
  const isOnSpi = [...unbound].some((name) => /^spi\d/.test(name));
  return unexplained.filter((name) => isProvider(name) && (isOnSpi || !name.endsWith('.spi')));
}

/** Whether the path ends at the device's own node, and not at one below it that has no device of its own. */
function isOwnPath(device: string, path: string): boolean {
  const [, address] = /@([0-9a-f,]+)$/.exec(path) ?? [];
  return address === undefined || device.includes(address);
}

/** Whether the path is of the device that this one is below, as `fe060000.dsi.0` is below `/dsi@fe060000`. */
function isBelow(device: string, path: string): boolean {
  return path.split('/').some((node) => node.includes('@') && device.startsWith(`${deviceName(node)}.`));
}

/** What is not bound and has the registers of the early console. */
function consoleOf(unbound: ReadonlySet<string>, { earlyConsole }: LogSummary): Why['console'] {
  if (earlyConsole === null) return null;
  const device = [...unbound].find((name) => ownNode(name)?.address === earlyConsole.address);
  return device === undefined ? null : { device, line: earlyConsole.line };
}

/** A node may stand on two buses of which one has the chip: the same driver works at that address on another. */
function doublesOf(roots: readonly Root[], { devices, heard }: LogSummary): Why['doubles'] {
  const bound = [...devices.values()].flatMap(({ device, driver, state }) =>
    state === 'bound' ? [{ device, driver }] : [],
  );
  const works = [...heard.values(), ...bound];
  return new Map(
    roots.flatMap(({ name, cause }): [string, string][] => {
      const address = I2C_DEVICE.exec(name)?.[1];
      if (cause.cause !== 'failed' || cause.driver === null || address === undefined) return [];
      const other = works.find(
        ({ device, driver }) =>
          device !== name &&
          driver === cause.driver &&
          I2C_DEVICE.exec(device)?.[1] === address &&
          !roots.some((root) => root.name === device),
      );
      return other === undefined ? [] : [[name, other.device]];
    }),
  );
}

/** @param isPiece what was before the log is not known to be new in it */
function lastSeen(
  lives: readonly DeviceLife[],
  { heard, inOrder, tellsProbes }: LogSummary,
  isPiece: boolean,
): Why['seen'] {
  const [last] = lives.toSorted((a, b) => b.line - a.line);
  if (last === undefined || last.line === 0) return null;
  const { line, wait } = last;
  // What one lists of devices_deferred is of a time that the log does not tell; of each probe it may tell anyhow.
  const isOfThen = inOrder && !isPiece && !tellsProbes && !lives.some(({ listed, returned }) => listed || returned);
  const isNew = ({ device, first, ofInterface }: GoodWords) => first > line && !ofInterface && IS_DEVICE.test(device);
  const news = isOfThen ? [...heard.values()].flatMap((one) => (isNew(one) ? [one.first] : [])) : [];
  return { line, time: wait?.to ?? null, later: news.length === 0 ? null : Math.min(...news) };
}

function atLast(waits: LogSummary['syncWaits']): Why['undriven'] {
  const [first] = waits;
  if (first === undefined) return null;
  return { devices: [...new Set(waits.map(({ consumer }) => consumer))], line: first.line, time: first.time };
}

/** A line names a device that is bound, or its driver: it was deferred at most earlier. */
function speaksOfBound(text: string, devices: LogSummary['devices']): boolean {
  const words = new Set(text.split(/[\s:]+/));
  return [...devices.values()].some(
    ({ device, driver, state }) => state === 'bound' && (words.has(device) || (driver !== null && words.has(driver))),
  );
}

/** Names of devices, and of those that the log only has drivers speak of. */
interface Known {
  readonly names: Names;
  readonly speakers: Names;
}

/** What each device waits for that is not there, and where what it was said to wait for came after all. */
function awaitedBy(
  unbound: ReadonlySet<string>,
  { devices, complaints, heard, rounds }: LogSummary,
  { names, speakers, parts }: Known & { readonly parts: ReadonlyMap<string, BindFailure> },
) {
  const awaited = new Map<string, string>();
  /** Their supplier came after all, in this line: the kernel keeps the last reason that it was told. */
  const outdated = new Map<string, number>();
  const thereSince = (supplier: string): number | null => {
    const life = devices.get(supplier);
    if (life !== undefined) return life.state === 'bound' && !parts.has(supplier) ? life.boundLine : null;
    const speaker = speakers.deviceOf(supplier) ?? '';
    const well = heard.get(speaker)?.line ?? null;
    return well === null || (complaints.get(speaker)?.line ?? 0) > well ? null : well;
  };
  for (const device of unbound) {
    const life = devices.get(device);
    const reason = heldBefore(life, { rounds, isThere: (name) => thereSince(names.supplierOf(device, name)) !== null });
    const named = supplierOf(reason);
    const said = complaints.get(device)?.words ?? null;
    const supplier =
      named === null
        ? (nodeIn(reason, names, unbound) ??
          nameIn(reason, unbound) ??
          nameIn(said, unbound) ??
          driverIn(reason, devices, unbound) ??
          componentOf(device, devices, unbound))
        : (ownerOfPart(reason, named, unbound, { devices, complaints }) ?? names.supplierOf(device, named));
    if (supplier === null || supplier === device || (isOver(life) && !isHeldOver(life))) continue;
    const since = thereSince(supplier);
    const reasonLine = devices.get(device)?.reasonLine ?? 0;
    // What gives its pins later was there before.
    const isKnown = devices.has(supplier) && controllerIn(reason) === null;
    const isThere = since !== null && (isKnown || since > reasonLine);
    if (isThere) outdated.set(device, since);
    else awaited.set(device, supplier);
  }
  return { awaited, outdated };
}

/**
 * Why a device waits: when the time is over, the driver core goes on without a supplier that has no driver
 * (fw_devlink_drivers_done(), drivers/base/core.c), and the device's own driver says only of which kind that is. The
 * log has to show the driver core's messages, so that it would have the supplier, too.
 */
function heldBefore(
  life: DeviceLife | undefined,
  { rounds, isThere }: { readonly rounds: number; readonly isThere: (supplier: string) => boolean },
): string | null {
  const { reason = null, heldFor = null, by = null } = life ?? {};
  const supplier = supplierOf(heldFor?.reason ?? null);
  if (rounds === 0 || by !== 'driver' || supplier === null || supplierOf(reason) !== null) return reason;
  const provider = wantOf(reason)?.provider ?? null;
  const isOfKind = provider === null || provider.test(supplier) || !isProvider(supplier);
  return isOfKind && !isThere(supplier) ? (heldFor?.reason ?? null) : reason;
}

/** The time-out ended its wait for a supplier that the driver core names, and its probe failed for that. */
function isHeldOver(life: DeviceLife | undefined): boolean {
  return life?.timedOut === true && life.by === 'supplier' && (life.error === null || life.error === ETIMEDOUT);
}

/** Its probe came to an end: it waits no more. */
function isOver(life: DeviceLife | undefined): boolean {
  return life?.state === 'failed' || life?.state === 'declined';
}

/** snd_soc_bind_card(), sound/soc/soc-core.c, passes on that a component of the card cannot be probed yet. */
const CARD_NOT_YET = /^ASoC: failed to instantiate card\b/;

/** The only device that was deferred near a sound card as a component of one; null for any other device. */
function componentOf(card: string, devices: LogSummary['devices'], unbound: ReadonlySet<string>): string | null {
  const life = devices.get(card);
  if (life === undefined || !CARD_NOT_YET.test(life.reason ?? '')) return null;
  const [only, ...others] = [...unbound].filter((device) => {
    const { state, reason, reasonLine } = devices.get(device) ?? newLife(device, 'bound', 0);
    const isNear = Math.abs(reasonLine - life.reasonLine) <= SHORTLY;
    return device !== card && state === 'deferred' && isNear && /\bcomponent\b/.test(reason ?? '');
  });
  return only !== undefined && others.length === 0 ? only : null;
}

/** The only device whose driver by its name registers the part that a sound card lacks, and that is not bound. */
function ownerOfPart(
  reason: string | null,
  part: string,
  unbound: ReadonlySet<string>,
  { devices, complaints }: Pick<LogSummary, 'devices' | 'complaints'>,
): string | null {
  if (kindOfPart(reason) === null || unbound.has(part)) return null;
  const drivers = new Map([...unbound].map((device) => [device, devices.get(device)?.driver ?? null]));
  for (const { device, driver } of complaints.values()) if (!devices.has(device)) drivers.set(device, driver);
  const [only, ...others] = [...drivers].flatMap(([device, driver]) =>
    driver !== null && mayRegister(driver, part) ? [device] : [],
  );
  return only !== undefined && others.length === 0 ? only : null;
}

/** The cause of what is waited for and is no device of the log's. */
function unseen(
  name: string,
  waiter: DeviceLife | undefined,
  summary: LogSummary,
  { names, speakers }: Known,
): Omit<Found, 'waiting'> {
  const { complaints, heard } = summary;
  const known = speakers.deviceOf(name) ?? '';
  const speaker = complaints.get(known) ?? heard.get(known);
  if (controllerIn(waiter?.reason ?? null) !== null) {
    const words = complaints.get(known) ?? ofPinController(complaints.get(waiter?.device ?? ''));
    const said = words === undefined || REPEATS.test(words.words) ? undefined : words;
    const cause = deferral(said?.driver ?? null, said?.words ?? null);
    const { evidence, line } = said === undefined ? reasonOf(waiter) : { evidence: said.words, line: said.line };
    return { cause: { ...cause, whom: 'who asks for its pins' }, evidence, line };
  }
  if (speaker?.driver != null && !NO_DRIVERS.has(speaker.driver))
    return { cause: { cause: 'spoken-of', driver: speaker.driver }, evidence: speaker.words, line: speaker.line };
  const kind = kindOfPart(waiter?.reason ?? null);
  if (kind !== null) return { cause: { cause: 'no-part', kind, perhaps: [] }, ...reasonOf(waiter) };
  const bus = names.busOf(name);
  const held = waiter?.heldFor ?? null;
  const before = supplierOf(held?.reason ?? null);
  // Its own driver's words came later and do not have the name.
  const isHeld = before !== null && supplierOf(waiter?.reason ?? null) === null;
  const isOfIt = isHeld && names.supplierOf(waiter?.device ?? '', before) === name;
  const words = isOfIt && held !== null ? { evidence: held.reason, line: held.line } : reasonOf(waiter);
  if (bus !== null) return { cause: { cause: 'no-bus', bus }, ...words };
  return { cause: { cause: 'never-probed', alike: alikeOf(name, summary) }, ...words };
}

/** What a pin controller said just before what was said of who asked it. */
function ofPinController(said: Words | undefined): Words | undefined {
  const words = saidByPinController(said?.words ?? '')?.replace(PREFIX, '');
  return said === undefined || words === undefined ? undefined : { ...said, driver: null, words };
}

/** A chip has one kind of each of these, as a rule, and one driver for all of them. */
const OF_ONE_KIND = /^[0-9a-f]{5,16}\.(i2c|spi|serial|pwm|gpio|mmc|can)$/;

/** Another device of the same kind that is there. */
function alikeOf(name: string, { devices, heard }: LogSummary): string | null {
  const kind = OF_ONE_KIND.exec(name)?.[1];
  if (kind === undefined) return null;
  const there = [...devices.values()].filter(({ state }) => state === 'bound').map(({ device }) => device);
  return [...there, ...heard.keys()].find((device) => OF_ONE_KIND.exec(device)?.[1] === kind) ?? null;
}

function firstOfEach(rejected: LogSummary['rejected']): LogSummary['rejected'] {
  const first = new Map(rejected.toReversed().map((one) => [one.module, one]));
  return rejected.filter((one) => first.get(one.module) === one);
}

/** A node's path in a driver's words. */
const PATH = /(?:^|\s)(\/[\w.,@+-]+(?:\/[\w.,@:+-]+)+)/;

/** The device of a node that a driver's words name, where that is not bound either. */
function nodeIn(reason: string | null, names: Names, unbound: ReadonlySet<string>): string | null {
  const path = PATH.exec(reason ?? '')?.[1];
  const device = path === undefined ? null : names.deviceOf(path);
  return device !== null && unbound.has(device) ? device : null;
}

/** So many devices that wait for it make a root that the log says nothing of the one to look at first. */
const HOLDS_MANY = 3;

/** What says something of the cause is first, and before a part what it may be a part of; what may be bound is last. */
function unsaid(root: Root, alone: ReadonlySet<string>): 0 | 1 | 2 | 3 | 4 {
  const { name, cause, evidence, waiting } = root;
  if (mayBeBound(root)) return 4;
  if (alone.has(name)) return 3;
  const isMany = waiting.length >= HOLDS_MANY;
  if (cause.cause === 'cycle' && cause.relaxed) return 2;
  if (cause.cause === 'part-of') return cause.perhaps.length === 0 && isMany ? 0 : 1;
  return cause.cause === 'silent' && evidence === null && !isMany ? 2 : 0;
}

/** Guesses in a row: what a PMIC's regulators are waited for by waits for the PMIC, and that for its pins. */
const GUESSES = 8;

/** How many devices wait for a root, with those that by a guess wait for it alone, and what waits for these. */
function heldBy(roots: readonly Root[]): (root: Root) => number {
  const failed = new Set(roots.flatMap(({ name, cause }) => (cause.cause === 'failed' ? [name] : [])));
  const guesses = new Map<string, readonly string[]>();
  for (const { name, cause } of roots) {
    const hasGuess = cause.cause === 'own-deferral' || cause.cause === 'silent' || cause.cause === 'part-of';
    const perhaps = hasGuess ? cause.perhaps : [];
    // Those that failed alike are told as one.
    if (perhaps.length === 1 || perhaps.every((one) => failed.has(one))) guesses.set(name, perhaps);
  }
  const held = new Map<string, number>();
  for (const { name, waiting } of roots) {
    const above = new Set([name]);
    let next: readonly string[] = guesses.get(name) ?? [];
    for (let step = 0; step < GUESSES && next.length > 0; step++) {
      const those = next.filter((one) => !above.has(one));
      for (const one of those) {
        above.add(one);
        held.set(one, (held.get(one) ?? 0) + 1 + waiting.length);
      }
      next = those.flatMap((one) => guesses.get(one) ?? []);
    }
  }
  return ({ name, waiting }) => waiting.length + (held.get(name) ?? 0);
}

/**
 * A driver that gave the kernel no reason, or none that tells what it lacks, may have told it in the log. What it says
 * of an error after the time-out is why its probe failed.
 */
function withComplaint(
  found: Omit<Found, 'waiting'> | null,
  said: Words | undefined,
  timedOutLine: number,
): Omit<Found, 'waiting'> | null {
  if (said === undefined) return found;
  const { words: evidence, line } = said;
  if (found === null)
    return {
      cause: lacksPins(evidence) ? { cause: 'no-pins', goesOn: false } : { cause: 'silent', perhaps: [] },
      evidence,
      line,
    };
  const { cause } = found;
  if (cause.cause === 'timed-out') {
    const fails = line > timedOutLine && ERROR_NUMBER.test(evidence);
    const told = fails || wantOf(evidence) !== null ? { evidence, line } : null;
    return { ...found, cause: { ...cause, goesOn: cause.goesOn && !fails }, ...told };
  }
  const isVague = cause.cause === 'own-deferral' && cause.wants === null && !(cause.call ?? '').includes(evidence);
  return isVague ? { ...found, evidence, line } : found;
}

/** A driver's name that is no word of a sentence. */
const DRIVERS_NAME = /(?<![\w/-])[a-z]\w*_\w+(?![\w(/-])/g;

/** The one device that is not bound of whose driver the words speak. */
function driverIn(reason: string | null, devices: LogSummary['devices'], unbound: ReadonlySet<string>): string | null {
  const words = new Set(reason?.replace(PREFIX, '').match(DRIVERS_NAME) ?? []);
  if (words.size === 0) return null;
  const [only, ...others] = [...unbound].filter((device) => words.has(devices.get(device)?.driver ?? ''));
  return only !== undefined && others.length === 0 ? only : null;
}

/** Those that the driver core has held back itself as of their last attempt (really_probe(), drivers/base/dd.c). */
function refusedOf(lives: readonly DeviceLife[]): Why['refused'] {
  return lives.flatMap(({ device, by, lastReturned }) =>
    by === 'supplier' && lastReturned?.value === -EPROBE_DEFER ? [{ device, line: lastReturned.line }] : [],
  );
}

function isReasonless(lives: readonly DeviceLife[]): boolean {
  return (
    lives.length > 0 && lives.every(({ reason, listed }) => reason === REASON_UNKNOWN || (listed && reason === null))
  );
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
  const isPerhapsBound = life?.state === 'bound' || (own !== null && mayBeBound(own));
  if (part === undefined || (own !== null && !isPerhapsBound)) return own;
  const { device: whole, error, words, wordsLine, line } = part;
  const said = { evidence: words, wordsLine, line };
  if (error !== EPROBE_DEFER) return { cause: { cause: 'bind-failed', whole, error }, ...said };
  return { cause: deferral(null, words ?? NOT_YET), ...said };
}

function ownCause(life: DeviceLife, loop: LogSummary['retryLoop'], outdated: boolean): Omit<Found, 'waiting'> | null {
  const { device, driver, state, error, positive, reason, timedOut, assumedNone, pending, by, lastReturned } = life;
  const said = reasonOf(life);
  const words = { evidence: life.words, line: life.failedLine, wordsLine: life.wordsLine };
  if (loop !== null && loop.device === device)
    return { cause: { cause: 'retry-loop', times: loop.deferrals, rebound: loop.rebound }, ...said };
  // A driver that goes on without the supplier may fail for the lack of it.
  const failedLater = state === 'failed' && error !== null && error !== ETIMEDOUT;
  const goesOn = !pending && !['failed', 'unbound', 'absent'].includes(state);
  if (timedOut && !failedLater)
    return {
      cause: { cause: 'timed-out', driver, assumedNone, error: state === 'failed' ? error : null, perhaps: [], goesOn },
      ...said,
    };
  if (error === null && lacksPins(life.words ?? '')) return { cause: { cause: 'no-pins', goesOn: !pending }, ...words };
  if (isOver(life)) return { cause: { cause: 'failed', driver, error, positive }, ...words };
  // What the driver core waited for is there once the probe has begun.
  if (state === 'probing')
    return { cause: { cause: 'not-returned', driver }, ...(by === 'supplier' ? reasonOf(undefined) : said) };
  if (state === 'unbound' || state === 'absent') return { cause: { cause: 'never-probed', alike: null }, ...said };
  if (isUnnamedSupplier(reason)) return { cause: { cause: 'unnamed-supplier' }, ...said };
  // Without a word of who deferred it and why there is nothing to go by.
  if (outdated || reason === REASON_UNKNOWN || (reason === null && by !== 'driver')) return null;
  // What initcall_debug tells has no words.
  const line = said.line ?? lastReturned?.line ?? null;
  const [prefix = '', name] = PREFIX.exec(reason ?? '') ?? [];
  // Of a device that is not bound the driver core knows the driver that has just tried (dev_driver_string()).
  const own = name === undefined || NO_DRIVERS.has(name) || name === driver ? driver : (driver ?? name);
  const call = reason?.slice(
    own === null || name === undefined || own === name || NO_DRIVERS.has(name) ? prefix.length : 0,
  );
  if (call?.trim() === '') return null;
  return { cause: deferral(own, call?.trim() ?? null), ...said, line };
}

function deferral(driver: string | null, call: string | null): Extract<RootCause, { cause: 'own-deferral' }> {
  const wants = wantOf(call)?.noun ?? null;
  return {
    cause: 'own-deferral',
    whom: 'it',
    driver,
    call,
    wants,
    perhaps: [],
    circle: [],
    mutual: [],
    far: [],
    below: null,
  };
}
