import type { Words } from '../dmesg/complaints.ts';
import { printable } from '../printable.ts';
import type { LeastTimeout, NoTimeout } from '../search/timeout.ts';
import type { BesideLog } from '../session/why-log.ts';
import type { Tried } from '../verdict/why-cell.ts';
import {
  failedAlone,
  failedProviders,
  isProvider,
  lackedBy,
  lackedByMany,
  OF_PINS,
  saidOfProviders,
} from '../verdict/why-guesses.ts';
import {
  type BoundLater,
  isWordless,
  leftOpen,
  type MadeBy,
  mayBeBound,
  type Root,
  type Why,
} from '../verdict/why-roots.ts';
import type { TreeGuesses } from '../verdict/why-tree.ts';
import { wantOf } from '../verdict/why-wants.ts';
import { listed, wrapped } from './listed.ts';
import { count, groupBy } from './text.ts';
import { besideLines, leavesOpen, moreLine } from './why-beside.ts';
import { silentLines, suspectLines } from './why-errors.ts';
import { ASK_THE_DRIVER_CORE, askTheKernel, PERMISSIVE, suspectsOf } from './why-next.ts';
import { type AroundRoots, briefLines, openLack, rootLines, sharedCause, waitingFor } from './why-root.ts';

const OF_OTHERS = 'These report errors, of which one may be the cause of what has no reason (guess):';
const OF_LACKING = 'These report errors, of which one may be what is lacking (guess):';
const OF_FAILED = 'These report errors, of which one may be why a probe failed (guess):';
/** call_driver_probe(), drivers/base/dd.c, has no word of -ENODEV and -ENXIO. */
const OF_ANY = 'Drivers report errors, after which a probe may have failed without a word of the driver core:';

const OF_ALONE = 'Probes that failed, for which nothing is seen to wait:';
const OF_A_PIECE = 'The log does not begin where a boot does: what is missing may tell more.';
const OF_A_BEGIN =
  'The log ends before user space, and no line shows that what is deferred has been tried again: it may only be early.';

/** Devices that are bound after all are named, so many of them. */
const BOUND = 8;
/** Likely roots that are named, and errors that are quoted. */
const LIKELY = 5;

const NOTHING_SAID =
  'The driver core reports no device that is deferred and no probe that failed at the end of the log.';
const WENT_ON = 'lacked a supplier or pins and may be bound';

/** What is known besides the log. */
interface MoreOfWhy {
  readonly unasked: string | null;
  readonly beside: BesideLog | null;
  readonly byTree: TreeGuesses | null;
  readonly tried: Tried | null;
  readonly ended: string | null;
  readonly timeout: LeastTimeout | NoTimeout | null;
}
const NO_MORE: MoreOfWhy = { unasked: null, beside: null, byTree: null, tried: null, ended: null, timeout: null };

