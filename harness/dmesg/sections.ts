import type { CrashKind } from '../model/crash.ts';
import { BYSTANDER, CONTEXT, OTHER_SECTION, OWN_SECTION } from './patterns.ts';

/** Whose trace is being read: a report has one of its own, and others that explain it or only stand there. */
export class Sections {
  #name: 'own' | 'other' = 'own';
  /** The section is of another task than the one at fault: `Call trace:` does not end it. */
  #isBystander = false;
  #isInterrupt = false;

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

  /** A line without the mark of x86's stacks that it begins with. */
  takeMark(text: string): string {
    const mark = CONTEXT.exec(text);
    if (mark === null) return text;
    this.#isInterrupt = mark[1] === '' && (mark[2] === 'IRQ' || mark[2] === 'NMI' || mark[2] === 'SOFTIRQ');
    return text.slice(mark[0].length);
  }

  /** Whether the line says whose trace follows. */
  read(text: string, kind: CrashKind): boolean {
    if (BYSTANDER.test(text) || (kind === 'hung-task' && text.startsWith('NMI backtrace'))) {
      this.beginBystander();
      return true;
    }
    if (OWN_SECTION.test(text)) {
      if (!this.#isBystander || (kind !== 'hung-task' && /^NMI|^Task/.test(text))) {
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
