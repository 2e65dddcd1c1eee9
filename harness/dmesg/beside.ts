import { isOneAttempt, type Place } from './lives.ts';
import { I2C_DEVICE } from './node-names.ts';
import { isProbeOf, probeFunctionIn } from './probe-functions.ts';
import {
  CORE_SAYS,
  DEFERS,
  IS_DEVICE,
  isFunction,
  MOST,
  NO_DRIVERS,
  OF_CORE,
  SAYS,
  soundsBad,
  wordsAfterName,
} from './spoken.ts';

/** What is said of a probe that failed besides what its driver says of the device by its name. */

/** A record's text and where it stands. */
export interface Said extends Place {
  readonly text: string;
}

/** The words, and the line in which they begin. */
export interface WordsAt {
  readonly words: string;
  readonly line: number;
}

/** Lines before the end of a probe among which its last words stand. */
const JUST_BEFORE = 4;
/** What a bus or its controller says. */
const OF_I2C = /^(?:i2c|\S*i2c\S* [\w.-]{1,64}|\S{1,64} \S*i2c\S*)[ :]/;
/** A function of a probe speaks, also behind tags: `[ACME]acme_probe: `, `<<ACME-ERR>>[acme_probe:567] `. */
const IN_PROBE = /^(?:[[<][^\]>]{1,48}[\]>]{1,2} ?){0,4}[[<]?\w*probe\w*(?:\(\))?(?:[: ]\d{1,6})?(?::|[\]>]+):? ?\S/;
/** What stands before words without a device: a tag, a function or a driver's name. */
const TAG = /^(?:\[[^\]]{1,32}\]|<{1,2}[^>]{1,32}>{1,2}|[\w .-]{1,48}:)/;
/** What tells one message of a driver from another, and not the driver. */
const OF_MESSAGE = /\d|[-_ ]?(?:ERR(?:OR)?|INF(?:O)?|WARN(?:ING)?|DBG|DEBUG)(?![A-Za-z])/gi;
/** An error's number, as most print it. */
const ERRNO = /(?<![\w.-])-(\d{1,3})\b/;

function tagOf(text: string): string | null {
  return TAG.exec(text)?.[0].replaceAll(OF_MESSAGE, '') ?? null;
}

/** A driver's tag of two words (pr_fmt()). */
const OF_NO_DEVICE = /^[A-Z][A-Z_]*$/;
/** A level that a driver prints itself: `ACME_ERR: `, `[ERROR]`. */
const IS_ERROR = /^\W{0,3}(?:\w{1,32}[-_])?(?:ERR|ERROR)\b/;
/** A probe's function in a sentence. */
const OF_PROBE = /(?:^|\s)\w+_probe\b/;
/** The line just before may be of a slow probe, in microseconds. */
const SLOW_US = 1_000_000;

/** Of the same errors, what many subsystems say has its number at the end. */
function isOfError(text: string, error: number): boolean {
  return new RegExp(`(?<![\\w.-])-${error}\\b`).test(text);
}

/** Whether a line is of another device's probe, and not of a part, for which its class or bus speaks. */
function isOfOther(text: string): boolean {
  const [, driver, other = ''] = SAYS.exec(text) ?? [];
  // After a function, the line of its source may stand.
  if (driver === undefined) return IS_DEVICE.test(other) && !isFunction(other.replace(/:\d{1,6}$/, ''));
  return !OF_NO_DEVICE.test(other);
}

/**
 * What the last lines say of a probe without the name of its device: with the very error that it returned, in one of
 * its functions, after the driver's name (pr_fmt()), or of its address on an I2C bus; before it, what the same tag said
 * first that has an error, or the line before it that begins alike.
 * @param said the last lines, the newest last
 */
