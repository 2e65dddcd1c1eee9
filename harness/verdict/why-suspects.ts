import type { Words } from '../dmesg/complaints.ts';
import { I2C_DEVICE } from '../dmesg/node-names.ts';
import { DRM, isFunction, isLittle, NO_DRIVERS, NO_IRQ } from '../dmesg/spoken.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import { oneOf } from '../regex.ts';
import {
  failedProviders,
  isOpen,
  isProvider,
  lackedBy,
  mayHaveFailed,
  mayProvide,
  OF_CODECS,
  PMIC,
  providerRank,
  SERVICE,
  SHORTLY,
} from './why-guesses.ts';
import type { Want } from './why-kinds.ts';
import type { Root, Suspect, Why } from './why-roots.ts';
import { lastTryOfAll } from './why-settled.ts';
import { IS_DEFERRED, isToldOfProbe, lacksPinsAtWork } from './why-spoken.ts';
import { wantOf } from './why-wants.ts';

/** Errors that drivers report, as far as they may be why something is not bound of which the log gives no reason. */

/** Somebody whom the log does not name cannot have a pin, as a GPIO. */
const LACKS_PIN = /; cannot claim for /;
/** fw_get_filesystem_firmware(), drivers/base/firmware_loader/main.c: of a device that may have no driver's name. */
const OF_FIRMWARE = /(?:load|request|find|boot)\w*\b.{0,80}\bfirmware\b|\bfirmware\b.{0,80}\bload/i;
/** rproc_boot(), drivers/remoteproc/remoteproc_core.c. */
const RPROC = /can't start rproc (\S{1,128}): -\d/;