/** What `why` found, for the console: the roots first, each with who waits for it, then what the tree lets guess. */
export function formatWhy(found: Why, more: Partial<MoreOfWhy> = {}): string {
  const { unasked, beside, byTree, tried, ended, timeout } = { ...NO_MORE, ...more };
  const lines: string[] = ended === null ? [] : [`The cell's boot ends in ${printable(ended)}`, ''];
  if (found.boot !== null) lines.push(bootLine(found.boot, leftOpen(found) > 0), '');
  if (found.crash !== null && ended === null) lines.push(...crashLines(found.crash, leftOpen(found) > 0), '');
  const shared = alikeTogether(shareCause(found.roots), found);
  lines.push(firstLine(found, shared), ...lackLines(shared));
  if (beside !== null) lines.push('', ...besideLines(beside));
  const isBehind = (found.rootDevice?.perhaps.length ?? 0) > 0;
  const ofRootDevice = (hasErrors: boolean) =>
    found.rootDevice === null ? [] : ['', ...rootDeviceLines(found.rootDevice, hasErrors)];
  // What matters most, where it is known, comes first.
  if (isBehind) lines.push(...ofRootDevice(false));
  for (const { noun, by, title, line } of found.warnedProviders)
    lines.push(
      '',
      `While ${printable(by)}() registered ${noun} the kernel warned: ${printable(title)} (line ${line}); ` +
        'it may be what is lacking (guess)',
    );
  for (const made of found.madeBy) lines.push('', ...madeByLines(made));
  if (found.madeBy.length > 0) lines.push(`  next: ${PERMISSIVE}`);
  const accused = new Set(found.rootDevice?.said.map(({ device }) => device));
  const around = aroundRoots(found, beside);
  const isAnyWaiting = found.unbound > found.roots.filter(isFailure).length;
  const alone = isAnyWaiting ? failedAlone(found) : new Set<string>();
  const brief: (readonly Root[])[] = [];
  const tell = (roots: readonly Root[]) => {
    const said = saidOf(roots, found);
    for (const { device } of said) accused.add(device);
    const [lack, at] = [lackOf(roots, found), shared.indexOf(roots)];
    const isFirst = lack === null || lackOf(shared[at - 1] ?? [], found) !== lack;
    const isLast = lack === null || lackOf(shared[at + 1] ?? [], found) !== lack;
    lines.push(...(isFirst ? [''] : []), ...rootLines(roots, said, around, { isFirst, isLast }));
  };
  const suspected = new Set(suspectsOf(found.roots));
  // What is deferred is asked about: it comes before failures and opened cycles that nothing is known to wait for.
  const isLast = (roots: readonly Root[]) =>
    found.unexplained.length > 0 &&
    roots.every(
      (root) => (isFailure(root) || isOpened(root)) && root.waiting.length === 0 && !suspected.has(root.name),
    );
  for (const roots of shared) {
    const isBrief = roots.every(
      (root) => alone.has(root.name) && saidOfProviders(root, found.said, 1).length === 0 && !suspected.has(root.name),
    );
    if (isBrief) brief.push(roots);
    else if (!isLast(roots)) tell(roots);
  }
  if (found.unexplained.length > 0) {
    lines.push('', ...wrapped(`Deferred without a reason in the log${lastSeen(found.seen)}: `, found.unexplained));
    lines.push(
      ...laterLines(found.seen),
      ...refusedLines(found),
      ...partsLines(found.unexplained),
      ...unspokenLines(found),
      ...commonLines(found.common),
      ...alikeLines(found),
    );
    const likely = found.likely.slice(0, LIKELY);
    // Where all but a few of what is left open are providers, or have something in common, it is not these.
    const others = found.unexplained.length - found.likely.length;
    if (likely.length > 0 && found.likely.length <= 2 * others && found.common === null)
      lines.push(`  by their names others may wait for these (guess): ${likely.map(printable).join(', ')}`);
  }
  lines.push(...openLines(found, around));
  for (const roots of shared) if (isLast(roots) && !brief.includes(roots)) tell(roots);
  if (brief.length > 0) lines.push('', OF_ALONE, ...brief.flatMap((roots) => briefLines(roots, around)));
  const suspects = found.complaints.filter(({ device }) => !accused.has(device));
  const isLeftOpen = found.unbound + found.goneOn > 0;
  const errors = suspectLines(suspects, isLeftOpen ? headingOf(found) : OF_ANY);
  const silent = silentLines(found.silent.filter(({ device }) => !accused.has(device)));
  // What may be the cause of something comes first.
  lines.push(...(isLeftOpen ? [...errors, ...silent] : [...silent, ...errors]));
  if (found.withoutPins.length > 0) {
    const those = found.withoutPins.map(({ device, line }) => `${device} (line ${line})`);
    lines.push(
      '',
      `Pins could not be set, and the drivers spoke right after it, so called without them (guess): ${listed(those)}`,
    );
  }
  if (found.rejected.length > 0) lines.push(...rejectedLines(found.rejected));
  if (found.unread.length > 0) lines.push(...unreadLines(found.unread));
  if (found.bound.length > 0) {
    lines.push('', 'Deferred earlier and bound since:', ...found.bound.slice(0, BOUND).map(boundText));
    if (found.bound.length > BOUND) lines.push(`  and ${found.bound.length - BOUND} more`);
  }
  if (found.settled.length > 0)
    lines.push(
      '',
      `Deferred earlier, and no line says so later, so bound or failed since (guess): ${listed(found.settled)}`,
      '  lines may be missing, and a driver that speaks again may be deferred again without a word',
    );
  if (found.waited !== null && !found.bound.slice(0, BOUND).some(({ device }) => device === found.waited?.device))
    lines.push('', waitedLine(found.waited));
  if (found.undriven !== null) lines.push('', ...undrivenLines(found.undriven));
  if (!isBehind) lines.push(...ofRootDevice(errors.length > 0));
  if (found.console !== null) lines.push('', consoleLine(found.console));
  if (tried !== null) lines.push('', ...triedLines(tried));
  if (byTree !== null && byTree.open > 0) lines.push('', ...guessLines(byTree));
  if (timeout !== null) lines.push('', timeoutLine(timeout));
  if (found.isPiece && found.unbound > 0) lines.push('', OF_A_PIECE);
  if (found.isEarly && found.crash === null) lines.push('', OF_A_BEGIN);
  if (unasked !== null && leavesOpen(found)) lines.push('', moreLine(unasked));
  return `${lines.join('\n')}\n`;
}

