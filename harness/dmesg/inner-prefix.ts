import { oneOf } from '../regex.ts';
import { HOST_KERNEL } from './stamps.ts';

/* What kernels put between the time stamp and the text: callers, CPUs, vendors' marks. */

const CALLER = /^ ?\[ *([TC]\d{1,10}) ?\] ?/;
/**
 * Vendor printk contexts: `[4:     netbpfload:  771]`, `[0:  kworker/u16:2:  131]`, `(2)[1:swapper/0]`, ` c0      1 `,
 * `[pid:1,cpu0,init]`.
 */
const VENDOR = /^ {0,4}(?:<\d>)?[.-]?(?:\(\d{1,3}\))?\[ ?(\d{1,5}): {0,16}([^\]]{1,16}?)(?:: {0,8}(\d{1,8}))?\] ?/;
const VENDOR_LEVEL = /^ ?\[<\d>\]\[(\d{1,3}), ?([^\]]{1,24})\] ?/;
const VENDOR_PID = /^ ?\[pid:(\d+),cpu(\d+),[^\]]{1,20}\] ?/;
/** Qualcomm and Samsung: `c2 `, `c0      1 ` (CPU, and often the process). */
const VENDOR_CPU = /^ ?c(\d{1,2})(?: {1,8}\d{1,6})? {1,2}(?=\S)/;
/** PREEMPT_RT kernels up to 5.4: the CPU, before the text. */
const RT_CPU = /^ ?(\d{3}): /;
/** Behind a second stamp the CPU: `[    2.178165] [    2.178162]@1 `. */
const VENDOR_AT = /^@(\d{1,2}) {1,2}(?=\S)/;
/** HTC's mark of the kernel's lines, and what MediaTek puts before a file's. */
const VENDOR_MARK = /^ ?\[(?:K|name:[\w-]{1,40}&)\] ?/;
/** OPPO: a `k` glued to what the kernel itself says, two blanks after the stamp. */
const VENDOR_GLUED = new RegExp(
  `^ {2}k(?=${oneOf(
    /[A-Z]\w*(?: |:)|-{3}|\[[0-9a-f]{8}| {1,2}[\w.$]{1,256}(?:\+0x| = )/,
    /(?:pc|lr|sp|pstate|x\d{1,2}) ?: |(?:user|swapper) pgtable|watchdog: |rcu: |[a-z][\w-]{1,40} [\w.:-]{1,80}: /,
  )})`,
);
const INDENTED_LEVEL = /^\s*<\d{1,3}>/;
/** journalctl -o short-monotonic names the host of other programs too; init's words tell how far a boot came. */
const HOST_INIT = /^ ?[\w.-]{1,255} (?=(?:systemd|init)\[1\]: )/;

/**
 * Characters that all that {@link stripInner} strips begins with, or words in it: one look spares most records the
 * rest.
 */
const INNER_FIRST = /^\s*[[<(.c]|^@|^ {0,4}-\(|^ {2}k|^ ?\d{3}: /;

function hasInner(text: string): boolean {
  return (
    INNER_FIRST.test(text) ||
    text.includes('kernel:') ||
    text.indexOf(' systemd[1]: ') > 0 ||
    text.indexOf(' init[1]: ') > 0
  );
}

interface Inner {
  readonly pattern: RegExp;
  /** The record's caller, by the pattern's groups. */
  readonly caller: ((first: string, second: string, third: string | undefined) => string) | null;
  /** Only behind a time stamp. */
  readonly stamped: boolean;
  /** The kernel's text comes next. */
  readonly last: boolean;
}

function inner(pattern: RegExp, caller: Inner['caller'], { stamped = false, last = false } = {}): Inner {
  return { pattern, caller, stamped, last };
}

/** In the order in which they are tried; more than {@link MOST_INNER} of them are never put before one text. */
const INNER: readonly Inner[] = [
  inner(CALLER, (caller) => caller),
  inner(VENDOR, (pid, name, cpu) => `${pid}:${cpu ?? name}`),
  inner(VENDOR_LEVEL, (cpu) => `C${cpu}`),
  inner(VENDOR_PID, (pid) => `T${pid}`),
  inner(VENDOR_AT, (cpu) => `C${cpu}`, { stamped: true }),
  inner(VENDOR_CPU, (cpu) => `C${cpu}`, { stamped: true }),
  inner(RT_CPU, (cpu) => `C${Number(cpu)}`, { stamped: true, last: true }),
  inner(VENDOR_MARK, null),
  inner(VENDOR_GLUED, null, { stamped: true, last: true }),
  inner(HOST_KERNEL, null),
  inner(HOST_INIT, null),
  inner(INDENTED_LEVEL, null),
];
const MOST_INNER = 3;

/** Strips what the kernel puts between the time stamp and the text. */
export function stripInner(part: string, stamped: boolean): { text: string; caller: string | null } {
  let text = part;
  let caller: string | null = null;
  if (!hasInner(text)) return { text, caller };
  for (let round = 0, isLast = false; round < MOST_INNER && !isLast; round++) {
    isLast = true;
    for (const each of INNER) {
      const match = each.stamped && !stamped ? null : each.pattern.exec(text);
      if (match === null) continue;
      if (each.caller !== null) caller = each.caller(match[1] ?? '', match[2] ?? '', match[3]);
      text = text.slice(match[0].length);
      isLast = each.last;
      break;
    }
  }
  return { text, caller };
}
