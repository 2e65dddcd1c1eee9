import type { Words } from '../dmesg/complaints.ts';
import { DRM, IS_DEVICE, isFunction, isLittle, NO_DRIVERS } from '../dmesg/spoken.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import { oneOf } from '../regex.ts';
import { probeOf } from './why-crash.ts';
import type { Root, SilentFailure, Suspect, Why } from './why-roots.ts';
import { IS_DEFERRED } from './why-spoken.ts';
import { isDriver, isOfRunTime, OF_WHAT_IS_THERE } from './why-suspects.ts';

/**
 * Devices whose drivers say that they did not come up, and of which the driver core has no word: call_driver_probe(),
 * drivers/base/dd.c, is silent about -ENODEV and -ENXIO, and what a probe begins may fail after its end.
 */

const FAILS = /(?:fail\w*|err(?:or)?|unable|could ?n[o']t|can ?not|can't|unsuccessful)/;
const WRONG = /(?:unexpected|wrong|unknown|unsupported|invalid|incorrect|mismatch\w*|unrecogni[sz]ed|bad)/;
const IS_BAD = oneOf(FAILS, WRONG);
/** By what a driver knows that its chip is there. */
const ID = oneOf(
  /(?:chip|sensor|device|dev|product|vendor|manufacturer|part|silicon)[ _-]?(?:id\w*|info|rev\w*|ver\w*)/,
  /who[ _-]?am[ _-]?i/,
);
/** What a driver does at the start with all of its device. */
const START = oneOf(
  /initiali[sz]\w*|init(?:ing)?|prob(?:e|ing)|start(?:-?up)?|set(?:ting)?[ -]?up|enumerat\w+/,
  /power(?:ing)?[ _-]?(?:on|up)|bring[ -]?up|detect\w*|identify|calibrat\w+/,
);
const DID_NOT_COME_UP = new RegExp(
  oneOf(
    String.raw`\b${IS_BAD}\b.{0,32}\b${ID}`,
    String.raw`\b${ID}.{0,32}\b${IS_BAD}\b`,
    String.raw`\b${FAILS.source}(?: to| in| while| during| whilst| at|:)?(?: \w+){0,2} ${START}\b`,
    String.raw`\b${START}(?: \w+)? ${FAILS.source}\b`,
    /\blink (?:start-?up )?fail|\bno (?:response|answer|ack)\b|\bnot (?:respond|answer)|communicat\w+ (?:fail|err)/,
    /fail\w* to communicate|firmware (?:request|load\w*) fail|no firmware/,
    /\b(?:chip|device|sensor|hardware|panel) (?:is )?not (?:present|detected|there)\b/,
    /\b(?:chip|camera|sensor|panel) (?:is )?not found\b/,
  ),
  'i',
);
/** -ENXIO and -ENODEV at the end, which the driver core does not tell. */
const SILENT_ERROR = /(?<![\w.])-(?:19|6|ENODEV|ENXIO)\b\W*$/;
/** An I2C adapter's -ENXIO is that nothing answers (Documentation/i2c/fault-codes.rst). */
const NO_ACCESS = /\bfail\w* (?:to )?(?:read|writ)(?:e|ing)?(?: \w+)? (?:reg(?:ister)?s?\b|at 0x)/i;
/** What a probe needs, without which it ends; many a clock, an interrupt and the like is optional. */
const NO_RESOURCE = new RegExp(
  `${FAILS.source} (?:to )?(?:find|get|acquire|map) (?:\\w+ ){0,2}${oneOf(
    /(?:pinctrl|resources?|registers?|memory|mem)/,
  )}\\W*$`,
  'i',
);
const GOES_ON_TRYING = /\b(?:will )?re-?try|\bretries\b|\bagain\b|\bdefault firmware\b/i;
/** cpufreq drivers speak of a CPU (drivers/cpufreq/cpufreq-dt.c). */
const OF_CPUS = /OPP table can't be empty/;
/** mmc_rescan(), drivers/mmc/core/core.c, after all frequencies have been tried. */
const NO_CARD = /Failed to initialize a non-removable card/;
export const IS_HOST = /^mmc\d{1,3}$/;
const OF_HOST = /mmc|sdh|msdc/;
/** Of more devices of one driver it is said as of what they do without. */
const FEW_ALIKE = 2;
const MOST_OF_A_KEY = 60;
/** A warning is of what is said so many lines after it. */
const JUST_AFTER = 2;

/** What tells words of one kind of a device from others: numbers and addresses are the device's. */
export function keyOf({ driver, words }: Pick<Words, 'driver' | 'words'>): string {
  return `${driver} ${words.replaceAll(/(?:0x)?[0-9a-f]*\d[0-9a-f]*/gi, '0').slice(0, MOST_OF_A_KEY)}`;
}

/** What drivers say that sounds like an error of devices that work: of those that are not `open`. */
export function harmlessWords({ complaints }: LogSummary, open: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(
    [...complaints.values()].flatMap(({ device, driver, words }) =>
      open.has(device) ? [] : words.split('; ').map((part) => keyOf({ driver, words: part })),
    ),
  );
}

/** What is known of a root without what its driver says of devices that work as well, where it says more. */
export function withOwnWords(root: Root, harmless: ReadonlySet<string>): Root {
  const { cause, evidence } = root;
  if (cause.cause !== 'failed' || cause.driver === null || evidence === null) return root;
  const { driver } = cause;
  const own = evidence.split('; ').filter((part) => !harmless.has(keyOf({ driver, words: part })));
  return own.length === 0 ? root : { ...root, evidence: own.join('; ') };
}

/** Without what is said of devices that work as well: {@link Words} are joined of the first and the last. */
function withoutHarmless(said: Words, harmless: ReadonlySet<string>): Words {
  const { driver, words, line, lastLine = line } = said;
  const own = words.split('; ').filter((part) => !harmless.has(keyOf({ driver, words: part })));
  return { ...said, words: own.join('; '), line: words.startsWith(own[0] ?? '') ? line : lastLine };
}

/**
 * What says in its own words that it did not come up.
 * @param others what is said of devices that are neither roots nor wait, from `othersOf`
 * @param harmless what is said of devices that work, from {@link harmlessWords}
 */
export function silentFailures(
  others: readonly Words[],
  harmless: ReadonlySet<string>,
  summary: LogSummary,
): SilentFailure[] {
  const alike = new Map<string, number>();
  for (const said of others) alike.set(keyOf(said), (alike.get(keyOf(said)) ?? 0) + 1);
  return others.flatMap((said) => {
    const own = withoutHarmless(said, harmless);
    if (NO_RESOURCE.test(own.words) && (alike.get(keyOf(own)) ?? 0) > FEW_ALIKE) return [];
    if (!saysSo(own, summary)) return [];
    return [{ ...own, warning: warningBefore(said, summary), before: hostBefore(said, summary) }];
  });
}

/** Each is told once: as what may be the cause of something that is open, or else as what did not come up. */
export function splitErrors(
  suspects: readonly Suspect[],
  silent: readonly SilentFailure[],
  isAnyOpen: boolean,
): Pick<Why, 'complaints' | 'silent'> {
  const told = silent.flatMap(({ device, before }) => (before === null ? [device] : [device, before.device]));
  const first = new Set(isAnyOpen ? suspects.map(({ device }) => device) : told);
  const rest = <T extends Words>(some: readonly T[]) => some.filter(({ device }) => !first.has(device));
  return isAnyOpen ? { complaints: suspects, silent: rest(silent) } : { complaints: rest(suspects), silent };
}

/** Of a card, what is said of a host just before: mmc_attach_mmc(), drivers/mmc/core/mmc.c, has a number only. */
function hostBefore({ device }: Words, { complaints, heard }: LogSummary): Words | null {
  if (!IS_HOST.test(device)) return null;
  const isOther = (host: string) => {
    const announced = /^(mmc\d+): /.exec(heard.get(host)?.words ?? '')?.[1];
    return announced !== undefined && announced !== device;
  };
  const said = [...complaints.values()].find((one) => one.next?.device === device && OF_HOST.test(one.device));
  return said === undefined || isOther(said.device) ? null : said;
}

function saysSo(said: Words, summary: LogSummary): boolean {
  const { device, driver, words, attempts = 1 } = said;
  if (driver === null)
    return IS_HOST.test(device) && NO_CARD.test(words) && (summary.heard.get(device)?.line ?? 0) < said.line;
  if (driver === CPU) return OF_CPUS.test(words);
  if (
    !isOfDriver(device, driver) ||
    isFunction(device) ||
    isLittle(words) ||
    IS_DEFERRED.test(words) ||
    isOfRunTime(said, summary)
  )
    return false;
  if (GOES_ON_TRYING.test(words)) return false;
  // Only once, as what fails so is not tried again.
  if (NO_RESOURCE.test(words) && !summary.heard.has(device) && attempts === 1) return true;
  return DID_NOT_COME_UP.test(words) || (attempts === 1 && (SILENT_ERROR.test(words) || NO_ACCESS.test(words)));
}

const CPU = 'cpu';

/** Some drivers' names begin with a capital letter, as those of subsystems do. */
function isOfDriver(device: string, driver: string): boolean {
  if (driver === DRM || OF_WHAT_IS_THERE.test(driver) || NO_DRIVERS.has(driver)) return false;
  return isDriver(driver) || IS_DEVICE.test(device);
}

function warningBefore({ line }: Words, { crashes }: LogSummary): SilentFailure['warning'] {
  const crash = crashes.findLast(
    ({ kind, lastLine }) => kind === 'warning' && lastLine < line && line - lastLine <= JUST_AFTER,
  );
  const probe = crash === undefined ? null : probeOf(crash);
  return crash === undefined || probe === null ? null : { title: crash.title, probe, line: crash.line };
}
