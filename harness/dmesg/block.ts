import { type CrashKind, isFatal } from '../model/crash.ts';
import { ANNOUNCED_CHAIN, announcedByRange, mayBeAnnounced } from './announced.ts';
import type { PlacedFrame } from './blame.ts';
import { Clues } from './clues.ts';
import { crashOf } from './crash-event.ts';
import type { Crash, FollowUp } from './events.ts';
import { findFrame, type Locate, parseTraceLine, type TraceFrame, withSource } from './frame.ts';
import type { Header } from './headers/header.ts';
import { findHeader, HEADLESS } from './headers.ts';
import { Locks } from './locks.ts';
import {
  BROKEN_FRAME,
  CPU_LINE,
  END_PANIC,
  END_TRACE,
  HELD_AT,
  INCOMPLETE,
  MEMBER,
  MODULE_NAMES,
  NAME_END,
  OWN_SECTION,
  WITHIN_NAME,
} from './patterns.ts';
import { Registers } from './registers.ts';
import { DIED, isTelling, reportOf } from './reporters.ts';
import { Sections } from './sections.ts';
import { Task } from './task.ts';

/** Bounds of what one report may hold on to; a report with more is cut, not grown. */
const MAX_TEXT_LINES = 200;
const MAX_TEXT_LENGTH = 512;
const MAX_FRAMES = 1200;
const MAX_FOLLOW_UPS = 32;
/** rust_panic(), rust/kernel/lib.rs; the message follows, and then the BUG(). */
export const RUST_PANIC = 'rust_kernel: panicked at ';

/** Reports that are a dump_stack() of the function that noticed. */
const DUMPED: ReadonlySet<CrashKind> = new Set([
  'lockdep',
  'sleeping-in-atomic',
  'kasan',
  'kmsan',
  'kcsan',
  'memleak',
  'oom',
]);
/** dump_kernel_instr(), arch/arm64, and dump_instr(), arch/arm. */
const DIED_CODE = /(?:^| )\([0-9a-f]{8}\)|^bad PC value/;