/** What is said of what may be lacking, the first of it. */
function saidOf(roots: readonly Root[], { said }: Pick<Why, 'said'>): readonly Words[] {
  const known = SAID.get(roots);
  if (known !== undefined) return known;
  const found = [...new Set(roots.flatMap((root) => saidOfProviders(root, said, LIKELY)))].slice(0, LIKELY);
  SAID.set(roots, found);
  return found;
}

/** Of each group it is asked more than once. */
const SAID = new WeakMap<readonly Root[], readonly Words[]>();

/** Roots by what they are told together for; cycles by what is in one with them, and so on. */
function shareCause(roots: readonly Root[]): Root[][] {
  const parts = new Map<string, string>();
  const partOf = (name: string): string => {
    let at = name;
    for (let above = parts.get(at); above !== undefined; above = parts.get(at)) at = above;
    // The next one to ask is there at once.
    if (at !== name) parts.set(name, at);
    return at;
  };
  for (const { name, cause } of roots) {
    if (cause.cause !== 'cycle' || !cause.relaxed) continue;
    for (const member of cause.members) {
      const [one, other] = [partOf(name), partOf(member)];
      if (one !== other) parts.set(other, one);
    }
  }
  const keyOf = (root: Root) => (isOpened(root) ? `cycle\n${partOf(root.name)}` : sharedCause(root));
  return [...groupBy(roots, keyOf).values()];
}

/** What a group of roots lacks, by which it is told with others that do. */
function lackOf(roots: readonly Root[], found: Why): string | null {
  return openLack(roots, saidOf(roots, found), found.unheard);
}

/** Those that lack the same, and of whose providers nothing is known, after the first of them. */
function alikeTogether(shared: readonly (readonly Root[])[], found: Why): (readonly Root[])[] {
  const lacks = new Map(shared.map((roots, at) => [roots, lackOf(roots, found) ?? `\n${at}`]));
  return [...groupBy(shared, (roots) => lacks.get(roots) ?? '').values()].flat();
}

/** What the log says elsewhere that bears on roots. */
function aroundRoots(
  { roots, kernel, rootDevice, crash, doubles, unheard, console, complaints }: Why,
  beside: BesideLog | null,
): AroundRoots {
  const guessed = new Map<string, string[]>();
  for (const root of roots)
    for (const name of suspectsOf([root])) guessed.set(name, [...(guessed.get(name) ?? []), ...waitersOf(root)]);
  return {
    beside,
    kernel,
    doubles,
    stuck: rootDevice ?? (crash?.panics === true || console !== null ? { shell: false } : null),
    failed: new Set(roots.filter(isFailure).map(({ name }) => name)),
    guessed,
    errors: complaints,
    unheard,
  };
}

/** Who waits for what a root lacks: the root, unless it is no device. */
function waitersOf({ name, cause, waiting }: Root): string[] {
  return cause.cause === 'no-part' ? waiting.map(({ device }) => device) : [name];
}

/** What errors of others may be the cause of. */
function headingOf(found: Why): string {
  if (isOnlyFailed(found)) return OF_FAILED;
  const isLacking = ({ cause }: Root) => cause.cause === 'own-deferral' && cause.wants !== null;
  return found.unexplained.length === 0 && found.roots.some(isLacking) ? OF_LACKING : OF_OTHERS;
}

/** What the log shows after it spoke last of what waits. */
function laterLines(seen: Why['seen']): string[] {
  return seen === null || seen.later === null
    ? []
    : [`  as of then: other drivers speak for the first time later (from line ${seen.later}), it may have changed`];
}

/** What initcall_debug tells of what has no reason. */
function refusedLines({ refused, unexplained }: Why): string[] {
  const [first] = refused;
  if (first === undefined) return [];
  const who = refused.length === unexplained.length ? 'them' : listed(refused.map(({ device }) => device));
  const what = 'before a driver ran, for a supplier or pins that it does not name';
  return [`  the driver core held ${who} back ${what} (line ${first.line})`];
}

/** So many parts of one device that wait are likelier to have one cause than one each. */
const MANY_PARTS = 4;