/** Names of supplies, for which set_machine_constraints() speaks, drivers/regulator/core.c. */
const SUPPLY = /^(?:\w{0,8}[-_+])?(?:\+?\d+v\d|v(?:dd|cc|bus|ref|in|io|sys|aux)|ldo|buck|dcdc|smps|vreg)[\w-]*$/i;
/** Something was tried and came to nothing; a device that works lacks this and that. */
const FAILED = new RegExp(
  oneOf(
    /fail|\berr(?:or)?\b|unable|could ?n[o']t|can ?not|can't|time(?:d[- ]?|[- ]?)out|mismatch|unexpected/,
    /no available|unrecogni[sz]ed/,
  ),
  'i',
);
/** The same, or something that a provider needs is not there. */
const CAME_TO_NOTHING = new RegExp(oneOf(FAILED, /not found/), 'i');
/** More than that something is not there, which may be optional: -ENOENT. */
const ERROR_NUMBER = /(?<![\w.])-(?!2\b)\d{1,3}\b|\berror -(?!ENOENT)E/;
/** What nothing else waits for: a self test, an address that is made up instead, links that only order suspending. */
const NO_TIE = new RegExp(
  oneOf(
    /self[- ]?test|device link|\bmac\b[ _-]?(?:addr|from)|\bmac[ _-]?addr/,
    /hardware clock|\bhctosys\b|\buevents?\b|\bdebugfs\b/,
    // Where the IRQ core has said why just before, its words come first.
    NO_IRQ,
    // What deals with errors is none.
    /\berror (?:monitoring|handling|correction|detection|reporting)/,
  ),
  'i',
);
/** The driver leaves its device alone, as it should. */
const DELIBERATE = /(?:will be|is|being|be) (?:de-?activated|disabled|ignored|skipped)|\bdisabled (?:by|in|via)\b/i;
/** What a driver says when it gives up is no sign of work. */
const GIVES_UP = /remov|releas|abort|shut|stop|power(?:ing)? (?:off|down)|unregist|dropp|giv|disabl|retry/i;

const AUDIO = /sound|audio|(?<!video-)codec|macro|lpass|i2s|\bdai\b|hdmi-?snd|swr|\bwcd|\bsai\b|spdif/;
/** Processors that run the audio of a chip, and the services on them. */
const AUDIO_DSP = /adsp|lpass|audio|\baud\d|\bq6|\bapr|\bgpr|\bsof\b|hifi|codec|sound/i;
const DISPLAY = new RegExp(
  oneOf(
    /display|\bgpu\b|hdmi|\bdsi\b|\blvds|\bvop|\bdrm|panel|bridge|\bdpu|mdss|crtc|\btcon|mixer/,
    /(?<!video-)encoder|\bvc4|\bhvs\b/,
  ),
);
const CAMERA = /camera|camss|\bcsi|\bisp\b|sensor-?\d|\bcci\b/;

/** Names of chips, which one device may have of another: a card of its codec, a panel's backlight of the panel. */
const CHIP = /^(?=.{5})[a-z]{2,8}\d{3,6}[a-z]{0,3}$/i;

/** On I2C or SPI it is the name of the chip; on the CPU's bus that of a whole SoC, which many devices have. */
function isChip(device: string): boolean {
  return I2C_DEVICE.test(device) || /^spi\d/.test(device);
}

/** Whether later lines show that it works after all, or that it is off on purpose. */
function isRefuted({ device, words, line, lastLine = line }: Words, { heard }: LogSummary): boolean {
  if (DELIBERATE.test(words)) return true;
  const said = heard.get(device);
  if (said !== undefined && said.line > lastLine && !GIVES_UP.test(said.words)) return true;
  if (said !== undefined && said.line <= line && line - said.line <= SHORTLY && DELIBERATE.test(said.words))
    return true;
  // Of remote processors it is told by their own names.
  const processor = RPROC.exec(words)?.[1];
  return processor !== undefined && (heard.get(processor)?.line ?? 0) > lastLine;
}

/** Whether the words are a root's already; another device of the same driver may fail in the same words. */
function isToldBy({ cause, evidence }: Root, { driver, words }: Words): boolean {
  const isOfLike = cause.cause === 'failed' && cause.driver !== null && cause.driver === driver;
  return !isOfLike && evidence?.includes(words) === true;
}

/** What is said of devices that are not `known` to be a root or to wait, those first that others may need. */
export function othersOf(summary: LogSummary, known: ReadonlySet<string>, roots: readonly Root[]): Words[] {
  // The controller may say the same.
  const atWork = new Set(
    [...summary.complaints.values()].filter((said) => lacksPinsAtWork(said, summary)).map(({ words }) => words),
  );
  const rank = ({ device, driver }: Words) => Math.min(providerRank(device), providerRank(driver ?? ''));
  const evidence = roots.flatMap((root) => root.evidence ?? []).join('\n');
  return [...summary.complaints.values()]
    .filter(({ device }) => !known.has(device) && summary.devices.get(device)?.state !== 'bound')
    .filter((said) => !atWork.has(said.words) && !isToldOfProbe(said, known))
    .filter((said) => !evidence.includes(said.words) || !roots.some((root) => isToldBy(root, said)))
    .filter((said) => IS_DEFERRED.test(said.words) || LACKS_PIN.test(said.words) || !isRefuted(said, summary))
    .sort((a, b) => rank(a) - rank(b) || a.line - b.line);
}

/** Devices of which the log does not say what they wait for. */
function withoutReason({ roots, unexplained }: Pick<Why, 'roots' | 'unexplained'>): string[] {
  return [...unexplained, ...allOf(roots.filter((root) => isOpen(root) && lackedBy(root) === null))];
}

/** Devices of which the log may say what kind of a thing they lack, and nothing of what provides it. */
function withoutName(roots: readonly Root[]): readonly Root[] {
  return roots.filter(
    ({ cause }) => cause.cause === 'own-deferral' && cause.wants !== null && cause.perhaps.length === 0,
  );
}

function allOf(roots: readonly Root[]): string[] {
  return roots.flatMap(({ name, waiting }) => [name, ...waiting.map(({ device }) => device)]);
}

/** Whether it is a driver that speaks, and not a bus or what a subsystem puts before its words. */
export function isDriver(name: string | null): boolean {
  return name !== null && /^[a-z\d]/.test(name) && !NO_DRIVERS.has(name);
}

/**
 * What speaks of what is there already: hosts and interfaces (wiphy, UDC, hubs and gadgets, PCI ports, MMC hosts), and
 * what reserves ranges for the firmware (drivers/pnp/system.c).
 */
export const OF_WHAT_IS_THERE: RegExp =
  /^(?:ieee80211|udc|configfs-gadget|hub|pcieport|pci_root|system|mmc_host|g_\w{1,16})$/;
/** A function of a probe, or that is called in one. */
const IN_A_PROBE = /probe|init|bind|attach|register|load|create|setup|parse/;

/** Whether a probe may have come to nothing with these words. */
function mayEndProbe({ device, driver, words }: Words): boolean {
  if (OF_WHAT_IS_THERE.test(driver ?? '')) return false;
  if (driver === DRM) return IN_A_PROBE.test(device);
  return isDriver(driver) || driver === OF_CPUS || OF_FIRMWARE.test(words);
}

/** cpufreq drivers and the OPP core (drivers/opp) speak of a CPU, which is not probed itself, for their own device. */
const OF_CPUS = 'cpu';

function isOfRegulator({ device, driver, words }: Words): boolean {
  return driver === null && SUPPLY.test(device) && /\bfailed to\b/.test(words);
}

/** Longer than a driver takes to probe a device, in microseconds. */
const RUN_TIME = 10_000_000;

/** Whether the driver has been on the device for long when it tells the error: that ends no probe. */
export function isOfRunTime({ device, time = null }: Words, { heard }: LogSummary): boolean {
  const since = heard.get(device)?.since ?? null;
  return time !== null && since !== null && time - since > RUN_TIME;
}

/** Controllers of buses, and what one says of a transfer. */
const OF_BUS = /\b(?:i2c|spi|i3c|spmi)\b/;
const TRANSFERS = /transfer|xfer|\bi2c error\b|\bn?ack\b|arbitration|addr\W{0,2}(?:0x)?[0-9a-f]{2}\b|time[d -]?out/i;

/** Whether others may need what the words are of. */
function maySupply(said: Words): boolean {
  const { device, driver, words } = said;
  if (isOfRegulator(said) || SERVICE.test(`${driver ?? ''} ${device}`)) return true;
  if (isFunction(device) || driver === DRM) return false;
  // A bus that tells of a transfer is there: it is what is on it that does not answer.
  if (OF_BUS.test(device) && TRANSFERS.test(words)) return false;
  if (driver === null) return isProvider(device) && /\bfailed to\b/.test(words);
  return mayProvide(device, driver);
}

/**
 * By their names, who of `open` is below, on that bus or of the same subsystem.
 * @param chips the devices of `open` by the chips that they are named after
 */
function tieOf(
  { device, driver, words }: Words,
  open: readonly string[],
  chips: ReadonlyMap<string, readonly string[]>,
): Suspect['tie'] {
  const below = open.filter((one) => one.startsWith(`${device}:`));
  if (below.length > 0) return { kind: 'below', devices: below };
  const bus = /^i2c-(\d{1,3})$/.exec(device)?.[1];
  const onBus = bus === undefined ? [] : open.filter((one) => one.startsWith(`${bus}-00`));
  if (onBus.length > 0) return { kind: 'on that bus', devices: onBus };
  const own = `${driver ?? ''} ${device}`;
  // What begins with a capital letter is a subsystem's as a rule, whatever it is of.
  if (driver !== null && /^[A-Z]+-/.test(driver)) return null;
  const isOfAudio = AUDIO_DSP.test(own) || OF_CODECS.test(driver ?? '') || (SERVICE.test(own) && AUDIO_DSP.test(words));
  const audio = isOfAudio ? open.filter((one) => AUDIO.test(one)) : [];
  if (audio.length > 0) return { kind: 'audio', devices: audio };
  const display = DISPLAY.test(own) ? open.filter((one) => DISPLAY.test(one)) : [];
  if (display.length > 0) return { kind: 'display', devices: display };
  const camera = CAMERA.test(own) ? open.filter((one) => CAMERA.test(one)) : [];
  if (camera.length > 0) return { kind: 'camera', devices: camera };
  const cpus = PMIC.test(driver ?? '') ? open.filter((one) => one.includes('cpufreq')) : [];
  if (cpus.length > 0) return { kind: 'feeds the CPUs', devices: cpus };
  const namesakes = new Set(isChip(device) ? tokensOf(own).flatMap((token) => chips.get(token) ?? []) : []);
  return namesakes.size > 0 ? { kind: 'by name', devices: open.filter((one) => namesakes.has(one)) } : null;
}

/** Parts of a name that are a chip's: letters and digits, as `sgtl5000`; a device's address and number are none. */
function tokensOf(name: string): string[] {
  return name.split(/[^a-z0-9]+/i).filter((token) => CHIP.test(token));
}

/** Who lacks the same, of which a chip has one provider: it has come to nothing for all of them. */
function lackOf({ words }: Words, lacking: ReadonlyMap<Want | null, readonly string[]>): Suspect['tie'] {
  if (lacking.size === 0) return null;
  const want = wantOf(words);
  const devices = want?.isCentral === true ? (lacking.get(want) ?? []) : [];
  return devices.length > 0 ? { kind: 'lacks the same', devices } : null;
}

/** The values of each key. */
function listsOf<K, V>(pairs: readonly (readonly [K, V])[]): ReadonlyMap<K, readonly V[]> {
  const lists = new Map<K, V[]>();
  for (const [key, value] of pairs) {
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [value]);
    else list.push(value);
  }
  return lists;
}

