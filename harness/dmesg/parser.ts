import { oneOf } from '../regex.ts';
import { Block, RUST_PANIC } from './block.ts';
import { type BootSign, Boots } from './boots.ts';
import { DeferredList, partOf } from './deferral.ts';
import { driverCoreEvent } from './drivercore.ts';
import { editedEvent } from './edited.ts';
import type { Crash, DmesgEvent } from './events.ts';
import { Folds } from './folds.ts';
import { type Locate, plainName } from './frame.ts';
import { isHalf, wholeOf } from './halves.ts';
import type { Header } from './headers/header.ts';
import { isConsequence } from './headers/panic.ts';
import { type FoundHeader, findHeader, HEADLESS } from './headers.ts';
import { decodeLine, LineSplitter } from './lines.ts';
import { type LogRecord, parseRecords, timeFromFields } from './prefix.ts';
import { relation } from './relation.ts';
import { SIGNS } from './signs.ts';
import { goodWords, maySpeak, spokenOf, wordsOf } from './spoken.ts';

/** Lines after which a report without an end mark is over when none of its own came among them. */
const GAP = 32;
/** Lines after an end mark in which a consequence of the report is still looked for. */
const TAIL = 24;
/** Lines of other CPUs after which a report that has ended is given even when its own CPU says nothing more. */
const AFTERMATH = 100;
/** Lines in which a header that other texts resemble has to be followed by a part of a report. */
const DOUBT = 8;
const MAX_BLOCK_LINES = 2000;
/** Lines between `cut here` and the header: the message of WARN(). */
const MAX_PREAMBLE = 12;
/** Registers that begin a report when nothing before them did. */
const REGISTERS = new RegExp(
  `^${oneOf(
    /Modules linked in:|CPU: \d+ (?:UID: \d+ )?PID: \d+ Comm: |Call [tT]race:|Backtrace: ?$/,
    // The last registers of arm64.
    /(?:x2 ?: [0-9a-f]{16} )?x1 ?: [0-9a-f]{16} x0 ?: [0-9a-f]{16}/,
    /(?:pc : |PC is at |RIP: 0010:)[A-Za-z_.][\w.$]*\+0x/,
    // Where a fault enters; only the trace may have been kept, without its heading.
    / *el1_abort\+0x/,
  )}`,
);
/** Backtraces that someone asked for. */
const ASKED_FOR = /^(?:NMI backtrace for cpu|sysrq: )/;
const ASKED_FOR_LINES = 400;
const MAX_OPEN_BLOCKS = 64;
const MAX_IN_FLIGHT = 4096;
/** Lines of others that a fault's report may be split by before its registers come. */
const SPLIT = 400;

/** A line that quoted-printable breaks has 76 columns with the mark at its end, or as many as fit before an escape. */
const SOFT = /^.{72,75}=\r?$/;
/** No message is longer: printk cuts records at 1 KiB (LOG_LINE_MAX). */
const MAX_SOFT = 1024;
/** Columns in which a time stamp begins, behind marks of quotes and levels. */
const STAMP_WITHIN = 40;

const CUT_HERE = '[ cut here ]';
const SHARED = '';