/** Those that are made of nodes in one and the same, by their names (of_device_make_bus_id(), drivers/of/device.c). */
function partsLines(unexplained: readonly string[]): string[] {
  const wholes = groupBy(unexplained, (name) => name.slice(0, Math.max(0, name.lastIndexOf(':'))));
  return [...wholes].flatMap(([whole, parts]) => {
    if (whole === '' || parts.length < MANY_PARTS) return [];
    const who = parts.length === unexplained.length ? `all ${parts.length}` : `${parts.length} of them`;
    return [`  ${who} are in the node of ${printable(whole)}: one cause is likelier than one each (guess)`];
  });
}

/** What devices of many kinds that wait have in common. */
function commonLines(common: Why['common']): string[] {
  if (common === null) return [];
  const { kinds, perhaps, isUnheard } = common;
  const who = `controllers of as many kinds as these (${listed(kinds)})`;
  if (perhaps.length > 0) return [`  ${who} all need pins: they may wait for ${listed(perhaps)} (guess)`];
  const unheard = isUnheard ? ', of which the log has no word' : '';
  const what = `a pin controller in common${unheard}, or clocks or a power domain`;
  return [`  ${who} have ${what}: that may be what is missing (guess)`];
}

/** So many controllers that wait without a reason may have the one of others. */
const SEVERAL = 2;

/** What others lack by their words, of which a chip has one provider, and what several USB controllers share. */
function alikeLines({ roots, unexplained, common }: Why): string[] {
  const lacking = roots.flatMap((root) => {
    const want = root.cause.cause === 'own-deferral' && root.cause.perhaps.length === 0 ? lackedBy(root) : null;
    // A controller has pins, and a GPIO at most for what is plugged in.
    const isAnys = want?.isCentral === true && want.provider?.test('gpio') !== true;
    return isAnys ? [{ name: root.name, noun: want.noun }] : [];
  });
  const [most = []] = [...groupBy(lacking, ({ noun }) => noun).values()].sort((a, b) => b.length - a.length);
  const controllers = unexplained.filter((name) => OF_PINS.test(name));
  if (most.length >= SEVERAL && controllers.length >= SEVERAL) {
    const others = listed(
      most.map(({ name }) => name),
      LIKELY,
    );
    return [`  they may lack what ${others} lack by their words: ${most[0]?.noun ?? ''} (guess)`];
  }
  const usb = unexplained.filter((name) => IS_USB.test(name));
  // Where more of other kinds wait, it is rather something that these lack, too.
  if (usb.length < SEVERAL || 2 * usb.length < unexplained.length || common !== null) return [];
  const who = usb.length === unexplained.length ? 'several USB controllers' : listed(usb, LIKELY);
  return [`  what ${who} share is a PHY or its supply, as a rule (guess)`];
}

/** What is there by the log, and what no driver is heard of; those first that say themselves what they are. */
function unspokenLines({ unspoken, unexplained }: Why): string[] {
  const those = unexplained.length === 1 ? 'this' : 'these';
  const known = unspoken.flatMap(({ device, what }) =>
    what === null
      ? []
      : [
          `  no driver speaks of ${printable(device)}, ${what} by its node's path: the kernel may lack its driver, ` +
            `and ${those} may wait for it (guess)`,
        ],
  );
  const others = unspoken.flatMap(({ device, what }) => (what === null ? [device] : []));
  if (others.length === 0) return known;
  return [...known, `  no driver speaks of ${listed(others)}: where it has none, ${those} may wait for it (guess)`];
}

/** What has many reasons may have one cause. */
function lackLines(shared: readonly (readonly Root[])[]): string[] {
  const lacked = [...lackedByMany(shared)].map(([{ noun }, many]) => `${many} lack ${noun}`);
  if (lacked.length === 0) return [];
  const who = 'who provides that to all of them may have no driver, or a node that is disabled (guess)';
  return [`By their words ${lacked.join(', ')}: ${who}`];
}

function boundText({ device, line, reason, reasonLine, error, wait, letGo }: BoundLater): string {
  const [from, to] = wait === null ? ['', ''] : [seconds(wait.from), seconds(wait.to)];
  const when = from === to ? '' : `, from ${from} to ${to}`;
  const last = reason === null ? '' : `; last said: ${printable(reason)} (line ${reasonLine})`;
  const words = error === null ? last : `, though it said just before: ${printable(error.words)} (line ${error.line})`;
  return `  ${printable(device)} (line ${line})${when}${letGo === null ? '' : letGoText(letGo)}${words}`;
}

