import { EPROBE_DEFER, ERROR_NUMBER } from '../dmesg/deferral.ts';
import { type DeviceLife, isOneAttempt, mayBeOfLater, REASON_UNKNOWN } from '../dmesg/lives.ts';
import { ownNode } from '../dmesg/node-names.ts';
import { isProbeOf } from '../dmesg/probe-functions.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import { oneOf } from '../regex.ts';
import { type Names, supplierOf } from './why-names.ts';
import type { Why } from './why-roots.ts';
import { RETURNED } from './why-spoken.ts';

/** Whether the log says of it that it is not bound; a device that was only matched with a driver is not meant. */
export function isUnbound({ state, pending, timedOut, deferrals, words }: DeviceLife): boolean {
  if (state === 'bound') return false;
  // A driver that has told an error before does not only find that the device is another's.
  if (state === 'declined' && words !== null) return true;
  return pending || timedOut || deferrals > 0 || ['failed', 'deferred', 'probing', 'unbound', 'absent'].includes(state);
}

/** Each round tries all that are deferred; the one in which a log ends may be cut, and the one before, too. */
const ROUNDS_WITHOUT = 2;
/** Each bound device has all that are deferred tried again: so many that a driver speaks of first are enough. */
const HEARD_SINCE = 3;
/** Where the first lines are missing, who seems to speak first may have spoken in them. */
const HEARD_WITHOUT_FIRST = 10;
/** Devices of the tree, of I2C and PCI, USB interfaces and disks. */
const HAS_ADDRESS = new RegExp(
  oneOf(
    /^[0-9a-f]{5,16}\.\w|^\d{1,3}-00[0-9a-f]{2}$|^[0-9a-f]{4}:[0-9a-f]{2}:/,
    /^\d{1,3}-[\d.]{1,16}:\d\.\d$|^\d:\d:\d:\d$/,
  ),
);

/** What a driver says once its device is there, whatever else it may lack then. */
const HAS_REGISTERED = /\bregistered\b|\binitiali[sz]ed\b|\bsuccess/i;

/** A piece that somebody chose is shorter than what is left of a boot whose first lines the kernel has overwritten. */
const LEAST_LINES = 500;

/** Whether the log has all lines from its first on. */
function isWhole({ banner, quoted, inOrder, lines }: LogSummary): boolean {
  return banner !== null || (!quoted && inOrder && lines >= LEAST_LINES);
}

/** The line after which all that is deferred has been tried again for sure; 0 where the log is no whole one. */
export function lastTryOfAll(summary: LogSummary): number {
  const { banner, heard, stirs, userSpace } = summary;
  if (!isWhole(summary)) return 0;
  const known = [...heard.values()].filter(({ device }) => HAS_ADDRESS.test(device));
  // Without user space the log may end in the middle of a round, which binds some before it comes to the others.
  const firsts = [...known.map(({ first }) => first), ...(userSpace ? stirs : [])].sort((a, b) => b - a);
  return firsts[(banner === null ? HEARD_WITHOUT_FIRST : HEARD_SINCE) - 1] ?? 0;
}

/** What a driver says of one attempt takes no longer, on a slow console. */
const ONE_ATTEMPT_US = 50_000;

/**
 * Whether the log of a boot ends before user space, none of what is not bound having been tried a second time: the
 * first retry comes with the last initcalls (deferred_probe_initcall(), drivers/base/dd.c).
 */
export function isEarly(
  names: readonly string[],
  { banner, userSpace, root, rounds, devices, pendingFrom, timeOverFrom }: LogSummary,
): boolean {
  if (banner === null || userSpace || root !== null || rounds > 1) return false;
  if (pendingFrom !== null || timeOverFrom !== null) return false;
  // Of all that is deferred some have been bound at the second attempt.
  if ([...devices.values()].some(({ state, deferrals }) => state === 'bound' && deferrals > 0)) return false;
  const deferred = names.flatMap((name) => devices.get(name) ?? []).filter(({ state }) => state === 'deferred');
  const isOnce = ({ deferrals, listed, wait }: DeviceLife) =>
    deferrals === 1 && !listed && (wait === null || wait.to - wait.from < ONE_ATTEMPT_US);
  return deferred.length > 0 && deferred.every(isOnce);
}

