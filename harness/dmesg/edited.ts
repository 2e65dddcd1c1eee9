import { oneOf } from '../regex.ts';
import { driverCoreEvent } from './drivercore.ts';
import type { DmesgEvent } from './events.ts';
import { NO_DRIVERS } from './spoken.ts';

/** `DRIVER DEVICE:` and more than one blank: lines that a person aligned. */
const ALIGNED = /^((?:[\w.,-]{1,64} )?[\w.,@:/-]{1,128}:) {2,40}(?=\S)/;
/** What stands in a sentence between the marks of code (Markdown), or of a quotation. */
const INLINE = /`([^`]{2,400})`|["\u201c]([^"\u201c\u201d]{2,400})["\u201d]/g;
/** A message at the end of a sentence: before a driver is on it, a device has its bus in the driver's place. */
const IN_PROSE = new RegExp(
  `\\s((?:${[...NO_DRIVERS].join('|')}) [\\w.,@:-]{1,128}: ${oneOf(
    /deferred probe pending(?:: [^.]{1,300}| \(.{1,64}\))?/,
    /(?:error -(?:EPROBE_DEFER|517)|probe deferral)[: -]{1,3}\S.{0,300}?/,
    /Driver \S{1,64} requests probe deferral/,
  )})[.,;!?)'"]{0,3}$`,
);
export const OF_PROBE = new RegExp(
  oneOf(
    /deferred probe|probe with driver|: probe of|EPROBE_DEFER|-517\b|probe deferral|failed to bind /,
    /: (?:wait for )?supplier\b|sync_state\(\)|ignoring dependency/,
  ),
);

/** The event of a message of the driver core that a person edited: aligned with others, or quoted in a sentence. */
export function editedEvent(
  text: string,
  at: { readonly line: number; readonly time: number | null },
): DmesgEvent | null {
  if (!OF_PROBE.test(text)) return null;
  if (ALIGNED.test(text)) return driverCoreEvent(unaligned(text), at);
  if (at.time !== null) return null;
  const told = IN_PROSE.exec(text)?.[1];
  if (told !== undefined) return driverCoreEvent(told, at);
  const quoted = [...text.matchAll(INLINE)]
    .map(([, code, quote = '']) => code ?? quote)
    .find((code) => OF_PROBE.test(code));
  return quoted === undefined ? null : driverCoreEvent(quoted, at);
}

/** Marks of code (Markdown) and of quotes that a person put around a line, or around what the line is a part of. */
const MARKS = ['`', '"'] as const;
const CLOSED = /[`"][.,;]?$/;
/** What ends a message in the midst of a sentence; its first mark stood before the stamp. */
const CODE_ENDS = /^([^`]{0,512}[^\s`])`[.,;:!?)]*\s/;

/** An arrow to the line or a mark of a remark, with what a person says of it; no message has one at its end. */
const ARROW = new RegExp(
  oneOf(
    /(?:\s(?:<[-=]|\/\/)|<[-=]{2,20}|<{3,20})(?:\s.{0,200})?$/,
    /[\u2190\u21d0\u21e6\u27f5\u27f8\u25c0\u{1f448}].{0,200}$/u,
    /\s{2}#\s.{0,200}$/,
  ),
  'u',
);
/** A footnote's number, behind a device with an address. */
const FOOTNOTE = /(?<=[0-9a-f]{4}\.[a-z][\w-]{0,40})(?:\[\d{1,2}\]|[\u00b9\u00b2\u00b3\u2070-\u2079\u2020*]{1,3})$/;
/** The last mark of what is bold (Markdown), and of a row of a table. */
const LAST_MARK = /(?<!\*)\*\*$| \|$/;

/** The text of a line without the marks around all of it, and without one that nothing in the line belongs to. */
export function unmarked(line: string): string {
  const own = line.replace(ARROW, '').trimEnd().replace(LAST_MARK, '').replace(FOOTNOTE, '');
  const text = CODE_ENDS.exec(own)?.[1] ?? own;
  const [first = ''] = text;
  if ((first !== '`' && first !== '"' && !CLOSED.test(text)) || text.startsWith('```')) return text;
  for (const mark of MARKS) {
    const count = text.split(mark).length - 1;
    if (count === 0) continue;
    const end = text.replace(/[.,;]$/, '');
    const isClosed = end.endsWith(mark);
    if (count === 2 && text.startsWith(mark) && isClosed) return end.slice(1, -1);
    if (count % 2 === 1 && isClosed) return end.slice(0, -1).trimEnd();
    if (count % 2 === 1 && text.startsWith(mark)) return text.slice(1);
  }
  return text;
}

/** The text of a message without the blanks by which a person aligned it with others. */
export function unaligned(text: string): string {
  return OF_PROBE.test(text) ? text.replace(ALIGNED, '$1 ') : text;
}

/** What stands between the marks of code that a line begins with; the line where it does not. */
export function codeOf(text: string): string {
  return /^`([^`]+)`/.exec(text)?.[1] ?? text;
}
