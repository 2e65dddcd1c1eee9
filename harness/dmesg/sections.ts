import type { CrashKind } from '../model/crash.ts';
import { BYSTANDER, CONTEXT, CPU_LINE, LAST_RAN, OTHER_SECTION, OWN_SECTION } from './patterns.ts';

/** A CPU whose backtrace follows. */
const OF_CPU = /^(?:NMI backtrace for cpu|Task dump for CPU) (\d{1,5})/;

/** Whose trace is being read: a report has one of its own, and others that explain it or only stand there. */
export class Sections {
  #name: 'own' | 'other' = 'own';
  /** The section is of another task than the one at fault: `Call trace:` does not end it. */
  #isBystander = false;
  #isInterrupt = false;
  /** What comes is the CPU where the grace-period kthread last ran: of the report only where that one is stuck. */
  #lastRan = false;

  get name(): 'own' | 'other' {
    return this.#name;
  }

  get isBystander(): boolean {
    return this.#isBystander;
  }

  /** Inside x86's <IRQ> or <NMI> marks. */
  get isInterrupt(): boolean {
    return this.#isInterrupt;
  }

  /** What follows is of another task than the one at fault. */
  beginBystander(): void {
    this.#name = 'other';
    this.#isBystander = true;
  }

  /** The line of a CPU: dump_stack() begins with it, and arm prints its trace without a heading. */
  beginCpu(): void {
    if (!this.#isBystander) this.#name = 'own';
  }

  /** @param stalled CPUs that an RCU stall is about */
  noteCpu(text: string, stalled: readonly number[]): void {
    const cpu = this.#lastRan ? (OF_CPU.exec(text) ?? CPU_LINE.exec(text))?.[1] : undefined;
    if (cpu === undefined || !stalled.includes(Number(cpu))) return;
    this.#lastRan = false;
    this.#isBystander = false;
    this.#name = 'own';
  }

  /** A line without the mark of x86's stacks that it begins with. */
  takeMark(text: string): string {
    const mark = CONTEXT.exec(text);
    if (mark === null) return text;
    this.#isInterrupt = mark[1] === '' && (mark[2] === 'IRQ' || mark[2] === 'NMI' || mark[2] === 'SOFTIRQ');
    return text.slice(mark[0].length);
  }

  /** Whether the line says whose trace follows. */
  read(text: string, kind: CrashKind): boolean {
    if (LAST_RAN.test(text)) {
      this.beginBystander();
      this.#lastRan = true;
      return true;
    }
    if (BYSTANDER.test(text) || (kind === 'hung-task' && text.startsWith('NMI backtrace'))) {
      this.beginBystander();
      return true;
    }
    if (OWN_SECTION.test(text)) {
      if (!this.#isBystander || (kind !== 'hung-task' && !this.#lastRan && OF_CPU.test(text))) {
        this.#name = 'own';
        this.#isBystander = false;
      }
      this.#isInterrupt = false;
      return true;
    }
    if (OTHER_SECTION.test(text)) {
      this.#name = 'other';
      this.#isInterrupt = false;
      return true;
    }
    return false;
  }
}