const OF_CPU = /^cpu\d{1,4}$/;

/**
 * Devices that are not bound, without those that were deferred and are no more: their drivers have said something else
 * since, or they are not in later rounds of retries, or not in the list of what is pending that
 * deferred_probe_timeout_work_func() prints. A log may have less of them than the kernel
 * printed; what others still wait for is not bound.
 */
export function splitSettled(summary: LogSummary, names: Names) {
  const { devices, rounds, pendingFrom, heard, complaints, tellsProbes } = summary;
  const isAllThere = isWhole(summary);
  const waited = new Map(summary.syncWaits.map(({ consumer, line }) => [consumer, line]));
  const lastTry = lastTryOfAll(summary);
  /** A driver that tells why it defers tells it at every attempt, and a whole log has all of them. */
  const isTriedSince = ({ by, line, again }: DeviceLife) => by === 'driver' && isAllThere && (again || lastTry > line);
  /** The log has what comes of each probe, so that silence is no sign of one that succeeds. */
  const wouldTell = ({ returned }: DeviceLife) => returned || tellsProbes;
  /** Its driver has said of an error since, for the first time, in another attempt, and of nothing that works. */
  const isWorse = ({ device, line }: DeviceLife) => {
    const { words = '', line: said = 0, times = 1 } = complaints.get(device) ?? {};
    if (times > 1) return false;
    const isOver = RETURNED.test(words) || !isOneAttempt({ time: null, line }, { time: null, line: said });
    const well = heard.get(device);
    const isThere = well !== undefined && well.line > line && HAS_REGISTERED.test(well.words);
    return isOver && said > line && said > (well?.line ?? 0) && !isThere;
  };
  /** A supplier's sync_state() has waited for it since. */
  const isAwaited = ({ device }: DeviceLife) => (waited.get(device) ?? 0) > (heard.get(device)?.line ?? 0);
  const unbound = [...devices.values()].filter(isUnbound);
  /** Its driver has said after the kernel's list what it had said before, and not when all were tried again last. */
  const isTriedSinceListed = (life: DeviceLife) => {
    const { device, line } = life;
    const { times = 0, line: said = 0 } = complaints.get(device) ?? {};
    return mayBeOfLater(life, summary) && times > 1 && said > line && lastTry > said;
  };
  /** A CPU is not probed: what is said of it is said for what changes its frequency. */
  const cpufreqBound = Math.max(
    0,
    ...[...devices.values()].flatMap(({ device, state, boundLine }) =>
      state === 'bound' && device.includes('cpufreq') ? [boundLine] : [],
    ),
  );
  const isSettled = (life: DeviceLife): boolean => {
    const { state, pending, timedOut, round, line, spoke, regained, returned } = life;
    if (isAwaited(life)) return false;
    if (OF_CPU.test(life.device) && cpufreqBound > line) return true;
    if (pending && !(spoke && mayBeOfLater(life, summary))) return isTriedSinceListed(life);
    const isDeferred = state === 'deferred' && !timedOut;
    // Whatever its driver says, the driver core would say that it is deferred.
    if (isDeferred && !tellsProbes && round > 0 && rounds - round >= ROUNDS_WITHOUT) return true;
    return (
      !isWorse(life) &&
      ((timedOut && state !== 'failed' && spoke) ||
        (isDeferred &&
          (spoke ||
            regained ||
            (isTriedSince(life) && !wouldTell(life)) ||
            (pendingFrom !== null && line < pendingFrom && !returned))))
    );
  };
  const settled = new Set(unbound.filter(isSettled).map(({ device }) => device));
  const suppliers = new Map(
    unbound.flatMap(({ device, reason }) => {
      const named = supplierOf(reason);
      const supplier = named === null ? null : names.deviceOf(named);
      return supplier === null ? [] : [[device, supplier] as const];
    }),
  );
  const waiters = new Map<string, string[]>([...suppliers.values()].map((supplier) => [supplier, []]));
  for (const [waiter, supplier] of suppliers) waiters.get(supplier)?.push(waiter);
  // When a supplier is bound, what waits for it is tried again, and would be deferred again in so many words.
  const isOver = (life: DeviceLife, since: number) =>
    life.state === 'deferred' && !life.timedOut && life.line < since && mayBeOfLater(life, summary);
  const speaking = [...settled].filter((device) => devices.get(device)?.spoke === true);
  const since = new Map(speaking.map((device) => [device, heard.get(device)?.line ?? 0]));
  // The map grows while it is gone through.
  for (const [supplier, line] of since)
    for (const waiter of waiters.get(supplier) ?? []) {
      const life = devices.get(waiter);
      if (since.has(waiter) || life === undefined || !isOver(life, line)) continue;
      since.set(waiter, line);
      settled.add(waiter);
    }
  // What a device that is not settled waits for is not settled, nor what that waits for.
  const queue = unbound.map(({ device }) => device).filter((device) => !settled.has(device));
  for (const device of queue) {
    const supplier = suppliers.get(device);
    if (supplier !== undefined && settled.delete(supplier)) queue.push(supplier);
  }
  const others = unbound.map(({ device }) => device).filter((device) => !settled.has(device));
  return { unbound: new Set(others), settled };
}