export function wordsBeside(
  { device, driver, error }: { readonly device: string; readonly driver: string | null; readonly error: number },
  said: readonly Said[],
  end: Place,
): WordsAt | null {
  const address = I2C_DEVICE.exec(device)?.[1];
  const isOfAddress = (text: string) =>
    address !== undefined &&
    OF_I2C.test(text) &&
    (isOfError(text, error) || new RegExp(`\\b0x(?:00)?${address}\\b`, 'i').test(text));
  const at = said.findLastIndex(({ text, ...place }, index) => {
    if (index < said.length - JUST_BEFORE || OF_CORE.test(text) || CORE_SAYS.test(text) || DEFERS.test(text))
      return false;
    const symbol = probeFunctionIn(text);
    const isNamed = (name: string) =>
      wordsAfterName(name, text) !== null || (symbol !== null && isProbeOf(symbol, name) && !isOfOther(text));
    const isOwn = driver !== null && isNamed(driver);
    const isOfAny = (IN_PROBE.test(text) || OF_PROBE.test(text)) && !isOfOther(text);
    const isOfProbe = (isOwn && (soundsBad(text) || IS_ERROR.test(text))) || (isOfAny && soundsBad(text));
    const isNow = isOneAttempt(place, end) || (isOfProbe && index === said.length - 1 && isWithin(place, end));
    if (!isNow) return false;
    return isOfAddress(text) ? soundsBad(text) : isOfProbe || (!isOfOther(text) && isOfError(text, error));
  });
  const last = said[at];
  if (last === undefined) return null;
  const { text: words, line } = last;
  const isAlone = isOfAddress(words) || !soundsBad(words);
  const first = isAlone ? undefined : (firstOfRun(said.slice(0, at + 1), error) ?? before(said, at));
  if (first === undefined || words.startsWith(first.text)) return { words: words.slice(0, MOST), line };
  return { words: `${first.text}; ${words}`.slice(0, MOST), line: first.line };
}

function isWithin(before: Place, end: Place): boolean {
  return before.time !== null && end.time !== null && end.time - before.time <= SLOW_US;
}

/** The line before, where it begins alike and is of something that is not as it should be. */
function before(said: readonly Said[], at: number): Said | undefined {
  const [one, last] = [said[at - 1], said[at]];
  const tag = tagOf(one?.text ?? '');
  const isAlike = tag !== null && tag === tagOf(last?.text ?? '');
  // A step of the probe is no cause.
  return isAlike && one !== undefined && (soundsBad(one.text) || /\bnot?\b/i.test(one.text)) ? one : undefined;
}

/**
 * Of what was said in one go under the tag of the last of the lines, the first with the commonest error of those with
 * another number than the probe then returns, or else the one before.
 */
function firstOfRun(said: readonly Said[], error: number): Said | undefined {
  const last = said.at(-1);
  const tag = tagOf(last?.text ?? '');
  if (last === undefined || tag === null) return undefined;
  const run: Said[] = [];
  const isOther = ({ text }: Said) => Number(ERRNO.exec(text)?.[1] ?? error) !== error;
  let next: Said = last;
  for (const one of said.toReversed()) {
    // Drivers that print no stamps are not told apart by time.
    if (!isOneAttempt(one, next) || CORE_SAYS.test(one.text) || DEFERS.test(one.text)) break;
    if (tagOf(one.text) !== tag) continue;
    next = one;
    if (soundsBad(one.text)) run.unshift(one);
  }
  return commonest(run.filter(isOther)) ?? run.at(-2);
}

/** The first of those with the error that most of them have. */
function commonest(said: readonly Said[]): Said | undefined {
  const numberOf = ({ text }: Said) => ERRNO.exec(text)?.[1];
  const times = (one: Said) => said.filter((other) => numberOf(other) === numberOf(one)).length;
  return said.toSorted((a, b) => times(b) - times(a))[0];
}

/**
 * What is said while a device is probed, of which initcall_debug tells how long that took, without the name of another:
 * the first error of it.
 * @param from when the probe began, in microseconds
 */
