import { isFatal } from '../model/crash.ts';
import { Block } from './block.ts';
import { driverCoreEvent } from './drivercore.ts';
import type { Crash, DmesgEvent } from './events.ts';
import { plainName } from './frame.ts';
import type { Header } from './headers/header.ts';
import { isConsequence } from './headers/panic.ts';
import { type FoundHeader, findHeader, HEADLESS } from './headers.ts';
import { decodeLine, LineSplitter } from './lines.ts';
import { type LogRecord, parseRecords } from './prefix.ts';

/** Lines that can begin a report or state an event; all others are only counted while no report is open. */
const INTERESTING =
  /BUG|WARNING|INFO: |CFI failure|ENDBR|ynchronous |nable to handle|nternal error|ernel panic|PANIC|bus error|idle thread|\[#|UBSAN|SError|ad mode in|nhandled |LOCKUP|cut here|protection fault|suffici|stack overflow|overflown|probe|probing|deferred|EPROBE|error -517|driver_bound|sync_state|calling {2}|initcall |bootrace:|Linux version|messages dropped|reboot: |oom-killer|allocation failure|unregister_netdevice|unchecked MSR|duplicate filename|nobody cared|bogus return|as init process|Freeing unused|Freeing init|systemd\[1\]|login:|Unknown symbol|disagrees about|version magic|no symbol version|duplicate symbol|PLT section|Unknown rel|is rejected|is restricted|Busy inodes|Call [tT]race|pc : |PC is at|RIP: 0010|NMI backtrace|sysrq/;

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
/** Two consoles may lag behind each other; a clock that goes back further is another boot. */
const CLOCK_SLACK = 1_000_000;
/** Registers that begin a report when nothing before them did. */
const REGISTERS = /^(?:(?:pc : |PC is at |RIP: 0010:)[A-Za-z_.][\w.$]*\+0x|Call [tT]race:)/;
/** Backtraces that someone asked for. */
const ASKED_FOR = /^(?:NMI backtrace for cpu|sysrq: )/;
const ASKED_FOR_LINES = 400;
const MAX_OPEN_BLOCKS = 64;
const MAX_IN_FLIGHT = 4096;

const UNFINISHED = /^(?:\S+ )?(?:\[ )?(?:WARNING|BUG|INFO): \S/;
const CUT_HERE = '[ cut here ]';
const SHARED = '';

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
  readonly #splitter = new LineSplitter((line, number) => this.#line(line, number));
  #events: DmesgEvent[] = [];
  /** Reports being read, by printk caller where the log has it. */
  readonly #open = new Map<string, OpenBlock>();
  readonly #preamble = new Map<string, string[]>();
  readonly #inFlight = new Map<string, InFlight>();
  #panicked: { line: number } | null = null;
  #lastCrash: Crash | null = null;
  #lastTime: number | null = null;
  /** Times of the last reports of this boot, and the latest time stamp of all. */
  readonly #told: { readonly from: number; readonly to: number }[] = [];
  #latest = 0;
  #last = '';
  /** Line up to which backtraces without a header are somebody's request. */
  #askedFor = 0;
  #previous: LogRecord | null = null;
  /** A record that may be the first half of a header that a mail program wrapped. */
  #unfinished: { readonly record: LogRecord; readonly line: number } | null = null;

  /** Takes the next bytes and returns the events that they complete. */
  push(chunk: Uint8Array): DmesgEvent[] {
    this.#splitter.push(chunk);
    return this.#take();
  }

  /** The input is over: returns what was still open. The parser is of no use afterwards. */
  end(): DmesgEvent[] {
    this.#splitter.end();
    this.#closeAll(true);
    return this.#take();
  }

  /** Lines seen so far. */
  get lines(): number {
    return this.#splitter.count;
  }

  /** Text of the last line that was not empty, without prefixes. */
  get lastLine(): string {
    return parseRecords(decodeLine(this.#last)).at(-1)?.text ?? '';
  }

  #take(): DmesgEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  #line(line: string, number: number): void {
    if (line.length > 1) this.#last = line;
    const idle = this.#open.size === 0 && this.#preamble.size === 0 && this.#unfinished === null;
    if (idle && !INTERESTING.test(line)) return;
    for (const record of parseRecords(decodeLine(line))) this.#record(record, number);
  }

  #record(record: LogRecord, line: number): void {
    const { text, time } = record;
    const previous = this.#previous;
    // A boot console and the real one both print: the same record twice in a row.
    if (time !== null && previous?.time === time && previous.text === text && previous.caller === record.caller) return;
    this.#previous = record;
    if (time !== null) {
      if (this.#lastTime !== null && time < this.#lastTime - CLOCK_SLACK) this.#reset();
      this.#lastTime = time;
    }
    if (time !== null && this.#isReplay(time)) return;
    const event = driverCoreEvent(text, { line, time });
    if (event !== null) {
      if (event.event === 'banner') {
        this.#reset();
        this.#told.length = 0;
        this.#latest = 0;
      }
      this.#follow(event);
      this.#events.push(event);
    }
    const unfinished = this.#unfinished;
    this.#unfinished = null;
    if (unfinished !== null && time === null) {
      const whole = findHeader(`${unfinished.record.text} ${text}`);
      if (whole !== null) {
        this.#header(whole, unfinished.record, unfinished.line);
        return;
      }
    }
    const found = event === null && INTERESTING.test(text) ? findHeader(text) : null;
    if (found !== null) this.#header(found, record, line);
    else {
      if (time !== null && UNFINISHED.test(text)) this.#unfinished = { record, line };
      this.#body(record, line);
    }
  }

  /** Test suites print dmesg once more to the console that has shown it already: the same reports, with their old times. */
  #isReplay(time: number): boolean {
    if (time >= this.#latest) {
      this.#latest = time;
      return false;
    }
    return this.#told.some(({ from, to }) => from <= time && time <= to);
  }

  /** Another boot begins: what is open is over, and no panic explains what comes. */
  #reset(): void {
    this.#closeAll(true);
    this.#panicked = null;
    this.#lastCrash = null;
    this.#inFlight.clear();
    this.#lastTime = null;
  }

  #follow(event: DmesgEvent): void {
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
    const open =
      this.#open.get(key) ??
      (header.kind === 'panic' || record.caller === null ? this.#latestOpen() : this.#aftermath(line));
    if (open !== undefined) {
      switch (relation(open.block, found)) {
        case 'same':
          open.block.die ??= header.die;
          open.block.take(record.text, line, record.time);
          return;
        case 'follow-up':
          open.block.addFollowUp({ kind: header.kind, title: followUpTitle(header), line });
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

  #openBlock(header: Header, record: LogRecord, line: number, atStart: boolean): Block {
    const { text, time, caller, kernel } = record;
    const key = caller ?? SHARED;
    const before = this.#preamble.get(key) ?? [];
    this.#preamble.delete(key);
    // The record that opens a headless report is read like any other of its lines.
    const kept = header === HEADLESS ? before : [...before, text];
    const block = new Block(header, { line, time, caller, atStart, kernel }, kept);
    this.#open.set(key, { block, inFlight: [...this.#inFlight.values()].slice(-MAX_OPEN_BLOCKS) });
    return block;
  }

  #followUp(crashLine: number, header: Header, record: LogRecord, line: number): void {
    this.#events.push({
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
    if (record.text.includes(CUT_HERE)) {
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
      if (block.panicked && block.ended) this.#close(name, false);
      else if (block.gap > patience(block) || block.total > MAX_BLOCK_LINES) this.#close(name, false);
    }
  }

  /** Backtraces of other CPUs belong to the report of the stall that asked for them. */
  #isRemote(block: Block, record: LogRecord): boolean {
    return (
      block.kind.endsWith('lockup') || block.kind === 'rcu-stall' || (block.caller === null && record.caller !== null)
    );
  }

  /** A report of another context that has just killed its task: what the rest of the kernel says of that follows from it. */
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
    this.#events.push(crash);
    this.#lastCrash = crash;
    const { time, lastTime } = open.block;
    if (time !== null && lastTime !== null) {
      this.#told.push({ from: time, to: lastTime });
      if (this.#told.length > MAX_OPEN_BLOCKS) this.#told.shift();
    }
    if (open.block.panicked) this.#panicked = { line: crash.line };
  }
}

function patience(block: Block): number {
  if (block.ended) return TAIL;
  return block.evident || block.header.sure ? GAP : DOUBT;
}

function followUpTitle(header: Header): string {
  return header.named && header.frame !== null ? `${header.lead} in ${plainName(header.frame.function)}` : header.lead;
}

/** How a header relates to the report before it: a line of it, a consequence of it, or a report of its own. */
function relation(block: Block, found: FoundHeader): 'same' | 'follow-up' | 'new' {
  const { header } = found;
  if (found.panicMessage !== null) {
    if (block.panicked) return 'follow-up';
    return block.fatal || isConsequence(found.panicMessage, block) ? 'follow-up' : 'new';
  }
  if (block.panicked) return 'follow-up';
  if (!block.evident && !(block.atStart && block.header.sure) && found.header.die === null) return 'new';
  if (header.lead === block.header.lead && header.kind === 'other' && !block.evident) return 'same';
  const dies = header.die !== null;
  if (dies && block.die === null && !block.ended && (block.fatal || block.kind === 'ubsan')) return 'same';
  if (block.fatal) {
    // A kernel that lost several tasks one after the other has several reports; only what follows at once is a consequence.
    return 'follow-up';
  }
  if (
    isFatal(header.kind) &&
    !header.survives &&
    (block.kind === 'kasan' || block.kind === 'kfence' || block.kind === 'ubsan')
  )
    return 'follow-up';
  return 'new';
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
