import { oneOf } from '../regex.ts';
import { announcedBy } from './announced.ts';
import { Block, RUST_PANIC } from './block.ts';
import type { Crash, DmesgEvent } from './events.ts';
import { type Locate, plainName } from './frame.ts';
import type { Header } from './headers/header.ts';
import { BLOCKED } from './headers/lockups.ts';
import { isConsequence } from './headers/panic.ts';
import { type FoundHeader, findHeader, HEADLESS } from './headers.ts';
import type { LogRecord } from './prefix.ts';
import { relation } from './relation.ts';

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
    /KASAN: .{1,32} in range \[|-> #\d{1,2} \(.{1,200}\)\{.{4,6}\}|backtrace(?: \(crc [0-9a-f]{1,8}\))?:$/,
    // The last registers of arm64.
    /(?:x2 ?: [0-9a-f]{16} )?x1 ?: [0-9a-f]{16} x0 ?: [0-9a-f]{16}/,
    /(?:pc : |PC is at |RIP: 0010:(?:\[<[0-9a-f]{16}>\] *){0,2})[A-Za-z_.][\w.$]*\+0x/,
    // __die() of arm and arm64.
    /Process .{1,32} \(pid: +\d{1,8}, stack limit = /,
    // mips: show_regs(), arch/mips/kernel/traps.c.
    /epc *: [0-9a-f]{8,16} [A-Za-z_.][\w.$]*\+0x/,
    // Where a fault enters; only the trace may have been kept, without its heading.
    / *el1_abort\+0x/,
  )}`,
);
/** sysrq-t, which lists all tasks: some of them wait for good reasons. */
const ALL_TASKS = /^(?:sysrq: )?(?:SysRq : )?Show State$/;
/** The first frame of a trace without a heading; only where the text before says what it is of. */
const FRAME =
  /^\s*(?:\[<[0-9a-f]{8,16}>\] )?(?:\(?[A-Za-z_][\w.]*\)? from .{0,80}|[A-Za-z_][\w.]*)\+0x[0-9a-f]+\/0x[0-9a-f]/;
/** The last line of a panic, which tells its message once more. */
const PANIC_END = /(?<!"-{0,2})-\[ end (Kernel panic - not syncing: .{1,300}?)(?: ?\]-{0,3})?$/;
/** Backtraces that someone asked for. */
const ASKED_FOR = /^(?:NMI backtrace for cpu|sysrq: )/;
const ASKED_FOR_LINES = 400;
/** Lines before a trace among which a text may say what it is of. */
const ANNOUNCING_LINES = 6;
const MAX_OPEN_BLOCKS = 64;
const MAX_IN_FLIGHT = 4096;
/** Lines of others that a fault's report may be split by before its registers come. */
const SPLIT = 400;

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

/** The reports that are being read: where each begins, what belongs to it, and when it is over. */
export class Reports {
  readonly #locate: Locate | null;
  readonly #emit: (event: DmesgEvent) => void;
  /** By printk caller where the log has it. */
  readonly #open = new Map<string, OpenBlock>();
  readonly #preamble = new Map<string, string[]>();
  readonly #noticed = new Set<string>();
  readonly #inFlight = new Map<string, InFlight>();
  #panicked: { line: number } | null = null;
  #lastCrash: Crash | null = null;
  /** All tasks are listed, from here on. */
  #allTasks = false;
  /** Line up to which backtraces without a header are somebody's request. */
  #askedFor = 0;

  /** @param emit takes a crash when its report is over, and what follows from it */
  constructor(locate: Locate | null, emit: (event: DmesgEvent) => void) {
    this.#locate = locate;
    this.#emit = emit;
  }

  /** Whether any record may belong to one. */
  get open(): boolean {
    return this.#open.size > 0 || this.#preamble.size > 0;
  }

  /** No crash before explains what comes. */
  forget(): void {
    this.#panicked = null;
    this.#lastCrash = null;
  }

  /** Another boot begins. */
  reset(): void {
    this.closeAll(true);
    this.forget();
    this.#inFlight.clear();
    this.#noticed.clear();
    this.#allTasks = false;
  }

  /** Which probes are in flight. */
  follow(event: DmesgEvent): void {
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

  /** A record with a header: a report begins, or one that is open goes on. */
  header(found: FoundHeader, record: LogRecord, line: number): void {
    const key = record.caller ?? SHARED;
    const { header } = found;
    if (header.notice) {
      this.#notice(found, record, line);
      return;
    }
    if (header.lead === BLOCKED && this.#allTasks) return;
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
    if (this.#open.size >= MAX_OPEN_BLOCKS) this.closeAll(false);
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

  /**
   * A record without a header, which may belong to reports that are open.
   *
   * @param lines the last ones up to that of the record
   */
  body(record: LogRecord, line: number, lines: readonly string[]): void {
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
    const panic = this.#open.size === 0 && this.#panicked === null ? PANIC_END.exec(record.text)?.[1] : undefined;
    const found = panic === undefined ? null : findHeader(panic);
    if (found !== null) {
      const block = this.#openBlock(found.header, record, line, true);
      block.panicked = true;
      block.ended = true;
      return;
    }
    if (ALL_TASKS.test(record.text)) this.#allTasks = true;
    if (this.#open.size === 0) {
      if (ASKED_FOR.test(record.text)) this.#askedFor = line + ASKED_FOR_LINES;
      else if (this.#panicked === null && line > this.#askedFor && REGISTERS.test(record.text)) {
        const block = this.#openBlock(HEADLESS, record, line, true);
        block.announced = announcedBy(lines.slice(-ANNOUNCING_LINES, -1));
      } else if (this.#panicked === null && record.time === null && FRAME.test(record.text)) {
        const announced = announcedBy(lines.slice(-ANNOUNCING_LINES, -1));
        if (announced !== null) this.#openBlock(HEADLESS, record, line, true).announced = announced;
      }
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

  /** @param cut the log or the boot is over */
  closeAll(cut: boolean): void {
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