export function wordsWithin(from: number, said: readonly Said[]): WordsAt | null {
  const first = said.find(
    ({ text, time }) =>
      time !== null && time >= from && soundsBad(text) && !isOfOther(text) && !CORE_SAYS.test(text) && !isOfUser(text),
  );
  return first === undefined ? null : { words: first.text.slice(0, MOST), line: first.line };
}

/** Programs of user space print at the same time. */
function isOfUser(text: string): boolean {
  return /^[\w@.-]{1,64}\[\d{1,10}\]: /.test(text);
}

/** A function that speaks, by the first part of its name, which is that of its driver. */
const FUNCTION = /(?:^|[\s[(>])([a-z]+\d*[a-z]*)_\w{1,64}(?::\d{1,6})?(?:\(\))?[:\]]/g;
/** Shorter ones are of many drivers: `dev_`, `i2c_`. */
const LEAST_STEM = 4;

/** So many errors are kept. */
const MOST_KEPT = 16;
/** Reports of crashes may stand between an error and the end of the probe. */
const MOST_BETWEEN = 400;

/** The last errors of nobody's own, of which one may be why a probe fails; memory is bounded. */
export class Errors {
  #kept: Said[] = [];

  note(said: Said): void {
    if (!ERRNO.test(said.text) || DEFERS.test(said.text) || !soundsBad(said.text)) return;
    this.#kept.push(said);
    if (this.#kept.length > MOST_KEPT) this.#kept.shift();
  }

  /**
   * What a function of the driver whose words end a probe said last of a bus on which nobody answers, where these words
   * have no such error: `acme_read: error -121; acme_probe: no chip ID, -22`.
   */
  ofBus(words: string, end: Place): WordsAt | null {
    if (OF_BUS.test(words)) return null;
    const stems = [...words.matchAll(FUNCTION)]
      .map(([, stem = '']) => stem)
      .filter((stem) => stem.length >= LEAST_STEM);
    const last = this.#kept.findLast(
      ({ text, ...place }) =>
        OF_BUS.test(text) &&
        isOneAttempt(place, end) &&
        [...text.matchAll(FUNCTION)].some(([, stem = '']) => stems.includes(stem)),
    );
    return last === undefined ? null : { words: last.text.slice(0, MOST), line: last.line };
  }

  /**
   * The first and the last that were said with the error of a probe shortly before its end, of a part of the device or
   * of no device: what a driver calls fails, and so does the driver.
   */
  of(error: number, end: Place): WordsAt | null {
    if (end.time === null) return null;
    const those = this.#kept.filter(
      ({ text, time, line }) =>
        time !== null &&
        isOneAttempt({ time, line }, end) &&
        end.line - line <= MOST_BETWEEN &&
        isOfError(text, error) &&
        !isOfBound(text),
    );
    const [first, last] = [those[0], those.at(-1)];
    if (first === undefined || last === undefined) return null;
    // What the last lines say of a part is looked up by its name, which may have more words of it.
    if (those.every(({ text, line }) => SAYS.exec(text)?.[1] !== undefined && end.line - line < JUST_BEFORE))
      return null;
    const words = first === last ? first.text : `${first.text}; ${last.text}`;
    return { words: words.slice(0, MOST), line: first.line };
  }
}

/** include/uapi/asm-generic/errno.h: ENXIO, ENOTCONN, ETIMEDOUT and EREMOTEIO, which an I2C controller returns. */
const OF_BUS = /(?<![\w.-])-(?:6|107|110|121)\b/;

/** Classes whose devices are parts that others use: `phy phy-1000.phy.0: `, `regulator regulator.3: `. */
const OF_PARTS: ReadonlySet<string> = new Set(['phy', 'regulator', 'clk', 'reset', 'pwm', 'mailbox', 'nvmem']);

/** Whether the words are of a device that has a driver, which says of its own probe what is to be said. */
function isOfBound(text: string): boolean {
  const [, driver, other = ''] = SAYS.exec(text) ?? [];
  if (driver === undefined) return IS_DEVICE.test(other);
  return !OF_PARTS.has(driver) || NO_DRIVERS.has(driver);
}