/** __die(), arch/arm64/kernel/traps.c up to 5.0 and arch/arm/kernel/traps.c; show_registers(), arch/x86 up to 3.9. */
const DYING = /^Process .{1,32} \(pid: +\d{1,8}, (?:stack limit = |threadinfo [0-9a-f]{8,16}, task )/;

function located(header: Header, locate: Locate | null): Header {
  return header.frame === null ? header : { ...header, frame: withSource(header.frame, locate) };
}

/** print_irqtrace_events(), kernel/locking/lockdep.c: a mail program may put the function on a line of its own. */
const IRQ_FLAGS = /^(?:hard|soft)irqs last +(?:en|dis)abled at \(\d+\): /;

/** What architectures say before the registers of a program that gets a signal: arch/{arm,arm64,powerpc,riscv}. */
const OF_PROGRAM =
  /^.{1,40}?: unhandled (?:signal \d|exception: |[\w ()]{4,60} (?:fault|abort|exception) \(\d{1,2}\) at )/;

/** One report while it is being read. */
export class Block {
  header: Header;
  readonly line: number;
  readonly time: number | null;
  readonly caller: string | null;
  readonly atStart: boolean;
  readonly kernel: boolean;
  /** An explicit end was seen; what follows can only be a follow-up. */
  ended = false;
  /** What the text around a trace without a head calls it. */
  announced: Header | null = null;
  panicked = false;
  die: number | null;
  lastLine: number;
  /** Time stamp of the last line, in microseconds. */
  lastTime: number | null;
  /** Lines since the last one that belongs to the report. */
  gap = 0;
  total = 0;
  #kind: CrashKind;
  #text: string[] = [];
  readonly #frames: PlacedFrame[] = [];
  #told: { readonly frames: number; readonly header: Header | null } | null = null;
  readonly #sections = new Sections();
  /** A frame of a headless report says that it is one. Each frame is asked once: it matters with every line. */
  #telling = false;
  /** A frame of a trace has come. */
  #traced = false;
  /** The mark that a WARN() or an oops ends with, oops_exit() and __warn() in kernel/panic.c. */
  #marked = false;
  /** Names of modules may follow. */
  #modules = false;
  /** lockdep: how many frames came before those of the last link of the chain, which is the task's own trace. */
  #chain: number | null = null;
  /** The next frame is a place that a line names, not one of a trace. */
  #skipFrame = false;
  /** The lines are those of a program that got a signal meanwhile. */
  #program = false;
  readonly #locate: Locate | null;
  readonly #registers: Registers;
  readonly #locks: Locks;
  readonly #clues: Clues;
  /** What a Rust panic said, which a tracker titles the report by. */
  readonly #rustMessage: string | null;
  readonly #task: Task;
  /** A line of which only the beginning has been read: the header at first. */
  #previous: string;
  #followUps: FollowUp[] = [];
  /** The last follow-up is a fault of which die() has not spoken yet. */
  #fault = false;

  constructor(
    header: Header,
    place: { line: number; time: number | null; caller: string | null; atStart: boolean; kernel: boolean },
    before: readonly string[],
    locate: Locate | null,
  ) {
    this.#locate = locate;
    this.header = located(header, locate);
    this.line = place.line;
    this.time = place.time;
    this.caller = place.caller;
    this.atStart = place.atStart;
    this.kernel = place.kernel;
    this.lastLine = place.line;
    this.lastTime = place.time;
    this.die = header.die;
    this.#kind = header.kind;
    this.#registers = new Registers(locate);
    this.#task = new Task(header, header.kind);
    this.#locks = new Locks(this.#task);
    this.#clues = new Clues(header.source, this.#task, this.#registers);
    this.#previous = before.at(-1) ?? '';
    this.#rustMessage = before[0]?.startsWith(RUST_PANIC) === true ? (before[1] ?? null) : null;
    for (const text of before) this.#keep(text);
    if (header.kind === 'rcu-stall') this.#task.readStall(this.#previous);
  }

  get fatal(): boolean {
    if (this.header === HEADLESS)
      return this.#died || isFatal(this.#report()?.kind ?? this.#called?.kind ?? this.#kind);
    return (isFatal(this.#kind) || this.die !== null) && !this.header.survives;
  }

  /** What a trace without a beginning is called, where it may be that. */
  get #called(): Header | null {
    return mayBeAnnounced(this.#frames[0]?.frame.function) ? this.announced : null;
  }

  /** What a trace without a beginning is the trace of, asked anew only where frames have come. */
  #report(): Header | null {
    const { length } = this.#frames;
    if (this.#told?.frames !== length) this.#told = { frames: length, header: reportOf(this.traceNames) };
    return this.#told.header;
  }

  /**
   * Registers that come after frames of a report which no exception made are those of what was interrupted (an
   * exception prints them first); and those of another CPU are not the report's.
   */
  get #interrupted(): boolean {
    if (this.#sections.isBystander) return true;
    if (this.header === HEADLESS) return this.#traced;
    return (DUMPED.has(this.#kind) || this.header.survives) && this.#frames.length > 0;
  }

  get kind(): CrashKind {
    return this.#kind;
  }

  /** Whether anything but the header says that there was a crash. */
  get evident(): boolean {
    if (this.header === HEADLESS)
      return (
        !this.#registers.userMode &&
        (this.#frames.length > 1
          ? this.#registers.pc !== null ||
            this.#registers.general ||
            this.#died ||
            this.#telling ||
            this.#marked ||
            this.#frames[0]?.frame.interrupted === true ||
            this.#called !== null
          : this.#registers.places)
      );
    return (
      this.#frames.length > 0 ||
      this.#registers.pcSeen ||
      this.#task.seen ||
      this.#clues.access !== null ||
      (this.#locks.told && this.#kind === 'lockdep') ||
      this.ended ||
      this.die !== null ||
      this.panicked
    );
  }

  /**
   * Only die() prints the code around the pc on arm64 and arm, with the instruction in parentheses; and tasks exit
   * after it.
   */
  get #died(): boolean {
    return DIED_CODE.test(this.#registers.code ?? '') || this.#clues.exited;
  }

  /** Something fatal came of a report that the kernel survives. */
  get ledToFatal(): boolean {
    return this.#followUps.some(({ kind }) => isFatal(kind));
  }

  /** @param dies the line is die()'s, which only ends the sentence that a fault's header began */
  addFollowUp(followUp: FollowUp, dies: boolean): void {
    const last = this.#followUps.at(-1);
    const continues = dies && this.#fault && last !== undefined;
    this.#fault = !dies && isFatal(followUp.kind);
    if (continues) return;
    // What follows is the trace of the watchdog, or of another report.
    const isTraced = this.#traced && this.header !== HEADLESS;
    if (isTraced || (this.#kind === 'hung-task' && followUp.kind === 'panic')) this.#sections.beginBystander();
    if (this.#followUps.length < MAX_FOLLOW_UPS) this.#followUps.push(followUp);
  }

  /** Takes the next record of the report's context; true when it belongs to the report. */
  take(text: string, line: number, time: number | null): boolean {
    const broken = BROKEN_FRAME.test(this.#previous);
    // Some web pages put an empty line between any two.
    if (text === '' && time === null && (this.total === 0 || broken)) return false;
    this.total += 1;
    // Mail programs wrap lines: the rest of one has no time stamp where all others have.
    const fold = time === null && this.#previous !== '';
    const rest = fold && this.time !== null && this.total > 1 ? `${this.#previous} ${text}` : null;
    const member =
      (fold && this.total === 1 && this.#widen(text)) ||
      (broken && this.#read(this.#previous + text.trimStart())) ||
      // Terminals break lines anywhere, also within a word.
      (rest !== null && (this.#readContext(this.#previous + text) || this.#read(rest))) ||
      this.#read(text);
    // A decoded place goes on over several lines until its parenthesis closes.
    const open = rest !== null && rest.length < MAX_TEXT_LENGTH && INCOMPLETE.test(rest);
    this.#previous = open ? rest : member && !INCOMPLETE.test(text) && !BROKEN_FRAME.test(text) ? '' : text;
    if (member) this.#modules = text.startsWith('Modules linked in:');
    if (member) {
      this.gap = 0;
      this.lastLine = line;
      if (time !== null && time > (this.lastTime ?? 0)) this.lastTime = time;
      this.#keep(text);
    } else if (!(this.#modules && time === null && MODULE_NAMES.test(text)) && (this.time === null || time !== null)) {
      // What programs write between the kernel's lines does not end a report.
      this.gap += 1;
    }
    return member;
  }

  /** The header's own line goes on in the next. */
  #widen(rest: string): boolean {
    const { frame, address, source, comm } = this.header;
    if (WITHIN_NAME.test(this.#previous) && NAME_END.test(rest)) {
      // Two parts of a name are none; the trace has the whole of it.
      this.header = { ...this.header, frame: null };
      return true;
    }
    // Without time stamps it need not be a rest: only where something was missing, and is found so.
    if (this.time === null && (frame ?? address ?? source ?? comm) !== null) return false;
    const header = (findHeader(`${this.#previous} ${rest}`) ?? findHeader(this.#previous + rest))?.header;
    if (header === undefined || header.lead.split(' ', 1)[0] !== this.header.lead.split(' ', 1)[0]) return false;
    // A word that begins a sentence is no function.
    if (header.frame?.offset === null && /^\S+ [^(]/.test(rest.trim())) return false;
    if (header.frame === frame && header.address === address && header.source === source && header.comm === comm)
      return false;
    this.header = located(header, this.#locate);
    this.#kind = header.kind;
    this.#task.complete(header);
    this.#clues.source ??= header.source;
    return true;
  }

  /**
   * A symbolised report has a header for each function that was inlined; the last one names what stands in the trace.
   */
  takeHeader(header: Header): void {
    this.header = located(header, this.#locate);
    this.#kind = header.kind;
    this.#task.complete(header);
  }

  #keep(text: string): void {
    if (this.#text.length < MAX_TEXT_LINES) this.#text.push(text.slice(0, MAX_TEXT_LENGTH));
  }

  #read(raw: string): boolean {
    const marked = raw.trimStart();
    const text = this.#sections.takeMark(marked);
    if (text === '' && marked !== '') return true;
    if (this.#isOfProgram(text)) return false;
    if (text.startsWith('Preemption disabled at')) {
      this.#skipFrame = !text.includes('+0x');
      this.#locks.atomic ??= findFrame(text.slice(text.indexOf(':') + 1));
      return true;
    }
    if (IRQ_FLAGS.test(text)) {
      this.#skipFrame = text.trimEnd().endsWith(']');
      return true;
    }
    if (text.startsWith('-> #')) {
      if (this.header === HEADLESS) this.announced = ANNOUNCED_CHAIN;
      if (text.startsWith('-> #0 ')) this.#chain = this.#frames.length;
    }
    if (HELD_AT.test(text)) {
      this.#skipFrame = true;
      return true;
    }
    const frames = parseTraceLine(text);
    if (frames !== null && this.#skipFrame) {
      this.#skipFrame = false;
      this.#locks.atomic = frames[0] ?? null;
      return true;
    }
    if (frames !== null) {
      if (frames[0] !== undefined) this.#locks.takeFrame(frames[0], this.#kind);
      // arm names every caller twice: as the one that called, and in the next line as the one that was called.
      const again = frames.length === 2 && this.#frames.at(-1)?.frame.function === frames[0]?.function;
      for (const frame of again ? frames.slice(1) : frames) this.#place(frame, 'trace');
      return true;
    }
    if (END_PANIC.test(text)) {
      this.ended = true;
      this.panicked = true;
      return true;
    }
    if (END_TRACE.test(text)) {
      this.ended = true;
      this.#marked = true;
      return true;
    }
    return (
      this.#registers.read(text, this.#interrupted, (frame) =>
        this.#place(frame, this.#interrupted ? 'trace' : 'pc'),
      ) ||
      this.#readContext(text) ||
      this.#locks.read(text, { kind: this.#kind, lead: this.header.lead, frames: this.#frames.length }) ||
      this.#sections.read(text, this.#kind) ||
      this.#readRule(text) ||
      MEMBER.test(text)
    );
  }

  /** Whether the line tells of a program that got a signal: its registers, mostly without a trace. */
  #isOfProgram(text: string): boolean {
    if (OF_PROGRAM.test(text)) this.#program = true;
    else if (this.#program && (OWN_SECTION.test(text) || parseTraceLine(text) !== null)) this.#program = false;
    return this.#program;
  }

  #place(frame: TraceFrame, role: 'pc' | 'trace'): void {
    if (this.#frames.length < MAX_FRAMES) {
      this.#traced ||= role === 'trace';
      if (this.header === HEADLESS && !this.#telling)
        this.#telling = isTelling(frame.function, this.#frames.length === 0);
      this.#frames.push({
        frame: withSource(frame, this.#locate),
        role,
        section: this.#sections.name,
        interrupt: this.#sections.isInterrupt,
      });
    }
  }

  #readContext(text: string): boolean {
    if (this.#isNoticedBy(text)) this.#sections.beginBystander();
    if (DYING.test(text)) this.#clues.exited = true;
    if (this.#kind === 'rcu-stall') this.#sections.noteCpu(text, this.#task.stalled);
    const told = this.#task.read(text, !this.#sections.isBystander);
    if (told === 'cpu') this.#sections.beginCpu();
    if (told !== null) return true;
    if (this.#kind === 'rcu-stall' && this.#task.readStall(text)) return true;
    if (text.startsWith('KASAN: ')) {
      if (this.header === HEADLESS) this.announced ??= announcedByRange(text);
      if (text.startsWith('KASAN: null-ptr-deref in range') && this.fatal) this.#kind = 'null-deref';
      return true;
    }
    return this.#clues.read(text, this.#kind);
  }

  /** The CPU whose trace follows is not the one that is stuck: a neighbour looks after it (kernel/watchdog_buddy.c). */
  #isNoticedBy(text: string): boolean {
    if (this.#kind !== 'hard-lockup' || this.header.cpu === null) return false;
    const cpu = CPU_LINE.exec(text)?.[1];
    return cpu !== undefined && Number(cpu) !== this.header.cpu;
  }

  /** Lines that are drawn. */
  #readRule(text: string): boolean {
    if (/^={10,}$/.test(text)) {
      // The rule below a sanitizer's report; the one above it comes before the header.
      if (this.#frames.length > 0) this.ended = true;
      return true;
    }
    return /^-{10,}$/.test(text);
  }

  /** The crash event; null when the block is only a piece of prose that looks like a header. */
  finish(cut: boolean, probing: Crash['probing']): Crash | null {
    if (!this.evident && !this.#standsAlone()) return null;
    const headless = this.header === HEADLESS;
    if (headless) {
      // What the trace goes through says what the report is of.
      this.header = this.#report() ?? this.#called ?? (this.#died ? DIED : HEADLESS);
      this.#kind = this.header.kind;
    }
    return crashOf({
      line: this.line,
      lastLine: this.lastLine,
      time: this.time,
      kind: this.#kind,
      fatal: this.fatal,
      truncated: headless || (cut && !this.ended && !this.#complete()),
      header: this.header,
      frames: this.#ownFrames(),
      registers: this.#registers,
      locks: this.#locks,
      task: this.#task,
      named: this.#clues.named ?? this.#locks.named,
      access: this.#clues.access,
      source: this.#clues.source,
      rustMessage: this.#rustMessage,
      text: this.#text,
      followUps: this.#followUps,
      probing,
    });
  }

  /** The frames; where a person left out lockdep's `stack backtrace`, the last link of the chain has the same. */
  #ownFrames(): readonly PlacedFrame[] {
    const chain = this.#chain;
    if (chain === null || this.#frames.some(({ section }) => section === 'own')) return this.#frames;
    return this.#frames.map((placed, n) => (n < chain ? placed : { ...placed, section: 'own' }));
  }

  get traceNames(): readonly string[] {
    return this.#frames.map((placed) => placed.frame.function);
  }

  #standsAlone(): boolean {
    if (!this.atStart || !this.header.sure) return false;
    const { header } = this;
    return (
      this.kernel ||
      header.kind === 'panic' ||
      header.rule === 'header' ||
      header.address !== null ||
      header.frame !== null ||
      header.source !== null ||
      header.pid !== null ||
      header.cpu !== null
    );
  }

  /** Reports without an end mark of their own are complete when their trace was printed. */
  #complete(): boolean {
    if (this.panicked) return true;
    const marked = this.fatal || this.header.lead.startsWith('WARNING');
    return !marked || this.#kind === 'lockdep' ? this.#frames.length > 0 || this.header.rule === 'header' : false;
  }
}
