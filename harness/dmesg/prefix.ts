import { oneOf } from '../regex.ts';
import { decodeLine } from './lines.ts';

/** One record of the log: its text without any prefix, and what the prefixes said. */
export interface LogRecord {
  readonly text: string;
  /** printk time in microseconds. */
  readonly time: number | null;
  /** CONFIG_PRINTK_CALLER: `T<thread>` or `C<cpu>`, or the like of vendor kernels. */
  readonly caller: string | null;
  /** True when the line carries a kernel time stamp, level or syslog tag: a kernel line, not prose. */
  readonly kernel: boolean;
}

/**
 * `[    2.633372]`: print_time() of kernel/printk/printk.c; OPAL firmware logs add `,level`, vendor kernels nine
 * digits, `s`, `@CPU`, or the clock on the wall and then the CPU in brackets of its own.
 */
const STAMP =
  /\[ {0,12}(\d{1,9})\.(\d{6})(?:\d{3})?s?(?:,\d|@\d{1,2})?(?: \/ [\d: .-]{5,40}(?:\]\[\d{1,2})?| <[ \d.+]{1,16}>)?\]/;
const STAMPS = new RegExp(STAMP, 'g');

/** /dev/kmsg records: Documentation/ABI/testing/dev-kmsg; netconsole may put the kernel's release first. */
const KMSG = /^(?:\d+\.\d+\.[\w.+-]{1,64},)?(\d{1,4}),(\d{1,20}),(\d{1,20}),([^;]{0,160});/;
const KMSG_CALLER = /,caller=([TC]\d{1,10})/;
const CALLER = /^ ?\[ *([TC]\d{1,10})\] ?/;
/** Vendor printk contexts: `[4:     netbpfload:  771]`, `(2)[1:swapper/0]`, ` c0      1 `, `[pid:1,cpu0,init]`. */
const VENDOR = /^ {0,4}(?:<\d>)?[.-]?(?:\(\d{1,3}\))?\[ ?(\d{1,5}): {0,16}([^\]:]{1,16})(?:: {0,8}(\d{1,8}))?\] ?/;
const VENDOR_LEVEL = /^ ?\[<\d>\]\[(\d{1,3}), ?([^\]]{1,24})\] ?/;
const VENDOR_PID = /^ ?\[pid:(\d+),cpu(\d+),[^\]]{1,20}\] ?/;
/** Qualcomm and Samsung: `c2 `, `c0      1 ` (CPU, and often the process). */
const VENDOR_CPU = /^ ?c(\d{1,2})(?: {1,8}\d{1,6})? {1,2}(?=\S)/;
/** PREEMPT_RT kernels up to 5.4: the CPU, before the text. */
const RT_CPU = /^ ?(\d{3}): /;
/** HTC's mark of the kernel's lines, and what MediaTek puts before a file's. */
const VENDOR_MARK = /^ ?\[(?:K|name:[\w-]{1,40}&)\] ?/;
/** OPPO: a `k` glued to what the kernel itself says, two blanks after the stamp. */
const VENDOR_GLUED = new RegExp(
  `^ {2}k(?=${oneOf(
    /[A-Z]\w*(?: |:)|-{3}|\[[0-9a-f]{8}| {1,2}[\w.$]{1,256}(?:\+0x| = )/,
    /(?:pc|lr|sp|pstate|x\d{1,2}) ?: |(?:user|swapper) pgtable|watchdog: |rcu: |[a-z][\w-]{1,40} [\w.:-]{1,80}: /,
  )})`,
);
const LEVEL = /^<(\d{1,3})>/;

const TIME = String.raw`\d\d:\d\d:\d\d`;

/**
 * Time stamps, tags and quote marks that other tools put before a kernel line; each is tried at the start of the text.
 */
