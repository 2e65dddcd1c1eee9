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
/** Said of an earlier attempt, whatever came of it. */
const DEFERS = /-517\b|EPROBE_DEFER|[Dd]efer/;
const MOST = 300;

/**
 * What the driver of `device` said first of its last attempt, as the error that it then returned; null where it said
 * nothing that sounds like one.
 * @param texts the last records of the log, without prefixes
 */
export function wordsOf(device: string, texts: readonly string[]): string | null {
  let first: string | null = null;
  for (const text of texts) {
    const at = text.startsWith(`${device}: `) ? 0 : text.indexOf(` ${device}: `) + 1;
    // `DRIVER DEVICE: words` of dev_printk(): one word before the device.
    if ((at === 0 && !text.startsWith(device)) || text.slice(0, at).trimEnd().includes(' ')) continue;
    const words = text.slice(at + device.length + 2).slice(0, MOST);
    if (OF_CORE.test(words)) continue;
    if (DEFERS.test(words)) first = null;
    else if (AN_ERROR.test(words)) first ??= words;
  }
  return first;
}
