import { stripInner } from './inner-prefix.ts';
import { stripOuter } from './outer-prefix.ts';
import { KMSG, KMSG_CALLER, STAMPS } from './stamps.ts';
import { structuredMessage } from './structured-records.ts';

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
  const message = structuredMessage(line);
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

/** A time stamp and the text, with nothing between the two and nothing that may begin another record. */
const PLAIN_LINE =
  /^\[ {0,12}\d{1,9}\.\d{6}\] (?!\s*(?:[[<(.]|c\d|-\()| k|\d{3}: )\s{0,8}\S[^\r#[]*(?:\[[^\r#\d\s[][^\r#[]*)?$/;

/** Digits of a second's microseconds. */
const USEC_DIGITS = 6;

function recordsOf(line: string, records: LogRecord[]): void {
  let from = -1;
  let time = 0;
  for (let next = line.indexOf('['); next >= 0; next = from < 0 ? -1 : line.indexOf('[', from)) {
    STAMPS.lastIndex = next;
    const match = STAMPS.exec(line);
    if (match === null) break;
    if (from >= 0) addStamped(line.slice(from, match.index), time, records);
    else if (match.index > 0) addUnstamped(line.slice(0, match.index), records);
    time = Number(match[1]) * 1_000_000 + Number(match[2]?.padEnd(USEC_DIGITS, '0').slice(0, USEC_DIGITS));
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