const OUTER: readonly RegExp[] = [
  /^[\t ]+/,
  // Marks of quoted mails, also of those that quote a log as what a patch would add.
  /^(?:[>|] ?)+|^\+(?=[^+])/,
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
  // dmesg -e / --reltime.
  /^\[(?:[A-Z][a-z]{2}\d{1,2} \d\d:\d\d|[< ]{1,8}\+? *\d+\.\d{6}>?)\] ?/,
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
const HOST_KERNEL = /^ {0,2}(?:[\w.-]{1,255} )?kernel: ?/;
/** A tool's own words before such a line: `CI-HINT: Jan 02 07:40:40 board1 kernel: `. */
const TAGGED_SYSLOG = new RegExp(
  String.raw`^[^[\]]{1,80}?(?=${oneOf(
    String.raw`[A-Z][a-z]{2} [ \d]\d ${TIME}`,
    String.raw`\d{4}-\d\d-\d\d[T ]${TIME}\S{0,16}`,
  )} \S{1,255} kernel: )`,
);
/** RFC 5424 after the level: version, time, host, program, process, message id, structured data. */
const RFC5424 = /^1 \d{4}-\d\d-\d\dT\S{1,32} \S{1,255} (\S{1,48}) \S{1,128} \S{1,32} (?:-|\[[^\]]{0,400}\])(?: |$)/;
/** journalctl -o short-monotonic names the host of other programs too; init's words tell how far a boot came. */
const HOST_INIT = /^ ?[\w.-]{1,255} (?=(?:systemd|init)\[1\]: )/;

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

