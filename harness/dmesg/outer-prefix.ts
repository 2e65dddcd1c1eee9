import { oneOf } from '../regex.ts';
import { HOST_KERNEL, KMSG, LEVEL, STAMP } from './stamps.ts';

/* What other tools put before a line of the kernel's: time stamps, tags, quote marks, levels. */

const TIME = String.raw`\d\d:\d\d:\d\d`;

/**
 * Time stamps, tags and quote marks that other tools put before a kernel line; each is tried at the start of the text.
 */
const OUTER: readonly RegExp[] = [
  /^[\t ]+/,
  // Marks of quoted mails, also of those that quote a log as what a patch would add.
  /^(?:[>|] ?)+|^\+(?=[^+])/,
  // A log that a comment of some source, or an item of a list, quotes.
  /^\*\*(?=\[ {0,8}\d{1,6}\.\d{6}\])/,
  /^(?:#|\/\/|\*) {1,8}(?=\[ {0,8}\d{1,6}\.\d{6}\]|(?:amba|i2c|platform|spi) \S{1,128}: )/,
  // ISO 8601, as LAVA, GitLab, Jenkins, GitHub and journalctl write it.
  new RegExp(
    String.raw`^\[?\d{4}[-/]\d\d[-/]\d\d(?:T|,? )${TIME}(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d| UTC)?\]?:?` +
      String.raw`(?: \d\d[OE]\+?)?(?=[\t ]|$|[<[|])`,
  ),
  // dmesg -T, also with -d.
  new RegExp(
    String.raw`^\[(?:[A-Z][a-z]{2}|[^\s[\]\d]{1,6}) +(?:[A-Z][a-z]{2}|[^\s[\]\d]{1,6}) +\d{1,2} ${TIME} \d{4}` +
      String.raw`(?: <[ \d.]{1,16}>)?\] ?`,
  ),
  /^\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]?(?=[\t ]|$)/,
  // OpenWrt's logread: `Fri Mar 29 04:20:43 2019 kern.err kernel: `.
  /^(?:[A-Z][a-z]{2} ){1,2} ?\d{1,2} \d\d:\d\d:\d\d \d{4} (?:\w{2,10}\.\w{2,10} )?/,
  // A stamp of which whoever shows the log left only the brackets, or the last of them.
  /^\[? {0,12}\](?: |$)/,
  // What a person put for a stamp, or left of one.
  /^\[ {0,8}(?:[xX*?.\u2026-]{1,12}|[xX*?]{1,6}\.[xX*?]{1,9}) ?\] (?=\S)/,
  /^ {0,8}\d{1,6}\.\d{6}(?:\] (?=\S)| (?=[\w.,-]{1,64}(?: [\w.,:@-]{1,128}: |: probe of )))/,
  // dmesg -e / --reltime.
  /^\[(?:[^\s[\]\d]{1,8} ?\d{1,2} \d\d:\d\d|[< ]{1,8}\+? *\d+[.,]\d{6}>?)\] ?/,
  // Qualcomm's crash dump parser: ` 244.889835:   <6> text`.
  /^\d{1,7}\.\d{6}: {1,8}(?=\S)/,
  // dmesg -x.
  /^(?:kern|user|daemon|syslog) *: *(?:emerg|alert|crit|err|warn|notice|info|debug) *: ?/,
  // talosctl dmesg: `10.5.0.2: kern: warning: [2026-01-07T10:11:12.454041800Z]: `.
  /^[\w.: -]{0,80}?\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)\]:? ?/,
  // Levels that test scripts put first, and what they put between the time and the text.
  /^\[ ?(?:WARN(?:ING)?|INFO|FAIL|PASS|SKIP|ERR(?:OR)?|DEBUG|NOTICE|TRACE) ?\] /,
  /^- (?=\S)/,
  // grep -n.
  /^(?:[\w./-]{1,128}\.\w{2,5}:)?\d{1,7}[:-](?= ?[A-Za-z[<])/,
  // journalctl -o short-unix.
  /^\d{9,10}\.\d{6} (?=\S+ \S{1,64}: )/,
  /^(?:console|serial|target|dut|kernel|UART\d?|ttyS\d|ttyAMA\d)[:>|] ?/,
];

/**
 * syslog: `Oct 30 12:00:00 host kernel: `, the month in any language, also with an ISO time, or only `host kernel: `
 * after a monotonic stamp.
 */