/** Whether it is guessed already, of what is at fault itself, that what has no reason waits for it. */
function mayWaitFor({ roots, unexplained, unspoken }: Pick<Why, 'roots' | 'unexplained' | 'unspoken'>): boolean {
  return (
    unexplained.length > 0 &&
    (failedProviders({ roots, unexplained }).length > 0 || unspoken.some(({ what }) => what !== null))
  );
}

/** So many are told. */
export const SUSPECTS = 4;

/** What has no reason of its own may have for one what another said just before; a deferral, if that may supply it. */
function isJustBefore(said: Words, { cause, evidence, line: came }: Root): boolean {
  const isOfNone =
    cause.cause === 'failed'
      ? evidence === null
      : cause.cause === 'own-deferral' && cause.wants === null && (isFunction(said.device) || maySupply(said));
  return isOfNone && came !== null && came > said.line && came - said.line <= SHORTLY;
}

/**
 * What may be why something is not bound, those first that have a tie to it, then what needs the least itself; where
 * nothing is left open, errors after which a probe may have come to nothing without a word of the driver core, which
 * has none for -ENODEV and -ENXIO (call_driver_probe(), drivers/base/dd.c).
 * @param complaints of what is neither a root nor waits, from {@link othersOf}
 */
export function suspectsOf(
  complaints: readonly Words[],
  found: Pick<Why, 'roots' | 'unexplained' | 'unspoken'>,
  summary: LogSummary,
): Suspect[] {
  const { roots } = found;
  const open = withoutReason(found);
  const unnamed = withoutName(roots);
  const isSomethingKnown = roots.length > 0 || found.unexplained.length > 0;
  const isGuessed = mayWaitFor(found);
  /** What comes after is no cause of it. */
  const lastWaits = Math.max(0, ...open.map((device) => summary.devices.get(device)?.line ?? 0));
  const lastTry = lastTryOfAll(summary);
  const tied = [...open, ...allOf(unnamed)];
  const chips = listsOf(tied.flatMap((device) => tokensOf(device).map((token) => [token, device] as const)));
  const lacking = listsOf(unnamed.map((root) => [lackedBy(root), root.name] as const));
  const byLine = listsOf(roots.flatMap((root) => (root.line === null ? [] : [[root.line, root] as const])));
  const justAfter = (line: number) => Array.from({ length: SHORTLY }, (_, n) => byLine.get(line + n + 1) ?? []).flat();
  const suspects = complaints.flatMap((said): Suspect[] => {
    const { words, line, lastLine = line, times = 1 } = said;
    if (justAfter(line).some((root) => isJustBefore(said, root) || mayHaveFailed(root, said)))
      return [{ ...said, tie: null }];
    if (LACKS_PIN.test(words) || (IS_DEFERRED.test(words) && lastTry <= line)) return [{ ...said, tie: null }];
    if (NO_TIE.test(words) || isLittle(words) || !CAME_TO_NOTHING.test(words)) return [];
    // Only what is deferred is probed again, and its driver would say so once more.
    if (!isSomethingKnown && times > 1 && lastTry > lastLine && said.driver !== OF_CPUS) return [];
    if (!isSomethingKnown)
      return FAILED.test(words) && !isOfRunTime(said, summary) && (mayEndProbe(said) || isOfRegulator(said))
        ? [{ ...said, tie: null }]
        : [];
    const tie = tieOf(said, tied, chips) ?? lackOf(said, lacking);
    return tie !== null || (line < lastWaits && !isGuessed && maySupply(said)) ? [{ ...said, tie }] : [];
  });
  const rank = (one: Suspect) =>
    (one.tie === null ? 2 : 0) +
    (SERVICE.test(`${one.driver ?? ''} ${one.device}`) || (open.length === 0 && ERROR_NUMBER.test(one.words)) ? 0 : 1);
  // Those of one attempt of one processor are told once.
  const processors = new Set(suspects.map(({ device }) => device));
  // The pin controller and who asks it may say the same.
  const pins = new Map(suspects.toReversed().flatMap((one) => (LACKS_PIN.test(one.words) ? [[one.words, one]] : [])));
  return suspects
    .filter(({ words }) => !processors.has(RPROC.exec(words)?.[1] ?? ''))
    .filter((one) => (pins.get(one.words) ?? one) === one)
    .sort((a, b) => rank(a) - rank(b));
}