/** Lines kept to say what a boot said last, and how many make it worth dropping the older ones. */
const RECENT_LINES = 16;
const MAX_RECENT = 256;
/** A kernel's time stamp, or a tag that only its lines have. */
const STAMPED = /\[ {0,12}\d{1,9}\.\d{6}|^<\d{1,2}>| kernel: |^\d{1,2},\d{1,20},\d{1,20},/;

function textOf(line: string): string {
  return parseRecords(decodeLine(line)).at(-1)?.text ?? '';
}

/** The last of these lines that is a kernel's, as text. */
function lastWords(lines: readonly string[]): string {
  const own = lines.findLast((line) => STAMPED.test(line)) ?? lines.at(-1) ?? '';
  return textOf(own);
}

interface InFlight {
  readonly driver: string;
  readonly device: string;
}

interface OpenBlock {
  readonly block: Block;
  readonly inFlight: readonly InFlight[];
}

/**
 * Reads a kernel log in chunks of any size and gives what it says as events, in the order in which they are complete:
 * a crash is given when its report is over, that is at its end mark and the few lines in which its consequences may
 * follow, at the end of a panic, when the next report begins, or at `end()`. Time is linear in the input and memory
 * is bounded. Never throws on any input.
 */
export class DmesgParser {
  readonly #locate: Locate | null;
  readonly #deferred = new DeferredList();
  readonly #splitter = new LineSplitter((line, number, hasSign) => this.#line(line, number, hasSign), SIGNS);
  #events: DmesgEvent[] = [];
  /** Reports being read, by printk caller where the log has it. */
  readonly #open = new Map<string, OpenBlock>();
  readonly #preamble = new Map<string, string[]>();
  readonly #noticed = new Set<string>();
  readonly #inFlight = new Map<string, InFlight>();
  #panicked: { line: number } | null = null;
  #lastCrash: Crash | null = null;
  readonly #boots = new Boots();
  /** Events of a boot of which it is not known yet whether it is one, with its first line. */
  #held: { readonly line: number; readonly events: DmesgEvent[]; readonly last: readonly string[] } | null = null;
  /** The last lines as they came, the newest last. */
  #recent: string[] = [];
  /** What drivers say in them, by line. */
  readonly #texts = new Map<string, string | null>();
  /** Line up to which backtraces without a header are somebody's request. */
  #askedFor = 0;
  #previous: LogRecord | null = null;
  readonly #folds = new Folds();
  /** A line that goes on in the next one. */
  #soft: { readonly line: string; readonly number: number; readonly hasSign: boolean } | null = null;
  /** Devices that are deferred, as far as the log goes. */
  readonly #waiting = new Set<string>();
  /** The first half of a message, of which the next line may be the rest. */
  #half: { readonly record: LogRecord; readonly line: number; readonly hasSign: boolean } | null = null;

  /** @param locate names the sources of frames that the log does not name */
  constructor(locate: Locate | null = null) {
    this.#locate = locate;
  }

  /** Takes the next bytes and returns the events that they complete. */
  push(chunk: Uint8Array): DmesgEvent[] {
    this.#splitter.push(chunk);
    return this.#take();
  }

  /** The input is over: returns what was still open. The parser is of no use afterwards. */
  end(): DmesgEvent[] {
    this.#splitter.end();
    this.#endSoft();
    this.#endHalf(this.#recent);
    this.#closeAll(true);
    if (this.#boots.end()) this.#confirm('banner');
    else this.#release();
    return this.#take();
  }

  /** Lines seen so far. */
  get lines(): number {
    return this.#splitter.count;
  }

  /** Whether a kernel's record is in the log. */
  get kernel(): boolean {
    return this.#boots.any;
  }

  /** Text of the last line that was not empty, without prefixes. */
  get lastLine(): string {
    return textOf(this.#recent.at(-1) ?? '');
  }

  #take(): DmesgEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  /** Quoted-printable breaks a line anywhere (RFC 2045, 6.7): what it broke is read as one, where it began. */
  #line(line: string, number: number, hasSign: boolean): void {
    const soft = this.#soft;
    this.#soft = null;
    const joins = soft !== null && !STAMPED.test(line.slice(0, STAMP_WITHIN));
    if (soft !== null && !joins) this.#wholeLine(soft.line, soft.number, soft.hasSign);
    const whole = joins ? soft.line.slice(0, -1) + line : line;
    const sign = hasSign || (joins && (soft.hasSign || SIGNS.isIn(whole)));
    const at = joins ? soft.number : number;
    if (isSoft(line) && whole.length < MAX_SOFT) this.#soft = { line: whole, number: at, hasSign: sign };
    else this.#wholeLine(whole, at, sign);
  }

  #endSoft(): void {
    const soft = this.#soft;
    this.#soft = null;
    if (soft !== null) this.#wholeLine(soft.line, soft.number, soft.hasSign);
  }

  #wholeLine(line: string, number: number, hasSign: boolean): void {
    if (line.length > 1) {
      this.#recent.push(line);
      if (this.#recent.length > MAX_RECENT) this.#recent = this.#recent.slice(-RECENT_LINES);
    }
    const idle = this.#open.size === 0 && this.#preamble.size === 0 && !this.#folds.open && !this.#deferred.open;
    const speaks = this.#waiting.size > 0 && spokenOf(line, this.#waiting) !== null;
    if (!idle || hasSign || speaks || this.#half !== null) {
      const text = decodeLine(line);
      for (const record of this.#records(text))
        this.#record(record, number, hasSign || (text !== line && SIGNS.isIn(record.text)));
    }
    if (!this.#boots.kernel && STAMPED.test(line)) this.#boots.noteKernel();
  }

  /** The records of a line; some tools put the time of one on a line of its own. */
  #records(text: string): LogRecord[] {
    const records = parseRecords(text);
    const [first, second] = records;
    if (first === undefined || first.time !== null || second !== undefined) return records;
    const time = timeFromFields(text, this.#recent.slice(-RECENT_LINES - 1, -1));
    return time === null ? records : [{ ...first, time, kernel: true }];
  }

  /** A message that was broken in two is read as one, where its first half stood. */
  #record(record: LogRecord, line: number, hasSign: boolean): void {
    const half = this.#half;
    const whole = half === null ? null : wholeOf(half.record, record);
    if (half !== null && whole !== null) {
      this.#half = null;
      this.#whole({ ...half.record, text: whole }, half.line, true, this.#recent);
      return;
    }
    if (half !== null) this.#endHalf(this.#recent.slice(0, -1));
    if ((hasSign || this.#deferred.open) && isHalf(record.text)) this.#half = { record, line, hasSign };
    else this.#whole(record, line, hasSign, this.#recent);
  }

  /** What looked like a half was all that there was; it is the last of the `lines`. */
  #endHalf(lines: readonly string[]): void {
    const half = this.#half;
    this.#half = null;
    if (half !== null) this.#whole(half.record, half.line, half.hasSign, lines);
  }

  /** @param lines the last ones up to that of the record */
  #whole(record: LogRecord, line: number, hasSign: boolean, lines: readonly string[]): void {
    const { text, time } = record;
    const previous = this.#previous;
    // A boot console and the real one both print: the same record twice in a row.
    if (time !== null && previous?.time === time && previous.text === text && previous.caller === record.caller) return;
    this.#previous = record;
    const place = this.#boots.place(record);
    if (place === 'replayed') {
      this.#dropReplay();
      return;
    }
    if (place === 'undecided') this.#held ??= { line, events: [], last: this.#recent.slice(-RECENT_LINES) };
    else if (place !== 'usual') this.#newBoot(place.boot, record, line);
    const listed = this.#deferred.mayTake(text) ? this.#listed(record, line) : null;
    const read = listed ?? (hasSign ? eventOf(text, { line, time }) : null);
    const event = read === null ? null : this.#spoken(read);
    const said = read === null ? this.#goodWords(record, line) : null;
    if (said !== null) this.#emit(said);
    if (event !== null) {
      if (event.event === 'banner' && this.#held === null) this.#reset();
      if (event.event === 'user-space' || event.event === 'agent') this.#boots.noteUserSpace();
      this.#follow(event);
      this.#emit(event);
      this.#part(event);
    }
    const whole = this.#folds.complete(record, event !== null, lines);
    if (whole !== null && 'event' in whole) {
      const more = this.#spoken(whole.event);
      this.#follow(more);
      this.#emit(more);
      return;
    }
    if (whole !== null) {
      this.#header(whole.found, whole.record, whole.line);
      return;
    }
    const found = event === null && hasSign ? findHeader(text) : null;
    if (found !== null) this.#header(found, record, line);
    else {
      // A reason may go on; it is told once, however often it is read.
      if (hasSign && (event === null || event.event === 'deferral-pending'))
        this.#folds.keep(record, line, lines.at(-1));
      this.#body(record, line);
    }
  }

  /** The event with what the driver itself said just before, where the message of the event has no word of it. */
  #spoken(event: DmesgEvent): DmesgEvent {
    if (event.event === 'probe-failed') return { ...event, words: this.#wordsOf(event.device) };
    if (event.event === 'bind-failed') return { ...event, words: this.#wordsOf(event.part) };
    if (event.event === 'deferred' && event.by === 'driver' && event.reason === null)
      return { ...event, reason: this.#wordsOf(event.device) };
    return event;
  }

  /** What a device's driver says after it was deferred, which is more than a device has that still waits. */
  #goodWords({ text, time }: LogRecord, line: number): DmesgEvent | null {
    const device = this.#waiting.size === 0 ? null : spokenOf(text, this.#waiting);
    const said = device === null ? null : goodWords(device, text);
    return device === null || said === null ? null : { event: 'spoke', device, ...said, line, time };
  }

  /** The part of a device that holds the whole of it back. */
  #part(event: DmesgEvent): void {
    const part = event.event === 'deferred' ? partOf(event) : null;
    if (part !== null) this.#emit(this.#spoken(part));
  }

  #wordsOf(device: string): string | null {
    const lines = this.#recent.slice(-RECENT_LINES).filter((line) => line.includes(device));
    return wordsOf(
      device,
      lines.flatMap((line) => this.#driversText(line) ?? []),
    );
  }

  /** Text of a recent line; null where no driver says it. Each is asked for often where all are of one device. */
  #driversText(line: string): string | null {
    const known = this.#texts.get(line);
    if (known !== undefined) return known;
    const text = textOf(line);
    const own = maySpeak(text) ? text : null;
    if (this.#texts.size >= MAX_RECENT) this.#texts.clear();
    this.#texts.set(line, own);
    return own;
  }

  #listed({ text, time, kernel }: LogRecord, line: number): DmesgEvent | null {
    return this.#deferred.take(text, time !== null || kernel, { line, time });
  }

  #emit(event: DmesgEvent): void {
    (this.#held?.events ?? this.#events).push(event);
  }

  /** The log was printed once more: nothing of it counts, least of all that a boot began. */
  #dropReplay(): void {
    this.#held = null;
  }

  #release(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#events.push(...held.events);
  }

  #newBoot(sign: BootSign, record: LogRecord, line: number): void {
    if (this.#held !== null) {
      this.#confirm(sign);
      return;
    }
    this.#reset();
    const own = this.#recent.slice(-RECENT_LINES - 1, -1);
    this.#events.push({ event: 'boot', sign, lastText: lastWords(own), line, time: record.time });
  }

  /** What began in doubt is another boot. */
  #confirm(sign: BootSign): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    this.#panicked = null;
    this.#lastCrash = null;
    this.#events.push({
      event: 'boot',
      sign,
      lastText: lastWords(held.last.slice(0, -1)),
      line: held.line,
      time: null,
    });
    this.#events.push(...held.events);
  }

  /** Another boot begins: what is open is over, and no panic explains what comes. */
  #reset(): void {
    this.#closeAll(true);
    this.#panicked = null;
    this.#lastCrash = null;
    this.#inFlight.clear();
    this.#waiting.clear();
    this.#noticed.clear();
  }

  #follow(event: DmesgEvent): void {
    if (event.event === 'deferred' && this.#waiting.size < MAX_IN_FLIGHT) this.#waiting.add(event.device);
    else if ('device' in event) this.#waiting.delete(event.device);
    switch (event.event) {
      case 'probe-entered':
        if (this.#inFlight.size < MAX_IN_FLIGHT) {
          this.#inFlight.delete(event.device);
          this.#inFlight.set(event.device, { driver: event.driver ?? '', device: event.device });
        }
        break;
      case 'bound':
      case 'probe-failed':
      case 'probe-returned':
      case 'deferred':
        this.#inFlight.delete(event.device);
        break;
    }
  }

  #header(found: FoundHeader, record: LogRecord, line: number): void {
    const key = record.caller ?? SHARED;
    const { header } = found;
    if (header.notice) {
      this.#notice(found, record, line);
      return;
    }
    const open =
      this.#open.get(key) ??
      (header.kind === 'panic' || record.caller === null ? this.#latestOpen() : this.#aftermath(line));
    if (open !== undefined) {
      switch (relation(open.block, found, record.time)) {
        case 'head':
        case 'inlined':
          // Where the head comes last, the rest of it does, too.
          open.block.ended = false;
          open.block.takeHeader(header);
          open.block.take(record.text, line, record.time);
          return;
        case 'same':
          open.block.die ??= header.die;
          open.block.take(record.text, line, record.time);
          return;
        case 'follow-up':
          open.block.addFollowUp({ kind: header.kind, title: followUpTitle(header), line }, header.die !== null);
          open.block.take(record.text, line, record.time);
          open.block.gap = 0;
          open.block.lastLine = line;
          if (found.panicMessage !== null) open.block.panicked = true;
          return;
        case 'new':
          break;
      }
    }
    if (this.#panicked !== null) {
      this.#followUp(this.#panicked.line, header, record, line);
      return;
    }
    if (found.panicMessage !== null && this.#lastCrash !== null && isConsequence(found.panicMessage, this.#lastCrash)) {
      this.#panicked = { line: this.#lastCrash.line };
      this.#followUp(this.#lastCrash.line, header, record, line);
      return;
    }
    if (open !== undefined && this.#open.get(key) === open) this.#close(key, false);
    if (this.#open.size >= MAX_OPEN_BLOCKS) this.#closeAll(false);
    const block = this.#openBlock(header, record, line, found.atStart);
    if (found.panicMessage !== null) block.panicked = true;
  }

  /** What a subsystem says every few seconds is one report, and takes nothing from another one that is open. */
  #notice({ header, atStart }: FoundHeader, { text, time, caller, kernel }: LogRecord, line: number): void {
    if (this.#noticed.has(header.lead)) return;
    const crash = new Block(header, { line, time, caller, atStart, kernel }, [text], this.#locate).finish(false, null);
    if (crash === null) return;
    this.#noticed.add(header.lead);
    this.#emit(crash);
  }

  #openBlock(header: Header, record: LogRecord, line: number, atStart: boolean): Block {
    const { text, time, caller, kernel } = record;
    const key = caller ?? SHARED;
    const before = this.#preamble.get(key) ?? [];
    this.#preamble.delete(key);
    // The record that opens a headless report is read like any other of its lines.
    const kept = header === HEADLESS ? before : [...before, text];
    const block = new Block(header, { line, time, caller, atStart, kernel }, kept, this.#locate);
    this.#open.set(key, { block, inFlight: [...this.#inFlight.values()].slice(-MAX_OPEN_BLOCKS) });
    return block;
  }

  #followUp(crashLine: number, header: Header, record: LogRecord, line: number): void {
    this.#emit({
      event: 'follow-up',
      crashLine,
      kind: header.kind,
      title: followUpTitle(header),
      line,
      time: record.time,
    });
  }

  #body(record: LogRecord, line: number): void {
    const key = record.caller ?? SHARED;
    if (record.text.startsWith(RUST_PANIC)) {
      if (this.#preamble.size < MAX_OPEN_BLOCKS) this.#preamble.set(key, [record.text]);
      return;
    }
    if (record.text.includes(CUT_HERE)) {
      if (this.#preamble.get(key)?.[0]?.startsWith(RUST_PANIC) === true) return;
      if (this.#preamble.size < MAX_OPEN_BLOCKS) this.#preamble.set(key, []);
      return;
    }
    const preamble = this.#preamble.get(key);
    if (preamble !== undefined) {
      if (preamble.push(record.text) > MAX_PREAMBLE) this.#preamble.delete(key);
    }
    if (this.#open.size === 0) {
      if (ASKED_FOR.test(record.text)) this.#askedFor = line + ASKED_FOR_LINES;
      else if (this.#panicked === null && line > this.#askedFor && REGISTERS.test(record.text))
        this.#openBlock(HEADLESS, record, line, true);
    }
    for (const [name, open] of this.#open) {
      const { block } = open;
      if (name !== SHARED && record.caller !== null && name !== key && !this.#isRemote(block, record)) {
        // Another CPU's lines: they neither belong to the report nor end it, unless it never goes on.
        block.total += 1;
        const over = block.ended && line - block.lastLine > AFTERMATH;
        if (over || block.total > MAX_BLOCK_LINES) this.#close(name, false);
        continue;
      }
      block.take(record.text, line, record.time);
      // The beginning of a report may come after its end, in another part of a dump.
      if (block.panicked && block.ended && block.header !== HEADLESS) this.#close(name, false);
      else if (block.gap > patience(block) || block.total > MAX_BLOCK_LINES) this.#close(name, false);
    }
  }

  /** Backtraces of other CPUs belong to the report of the stall that asked for them. */
  #isRemote(block: Block, record: LogRecord): boolean {
    return (
      block.kind.endsWith('lockup') || block.kind === 'rcu-stall' || (block.caller === null && record.caller !== null)
    );
  }

  /**
   * A report of another context that has just killed its task: what the rest of the kernel says of that follows from
   * it.
   */
  #aftermath(line: number): OpenBlock | undefined {
    const latest = this.#latestOpen();
    if (latest === undefined || !latest.block.fatal || !latest.block.ended) return undefined;
    return line - latest.block.lastLine <= TAIL ? latest : undefined;
  }

  #latestOpen(): OpenBlock | undefined {
    let latest: OpenBlock | undefined;
    for (const open of this.#open.values()) {
      if (latest === undefined || open.block.line > latest.block.line) latest = open;
    }
    return latest;
  }

  #closeAll(cut: boolean): void {
    for (const key of [...this.#open.keys()]) this.#close(key, cut);
    this.#preamble.clear();
  }

  #close(key: string, cut: boolean): void {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    const crash = open.block.finish(cut, probing(open));
    if (crash === null) return;
    this.#emit(crash);
    this.#lastCrash = crash;
    if (open.block.panicked) this.#panicked = { line: crash.line };
  }
}

