import { oneOf } from '../regex.ts';
import { Errors, type Said, type WordsAt, wordsBeside, wordsWithin } from './beside.ts';
import { type BootSign, Boots } from './boots.ts';
import { DeferredList, EPROBE_DEFER, partOf, speaksOfDeferral } from './deferral.ts';
import { driverCoreEvent } from './drivercore.ts';
import { editedEvent, OF_PROBE, unaligned, unmarked } from './edited.ts';
import type { DmesgEvent } from './events.ts';
import { Folds, isRest } from './folds.ts';
import type { Locate } from './frame.ts';
import { GpioRequests } from './gpio-requests.ts';
import { isHalf, wholeOf } from './halves.ts';
import { findHeader } from './headers.ts';
import { decodeLine, LineSplitter } from './lines.ts';
import { Links } from './links.ts';
import { isOneAttempt, type Place } from './lives.ts';
import { releaseIn } from './machine.ts';
import { mayLackPins, wordsOfPinController } from './pins.ts';
import { type LogRecord, parseRecords } from './prefix.ts';
import { speakingProbe } from './probe-functions.ts';
import { isLiteral, isQuotation } from './quotation.ts';
import { Reports } from './reports.ts';
import { SIGNS, SIGNS_OF_ROOT } from './signs.ts';
import { SoftBreaks } from './soft-breaks.ts';
import {
  announcedIn,
  atWorkIn,
  boundIn,
  complaintIn,
  endedProbeIn,
  goodWords,
  isOfInterface,
  lastOf,
  lastWordsOf,
  maySpeak,
  OF_TREE,
  soundsBad,
  speakerOf,
  spokenOf,
  stirs,
  wordsOf,
  wordsOfBind,
  wordsOfDriver,
  wordsOfFunctions,
  wordsOfNode,
} from './spoken.ts';
import { STAMPED } from './stamps.ts';
import { timeFromFields } from './structured-records.ts';

/** More than wait on any machine. */
const MAX_WAITING = 4096;

