import type { CrashKind } from '../model/crash.ts';
import { findFrame, type TraceFrame } from './frame.ts';
import { LOCK_AT, LOCK_AWAITS } from './patterns.ts';
import type { Task } from './task.ts';

/** What of the report matters to its lines about locks; `frames` is how many have been read. */
interface Report {
  readonly kind: CrashKind;
  readonly lead: string;
  readonly frames: number;
}

/** Above the drawing of who waits for whom: print_deadlock_scenario() and its like, kernel/locking/lockdep.c. */
const SCENARIO = /^Possible (?:interrupt )?unsafe locking scenario:$/;

/** The functions that take the lock and hold the other one. */
const MOST_PLACES = 2;

/** What a report of the lock validator says of locks: which function the report is about, and who takes what. */
export class Locks {
  /** The function that wants the lock, or changed its state. */
  named: TraceFrame | null = null;
  /** The functions that want the lock and hold the other one, as lines before the trace name them. */
  readonly places: TraceFrame[] = [];
  /** The function that took the last of the locks that are held, or that disabled preemption. */
  atomic: TraceFrame | null = null;
  /** How many frames came before those of the place where a lock became unsafe. */
  became: number | null = null;
  readonly #task: Task;
  /** The next place is that of the lock that the report is about. */
  #awaited = false;
  #placeAwaited = false;
  #drawn = false;

  constructor(task: Task) {
    this.#task = task;
  }

  /** The validator's own words have been read: a place, or the drawing of how tasks block each other. */
  get told(): boolean {
    return this.#drawn || this.named !== null || this.atomic !== null || this.places.length > 0;
  }

  /** Whether the line is one of locks. */
  read(text: string, report: Report): boolean {
    const taker = /^(.{1,32})\/(\d{1,8}) is trying to (?:acquire|release) lock/.exec(text);
    if (taker !== null) {
      this.#task.comm ??= taker[1] ?? null;
      this.#task.pid ??= Number(taker[2]);
    }
    if (/already holding lock|trying to acquire lock/.test(text)) this.#placeAwaited = true;
    else if (text.startsWith('which became ')) this.became ??= report.frames;
    const at = this.#placeAwaited ? frameAt(text) : undefined;
    if (at !== undefined) {
      this.#placeAwaited = false;
      if (at !== null && this.places.length < MOST_PLACES) this.places.push(at);
    }
    if (report.frames === 0 && text.startsWith('#')) this.atomic = frameAt(text) ?? this.atomic;
    if (SCENARIO.test(text)) {
      this.#drawn = true;
      return true;
    }
    if (LOCK_AWAITS.test(text)) {
      if (this.named === null && !report.lead.endsWith('suspicious RCU usage')) this.#awaited = true;
      this.#lockAt(text, report.kind);
      return true;
    }
    if (this.#awaited || text.startsWith('#')) return this.#lockAt(text, report.kind);
    return false;
  }

  /** The place may stand in a line of its own, like a frame. */
  takeFrame(frame: TraceFrame, kind: CrashKind): void {
    if (!this.#awaited) return;
    this.#awaited = false;
    if (kind === 'lockdep') this.named ??= frame;
  }

  #lockAt(text: string, kind: CrashKind): boolean {
    const frame = frameAt(text);
    if (frame === undefined) return false;
    if (frame !== null) this.takeFrame(frame, kind);
    return true;
  }
}

/** The function after `at:`; undefined where the line has none, null where it is no function. */
function frameAt(text: string): TraceFrame | null | undefined {
  const at = LOCK_AT.exec(text);
  return at === null ? undefined : findFrame(at[1] ?? at[2] ?? at[3] ?? '');
}