/** driver_deferred_probe_check_state(), drivers/base/dd.c, does not tell the supplier. */
function letGoText({ time, line }: NonNullable<BoundLater['letGo']>): string {
  const when = time === null ? '' : ` at ${seconds(time)}`;
  return `, let go without a supplier by the deferred probe timeout${when} (line ${line})`;
}

/** phy_attach_direct(), drivers/net/phy: what drives a PHY that has no driver yet. */
const GENERIC_PHY = /^Generic (?:Clause 45 )?PHY$/;

/** What waited for its own parent, and what came of it. */
function madeByLines({ parent, children, driver, line }: MadeBy): string[] {
  const who = driver === null ? '' : ` by ${printable(driver)}`;
  const instead = GENERIC_PHY.test(driver ?? '') ? ', and by no driver of their own' : '';
  return [
    `${listed(children)}: the supplier is their own parent, ${printable(parent)}, which was still probing: it makes ` +
      'them in its probe, and they cannot wait for its end',
    `  bound since${who}${instead} (line ${line})`,
  ];
}

function consoleLine({ device, line }: NonNullable<Why['console']>): string {
  const what = 'without it there is no console on that port but the early one';
  return `${printable(device)} has the address of the early console (line ${line}): ${what}`;
}

function waitedLine({ device, wait: { from, to }, reason, line }: NonNullable<Why['waited']>): string {
  const when = `${seconds(to - from)}, from ${seconds(from)} to ${seconds(to)}`;
  return `Deferred for the longest time: ${printable(device)}, ${when}; last said: ${printable(reason)} (line ${line})`;
}

function timeoutLine(timeout: LeastTimeout | NoTimeout): string {
  if (timeout.seconds === null) {
    const why =
      timeout.ends === null
        ? 'the cell works with 1 already'
        : `a longer one does not help: with ${timeout.longest} too, ${printable(timeout.ends)}`;
    return `No least deferred_probe_timeout: ${why}`;
  }
  const late = timeout.late === null ? '' : `; late is ${printable(timeout.late)}`;
  return (
    `Least deferred_probe_timeout: ${timeout.seconds} (${timeout.ms.toLocaleString('en')} ms of virtual time ` +
    `are needed, ${timeout.tooShort} s are too short)${late}`
  );
}

function bootLine({ number, of, line }: NonNullable<Why['boot']>, isAnyOpen: boolean): string {
  if (number === of) return `The log has ${of} boots: this is of the last one, from line ${line}.`;
  const why = isAnyOpen ? 'leaves something open' : 'has a kernel';
  const which = `number ${number}, from line ${line}, the last that ${why}`;
  return `The log has ${of} boots: this is of ${which}.`;
}

function crashLines(crash: NonNullable<Why['crash']>, waits: boolean): string[] {
  const { title, line, probe, before, endsRetries } = crash;
  const where = probe === null ? 'The kernel crashed' : `The kernel crashed in a probe, ${printable(probe)}`;
  const lines = [`${where}: ${printable(title)} (line ${line})`];
  if (before !== null)
    lines.push(`  shortly before, of ${printable(before.device)}: ${printable(before.words)} (line ${before.line})`);
  if (endsRetries && waits)
    lines.push('  the worker that retries deferred probes died in it: what waits is not tried again');
  return [...lines, '  next: see `bootrace classify` of this log'];
}

/** Whether nothing is deferred, and nothing may wait for what failed. */
function isOnlyFailed(found: Why): boolean {
  return found.rootDevice === null && failedAlone(found).size === found.unbound + found.goneOn;
}

