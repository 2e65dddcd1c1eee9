import { oneOf } from '../regex.ts';
import { decodeLine } from './lines.ts';

/* Records that other programs write as data: JSON, logfmt, a journal's fields. */

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
/** journalctl -o verbose and export: a field a line. */
const JOURNAL_MESSAGE = /^\s{0,8}MESSAGE=(.*)$/;
const JOURNAL_FIELD = new RegExp(
  String.raw`^\s{0,8}${oneOf(
    /_{1,2}[A-Z][A-Z\d_]*|PRIORITY|SYSLOG_[A-Z_]+|CODE_[A-Z]+|MESSAGE_ID/,
    /(?:USER_)?(?:UNIT|INVOCATION_ID)|JOB_[A-Z_]+|TID/,
  )}=`,
);

/** No structured record begins like this, and nearly all lines of a console do. */
const STAMPED_LINE = /^\[[ \d]/;

/**
 * The message of a journal's or a CI's structured record; the line itself where it is none, null for another field of
 * one.
 */
export function structuredMessage(line: string): { text: string; time: number | null; kernel: boolean } | null {
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