const SYSLOG_DATE = new RegExp(
  `^${oneOf(
    String.raw`[A-Z][a-z]{2} \d{4}-\d\d-\d\d ${TIME}(?:\.\d{1,6})? [A-Z\d+:-]{1,8}`,
    String.raw`[^\s\d[<>(\]]{2,12} {1,2}\d{1,2} ${TIME}(?:\.\d{1,6})?`,
    String.raw`\d{1,2}月 {1,2}\d{1,2} ${TIME}`,
    // With a finer clock it is a CI's, whose lines name neither host nor program.
    String.raw`\d{4}-\d\d-\d\d[T ]${TIME}(?:[.,]\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?`,
  )} `,
);
const SYSLOG_REST = /^(?:(?:[\w.:-]{1,255}|\(none\)) )?(?:kern\.\w{2,8} )?([\w@./\\:()-]{1,64}?)(?:\[(\d{1,10})\])?: ?/;
/** A tool's own words before such a line: `CI-HINT: Jan 02 07:40:40 board1 kernel: `. */
const TAGGED_SYSLOG = new RegExp(
  String.raw`^[^[\]]{1,80}?(?=${oneOf(
    String.raw`[A-Z][a-z]{2} [ \d]\d ${TIME}`,
    String.raw`\d{4}-\d\d-\d\d[T ]${TIME}\S{0,16}`,
  )} \S{1,255} kernel: )`,
);
/** RFC 5424 after the level: version, time, host, program, process, message id, structured data. */
const RFC5424 = /^1 \d{4}-\d\d-\d\dT\S{1,32} \S{1,255} (\S{1,48}) \S{1,128} \S{1,32} (?:-|\[[^\]]{0,400}\])(?: |$)/;
/**
 * Android's logcat: threadtime (with a year, a user, or seconds for the date), time, tag and brief forms. The tag is in
 * the first group.
 */
const LOGCAT: readonly RegExp[] = [
  new RegExp(
    String.raw`^ *(?:(?:\d{4}-)?\d\d-\d\d ${TIME}|\d{1,10})\.\d{3,9}(?: [+-]\d{4})? +(?:\w{1,16} +)?\d+ +\d+` +
      ' [VDIWEF] (.{0,64}?) *: ',
  ),
  /^(?:(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d{3,9} )?[VDIWEF]\/(.{0,64}?) *(?:\( *\d{1,8}\))?: /,
];
/** Its process form, which has the tag at the end, and its thread form, which has none. */
const LOGCAT_PROCESS = /^[VDIWEF]\( *\d{1,8}\) (.*?) {2}\(([^()]{0,64}?) *\)$/;
const LOGCAT_THREAD = /^[VDIWEF]\( *\d{1,8}: *(?:0x)?[\da-f]{1,8}\) /;
/** Tags that stand for the kernel; any other is the beginning of its message, as far as the first colon. */
const KERNEL_TAG = /^(?:kernel|KERNEL|klog|dmesg)?$/;

/** dmesg --time-format iso: nothing else writes a date with both a `T` and a comma. */
const DMESG_ISO = new RegExp(String.raw`^\d{4}-\d\d-\d\dT${TIME},\d{6}[+-]\d\d:?\d\d `);
/** Prefixes nest (a CI time stamp before a syslog tag before a level); more than this many is not a log line. */
const MAX_PREFIXES = 8;

interface Stripped {
  text: string;
  kernel: boolean;
  user: boolean;
}

/** Strips the prefixes of other tools; `user` is true for a syslog line of another program than the kernel. */
export function stripOuter(line: string): Stripped {
  let text = line;
  let kernel = false;
  for (let round = 0; round < MAX_PREFIXES; round++) {
    const before = text;
    if (text.includes(' kernel: ')) text = text.slice(TAGGED_SYSLOG.exec(text)?.[0].length ?? 0);
    const structured = RFC5424.exec(text);
    if (structured !== null) {
      const rest = text.slice(structured[0].length);
      if (structured[1] !== 'kernel') return { text: rest, kernel: false, user: true };
      return { text: rest, kernel: true, user: false };
    }
    for (const form of LOGCAT) {
      const logcat = form.exec(text);
      if (logcat === null) continue;
      const tag = logcat[1] ?? '';
      text = `${KERNEL_TAG.test(tag) ? '' : `${tag}: `}${text.slice(logcat[0].length)}`;
      kernel ||= KERNEL_TAG.test(tag);
      break;
    }
    const process = LOGCAT_PROCESS.exec(text);
    if (process?.[2] !== undefined) {
      const own = KERNEL_TAG.test(process[2]);
      text = `${own ? '' : `${process[2]}: `}${process[1]}`;
      kernel ||= own;
    } else text = text.slice(LOGCAT_THREAD.exec(text)?.[0].length ?? 0);
    const iso = DMESG_ISO.exec(text);
    if (iso !== null) return { text: text.slice(iso[0].length), kernel: true, user: false };
    const date = SYSLOG_DATE.exec(text);
    if (date !== null) {
      const rest = text.slice(date[0].length);
      const tag = SYSLOG_REST.exec(rest);
      if (tag !== null) {
        if (tag[1] === 'kernel') {
          text = rest.slice(tag[0].length);
          kernel = true;
        } else if (rest.slice(tag[0].length).length > 0 && !STAMP.test(rest) && /^\w[\w.:-]{0,254} /.test(rest)) {
          return { text: rest.slice(tag[0].length), kernel: false, user: true };
        }
      }
    }
    const host = HOST_KERNEL.exec(text);
    if (host !== null) {
      text = text.slice(host[0].length);
      kernel = true;
    }
    for (const outer of OUTER) {
      const match = outer.exec(text);
      if (match !== null && match[0].length > 0) text = text.slice(match[0].length);
    }
    const level = LEVEL.exec(text);
    if (level !== null) {
      text = text.slice(level[0].length);
      kernel = true;
    }
    const kmsg = KMSG.exec(text);
    if (kmsg !== null) break;
    if (text === before) break;
  }
  return { text, kernel, user: false };
}