/** How many devices are not bound, and of how many of them the reason is known. */
function firstLine(found: Why, shared: readonly (readonly Root[])[]): string {
  const {
    unbound,
    goneOn,
    unexplained: { length: unexplained },
  } = found;
  const andGone = goneOn === 0 ? '' : `; of ${goneOn} more the log does not tell whether they are bound`;
  if (unbound === 0 && goneOn > 0)
    return `No device is said to be deferred or failed; ${count(goneOn, 'device')} ${WENT_ON}.`;
  if (unbound === 0 && found.unread.length > 0)
    return 'No line that is understood says that a device is deferred or failed, but others speak of it.';
  if (unbound === 0) return NOTHING_SAID;
  const failures = found.roots.filter((root) => isFailure(root) || hasTimedOut(root)).length;
  const failed = failures === 0 ? '' : `${count(failures, 'probe')} failed`;
  // The whole that a part of it has made fail is told with the part.
  const wholes = new Set(
    found.roots.flatMap(({ cause, waiting }) =>
      cause.cause === 'bind-failed' && waiting.some(({ device }) => device === cause.whole) ? [cause.whole] : [],
    ),
  );
  const waits = unbound - failures - wholes.size;
  if (waits === 0) return `${isOnlyFailed(found) ? 'No device is said to wait; ' : ''}${failed}${andGone}:`;
  const andFailed = failed === '' ? '' : `; ${failed}`;
  const open = unexplained + found.roots.filter(isGuess).length;
  const told = shared.filter((roots) => roots.some((root) => isReason(root) || waitingFor(root).length > 0));
  const reasons = new Set(told.map((roots) => lackOf(roots, found) ?? roots)).size;
  const who = waits === 1 ? '1 device waits' : `${waits} devices wait`;
  if (reasons === 0)
    return `${who}, and the log does not say for what${andFailed}${andGone}${failed === '' ? '.' : ':'}`;
  const why = `for ${count(reasons, 'reason')}`;
  if (open === 0) return `${who}, ${why}${andFailed}${andGone}:`;
  return `${who}: ${waits - open} ${why}, ${open} without a reason in the log${andFailed}${andGone}:`;
}

/** Whether the probe failed when the time-out had ended its wait. */
function hasTimedOut({ cause }: Root): boolean {
  return cause.cause === 'timed-out' && cause.error !== null;
}

/** Whether it is a probe that came to an end. */
function isFailure({ cause }: Root): boolean {
  return cause.cause === 'failed' || cause.cause === 'bind-failed';
}

/** Whether it is a cycle that fw_devlink does not enforce. */
function isOpened({ cause }: Root): boolean {
  return cause.cause === 'cycle' && cause.relaxed;
}

/** Whether of the device of a root all that is known is a guess. */
function isGuess(root: Root): boolean {
  return isOpened(root) || (isWordless(root) && root.waiting.length === 0);
}

function lastSeen(seen: Why['seen']): string {
  if (seen === null) return '';
  return seen.time === null ? ` (line ${seen.line})` : `, at ${seconds(seen.time)} (line ${seen.line})`;
}

function undrivenLines({ devices, line, time }: NonNullable<Why['undriven']>): string[] {
  const when = time === null ? `at line ${line}` : `at ${seconds(time)} (line ${line})`;
  const deferral = devices.length === 1 ? 'deferral' : 'deferrals';
  const those = `${count(devices.length, 'consumer')} without a driver (no ${deferral})`;
  return wrapped(`sync_state() of suppliers waited ${when} for ${those}: `, devices);
}

const USECS = 1_000_000;

function seconds(time: number): string {
  return `${(time / USECS).toFixed(1)} s`;
}

/** Neither what may be bound nor a circle that the kernel has opened holds a device back for sure. */
function isReason(root: Root): boolean {
  return !isFailure(root) && !hasTimedOut(root) && !mayBeBound(root) && !isWordless(root) && !isOpened(root);
}

const AS_IT_WAS_WRITTEN = 'give the log as the kernel wrote it, a message a line';
/** Longest part of a line that is quoted, in characters: some logs are pasted without their line feeds. */
const QUOTED = 200;

function unreadLines(unread: Why['unread']): string[] {
  const alike = [...groupBy(unread, ({ text }) => text).values()];
  const more = alike.length - LIKELY;
  const wants = new Set(unread.map(({ text }) => wantOf(text)?.noun ?? null));
  const [want = null, ...others] = wants;
  return [
    '',
    'These lines speak of a deferral, and do not say plainly of which device:',
    ...alike.slice(0, LIKELY).flatMap((those) => {
      const [first] = those;
      if (first === undefined) return [];
      const { text, line } = first;
      const where = those.length === 1 ? `line ${line}` : `line ${line}, and ${those.length - 1} times more`;
      return [`  ${where}: ${printable(text.slice(0, QUOTED))}${text.length > QUOTED ? ' ...' : ''}`];
    }),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(want === null || others.length > 0 ? [] : [`  that means a device waits for ${want}`]),
    // With a stamp it is a whole message, which does not name the device.
    `  next: ${unread.some(({ time }) => time !== null) ? ASK_THE_DRIVER_CORE : AS_IT_WAS_WRITTEN}`,
  ];
}

