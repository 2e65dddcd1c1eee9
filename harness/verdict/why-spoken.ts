import type { Words } from '../dmesg/complaints.ts';
import { ERROR_NUMBER } from '../dmesg/deferral.ts';
import { type DeviceLife, isOneAttempt, newLife, type Place, REASON_UNKNOWN } from '../dmesg/lives.ts';
import { ownNode } from '../dmesg/node-names.ts';
import { lacksPins, REPEATS, refusesPins } from '../dmesg/pins.ts';
import { isProbeOf, stemOf } from '../dmesg/probe-functions.ts';
import { isLittle, NO_DRIVERS } from '../dmesg/spoken.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import { isProvider, userOf } from './why-guesses.ts';
import { wantOf } from './why-wants.ts';

/** What is known of devices by what is said besides their own drivers' and the driver core's messages. */

/** The devices of a log with what drivers say of them, of their parts and of CPUs. */
export function withMoreWords(said: LogSummary): ReadonlyMap<string, DeviceLife> {
  const devices = withDeferralsOfFunctions(withDeferralsOfParts(withWordsOfCpus(said.devices)), said);
  return withWordsOfParts(withFailuresOfDrivers(devices, said), said);
}

/** How a probe is called of which only its function is known. */
function nameOfProbe(symbol: string): string {
  return `${symbol}()`;
}

/** Whether what a function says is told with its probe, {@link withDeferralsOfFunctions}. */
export function isToldOfProbe({ device }: Words, known: Pick<ReadonlySet<string>, 'has'>): boolean {
  return known.has(nameOfProbe(device));
}

/** Names without what stands between their words: `dsi-display`, `dsi_display`. */
function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/**
 * A probe that says in its function alone that it is deferred is one of a device that the log does not name, unless one
 * that is known to wait has such a name; it has succeeded where a function of the same driver says so later.
 */
function withDeferralsOfFunctions(
  devices: ReadonlyMap<string, DeviceLife>,
  { complaints, probeFunctions }: LogSummary,
): ReadonlyMap<string, DeviceLife> {
  const deferred = [...complaints.values()].filter(
    ({ device, words }) => probeFunctions.has(device) && IS_DEFERRED.test(words),
  );
  if (deferred.length === 0) return devices;
  const all = new Map(devices);
  for (const { device: symbol, words, line, lastLine = line, times = 1 } of deferred) {
    const stem = stemOf(symbol);
    const named = [...devices.values()].filter((life) =>
      lettersOf(`${life.device} ${life.driver ?? ''}`).includes(lettersOf(stem)),
    );
    // Its own deferral is told of it, by whatever line.
    if (named.some(({ state, deferrals }) => state !== 'bound' || deferrals > 0)) continue;
    const ends = [...probeFunctions].filter(([other]) => stemOf(other) === stem).map(([, { ended }]) => ended);
    const ended = Math.max(0, ...ends, ...named.map(({ boundLine }) => boundLine));
    const device = nameOfProbe(symbol);
    const life = { ...newLife(device, ended > lastLine ? 'bound' : 'deferred', lastLine), by: 'driver' as const };
    all.set(device, { ...life, reason: words, reasonLine: line, deferrals: times, boundLine: ended });
  }
  return all;
}

/** No boot and no device that works has so many attempts. */
const WITHOUT_END = 20;
/** A device of the CPU's buses: what is plugged in again begins again. */
const OF_CPU = /^[0-9a-f]{5,16}\.[a-z]/;

/**
 * A device whose driver begins without end as at first, and a part of it that does, too: each probe makes the part,
 * and is deferred, which nobody says; the part that is bound starts the next one (driver_bound(), drivers/base/dd.c).
 */
function endlessProbe({ heard, devices }: LogSummary): LogSummary['retryLoop'] {
  const [whole, part] = [...heard.values()]
    .filter(({ device, begins }) => begins >= WITHOUT_END && OF_CPU.test(device) && !devices.has(device))
    .sort((a, b) => a.first - b.first);
  return whole === undefined || part === undefined
    ? null
    : { device: whole.device, deferrals: whole.begins, rebound: part.device };
}

