import { type CrashKind, isFatal } from '../model/crash.ts';
import { blame, type PlacedFrame } from './blame.ts';
import type { Crash, FollowUp } from './events.ts';
import { findFrame, parseTraceLine, plainName, publicFrame, type TraceFrame } from './frame.ts';
import type { Header } from './headers/header.ts';
import { findHeader, HEADLESS } from './headers.ts';
import {
  ACCESS,
  BYSTANDER,
  CONTEXT,
  CPU_LINE,
  END_PANIC,
  END_TRACE,
  HEADLESS_LEADS,
  INCOMPLETE,
  LOCK_AT,
  LOCK_AWAITS,
  LR,
  MEMBER,
  OLD_PID,
  OTHER_SECTION,
  OWN_SECTION,
  PC,
  REGISTERS,
  TRAP,
  USER_PC,
  WORKQUEUE,
  ZERO_PC,
} from './patterns.ts';

/** Bounds of what one report may hold on to; a report with more is cut, not grown. */
const MAX_TEXT_LINES = 200;
const MAX_TEXT_LENGTH = 512;
const MAX_FRAMES = 400;
const MAX_REGISTERS = 80;
const MAX_FOLLOW_UPS = 32;

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
  #frames: PlacedFrame[] = [];
  #section: 'own' | 'other' = 'own';
  /** The section is of another task than the one at fault: `Call trace:` does not end it. */
  #bystander = false;
  #interrupt = false;
  /** The next frame is a place that a line names, not one of a trace. */
  #skipFrame = false;
  #pc: TraceFrame | null = null;
  #pcSeen = false;
  #pcZero = false;
  #lr: TraceFrame | null = null;
  #named: TraceFrame | null = null;
  #awaitsLock = false;
  #access: string | null = null;
  #registers: { [name: string]: string } = {};
  #registerCount = 0;
  #code: string | null = null;
  #comm: string | null;
  #pid: number | null;
  #cpu: number | null;
  #cpuSeen = false;
  #taskSeen = false;
  #workqueue: string | null = null;
  #source: string | null;
  /** A line of which only the beginning has been read: the header at first. */
  #previous: string;
  /** The registers are those of a program: show_regs() for an unhandled signal, arch/arm. */
  #userMode = false;
  #followUps: FollowUp[] = [];

  constructor(
    header: Header,
    place: { line: number; time: number | null; caller: string | null; atStart: boolean; kernel: boolean },
    before: readonly string[],
  ) {
    this.header = header;
    this.line = place.line;
    this.time = place.time;
    this.caller = place.caller;
    this.atStart = place.atStart;
    this.kernel = place.kernel;
    this.lastLine = place.line;
    this.lastTime = place.time;
    this.die = header.die;
    this.#kind = header.kind;
    this.#comm = header.comm;
    this.#pid = header.pid;
    this.#cpu = header.cpu;
    this.#source = header.source;
    this.#previous = before.at(-1) ?? '';
    for (const text of before) this.#keep(text);
  }

  get fatal(): boolean {
    return (isFatal(this.#kind) || this.die !== null) && !this.header.survives;
  }

  get kind(): CrashKind {
    return this.#kind;
  }

  /** Whether anything but the header says that there was a crash. */
  get evident(): boolean {
    if (this.header === HEADLESS)
      return !this.#userMode && this.#frames.length > 1 && (this.#pc !== null || this.#traps());
    return (
      this.#frames.length > 0 || this.#pcSeen || this.#taskSeen || this.ended || this.die !== null || this.panicked
    );
  }

  /** What a report without a beginning is of, by the functions that its trace goes through. */
  #guess(): CrashKind {
    const names = this.#frames.map(({ frame }) => frame.function);
    if (names.some((name) => /^v?panic$/.test(name))) return 'panic';
    if (names.some((name) => /^(?:warn_slowpath_\w+|__warn)$/.test(name))) return 'warning';
    return this.#traps() ? 'oops' : 'other';
  }

  /** The trace goes through what handles a fault, a warning or a panic. */
  #traps(): boolean {
    return this.#frames.some(({ frame }) => TRAP.test(frame.function));
  }

  addFollowUp(followUp: FollowUp): void {
    if (this.#kind === 'hung-task' && followUp.kind === 'panic') {
      // What follows is the trace of the watchdog.
      this.#section = 'other';
      this.#bystander = true;
    }
    if (this.#followUps.length < MAX_FOLLOW_UPS) this.#followUps.push(followUp);
  }

  /** Takes the next record of the report's context; true when it belongs to the report. */
  take(text: string, line: number, time: number | null): boolean {
    this.total += 1;
    // Mail programs wrap lines: the rest of one has no time stamp where all others have.
    const rest = this.time !== null && time === null && this.#previous !== '' ? `${this.#previous} ${text}` : null;
    const member = (rest !== null && (this.total === 1 ? this.#widen(rest) : this.#read(rest))) || this.#read(text);
    this.#previous = member && !INCOMPLETE.test(text) ? '' : text;
    if (member) {
      this.gap = 0;
      this.lastLine = line;
      if (time !== null && time > (this.lastTime ?? 0)) this.lastTime = time;
      this.#keep(text);
    } else {
      this.gap += 1;
    }
    return member;
  }

  /** The header's own line goes on in the next. */
  #widen(text: string): boolean {
    const header = findHeader(text)?.header;
    if (header === undefined || header.lead.split(' ', 1)[0] !== this.header.lead.split(' ', 1)[0]) return false;
    const { frame, address, source, comm } = this.header;
    if (header.frame === frame && header.address === address && header.source === source && header.comm === comm)
      return false;
    this.header = header;
    this.#kind = header.kind;
    this.#comm ??= header.comm;
    this.#pid ??= header.pid;
    this.#cpu ??= header.cpu;
    this.#source ??= header.source;
    return true;
  }

  #keep(text: string): void {
    if (this.#text.length < MAX_TEXT_LINES) this.#text.push(text.slice(0, MAX_TEXT_LENGTH));
  }

  #read(raw: string): boolean {
    let text = raw.trimStart();
    const mark = CONTEXT.exec(text);
    if (mark !== null) {
      this.#interrupt = mark[1] === '' && (mark[2] === 'IRQ' || mark[2] === 'NMI' || mark[2] === 'SOFTIRQ');
      text = text.slice(mark[0].length);
      if (text === '') return true;
    }
    if (text.startsWith('Preemption disabled at')) {
      this.#skipFrame = !text.includes('+0x');
      return true;
    }
    const frames = parseTraceLine(text);
    if (frames !== null && this.#skipFrame) {
      this.#skipFrame = false;
      return true;
    }
    if (frames !== null) {
      if (this.#awaitsLock && frames[0] !== undefined) this.#nameLock(frames[0]);
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
      return true;
    }
    return (
      this.#readRegisters(text) ||
      this.#readContext(text) ||
      this.#readLocks(text) ||
      this.#readSections(text) ||
      MEMBER.test(text)
    );
  }

  #place(frame: TraceFrame, role: 'pc' | 'trace'): void {
    if (this.#frames.length < MAX_FRAMES) {
      this.#frames.push({ frame, role, section: this.#section, interrupt: this.#interrupt });
    }
  }

  #readRegisters(text: string): boolean {
    const pc = PC.exec(text);
    if (pc !== null && !USER_PC.test(text)) {
      const where = text.slice(pc[0].length);
      const frame = findFrame(where);
      if (frame === null && !ZERO_PC.test(where) && !/^(?:0x)?[0-9a-f]|^\[<|^<|^[0-9a-f]{4}/.test(where)) return false;
      if (frame !== null) this.#place(frame, 'pc');
      if (!this.#pcSeen || (this.#pc === null && !this.#pcZero && frame !== null)) {
        this.#pc = frame;
        this.#pcZero = frame === null && ZERO_PC.test(where);
      }
      this.#pcSeen = true;
      return true;
    }
    if (USER_PC.test(text)) return true;
    const lr = LR.exec(text);
    if (lr !== null) {
      this.#lr ??= findFrame(text.slice(lr[0].length));
      return true;
    }
    if (text.startsWith('Code:') || text.startsWith('Code :')) {
      this.#code ??= text.slice(text.indexOf(':') + 1).trim();
      return true;
    }
    if (/\bMode USER_\d\d\b|Segment user$/.test(text)) {
      this.#userMode = true;
      return true;
    }
    if (!text.includes(':')) return false;
    let found = false;
    REGISTERS.lastIndex = 0;
    for (let match = REGISTERS.exec(text); match !== null; match = REGISTERS.exec(text)) {
      const [, name, value] = match;
      if (
        name === undefined ||
        value === undefined ||
        !/^(?:[rx]\d{1,2}|sp|pc|lr|[RE][A-Z0-9]{2}|CR\d|[astg]\d{1,2}|gp|tp|ra|epc)$/.test(name)
      )
        continue;
      found = true;
      if (this.#registerCount >= MAX_REGISTERS || this.#registers[name] !== undefined) continue;
      this.#registers[name] = value;
      this.#registerCount += 1;
    }
    return found;
  }

  #readContext(text: string): boolean {
    const cpu = CPU_LINE.exec(text);
    if (cpu !== null) {
      // dump_stack() begins here; arm prints its trace without a heading.
      if (!this.#bystander) this.#section = 'own';
      this.#setContext(Number(cpu[1]), Number(cpu[2]), cpu[3] ?? null);
      return true;
    }
    const old = OLD_PID.exec(text);
    if (old !== null) {
      this.#setContext(null, Number(old[1] ?? old[4]), old[2] ?? old[3] ?? null);
      return true;
    }
    const workqueue = WORKQUEUE.exec(text);
    if (workqueue !== null) {
      this.#workqueue ??= workqueue[1] ?? null;
      return true;
    }
    const access = ACCESS.exec(text);
    if (access !== null) {
      this.#access ??= access[1] ?? null;
      const where = / (?:at|of) addr (?:0x)?([0-9a-f]{4,16})/.exec(text);
      if (where?.[1] !== undefined) this.#registers.addr ??= where[1];
      const task = / by task (.{1,32})\/(\d{1,8})/.exec(text);
      if (task !== null) {
        this.#comm ??= task[1] ?? null;
        this.#pid ??= Number(task[2]);
      }
      return true;
    }
    if (text.startsWith('KASAN: ')) {
      if (text.startsWith('KASAN: null-ptr-deref in range') && this.fatal) this.#kind = 'null-deref';
      return true;
    }
    if (text.startsWith('caller is ')) {
      this.#named ??= findFrame(text.slice('caller is '.length));
      return true;
    }
    const last = /last function: ([A-Za-z_]\w{0,127})/.exec(text);
    if (last?.[1] !== undefined) {
      this.#named ??= {
        function: last[1],
        offset: null,
        size: null,
        module: null,
        source: null,
        reliable: true,
        interrupted: false,
      };
      return true;
    }
    const suspicious = /^([\w./+-]{1,255}\.[chS]:\d{1,7}) (?:suspicious |Illegal |\S{1,80} )/.exec(text);
    if (suspicious?.[1] !== undefined && this.#kind === 'lockdep') {
      this.#source ??= suspicious[1];
      return true;
    }
    return false;
  }

  #setContext(cpu: number | null, pid: number, comm: string | null): void {
    // A hung task's header names the task; the CPU lines of its report are the watchdog's.
    const first = !this.#taskSeen && !(this.#kind === 'hung-task' && this.#pid !== null);
    if (first) {
      this.#pid = pid;
      this.#comm = comm === null ? null : comm.trim();
      this.#taskSeen = true;
    }
    if (!this.#cpuSeen && cpu !== null && this.#kind !== 'hung-task') {
      this.#cpu = cpu;
      this.#cpuSeen = true;
    }
  }

  #readLocks(text: string): boolean {
    if (LOCK_AWAITS.test(text)) {
      if (this.#named === null && this.header.rule !== 'rcu-usage') this.#awaitsLock = true;
      this.#lockAt(text);
      return true;
    }
    if (this.#awaitsLock || text.startsWith('#')) return this.#lockAt(text);
    return false;
  }

  #lockAt(text: string): boolean {
    const at = LOCK_AT.exec(text);
    if (at === null) return false;
    const frame = findFrame(at[1] ?? at[2] ?? at[3] ?? '');
    if (frame !== null && this.#awaitsLock) this.#nameLock(frame);
    return true;
  }

  #nameLock(frame: TraceFrame): void {
    this.#awaitsLock = false;
    if (this.#kind === 'lockdep') this.#named ??= frame;
  }

  #readSections(text: string): boolean {
    if (BYSTANDER.test(text) || (this.#kind === 'hung-task' && text.startsWith('NMI backtrace'))) {
      this.#section = 'other';
      this.#bystander = true;
      return true;
    }
    if (OWN_SECTION.test(text)) {
      if (!this.#bystander || (this.#kind !== 'hung-task' && /^NMI|^Task/.test(text))) {
        this.#section = 'own';
        this.#bystander = false;
      }
      this.#interrupt = false;
      return true;
    }
    if (OTHER_SECTION.test(text)) {
      this.#section = 'other';
      this.#interrupt = false;
      return true;
    }
    if (/^={10,}$/.test(text)) {
      // The rule below a sanitizer's report; the one above it comes before the header.
      if (this.#frames.length > 0) this.ended = true;
      return true;
    }
    if (/^-{10,}$/.test(text)) return true;
    return false;
  }

  /** The crash event; null when the block is only a piece of prose that looks like a header. */
  finish(cut: boolean, probing: Crash['probing']): Crash | null {
    if (!this.evident && !this.#standsAlone()) return null;
    const kind = this.header === HEADLESS ? this.#guess() : this.#kind;
    this.#kind = kind;
    const blamed = blame({
      kind,
      header: this.header,
      named: this.#named,
      pc: this.#pc,
      lr: this.#lr,
      frames: this.#frames,
    });
    const named = this.header.named || this.header.rule === 'header' ? blamed : kind === 'panic' ? null : blamed;
    const name = named === null ? null : plainName(named.function);
    const title = this.#title(name);
    return {
      event: 'crash',
      line: this.line,
      time: this.time,
      kind,
      fatal: this.fatal,
      title,
      signature: `${kind}: ${title}`,
      function: name,
      offset: named?.offset ?? null,
      module: named?.module ?? null,
      address: this.#address(),
      comm: this.#comm,
      pid: this.#pid,
      cpu: this.#cpu,
      workqueue: this.#workqueue,
      pc: this.#pc === null ? null : publicFrame(this.#pc),
      lr: this.#lr === null ? null : publicFrame(this.#lr),
      trace: this.#frames
        .filter((placed) => placed.role === 'trace' && placed.section === 'own')
        .map((placed) => publicFrame(placed.frame)),
      code: this.#code,
      registers: this.#registers,
      source: this.#source,
      lastLine: this.lastLine,
      text: this.#text,
      followUps: this.#followUps,
      truncated: this.header === HEADLESS || (cut && !this.ended && !this.#complete()),
      probing,
    };
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
      header.cpu !== null
    );
  }

  #title(name: string | null): string {
    const lead = this.header === HEADLESS ? (HEADLESS_LEADS[this.#kind] ?? HEADLESS.lead) : this.header.lead;
    const access =
      lead.startsWith('KASAN: ') && (this.#access === 'Read' || this.#access === 'Write') ? ` ${this.#access}` : '';
    const freed = /^KASAN: (?:double-free|invalid-free)/.test(lead);
    const first = freed ? lead : `${lead}${access}`;
    return this.header.named && name !== null ? `${first} in ${name}` : first;
  }

  #address(): string | null {
    if (this.header.address !== null) return this.header.address;
    const text = this.#registers.addr;
    return text === undefined ? null : `0x${text.replace(/^0+(?=.)/, '')}`;
  }

  /** Reports without an end mark of their own are complete when their trace was printed. */
  #complete(): boolean {
    if (this.panicked) return true;
    const marked = this.fatal || this.header.lead.startsWith('WARNING');
    return !marked || this.#kind === 'lockdep' ? this.#frames.length > 0 || this.header.rule === 'header' : false;
  }
}
