import { oneOf } from '../regex.ts';

/** Words with which drivers tell an error, besides its number. */
const AN_ERROR = new RegExp(
  oneOf(
    /fail|error|could ?n[o']t|cannot|can't|unable|time[d-]? ?out|invalid|missing|mismatch|refused|denied|unsupported/,
    /not (?:found|available|supported|present|specified)|no .{1,40}(?:configured|specified|provided)|-\d{1,3}\b/,
  ),
  'i',
);
/** What the driver core says of a device, which is not its driver's. */
const OF_CORE = new RegExp(
  `^${oneOf(
    /probe (?:with driver|of|deferral)|[Dd]river \S+ requests|deferred probe|Added to|Retrying from/,
    /(?:bus|driver): '|error -(?:EPROBE_DEFER|517): (?:wait for )?supplier|Linked as|Dropping the/,
  )}`,
);
/** What a driver does without: regulator_get() of an absent supply, for one. */
const NO_MATTER = /using (?:dummy|default|internal)|fall(?:ing)? ?back|ignored|optional|no hogs/i;
/** Said of an earlier attempt, whatever came of it. */
const DEFERS = /-517\b|EPROBE_DEFER|[Dd]efer/;
/** pin_request(), drivers/pinctrl/pinmux.c: both devices ask for the pin. */
const TAKEN_PIN = /((?:pin \S{1,64} )?already requested by \S{1,128}; cannot claim for (\S{1,128}))/;
const MOST = 300;

/**
 * What the driver of `device` said first of its last attempt, as the error that it then returned; null where it said
 * nothing that sounds like one.
 * @param texts the last records of the log, without prefixes
 */
export function wordsOf(device: string, texts: readonly string[]): string | null {
  let first: string | null = null;
  for (const text of texts) {
    // The pin controller speaks of the device.
    const pin = TAKEN_PIN.exec(text);
    if (pin?.[2] === device) {
      first ??= pin[1] ?? null;
      continue;
    }
    const at = text.startsWith(`${device}: `) ? 0 : text.indexOf(` ${device}: `) + 1;
    // `DRIVER DEVICE: words` of dev_printk(): one word before the device.
    if ((at === 0 && !text.startsWith(device)) || text.slice(0, at).trimEnd().includes(' ')) continue;
    const words = text
      .slice(at + device.length + 2)
      .trimStart()
      .slice(0, MOST);
    if (OF_CORE.test(words) || NO_MATTER.test(words)) continue;
    if (DEFERS.test(words)) first = null;
    else if (AN_ERROR.test(words)) first ??= words;
  }
  return first;
}