/**
 * The settled devices that the kernel had listed, or whose drivers had told why they deferred them, and of which these
 * have said what they had not come to before, and nothing of an error since, although all that was deferred has been
 * tried again: with the line of that.
 */
export function atWorkByWords(settled: ReadonlySet<string>, summary: LogSummary): ReadonlyMap<string, number> {
  const { devices, heard, complaints, probeFunctions } = summary;
  const lastTry = lastTryOfAll(summary);
  const drivers = new Map<string, number>();
  for (const { driver } of devices.values()) if (driver !== null) drivers.set(driver, (drivers.get(driver) ?? 0) + 1);
  /** Where the function of its driver's probe says last that it has succeeded, of the only device of that driver. */
  const endOf = ({ driver, line }: DeviceLife): number | null => {
    if (driver === null || drivers.get(driver) !== 1) return null;
    const [, end] = [...probeFunctions].find(([symbol, { ended }]) => ended > line && isProbeOf(symbol, driver)) ?? [];
    return end?.ended ?? null;
  };
  return new Map(
    [...settled].flatMap((device) => {
      const life = devices.get(device);
      const end = life === undefined ? null : endOf(life);
      if (end !== null) return [[device, end] as const];
      const line = heard.get(device)?.line ?? 0;
      const isListed = life?.pending === true && mayBeOfLater(life, summary);
      const isTold = isListed || (life?.by === 'driver' && life.reason !== null);
      const isOpen = life?.spoke === true && life.state === 'deferred';
      const isLast = line > (life?.line ?? 0) && line > (complaints.get(device)?.lastLine ?? 0);
      return isTold && isOpen && isLast && lastTry > line ? [[device, line] as const] : [];
    }),
  );
}

/** What the driver of a part said just before the bind of the whole was deferred for it. */
function wordsOfPart(device: string, { bindFailures, complaints }: LogSummary) {
  const failure = bindFailures.find((one) => one.device === device);
  const said = failure === undefined ? undefined : complaints.get(failure.part);
  if (failure === undefined || said === undefined || said.line > failure.line) return null;
  const isJustBefore = isOneAttempt(
    { time: null, line: said.lastLine ?? said.line },
    { time: null, line: failure.line },
  );
  return isJustBefore ? { reason: `${failure.part}: ${said.words}`, reasonLine: said.line } : null;
}