/** With the device of {@link endlessProbe} as one that is deferred. */
export function withEndless(said: LogSummary): LogSummary {
  const loop = said.retryLoop === null ? endlessProbe(said) : null;
  const speaker = said.heard.get(loop?.device ?? '');
  if (speaker === undefined) return said;
  const { device, driver, begun } = speaker;
  const life = { ...newLife(device, 'deferred', begun), driver, by: 'driver' as const };
  return { ...said, retryLoop: loop, devices: new Map([...said.devices, [device, life]]) };
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

/** include/linux/errno.h: EPROBE_DEFER, which a driver may give as any other error. */
export const IS_DEFERRED = /-517\b|EPROBE_DEFER/;
/** A driver's own words for a probe that fails, where the driver core has none: -ENODEV, -ENXIO, or a cut log. */
const PROBE_FAILED = /^(?:(?:\w{1,16} ){0,3}probe failed|failed to probe)\b/i;
/** A probe returns what it gives to dev_err_probe(), drivers/base/core.c. */
export const RETURNED = /^error -(?!EPROBE_DEFER)[A-Z0-9]{3,16}: /;

/** pin_request(), drivers/pinctrl/pinmux.c, before the device that does not get what another one has. */
const CLAIMS = '; cannot claim for ';

/** pinctrl_bind_pins(), drivers/base/pinctrl.c: without its pins a device is not probed, and no line says so. */
function endsProbe(said: Words): boolean {
  const { words } = said;
  const parts = words.split('; ');
  const last = parts.at(-1) ?? '';
  const isSaid =
    parts.some((part) => PROBE_FAILED.test(part)) || (RETURNED.test(last) && !REPEATS.test(last) && !isLittle(last));
  // Without the pin controller's words it may be deferred.
  return isOfPins(said) || isSaid;
}

/** Whether the words are of pins that a device cannot have: the controller's, the core's, or who has them. */
function isOfPins({ device, words }: Words): boolean {
  return refusesPins(words) || lacksPins(words) || words.includes(`${CLAIMS}${device}`);
}

/**
 * Whether a device that works could not set a state of its pins: what it gets before its probe it had got when its
 * driver spoke in the probe, and only a deferral is tried again.
 */
export function lacksPinsAtWork(said: Words, { heard, probeFunctions }: LogSummary): boolean {
  if (!isOfPins(said)) return false;
  const { device, driver, words, line, time = null, times = 1 } = said;
  if (times > 1 && words.includes(`${CLAIMS}${device}`)) return true;
  const first = heard.get(device);
  const spoke: Place[] = [...probeFunctions].flatMap(([symbol, place]) =>
    driver !== null && isProbeOf(symbol, driver) ? [place] : [],
  );
  if (first !== undefined) spoke.push({ line: first.first, time: first.since });
  return spoke.some((place) => place.line < line && !isOneAttempt(place, { line, time }));
}

function withFailuresOfDrivers(
  devices: ReadonlyMap<string, DeviceLife>,
  log: LogSummary,
): ReadonlyMap<string, DeviceLife> {
  const { complaints, heard } = log;
  const failed = [...complaints.values()].filter((said) => {
    const { device, driver, line } = said;
    const isOpen = driver !== null && !devices.has(device) && line > (heard.get(device)?.line ?? 0);
    return isOpen && endsProbe(said) && !lacksPinsAtWork(said, log);
  });
  if (failed.length === 0) return devices;
  const all = new Map(devices);
  for (const { device, driver, words, line, times = 1 } of failed) {
    // Only what is deferred is tried again; of that, silence is as good a sign as of any other that its driver defers.
    const isRetried = lacksPins(words) && times > 1;
    const life = newLife(device, isRetried ? 'deferred' : 'failed', line);
    all.set(device, { ...life, by: isRetried ? 'driver' : null, driver, words, wordsLine: line, failedLine: line });
  }
  return all;
}

/** Parts of one block of a chip have addresses in one megabyte: all hexadecimal digits but these are the same. */
const DIGITS_OF_BLOCK = 5;
/** Nobody else speaks in between. */
const JUST_BEFORE = 3;

/** What stands in {@link JUST_BEFORE} lines, from this one on. */
function linesFrom<T>(lines: ReadonlyMap<number, T>, first: number): readonly T[] {
  return Array.from({ length: JUST_BEFORE }, (_, index) => lines.get(first + index)).filter((one) => one !== undefined);
}

/** Whether words say what is lacking, or which error it was, also by its name (dev_err_probe()). */
function tells(words: string): boolean {
  return wantOf(words) !== null || ERROR_NUMBER.test(words) || /\berror -E[A-Z]/.test(words);
}

function blockOf(device: string): string | null {
  return /^([0-9a-f]{6,16})\.[a-z]/.exec(device)?.[1]?.slice(0, -DIGITS_OF_BLOCK) ?? null;
}

/** Shorter prefixes may be in any name. */
const LEAST_PREFIX = 4;

/**
 * Whether words without a driver, of an error of this number, have a prefix (pr_fmt()) that the device or its driver is
 * named with.
 */
function isNamedAfter(said: Words, { device, driver }: DeviceLife, error: number): boolean {
  const prefix = said.driver === null ? said.device.toLowerCase() : '';
  const isInName = prefix.length >= LEAST_PREFIX && `${device} ${driver}`.toLowerCase().includes(prefix);
  return isInName && new RegExp(`-${error}\\b(?!.*-\\d)`).test(said.words);
}

/** Whether a device is one of the cores of a cluster by their names: `r5f` and `r5fss`. */
function isCoreOf(core: string, cluster: string): boolean {
  const [own, whole] = [ownNode(core)?.name, ownNode(cluster)?.name];
  return own !== undefined && whole !== undefined && own !== whole && whole.startsWith(own);
}

/**
 * What a driver says of a part of its device, which has no driver of its own, is said of the device, of which it tells
 * next what follows: k3_r5_cluster_rproc_init(), drivers/remoteproc/ti_k3_r5_remoteproc.c, for one.
 */
function withDeferralsOfParts(devices: ReadonlyMap<string, DeviceLife>): ReadonlyMap<string, DeviceLife> {
  const said = [...devices.values()].filter(
    ({ by, pending, reason }) => by === 'driver' && !pending && reason !== null,
  );
  const cores = said.filter((life) => life.state === 'deferred' && isOfBus(life));
  const wholes = new Map(said.filter((life) => !isOfBus(life)).map((life) => [life.reasonLine, life] as const));
  const mended = new Map(devices);
  for (const core of cores) {
    const next = linesFrom(wholes, core.reasonLine + 1);
    const whole = next.find(({ device }) => isCoreOf(core.device, device));
    if (whole === undefined) continue;
    const { device, reasonLine } = core;
    mended.delete(device);
    if (whole.state === 'deferred')
      mended.set(whole.device, { ...whole, reason: `${device}: ${core.reason}`, reasonLine });
  }
  return mended;
}

/** Who says just after that what fails is a part of its device; null where nobody does. */
function clusterOf(said: Words): NonNullable<Words['next']> | null {
  const { device, next } = said;
  return next !== undefined && isOfBus(said) && isCoreOf(device, next.device) ? next : null;
}

/** Whether a bus stands in the place of its driver. */
function isOfBus({ driver }: Pick<DeviceLife, 'driver'>): boolean {
  return driver === null || NO_DRIVERS.has(driver);
}

/**
 * What was said of a part just before the whole failed, whose driver has no word of the cause: that of a GPU makes and
 * starts what manages its power (a6xx_gmu_init(), drivers/gpu/drm/msm/adreno), for one. So is what was said of a
 * provider with the very error that the probe then returns (phy_init(), drivers/phy/phy-core.c).
 */
function withWordsOfParts(
  devices: ReadonlyMap<string, DeviceLife>,
  { complaints }: LogSummary,
): ReadonlyMap<string, DeviceLife> {
  const all = new Map(devices);
  const usedBy = new Map(
    [...complaints.values()].flatMap((said) => {
      const user = ERROR_NUMBER.test(said.words) ? (userOf(said) ?? clusterOf(said)) : null;
      return user === null ? [] : [[user.device, { said, user }] as const];
    }),
  );
  const spoken = new Map([...complaints.values()].map((said) => [said.line, said] as const));
  for (const life of devices.values()) {
    const { device, driver: own, state, words, failedLine, reasonLine, error } = life;
    const block = blockOf(device);
    if (state !== 'failed') continue;
    const used = usedBy.get(device);
    // What its driver says of it later is of what follows from that; a deferral in between ends the attempt.
    if (used !== undefined && used.user.line < failedLine && used.said.line > reasonLine) {
      const { said, user } = used;
      const isTold = words?.includes(user.words) === true;
      if (!isTold || clusterOf(said) !== null) {
        all.set(device, {
          ...life,
          words: `${said.device}: ${said.words}; ${isTold ? words : user.words}`,
          wordsLine: said.line,
        });
        continue;
      }
    }
    // What the core says of each device that has not got its pins says nothing of another.
    if (words !== null && (tells(words) || lacksPins(words))) continue;
    const isCause = (said: Words) =>
      words === null
        ? error !== null &&
          ((isProvider(said.device) && said.words.endsWith(` -${error}`)) || isNamedAfter(said, life, error))
        : block !== null && blockOf(said.device) === block;
    const part = linesFrom(spoken, failedLine - JUST_BEFORE).find(
      (said) =>
        // Of the same driver it is another one of the kind, and no part.
        (said.driver === null || said.driver !== own) && said.device !== device && isCause(said),
    );
    if (part === undefined) continue;
    const last = words === null ? '' : `; ${words}`;
    all.set(device, { ...life, words: `${part.device}: ${part.words}${last}`, wordsLine: part.line });
  }
  return all;
}