function rejectedLines(rejected: Why['rejected']): string[] {
  return [
    '',
    'The kernel refused modules; what they drive is bound only where it has the driver built in:',
    ...rejected
      .slice(0, LIKELY)
      .map(({ module, reason, line }) => `  ${printable(module ?? 'a module')}: ${printable(reason)} (line ${line})`),
    ...(rejected.length > LIKELY ? [`  and ${rejected.length - LIKELY} more`] : []),
    '  next: install modules that were built with this very kernel; `modinfo -F vermagic` says with which they were',
  ];
}

/** What another boot says of the modules that are missing. */
function triedLines({ modules, left, late, failed }: Tried): string[] {
  const names = modules.map(({ module }) => module);
  if (failed !== null)
    return [
      `A boot that loads ${listed(names)} after the plan does not tell whether that helps (${printable(failed)}): ` +
        'what waits for them is a guess.',
    ];
  const helped = modules.filter(({ bound }) => bound.length > 0);
  const more = [
    ...modules.flatMap(({ module, refused }) =>
      refused === null ? [] : [`  ${printable(module)} could not be loaded: ${printable(refused)}`],
    ),
    ...(late.length === 0 ? [] : [`  bound without any module, given more time: ${listed(late)}`]),
  ];
  if (modules.every(({ refused }) => refused !== null) && late.length === 0)
    return ['In a boot that goes on after the plan:', ...more];
  if (helped.length === 0 && late.length === 0)
    return [`In a boot that loads ${listed(names)} after the plan, none of these devices is bound either.`, ...more];
  return [
    `In a boot that loads ${names.length === 1 ? 'it' : 'these'} after the plan:`,
    ...helped.map(({ module, bound }) => `  ${printable(module)}: then bound: ${listed(bound)}`),
    ...more,
    left.length === 0 ? '  none of these devices is left' : `  still not bound: ${listed(left)}`,
  ];
}

/** A sound card, which is made of parts that other drivers register. */
const IS_CARD = /(?:^|[-_.:])(?:sound|snd)(?:[-_.:].*)?$|\b(?:sound|audio)-card/;

/** A USB controller, and a PHY that may be one's. */
const IS_USB = /\.(?:usb\d?|dwc3|usb-otg)$|[xeo]hci/;
const USB_PHY = /^(?!.*(?:pcie|sata|dphy|mipi|dsi|hdmi|dp-?phy|eth)).*(?:\.phy$|usb2?-?phy|usb.*\bphy)/;

/** Sound cards and USB controllers that may wait for parts of theirs which wait, too. */
function partsOfLines(roots: readonly Root[], unexplained: readonly string[]): string[] {
  const known = roots.flatMap((root) => [
    ...(isFailure(root) ? [] : [root.name]),
    ...root.waiting.map(({ device }) => device),
  ]);
  const waiting = [...new Set([...known, ...unexplained])];
  const ofAudio = wantOf('codec')?.provider ?? null;
  const kinds = [
    { whole: IS_CARD, part: ofAudio, what: 'parts' },
    { whole: IS_USB, part: USB_PHY, what: 'PHY' },
  ];
  return kinds.flatMap(({ whole, part, what }) => {
    const wholes = unexplained.filter((name) => whole.test(name));
    const parts = waiting.filter((name) => part?.test(name) === true && !whole.test(name));
    // Of many PHYs most are of others.
    if (wholes.length === 0 || parts.length === 0 || (what === 'PHY' && parts.length > LIKELY)) return [];
    const whose = wholes.length === 1 ? `its ${what}` : `their ${what === 'PHY' ? 'PHYs' : what}`;
    const verb = what === 'PHY' && wholes.length === 1 ? 'waits' : 'wait';
    const who = `${listed(wholes, LIKELY)} may wait for ${whose}, which ${verb} too`;
    return [`  ${who}: ${listed(parts, LIKELY)} (guess by the names)`];
  });
}

/** A device with its driver where that tells what it is. */
function withDriver({ name, cause }: Root): string {
  const driver = cause.cause === 'failed' ? cause.driver : null;
  return driver === null || isProvider(name) ? name : `${name} (${driver})`;
}