/** What a record says of a device, an initcall or the boot, also where a person edited it. */
function eventOf(text: string, at: { readonly line: number; readonly time: number | null }): DmesgEvent | null {
  const edited = text.startsWith('`') ? editedEvent(text, at) : null;
  return edited ?? driverCoreEvent(text, at) ?? editedEvent(text, at);
}

function isSoft(line: string): boolean {
  return (line.endsWith('=') || line.endsWith('=\r')) && SOFT.test(line);
}

function patience(block: Block): number {
  if (block.ended) return TAIL;
  if (block.header.sure && block.fatal && block.die === null && !block.evident) return SPLIT;
  return block.evident || block.header.sure ? GAP : DOUBT;
}

function followUpTitle(header: Header): string {
  return header.named && header.frame !== null ? `${header.lead} in ${plainName(header.frame.function)}` : header.lead;
}

/** The probe that the crashing task was in: its trace has to show one, and the log which one. */
function probing(open: OpenBlock): Crash['probing'] {
  const names = open.block.traceNames;
  if (
    !names.some((name) => /^(?:really_probe|call_driver_probe|driver_probe_device|platform_(?:drv_)?probe)/.test(name))
  )
    return null;
  const stem = (driver: string): string => driver.replaceAll('-', '_');
  const byName = open.inFlight.filter(
    ({ driver }) => driver !== '' && names.some((name) => name.startsWith(stem(driver))),
  );
  const chosen = byName.at(-1) ?? open.inFlight.at(-1);
  return chosen === undefined ? null : { driver: chosen.driver, device: chosen.device };
}