/** Lines kept to say what a boot said last, and how many make it worth dropping the older ones. */
const RECENT_LINES = 16;
/** A driver passes on what regulator_register() returns, drivers/regulator/core.c, which says why. */
const REGISTERS = /^Failed to register (?:\S{1,64} )?regulator/i;
const OF_REGULATOR = /^[^:]{1,64}: (\D.{0,200}-517)$/;
/** What is said of a regulator's own supply just before. */
const OF_SUPPLY = /^[\w.-]{1,64}: .{0,100}\bsupply\b.{0,100}$/;
/** irq_create_fwspec_mapping(), kernel/irq/irqdomain.c, and __setup_irq(), kernel/irq/manage.c: of no device. */
const OF_IRQ = /^(?:gen)?irq: .{0,100}(?:mismatch|failed|could ?n[o']t|no irq domain).{0,100}$/;
/** platform_get_irq(), and what drivers say that cannot request one. */
const LACKS_IRQ = /\bIRQ\b/i;
/** i2c_generic_scl_recovery(), drivers/i2c/i2c-core-base.c, and drivers of I2C adapters, of the bus of a device. */
const BUS_FAILS = new RegExp(
  `^(?:\\S{1,32} )?i2c-(\\d{1,3}): (.{0,100}${oneOf(
    /stuck|arbitration|time(?:d |-)?out|bus busy|recover|\back\b|nack/,
  )}.{0,100})$`,
  'i',
);
/** sdio_init_func() and mmc_add_card(), drivers/mmc/core, name a card and its functions after the host. */
const ON_HOST = /^(mmc\d{1,3}):[0-9a-f]{4}(?::|$)/;
/** Drivers of SPMI controllers, drivers/spmi, of a transfer. */
const SPMI_FAILS = /^spmi (spmi-\d{1,3}): (.{0,100}(?:fail|denied|time(?:d |-)?out|dropped).{0,100})$/;
/** dev_printk() without a device: __dev_printk(), drivers/base/core.c. */
const OF_NOBODY = /^\(NULL device \*\): (.{1,200})$/;
const MAX_RECENT = 256;
/** Lines before the end of a probe that are looked at for words without the name of a device. */
const JUST_BEFORE = 4;
/** A message comes so much later than what it tells of, in microseconds: do_probe_debug(), kernel time rounded. */
const PRINTED_US = 10;
/** As much of quoted words as finds their line. */
const BEGIN = 40;
/** What the words of the device tree's code are quoted with. */
const OF_ITS_NODE = /^its node /;

function textOf(line: string): string {
  return unmarked(parseRecords(decodeLine(line)).at(-1)?.text ?? '');
}

/** The last of these lines that is a kernel's, as text. */
function lastWords(lines: readonly string[]): string {
  const own = lines.findLast((line) => STAMPED.test(line)) ?? lines.at(-1) ?? '';
  return textOf(own);
}

/**
 * Reads a kernel log in chunks of any size and gives what it says as events, in the order in which they are complete:
 * a crash is given when its report is over, that is at its end mark and the few lines in which its consequences may
 * follow, at the end of a panic, when the next report begins, or at `end()`. Time is linear in the input and memory
 * is bounded. Never throws on any input.
 */
export class DmesgParser {
  readonly #reports: Reports;
  readonly #deferred = new DeferredList();
  readonly #breaks = new SoftBreaks((line, number, hasSign) => this.#line(line, number, hasSign));
  readonly #splitter = new LineSplitter((line, number, hasSign) => this.#breaks.take(line, number, hasSign), SIGNS);
  #events: DmesgEvent[] = [];
  readonly #boots = new Boots();
  /** Events of a boot of which it is not known yet whether it is one, with its first line. */
  #held: { readonly line: number; readonly events: DmesgEvent[]; readonly last: readonly string[] } | null = null;
  /** The last lines as they came, the newest last. */
  #recent: string[] = [];
  /** The line that each of them is. */
  #numbers: number[] = [];
  /** What drivers say in them, by line. */
  readonly #texts = new Map<string, string | null>();
  #previous: LogRecord | null = null;
  readonly #folds = new Folds();
  /** Devices that are deferred, as far as the log goes. */
  readonly #waiting = new Set<string>();
  /** Their drivers, each with its only device; null where it has more. */
  readonly #driversWaiting = new Map<string, string | null>();
  /** The kernel or an initramfs has waited for a root file system. */
  #awaitsRoot = false;
  /** The first half of a message, of which the next line may be the rest. */
  #half: { readonly record: LogRecord; readonly line: number; readonly hasSign: boolean } | null = null;

  readonly #gpios = new GpioRequests();
  readonly #errors = new Errors();
  readonly #links = new Links();

  /** Whether drivers' errors are events of their own, for which every line has to be read. */
  readonly #complaints: boolean;
  /** A complaint of which the next line may be the rest. */
  #complaint: { readonly event: Extract<DmesgEvent, { readonly event: 'complained' }>; readonly line: string } | null =
    null;

  /**
   * @param locate names the sources of frames that the log does not name
   * @param wanted `complaints`: also what drivers say that sounds like an error, of whatever device
   */
  constructor(locate: Locate | null = null, wanted: 'events' | 'complaints' = 'events') {
    this.#complaints = wanted === 'complaints';
    this.#reports = new Reports(locate, (event) => this.#emit(event));
  }

  /** Takes the next bytes and returns the events that they complete. */
  push(chunk: Uint8Array): DmesgEvent[] {
    this.#splitter.push(chunk);
    return this.#take();
  }

  /** The input is over: returns what was still open. The parser is of no use afterwards. */
  end(): DmesgEvent[] {
    this.#splitter.end();
    this.#breaks.end();
    this.#endHalf(this.#recent);
    this.#endComplaint(null);
    this.#reports.closeAll(true);
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

  /** Whether the input is a text that quotes a few lines of a log. */
  get quoted(): boolean {
    return this.lines <= MAX_RECENT && isQuotation(this.#recent);
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

  #line(line: string, number: number, hasUsual: boolean): void {
    const hasSign = hasUsual || (this.#awaitsRoot && SIGNS_OF_ROOT.isIn(line));
    if (line.length > 1) {
      this.#recent.push(line);
      this.#numbers.push(number);
      if (this.#recent.length > MAX_RECENT) {
        this.#recent = this.#recent.slice(-RECENT_LINES);
        this.#numbers = this.#numbers.slice(-RECENT_LINES);
      }
    }
    this.#endComplaint(line);
    if (isLiteral(line, this.#recent.at(-2))) return;
    const idle = !this.#complaints && !this.#reports.open && !this.#folds.open && !this.#deferred.open;
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
  #record(marked: LogRecord, line: number, hasSign: boolean): void {
    // A mark before the stamp of a line.
    if (marked.text === '`') return;
    const record = OF_PROBE.test(marked.text) ? { ...marked, text: unaligned(unmarked(marked.text)) } : marked;
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
    // A whole that binds a part is itself being probed.
    const said = read === null || read.event === 'bound' ? this.#goodWords(record, line) : null;
    this.#gpios.note(text, line, time);
    if (this.#complaints && read === null) {
      this.#errors.note({ text, time, line });
      this.#complain(record, line, lines);
    }
    if (this.#complaints && stirs(text)) this.#emit({ event: 'stirred', card: text.startsWith('mmc'), line, time });
    const announced =
      this.#complaints && read === null
        ? (announcedIn(text) ?? endedProbeIn(text) ?? atWorkIn(text, this.#driversWaiting))
        : null;
    if (announced !== null) {
      const words = { event: 'spoke', driver: null, words: text, atWork: true, line, time } as const;
      this.#emit({ ...words, device: announced, ...(isOfInterface(text) ? { ofInterface: true } : {}) });
    }
    const bound = this.#complaints && read === null ? boundIn(text) : null;
    if (bound !== null) this.#emit({ event: 'bound', ...bound, line, time });
    const speaking = this.#complaints && read === null ? speakingProbe(text) : null;
    if (speaking !== null) this.#emit({ event: 'probe-speaks', ...speaking, line, time });
    const release = this.#complaints && read === null ? releaseIn(text) : null;
    if (release !== null) this.#emit({ event: 'release', release, line, time });
    const link = this.#complaints && read === null ? this.#links.eventOf(text, { line, time }) : null;
    if (link !== null) this.#emit(this.#spoken(link));
    if (said !== null) {
      // One word is enough, of drivers that say much.
      this.#follow(said);
      this.#emit(said);
    }
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
      this.#part(more);
      return;
    }
    if (whole !== null) {
      this.#reports.header(whole.found, whole.record, whole.line);
      return;
    }
    const found = event === null && hasSign ? findHeader(text) : null;
    if (found !== null) this.#reports.header(found, record, line);
    else {
      // A reason may go on; it is told once, however often it is read.
      if ((hasSign || this.#complaints) && (event === null || event.event === 'deferral-pending'))
        this.#folds.keep(record, line, lines.at(-1));
      this.#reports.body(record, line, lines);
    }
  }

  /** The event with what the driver itself said just before, where the message of the event has no word of it. */
  #spoken(event: DmesgEvent): DmesgEvent {
    if (event.event === 'probe-failed' || event.event === 'probe-declined') {
      const device = lastOf(event.driver, event.device, this.#recent.slice(-RECENT_LINES).map(textOf));
      const own =
        joined(this.#wordsOf(device, event.driver)) ??
        this.#wordsOfNobody(device) ??
        this.#wordsOfFunctions(event.driver);
      const beside = own === null ? this.#wordsBeside(event, device) : null;
      // A driver that only declines a device is silent of the reason, whatever it has said before.
      const last = own ?? (event.event === 'probe-failed' ? this.#lastWordsOf(device, event) : null);
      const said = beside ?? (last === null ? null : this.#afterCore(device, last));
      const ofBus = said === null ? null : this.#errors.ofBus(said.words, event);
      const words = ofBus === null ? (said?.words ?? null) : `${ofBus.words}; ${said?.words}`;
      const wordsLine = ofBus?.line ?? said?.line ?? null;
      return { ...event, device, words, ...(wordsLine === null ? {} : { wordsLine }) };
    }
    if (event.event === 'bind-failed') {
      const words = joined(this.#wordsOf(event.part)) ?? wordsOfBind(textOf(this.#recent.at(-2) ?? ''));
      const wordsLine = words === null ? null : this.#lineOf(words);
      return { ...event, words, ...(wordsLine === null ? {} : { wordsLine }) };
    }
    if (event.event === 'deferred' && event.by === 'driver' && REGISTERS.test(event.reason ?? ''))
      return { ...event, reason: this.#wordsOfRegulator() ?? event.reason };
    if (event.event === 'deferred' && event.by === 'driver' && event.reason === null)
      return { ...event, reason: this.#wordsOf(event.device)[0] ?? this.#wordsBefore(event) };
    if (event.event === 'probe-unwound') {
      const all = this.#wordsOf(event.device);
      // Attempts of a remote processor follow each other closely, and each says one thing.
      const words = event.driver === null ? (all.at(-1) ?? null) : joined(all);
      return words === null ? event : { ...event, said: { words, line: this.#lineOf(words) ?? event.line } };
    }
    if (event.event === 'probe-returned' && event.value === EPROBE_DEFER) {
      const [words] = this.#wordsOf(event.device);
      if (words !== undefined) return { ...event, words };
      const began = event.time === null ? null : event.time - event.usecs - PRINTED_US;
      const within = began === null ? null : wordsWithin(began, this.#lastSaid(event.line));
      return within === null ? event : { ...event, words: within.words, wordsLine: within.line };
    }
    return event;
  }

  /** What a device's driver says after it was deferred, which is more than a device has that still waits. */
  #goodWords(record: LogRecord, line: number): DmesgEvent | null {
    const { text, time } = record;
    const waiting = this.#waiting.size === 0 ? null : spokenOf(text, this.#waiting);
    const device = waiting ?? (this.#complaints ? speakerOf(record) : null);
    const said = device === null ? null : goodWords(device, text);
    return device === null || said === null ? null : { event: 'spoke', device, ...said, line, time };
  }

  /** The part of a device that holds the whole of it back. */
  #part(event: DmesgEvent): void {
    const part = event.event === 'deferred' ? partOf(event) : null;
    if (part !== null) this.#emit(this.#spoken(part));
  }

  /** The line in which words begin that are quoted from the last lines before this one; null where none has them. */
  #lineOf(words: string): number | null {
    const first = words.replace(OF_ITS_NODE, '').split('; ')[0] ?? '';
    const find = (begin: string) =>
      this.#recent.findLastIndex((text, index) => index < this.#recent.length - 1 && text.includes(begin));
    const whole = find(first.slice(0, BEGIN));
    // The rest may stand in the next line.
    const at = whole === -1 ? find(first.slice(0, BEGIN / 2)) : whole;
    return at < this.#recent.length - RECENT_LINES ? null : (this.#numbers[at] ?? null);
  }

  #wordsOf(device: string, driver: string | null = null): string[] {
    const recent = this.#recent.slice(-RECENT_LINES);
    const texts = recent.flatMap((line, at) => {
      const isOfIt = line.includes(device) || line.includes(OF_TREE);
      const text = isOfIt ? this.#driversText(line) : null;
      if (text === null) return [];
      const [before, next] = [recent[at - 1] ?? '', recent[at + 1] ?? ''];
      // The name may stand in the second part of what a mail program broke.
      if (!before.includes(device) && isRest(before, line)) return [`${textOf(before)} ${text}`];
      return isRest(line, next) ? [`${text} ${textOf(next)}`] : [text];
    });
    const pins = this.#wordsOfPinController(device, recent);
    return pins === null ? wordsOf(device, texts, driver) : [pins];
  }

  /** What kept the pins of a device back, where one of the lines says that they are not set. */
  #wordsOfPinController(device: string, lines: readonly string[]): string | null {
    const recent = lines.slice(-RECENT_LINES);
    return recent.some(mayLackPins) ? wordsOfPinController(device, recent.map(textOf)) : null;
  }

  /** What a device's driver says in the line before its probe fails, or the host that it is on as a card. */
  #lastWordsOf(device: string, { time, line }: Place): string | null {
    const last = this.#lastSaid(line).at(-1);
    if (last === undefined || !isOneAttempt(last, { time, line })) return null;
    const host = ON_HOST.exec(device)?.[1];
    const isOfHost = host !== undefined && last.text.startsWith(`${host}: `) && !stirs(last.text);
    return isOfHost ? last.text : lastWordsOf(device, last.text);
  }

  /** What was said of a device with what the core of its bus or of a subsystem says just before. */
  #afterCore(device: string, own: string): { readonly words: string; readonly line: number | null } {
    const line = this.#lineOf(own);
    const at = line === null ? -1 : this.#numbers.lastIndexOf(line);
    const core = at < 1 ? null : wordsOfCore(device, own, textOf(this.#recent[at - 1] ?? ''));
    return core === null ? { words: own, line } : { words: `${core}; ${own}`, line: this.#numbers[at - 1] ?? line };
  }

  /** What may be a complaint waits for the line after its own, the last of the `lines`. */
  #complain(record: LogRecord, line: number, lines: readonly string[]): void {
    const { text, time } = record;
    const event = complaintIn({ ...record, text: unmarked(text) }, line);
    if (event === null) {
      if (speaksOfDeferral(text)) this.#emit({ event: 'unread', text, line, time });
      return;
    }
    this.#endComplaint(null);
    const before = wordsOfCore(event.device, event.words, textOf(lines.at(-2) ?? ''));
    const words = before === null ? event.words : `${before}; ${event.words}`;
    this.#complaint = { event: { ...event, words }, line: lines.at(-1) ?? '' };
  }

  /** @param next the line that has come, of which the complaint may be the beginning */
  #endComplaint(next: string | null): void {
    const complaint = this.#complaint;
    this.#complaint = null;
    if (complaint === null) return;
    const { event, line } = complaint;
    const isBroken = next !== null && this.#recent.at(-2) === line && isRest(line, next);
    const words = isBroken ? `${event.words} ${textOf(next)}` : event.words;
    if (!soundsBad(words)) return;
    this.#emit({ ...event, words: this.#wordsOfPinController(event.device, this.#recent) ?? words });
    const deferral = this.#gpios.deferralOf({ ...event, words });
    if (deferral === null) return;
    this.#follow(deferral);
    this.#emit(deferral);
  }

  /** What the line before says of the regulator that a driver cannot register, by the regulator's own name. */
  #wordsOfRegulator(): string | null {
    return OF_REGULATOR.exec(textOf(this.#recent.at(-2) ?? ''))?.[1] ?? null;
  }

  /** What the line before says of a device that has no name yet, such as that of a register map, or of its node. */
  #wordsOfNobody(device: string): string | null {
    const before = textOf(this.#recent.at(-2) ?? '');
    return OF_NOBODY.exec(before)?.[1] ?? wordsOfNode(device, before);
  }

  /** What the last lines say in functions of the driver. */
  #wordsOfFunctions(driver: string | null): string | null {
    return driver === null
      ? null
      : joined(wordsOfFunctions(driver, this.#recent.slice(-JUST_BEFORE - 1, -1).map(textOf)));
  }

  /** The last lines before this one. */
  #lastSaid(line: number): Said[] {
    const numbers = this.#numbers.slice(-RECENT_LINES - 1, -1);
    return this.#recent.slice(-RECENT_LINES - 1, -1).flatMap((text, at): Said[] => {
      const record = parseRecords(decodeLine(text)).at(-1);
      if (record === undefined) return [];
      return [{ text: unmarked(record.text), time: record.time, line: numbers[at] ?? line }];
    });
  }

  /** What is said of a probe that failed without the name of its device. */
  #wordsBeside(
    { driver, error, time, line }: Place & { readonly driver: string | null; readonly error: number },
    device: string,
  ): WordsAt | null {
    const said = this.#lastSaid(line);
    return wordsBeside({ device, driver, error }, said, { time, line }) ?? this.#errors.of(error, { time, line });
  }

  /** What the line before says, where it is the driver's without the name of a device. */
  #wordsBefore({ driver, time, line }: { driver: string | null; time: number | null; line: number }): string | null {
    const before = parseRecords(decodeLine(this.#recent.at(-2) ?? '')).at(-1);
    if (driver === null || before === undefined) return null;
    const isOne = isOneAttempt({ time: before.time, line: line - 1 }, { time, line });
    return isOne ? wordsOfDriver(driver, unmarked(before.text)) : null;
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

  /** The last entry of a list that the record is, and all before it. */
  #listed({ text, time, kernel }: LogRecord, line: number): DmesgEvent | null {
    const events = this.#deferred.take(unmarked(text), time !== null || kernel, { line, time });
    for (const event of events.slice(0, -1)) this.#emit(event);
    return events.at(-1) ?? null;
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
    this.#reports.forget();
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
    this.#reports.reset();
    this.#waiting.clear();
    this.#driversWaiting.clear();
    this.#links.reset();
  }

  #follow(event: DmesgEvent): void {
    const waits = event.event === 'deferred' || event.event === 'deferral-timeout';
    if (waits && this.#waiting.size < MAX_WAITING) {
      this.#waiting.add(event.device);
      const { driver, device } = event;
      const known = driver === null ? undefined : this.#driversWaiting.get(driver);
      if (driver !== null) this.#driversWaiting.set(driver, known === undefined || known === device ? device : null);
    } else if ('device' in event && event.event !== 'probe-async') this.#waiting.delete(event.device);
    else if (event.event === 'root-awaited' || event.event === 'root-missing') this.#awaitsRoot = true;
    this.#reports.follow(event);
  }
}

/** What a core says just before of what is then said of a device; null where it says nothing. */
function wordsOfCore(device: string, words: string, before: string): string | null {
  const core = REGISTERS.test(words) ? OF_SUPPLY : LACKS_IRQ.test(words) ? OF_IRQ : null;
  if (core !== null) return core.exec(before)?.[0] ?? null;
  const [, controller, ofSpmi] = device.includes('spmi:') ? (SPMI_FAILS.exec(before) ?? []) : [];
  if (controller !== undefined) return `${controller}: ${ofSpmi}`;
  const [, bus, ofBus] = BUS_FAILS.exec(before) ?? [];
  return bus !== undefined && device.startsWith(`${bus}-00`) ? `i2c-${bus}: ${ofBus}` : null;
}

function joined(words: readonly string[]): string | null {
  return words.length === 0 ? null : words.join('; ');
}

/** What a record says of a device, an initcall or the boot, also where a person edited it. */
function eventOf(text: string, at: { readonly line: number; readonly time: number | null }): DmesgEvent | null {
  const edited = text.startsWith('`') ? editedEvent(text, at) : null;
  return edited ?? driverCoreEvent(text, at) ?? editedEvent(text, at);
}