/** What may help with devices of which the log does not say why they wait. */
function openLines({ roots, unexplained, reasonless }: Why, { kernel, stuck }: AroundRoots): string[] {
  const silent = roots.filter(({ cause, evidence }) => cause.cause === 'silent' && evidence === null);
  const isOpen = unexplained.length + silent.length > 0;
  if (!isOpen && !roots.some(isWordless)) return [];
  const failed = failedProviders({ roots, unexplained });
  const what = `may wait for what failed (guess): ${listed(failed.map(withDriver), LIKELY)}`;
  const they = unexplained.length === 1 ? 'it' : 'they';
  const words = unexplained.length > 0 ? [`  ${they} ${what}`] : ['', `What is deferred without a reason ${what}`];
  const guess = failed.length > 0 ? words : [];
  const ofCpus = unexplained.some((name) => /cpufreq/.test(name))
    ? roots.filter(({ name, cause }) => cause.cause !== 'failed' && /cpu/.test(name) && isProvider(name))
    : [];
  if (ofCpus.length > 0)
    guess.push(`  cpufreq may wait for ${listed(ofCpus.map(({ name }) => name))} (guess by the name)`);
  guess.push(...partsOfLines(roots, unexplained));
  // A root that others wait for has a line of its own.
  const isAsked = !isOpen || (unexplained.length === 0 && silent.every(({ waiting }) => waiting.length > 0));
  return isAsked ? guess : [...guess, `  next: ${reasonless ? ASK_THE_DRIVER_CORE : askTheKernel(kernel, stuck)}`];
}

function rootText(name: string | null): string {
  return name === null ? 'The root file system' : `The root device ${printable(name)}`;
}

/** ip_auto_config(), net/ipv4/ipconfig.c. */
const OF_NFS =
  'whether the driver of the network device is built into the kernel, and whether ip= and nfsroot= are right';
const IN_INITRAMFS = 'whether its module is in the initramfs, and whether root= is right';

const AT_ONE_OF_THESE = 'by their names it may be at one of these, which report errors';
const WHAT_OPENS = 'see what sets it up in the initramfs (verity, cryptsetup, LVM), and what that says';

function rootDeviceLines(root: NonNullable<Why['rootDevice']>, hasErrors: boolean): string[] {
  const { name, perhaps, said, mapped, partitions } = root;
  const isNfs = /^(?:\/dev\/)?nfs$/i.test(name ?? '');
  const what = isNfs ? 'The root file system, by NFS,' : rootText(name);
  const byMapper = `the device mapper ${name === null ? 'may make' : 'makes'} it of another device`;
  if (mapped && said.length === 0) return [`${what} is not there; ${byMapper}`, `  next: ${WHAT_OPENS}`];
  if (perhaps.length > 0)
    return [`${what} is not there; by their names it may be behind these, which are not bound: ${listed(perhaps)}`];
  if (said.length > 0)
    return [
      `${what} is not there; ${mapped ? `${byMapper}, and reports errors` : AT_ONE_OF_THESE}:`,
      ...said
        .slice(0, LIKELY)
        .map(({ device, words, line }) => `  ${printable(device)}: ${printable(words)} (line ${line})`),
      ...(said.length > LIKELY ? [`  and of ${said.length - LIKELY} more`] : []),
      '  next: see first to these errors',
    ];
  const where =
    partitions.length === 0 || isNfs
      ? IN_INITRAMFS
      : `whether root= is right: the kernel found these partitions: ${listed(partitions)}`;
  return [
    `${what} is not there, and nothing that is deferred or failed looks like its controller`,
    `  next: ${hasErrors ? 'see to the errors above; then ' : 'see '}${isNfs ? OF_NFS : where}`,
  ];
}

function guessLines({ guesses, more, open, skipped, links, followed }: TreeGuesses): string[] {
  const lines = guesses.map(({ node, device, compatible, unbound, waiting, consumers, open: waits }) => {
    const what = compatible[0] === undefined ? '' : ` (${printable(compatible[0])})`;
    const name = printable(device ?? node);
    const why = unbound
      ? 'not bound itself'
      : `${waits} of the ${consumers} devices that need it wait for what the log does not name, ` +
        'and it is not among them';
    return `  ${name}${what}: ${why}; waiting: ${listed(waiting)}`;
  });
  if (lines.length === 0) lines.push('The device tree has no supplier that explains what the log leaves open.');
  else lines.unshift('By the device tree, which is a guess, these are waited for:');
  if (more) lines.push('  and others');
  if (skipped > 0)
    lines.push(`${skipped} of the ${open} devices that the log leaves open were not looked up in the tree.`);
  if (followed < links)
    lines.push(
      `The tree has ${links} links between devices; the search stopped at ${followed} of them from each device, ` +
        `and at ${followed} suppliers.`,
    );
  return lines;
}
