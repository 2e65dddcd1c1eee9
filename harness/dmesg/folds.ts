import { oneOf } from '../regex.ts';
import { driverCoreEvent } from './drivercore.ts';
import type { DmesgEvent } from './events.ts';
import { type FoundHeader, findHeader } from './headers.ts';
import type { LogRecord } from './prefix.ts';
import { STAMPED } from './stamps.ts';

/** The beginning of a header whose rest may be missing. */
const UNFINISHED = /^(?:\S+ )?(?:\[ )?(?:WARNING|BUG|INFO): \S/;
/**
 * Without a stamp the next line may be any: only where a place has to follow, or the rest of what could not be handled,
 * in a log whose lines a mail program has filled anew.
 */
const AWAITS_PLACE = new RegExp(
  oneOf(
    /^(?:\[ )?(?:WARNING|BUG): .{0,200} (?:at|in|from)$/,
    /(?:^|[ :])[Uu]nable to handle(?: kernel)?(?: NULL| NULL pointer| paging)?$/,
  ),
);
/** Words of the driver core's messages and of others about a device's probe. */
const OF_PROBE = /prob(?:e|ing)\b|EPROBE_DEFER|-517\b|\bASoC: \w.{1,100} not$|^sync_state\(\) /;
/** The driver core's words before the name of a supplier. */
const AWAITS_NAME = /\bsupplier$/;
/** The names are whole; two parts of one would name what the log does not. */
const NAMED = /(?:: probe with driver|^\S{1,64}: probe of) \S{1,128} [a-z ]{1,24}-?\d{0,3}$/;
/** Where mail programs break lines: RFC 3676 asks for 78 columns at most, and most keep to 72 or 76. */
const LEAST_FOLD = 64;
/** A line that is not much shorter: the next word was a long one, such as an address. */
const LEAST_FILLED = 48;
const MOST_FOLD = 80;
/** Marks of a quoted mail, which were added after its lines had been broken. */
const QUOTE = /^(?:> ?)+/;

function unquoted(line: string | undefined): string {
  return line?.replace(QUOTE, '').trimEnd() ?? '';
}

interface Kept {
  readonly record: LogRecord;
  readonly line: number;
  /** Lines of which its text has been put together. */
  readonly lines: number;
}
/** A message that a mail program has broken again when it was quoted stands in no more lines. */
const MOST_LINES = 5;

/** What two lines say together, at the place of the first: an event of the driver core, or a report that begins. */
export type Whole = { readonly event: DmesgEvent } | (Kept & { readonly found: FoundHeader });

/** Records that a mail program broke where a line was full: the first half is kept until the next line is read. */
export class Folds {
  #kept: Kept | null = null;

  /** The next line may be the rest of one. */
  get open(): boolean {
    return this.#kept !== null;
  }

  /** A record of which no half was found to say anything; `line` is the one it stands in, as it came. */
  keep(record: LogRecord, at: number, line: string | undefined): void {
    const { text, time } = record;
    const isUnfinished = UNFINISHED.test(text) || AWAITS_NAME.test(text) || fillsLine(unquoted(line));
    const broken = time === null ? AWAITS_PLACE.test(text) : isUnfinished;
    if (broken && !COMPLETE.test(text)) this.#kept = { record, line: at, lines: 1 };
  }

  /**
   * What the kept half says together with this record, which is the last of the `lines`; null where that is nothing.
   * @param told the record says something by itself
   */
  complete(rest: LogRecord, told: boolean, lines: readonly string[]): Whole | null {
    const kept = this.#kept;
    this.#kept = null;
    if (kept === null || (rest.time !== null && rest.time !== kept.record.time) || FENCE.test(rest.text)) return null;
    const broken = unquoted(lines.at(-2));
    const text = `${kept.record.text} ${rest.text}`;
    if (rest.time === null && !told) {
      const event =
        ofDriverCore(kept, text, rest.text, broken) ?? ofDriverCoreWithin(kept, kept.record.text + rest.text);
      if (event !== null) return { event };
      if (kept.lines + 1 < MOST_LINES && wasFull(broken, rest.text))
        this.#kept = { ...kept, record: { ...kept.record, text }, lines: kept.lines + 1 };
    }
    // Only messages of the driver core are put together of more than two lines: a report has a line of its own.
    const found = kept.lines === 1 ? findHeader(text) : null;
    if (found !== null) this.#kept = null;
    return found === null ? null : { ...kept, found };
  }
}

/** A fence of a block of code (Markdown), or what a person put for lines left out: no message ends with these. */
const FENCE = /^(?:```|~~~|\[?\.{2,}\]?$|[[<(]?(?:snip|cut|skip)(?:ped)?\b.{0,40}[\])>]?$)/i;
/** The whole of what the kernel says where it has no reason to tell. */
const COMPLETE = /\(reason unknown\)$/;

/** Whether a mail program has broken a record of the kernel so that `next` is the rest of it, which has no stamp. */
export function isRest(line: string, next: string): boolean {
  const [broken, rest] = [unquoted(line), unquoted(next)];
  if (STAMPED.test(rest) || rest.trim() === '' || FENCE.test(rest) || OF_PROGRAM.test(rest)) return false;
  if (STAMPED.test(broken)) return wasFull(broken, rest);
  // A person who breaks a line indents the rest.
  return indentOf(rest) >= indentOf(broken) + LEAST_INDENT && !/^\s*\S+ \S+: /.test(rest);
}

/** A program of user space that speaks, as a shell does of its script, or systemd of a unit. */
const OF_PROGRAM = /^(?:\/(?:usr\/)?s?bin\/[\w.-]{1,32}: |\S{1,100}: line \d{1,6}: |\[(?: {2}OK {2}|FAILED|DEPEND)\] )/;
const LEAST_INDENT = 2;

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** Whether the next word had no room in a line. */
function wasFull(broken: string, rest: string): boolean {
  const next = rest.split(' ', 1)[0] ?? '';
  return broken.length <= MOST_FOLD && broken.length + 1 + next.length > LEAST_FOLD;
}

/** Whether the line is one that a mail program may have broken. */
function fillsLine(line: string): boolean {
  return line.length <= MOST_FOLD && line.length >= LEAST_FILLED;
}

/** What the driver core says in a record that a terminal broke within a word that is no name. */
function ofDriverCoreWithin({ record, line }: Kept, text: string): DmesgEvent | null {
  return NAMED.test(record.text) ? driverCoreEvent(text, { line, time: record.time }) : null;
}

/** What the driver core says in a record that a mail program broke where the next word had no room. */
function ofDriverCore({ record, line }: Kept, text: string, rest: string, broken: string): DmesgEvent | null {
  if (!OF_PROBE.test(record.text) && !OF_PROBE.test(rest)) return null;
  if (!wasFull(broken, rest)) return null;
  return driverCoreEvent(text, { line, time: record.time });
}
