import type { CrashKind } from '../model/crash.ts';
import { findFrame, frameOf, type TraceFrame } from './frame.ts';
import { ACCESS } from './patterns.ts';
import type { Registers } from './registers.ts';
import type { Task } from './task.ts';

/** Single lines of a report that say something of it besides registers, traces and locks. */
export class Clues {
  /** A function that the text names: `caller is f`, `last function: f`. */
  named: TraceFrame | null = null;
  /** `Read` or `Write`, of a sanitizer's report. */
  access: string | null = null;
  source: string | null;
  /** The task exited: do_exit() says so after an oops, and __die() named it before. */
  exited = false;
  readonly #task: Task;
  readonly #registers: Registers;

  constructor(source: string | null, task: Task, registers: Registers) {
    this.source = source;
    this.#task = task;
    this.#registers = registers;
  }

  /** Whether the line is one of these. */
  read(text: string, kind: CrashKind): boolean {
    const access = ACCESS.exec(text);
    if (access !== null) {
      this.access ??= access[1] ?? null;
      this.#readAccess(text);
      return true;
    }
    if (/^note: .{1,64} exited with /.test(text)) {
      this.exited = true;
      return true;
    }
    if (text.startsWith('caller is ')) {
      this.named ??= findFrame(text.slice('caller is '.length));
      return true;
    }
    const last = /last function: ([A-Za-z_]\w{0,127})/.exec(text);
    if (last?.[1] !== undefined) {
      this.named ??= frameOf(last[1]);
      return true;
    }
    const suspicious = /^([\w./+-]{1,255}\.[chS]:\d{1,7}) (?:suspicious |Illegal |\S{1,80} )/.exec(text);
    if (suspicious?.[1] !== undefined && kind === 'lockdep') {
      this.source ??= suspicious[1];
      return true;
    }
    return false;
  }

  /** Where a sanitizer saw the access, and whose it was. */
  #readAccess(text: string): void {
    const where = / (?:at|of) addr (?:0x)?([0-9a-f]{4,16})/.exec(text);
    if (where?.[1] !== undefined) this.#registers.values.addr ??= where[1];
    const task = / by task (.{1,32})\/(\d{1,8})/.exec(text);
    if (task === null) return;
    this.#task.comm ??= task[1] ?? null;
    this.#task.pid ??= Number(task[2]);
  }
}