/** Parts for which their whole was deferred that is bound since, in whose words nothing is left open. */
export function partsOfBound({ bindFailures, devices, complaints }: LogSummary): string[] {
  return bindFailures.flatMap(({ device, part, error, line }) => {
    const isBound = error === EPROBE_DEFER && devices.get(device)?.state === 'bound';
    return isBound && (complaints.get(part)?.line ?? 0) <= line ? [part] : [];
  });
}

/**
 * What was deferred or waited for in vain and of which a later line shows that it is bound, or of which its line is
 * given, without what is `open` all the same.
 */
export function boundAfterDeferral(
  summary: LogSummary,
  open: Pick<ReadonlyMap<string, unknown>, 'has'>,
  atWork: ReadonlyMap<string, number>,
): Why['bound'] {
  const { devices, complaints } = summary;
  /** What its driver said last, in the attempt that ends so: component_bind() may go on all the same. */
  const errorOf = ({ device, reasonLine, boundLine }: DeviceLife) => {
    const said = complaints.get(device);
    if (said === undefined || said.line <= reasonLine || !ERROR_NUMBER.test(said.words)) return null;
    const { words, line, lastLine = line } = said;
    const isJustBefore = isOneAttempt({ time: null, line: lastLine }, { time: null, line: boundLine });
    return lastLine < boundLine && isJustBefore ? { words, line } : null;
  };
  return [...devices.values()]
    .filter(({ device, state, deferrals, letGo }) => {
      const isWell = (state === 'bound' && (deferrals > 0 || letGo !== null)) || atWork.has(device);
      return isWell && !open.has(device);
    })
    .map((life) => ({
      device: life.device,
      line: atWork.get(life.device) ?? life.boundLine,
      reason: life.reason === REASON_UNKNOWN ? null : life.reason,
      reasonLine: life.reasonLine,
      ...wordsOfPart(life.device, summary),
      error: errorOf(life),
      wait: life.wait,
      letGo: life.letGo,
    }))
    .sort((a, b) => a.line - b.line);
}

/** What is made of several parts has a room of its own, and begins there. */
const ROOM = 0x10000;

/** Shorter waits, in microseconds, are those of any boot. */
const LONG = 2_000_000;

/** What was deferred for the longest time and is no more; null where nothing was deferred for long. */
export function longestWait({ devices, inOrder }: LogSummary): Why['waited'] {
  if (!inOrder) return null;
  let longest: Why['waited'] = null;
  for (const { device, wait, reason, reasonLine: line } of devices.values()) {
    if (wait === null || reason === null || reason === REASON_UNKNOWN) continue;
    const least = longest === null ? LONG : longest.wait.to - longest.wait.from;
    if (wait.to - wait.from >= least) longest = { device, wait, reason, line };
  }
  return longest;
}

/** Whether a part of the device speaks for the first time after the line: the device's driver has made it. */
export function hasPartSince(device: string, line: number, { heard }: LogSummary): boolean {
  const own = ownNode(device)?.address;
  if (own === undefined) return false;
  const room = own % ROOM === 0 ? ROOM : 1;
  return [...heard.values()].some((other) => {
    if (other.first <= line || other.device === device) return false;
    const address = ownNode(other.device)?.address ?? -1;
    return address >= own && address < own + room;
  });
}

/**
 * Devices that were deferred for the lack of what came later, or of one that was: all that are deferred are tried again
 * then (driver_bound(), drivers/base/dd.c), and a driver that is deferred again says so, as it did before. Of what the
 * kernel lists at the end that is no more true, nor of what such a device waits for.
 */
export function boundSince(
  outdated: ReadonlyMap<string, number>,
  awaited: ReadonlyMap<string, string>,
  summary: LogSummary,
): Set<string> {
  const isOver = (device: string, line: number) => {
    const life = summary.devices.get(device);
    if (life?.state !== 'deferred' || life.timedOut || !mayBeOfLater(life, summary)) return false;
    return (life.pending ? life.line : life.reasonLine) < line;
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