/** The message of a LAVA or journald JSON record. */
const JSON_MESSAGE = /"(?:msg|MESSAGE|message|log)" ?: ?("(?:[^"\\]|\\.)*")/;
/** The same as numbers, one a byte, where it has characters that are not printed: a console's colours. */
const JSON_BYTES = /"MESSAGE" ?: ?\[((?:\d{1,3}[, ]{1,2}){0,8000}\d{1,3})\]/;
/** logfmt, as Grafana's Loki shows it. */
const LOGFMT_MESSAGE = /^(?:[\w.]{1,32}=\S{1,64} ){1,16}msg=("(?:[^"\\]|\\.)*")/;
/** A bytes object as Python shows it, pexpect's log for one. */
const PYTHON_BYTES = /^b(['"])(.*?)(?:\\[rn]){0,4}\1,?$/;
const JSON_TRANSPORT = /"_TRANSPORT" ?: ?"(\w{1,16})"/;
const JSON_TIME = /"_SOURCE_MONOTONIC_TIMESTAMP" ?: ?"(\d{1,16})"/;
/** dmesg --time-format iso: nothing else writes a date with both a `T` and a comma. */
const DMESG_ISO = new RegExp(String.raw`^\d{4}-\d\d-\d\dT${TIME},\d{6}[+-]\d\d:?\d\d `);
/** journalctl -o verbose and export: a field a line. */
const JOURNAL_MESSAGE = /^\s{0,8}MESSAGE=(.*)$/;
const JOURNAL_FIELD = new RegExp(
  String.raw`^\s{0,8}${oneOf(
    /_{1,2}[A-Z][A-Z\d_]*|PRIORITY|SYSLOG_[A-Z_]+|CODE_[A-Z]+|MESSAGE_ID/,
    /(?:USER_)?(?:UNIT|INVOCATION_ID)|JOB_[A-Z_]+|TID/,
  )}=`,
);

/** Prefixes nest (a CI time stamp before a syslog tag before a level); more than this many is not a log line. */
const MAX_PREFIXES = 8;

interface Stripped {
  text: string;
  kernel: boolean;
  user: boolean;
}

/** Strips the prefixes of other tools; `user` is true for a syslog line of another program than the kernel. */
function stripOuter(line: string): Stripped {
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

/**
 * Characters that all that {@link stripInner} strips begins with, or words in it: one look spares most records the
 * rest.
 */
const INNER_FIRST = /^\s*[[<(.c]|^ {0,4}-\(|^ {2}k|^ ?\d{3}: /;

function hasInner(text: string): boolean {
  return (
    INNER_FIRST.test(text) ||
    text.includes('kernel:') ||
    text.indexOf(' systemd[1]: ') > 0 ||
    text.indexOf(' init[1]: ') > 0
  );
}

/** Strips what the kernel puts between the time stamp and the text. */
function stripInner(part: string, stamped: boolean): { text: string; caller: string | null } {
  let text = part;
  let caller: string | null = null;
  if (!hasInner(text)) return { text, caller };
  for (let round = 0; round < 3; round++) {
    const thread = CALLER.exec(text);
    if (thread !== null) {
      caller = thread[1] ?? null;
      text = text.slice(thread[0].length);
      continue;
    }
    const vendor = VENDOR.exec(text);
    if (vendor !== null) {
      caller = `${vendor[1]}:${vendor[3] ?? vendor[2]}`;
      text = text.slice(vendor[0].length);
      continue;
    }
    const leveled = VENDOR_LEVEL.exec(text);
    if (leveled !== null) {
      caller = `C${leveled[1]}`;
      text = text.slice(leveled[0].length);
      continue;
    }
    const pid = VENDOR_PID.exec(text);
    if (pid !== null) {
      caller = `T${pid[1]}`;
      text = text.slice(pid[0].length);
      continue;
    }
    const cpu = VENDOR_CPU.exec(text);
    if (cpu !== null && stamped) {
      caller = `C${cpu[1]}`;
      text = text.slice(cpu[0].length);
      continue;
    }
    const rt = stamped ? RT_CPU.exec(text) : null;
    if (rt !== null) {
      caller = `C${Number(rt[1])}`;
      text = text.slice(rt[0].length);
      break;
    }
    const mark = VENDOR_MARK.exec(text);
    if (mark !== null) {
      text = text.slice(mark[0].length);
      continue;
    }
    const glued = stamped ? VENDOR_GLUED.exec(text) : null;
    if (glued !== null) {
      text = text.slice(glued[0].length);
      break;
    }
    const host = HOST_KERNEL.exec(text);
    if (host !== null) {
      text = text.slice(host[0].length);
      continue;
    }
    const init = HOST_INIT.exec(text);
    if (init !== null) {
      text = text.slice(init[0].length);
      continue;
    }
    const level = LEVEL.exec(text.trimStart());
    if (level !== null) {
      text = text.trimStart().slice(level[0].length);
      continue;
    }
    break;
  }
  return { text, caller };
}

/**
 * The kernel records of one line. Several consoles writing to one serial line leave several records, or a record and
 * a piece of user-space output, on a line: it is cut at every printk time stamp.
 */
export function parseRecords(line: string): LogRecord[] {
  if (PLAIN_LINE.test(line) && !line.includes('kernel:')) {
    const end = line.indexOf(']');
    const text = line.slice(end + 2).trimEnd();
    return [{ text, time: Math.round(Number(line.slice(1, end)) * 1e6), caller: null, kernel: true }];
  }
  const records: LogRecord[] = [];
  const message = journalMessage(line);
  if (message === null) return records;
  const whole = message.text;
  // Serial consoles end each line so.
  const text = whole.endsWith('\r') ? whole.slice(0, -1) : whole;
  for (const part of text.includes('\r') || text.includes('#012') ? text.split(/\r|#012/) : [text]) {
    if (part.length > 0) recordsOf(part, records);
  }
  if (message.kernel) return records.map((record) => ({ ...record, time: record.time ?? message.time, kernel: true }));
  return records;
}

/** No structured record begins like this, and nearly all lines of a console do. */
/** A kernel's time stamp, or a tag that only its lines have. */
export const STAMPED = /\[ {0,12}\d{1,9}\.\d{6}|^<\d{1,2}>| kernel: |^\d{1,2},\d{1,20},\d{1,20},/;
const STAMPED_LINE = /^\[[ \d]/;
/** A time stamp and the text, with nothing between the two and nothing that may begin another record. */
const PLAIN_LINE =
  /^\[ {0,12}\d{1,9}\.\d{6}\] (?!\s*(?:[[<(.]|c\d|-\()| k|\d{3}: )\s{0,8}\S[^\r#[]*(?:\[[^\r#\d\s[][^\r#[]*)?$/;

/**
 * The message of a journal's or a CI's structured record; the line itself where it is none, null for another field of
 * one.
 */
function journalMessage(line: string): { text: string; time: number | null; kernel: boolean } | null {
  if (STAMPED_LINE.test(line)) return { text: line, time: null, kernel: false };
  const bytes = line.startsWith('b') ? PYTHON_BYTES.exec(line)?.[2] : undefined;
  if (bytes !== undefined) return { text: bytes, time: null, kernel: false };
  if (line.includes('"msg"') || line.includes('"MESSAGE"') || line.includes('"message"') || line.includes('"log"')) {
    const numbers = JSON_BYTES.exec(line)?.[1];
    const json = numbers === undefined ? JSON_MESSAGE.exec(line) : null;
    const said = numbers === undefined ? json?.[1] && unquote(json[1]) : textOfBytes(numbers);
    if (said !== undefined) {
      const transport = JSON_TRANSPORT.exec(line)?.[1];
      if (transport !== undefined && transport !== 'kernel') return null;
      const time = JSON_TIME.exec(line)?.[1];
      return {
        text: said,
        time: time === undefined ? null : Number(time),
        kernel: transport === 'kernel',
      };
    }
  }
  if (line.includes('=')) {
    const logfmt = line.includes(' msg="') ? LOGFMT_MESSAGE.exec(line)?.[1] : undefined;
    if (logfmt !== undefined) return { text: unquote(logfmt), time: null, kernel: false };
    const message = JOURNAL_MESSAGE.exec(line);
    if (message?.[1] !== undefined) return { text: message[1], time: null, kernel: false };
    if (JOURNAL_FIELD.test(line)) return null;
  }
  return { text: line, time: null, kernel: false };
}

/** The text of a record whose bytes are written as numbers. */
function textOfBytes(numbers: string): string {
  return decodeLine(Buffer.from(numbers.split(',').map(Number)).toString('latin1'));
}

/** The text of a JSON string, as far as it is one: a log may be cut anywhere. */
function unquote(quoted: string): string {
  try {
    const value: unknown = JSON.parse(quoted);
    if (typeof value === 'string') return value.replace(/\n+$/, '');
  } catch {
    // Not JSON after all: taken as it stands.
  }
  return quoted.slice(1, -1);
}

function recordsOf(line: string, records: LogRecord[]): void {
  let from = -1;
  let time = 0;
  for (let next = line.indexOf('['); next >= 0; next = from < 0 ? -1 : line.indexOf('[', from)) {
    STAMPS.lastIndex = next;
    const match = STAMPS.exec(line);
    if (match === null) break;
    if (from >= 0) addStamped(line.slice(from, match.index), time, records);
    else if (match.index > 0) addUnstamped(line.slice(0, match.index), records);
    time = Number(match[1]) * 1_000_000 + Number(match[2]);
    from = match.index + match[0].length;
  }
  if (from >= 0) addStamped(line.slice(from), time, records);
  else addUnstamped(line, records);
}

function addStamped(part: string, time: number, records: LogRecord[]): void {
  const inner = stripInner(part, true);
  const text = (inner.text.startsWith(' ') ? inner.text.slice(1) : inner.text).trimEnd();
  if (text.length > 0) records.push({ text, time, caller: inner.caller, kernel: true });
}

function addUnstamped(line: string, records: LogRecord[]): void {
  const outer = stripOuter(line);
  if (outer.user) return;
  const kmsg = KMSG.exec(outer.text);
  if (kmsg !== null) {
    const text = outer.text.slice(kmsg[0].length).trimEnd();
    if (text.length > 0)
      records.push({ text, time: Number(kmsg[3]), caller: KMSG_CALLER.exec(kmsg[4] ?? '')?.[1] ?? null, kernel: true });
    return;
  }
  const inner = stripInner(outer.text, false);
  const text = inner.text.trimEnd();
  if (text.length > 0)
    records.push({ text, time: null, caller: inner.caller, kernel: outer.kernel || inner.caller !== null });
}

/** dmesg -J: the field that holds the text, and the one before it that holds the time. */
const DMESG_JSON_TEXT = /^\s*"msg": ?"/;
const DMESG_JSON_TIME = /^\s*"time": *(\d{1,9})\.(\d{6}),?\s*$/;
/** journalctl -o export and verbose: kernel records alone have this time, and it comes before the message. */
const JOURNAL_TIME = /^\s{0,8}_SOURCE_MONOTONIC_TIMESTAMP=(\d{1,16})\s*$/;
const JOURNAL_RECORD = /^__CURSOR=|\[s=[0-9a-f]{1,32};/;

/**
 * The time of a record whose fields are lines of their own, in microseconds, from the lines before that of its text;
 * null where the text is no such field or no time is there.
 */
export function timeFromFields(text: string, before: readonly string[]): number | null {
  const dmesg = DMESG_JSON_TEXT.test(text);
  if (!dmesg && !JOURNAL_MESSAGE.test(text)) return null;
  for (const line of before.toReversed()) {
    if (dmesg) {
      const time = DMESG_JSON_TIME.exec(line);
      if (time !== null) return Number(time[1]) * 1_000_000 + Number(time[2]);
      if (DMESG_JSON_TEXT.test(line)) return null;
    } else {
      const time = JOURNAL_TIME.exec(line);
      if (time !== null) return Number(time[1]);
      if (JOURNAL_RECORD.test(line)) return null;
    }
  }
  return null;
}
