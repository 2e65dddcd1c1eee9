import type { CrashKind } from '../model/crash.ts';
import type { Header } from './headers/header.ts';
import { CPU_LINE, OLD_PID, WORKQUEUE } from './patterns.ts';

/**
 * print_other_cpu_stall() and print_cpu_stall(), kernel/rcu/tree_stall.h: `0-...0: (5 ticks this GP)`; until 4.x `{ 0
 * 1}`.
 */
const STALLED = /^(?:rcu: )?\s*(\d{1,5})-[.O!?o\w]{2,4}: \(/;
const STALLED_OLD = /stalls? on CPUs?(?:\/tasks)?:? \{([^}]{0,200})\}/;
const ONE_STALLED = /(?:self-detected|detected) stall on CPU(?: \{ ?(\d{1,5})\}| (\d{1,5}) \(|$)/;
const MAX_STALLED = 256;

/** Who ran into a report, and where: the task, its CPU and its work item. */
export class Task {
  comm: string | null;
  pid: number | null;
  cpu: number | null;
  workqueue: string | null = null;
  /** The report has shown a task of its own. */
  seen = false;
  /** CPUs that an RCU stall is about. */
  readonly stalled: number[] = [];
  readonly #hung: boolean;
  #cpuSeen = false;

  constructor({ comm, pid, cpu }: Header, kind: CrashKind) {
    this.comm = comm;
    this.pid = pid;
    this.cpu = cpu;
    this.#hung = kind === 'hung-task';
  }

  /** Takes what a header that was read anew says in addition. */
  complete({ comm, pid, cpu }: Header): void {
    this.comm ??= comm;
    this.pid ??= pid;
    this.cpu ??= cpu;
  }

  /** `cpu`: the line names a task and its CPU; `other`: it says something else of them. */
  read(text: string, own: boolean): 'cpu' | 'other' | null {
    const cpu = CPU_LINE.exec(text);
    if (cpu !== null) {
      if (own) this.#set(Number(cpu[1]), Number(cpu[2]), cpu[3] ?? null);
      return 'cpu';
    }
    const old = OLD_PID.exec(text);
    if (old !== null) {
      if (own) this.#set(null, Number(old[1] ?? old[4]), old[2] ?? old[3] ?? null);
      return 'other';
    }
    const workqueue = WORKQUEUE.exec(text);
    if (workqueue === null) return null;
    if (own) this.workqueue ??= workqueue[1] ?? null;
    return 'other';
  }

  /** Whether the line of an RCU stall's report names CPUs that do not answer. */
  readStall(text: string): boolean {
    const one = STALLED.exec(text);
    const old = one === null ? STALLED_OLD.exec(text) : null;
    const self = ONE_STALLED.exec(text);
    const names = one?.[1] ?? old?.[1]?.replace(/P\d+/g, '') ?? self?.[1] ?? self?.[2] ?? '';
    for (const [, number] of names.matchAll(/(?:^|[ ,{])(\d{1,5})(?:-[.O!?o\w]{2,4}:?)?(?=[ ,}]|$)/g)) {
      if (number !== undefined && this.stalled.length < MAX_STALLED && !this.stalled.includes(Number(number)))
        this.stalled.push(Number(number));
    }
    return one !== null;
  }

  #set(cpu: number | null, pid: number, comm: string | null): void {
    // A hung task's header names the task; the CPU lines of its report are the watchdog's.
    if (!this.seen && !(this.#hung && this.pid !== null)) {
      this.pid = pid;
      this.comm = comm === null ? null : comm.trim();
      this.seen = true;
    }
    if (!this.#cpuSeen && cpu !== null && !this.#hung) {
      this.cpu = cpu;
      this.#cpuSeen = true;
    }
  }
}
