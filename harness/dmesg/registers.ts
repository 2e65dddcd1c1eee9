import { oneOf } from '../regex.ts';
import { findFrame, type Locate, type TraceFrame, withSource } from './frame.ts';
import { LR, PC, REGISTERS, USER_PC, ZERO_PC } from './patterns.ts';

const MAX_REGISTERS = 80;
const NAMED = /^(?:[rx]\d{1,2}|sp|pc|lr|[RE][A-Z0-9]{2}|CR\d|[astg]\d{1,2}|gp|tp|ra|epc|BadVA)$/;
/** show_pte(), arch/arm64/mm/fault.c, and s390's dump_fault_info(): the faulting address once more. */
const FAULT_ADDRESS = new RegExp(
  `^${oneOf(
    /\[([0-9a-f]{16})\] (?:user address|address between|virtual address|pgd=|\*?pgd)/,
    /Failing address: (?:0x)?([0-9a-f]{16})/,
  )}`,
);

/** What a report says of the registers: where it was, where it came from, and the code there. */
export class Registers {
  pc: TraceFrame | null = null;
  lr: TraceFrame | null = null;
  code: string | null = null;
  readonly values: { [name: string]: string } = {};
  pcSeen = false;
  /** The registers are those of a program: show_regs() for an unhandled signal, arch/arm. */
  userMode = false;
  readonly #locate: Locate | null;
  #zero = false;
  #count = 0;

  constructor(locate: Locate | null) {
    this.#locate = locate;
  }

  /** Those of arm64's kernel mode were printed; x86 ends each trace with those of the program. */
  get general(): boolean {
    return this.values.x0 !== undefined;
  }

  /** The registers were printed with both of the places that they name. */
  get places(): boolean {
    return this.pc !== null && this.lr !== null && this.#count > 0;
  }

  /**
   * Whether the line is one of registers; the frame of a pc is given to `place`. `interrupted`: the registers are not
   * those of the report, but of what an interrupt had interrupted.
   */
  read(text: string, interrupted: boolean, place: (frame: TraceFrame) => void): boolean {
    return this.#readPlaces(text, interrupted, place) || this.#readValues(text);
  }

  #readPlaces(text: string, interrupted: boolean, place: (frame: TraceFrame) => void): boolean {
    const pc = PC.exec(text);
    if (pc !== null && !USER_PC.test(text)) {
      const where = text.slice(pc[0].length);
      const frame = this.#frame(where);
      if (frame === null && !ZERO_PC.test(where) && !/^(?:0x)?[0-9a-f]|^\[<|^<|^[0-9a-f]{4}/.test(where)) return false;
      if (frame !== null) place(frame);
      if (interrupted) return true;
      if (!this.pcSeen || (this.pc === null && !this.#zero && frame !== null)) {
        this.pc = frame;
        this.#zero = frame === null && ZERO_PC.test(where);
      }
      this.pcSeen = true;
      return true;
    }
    if (USER_PC.test(text)) return true;
    const lr = LR.exec(text);
    if (lr !== null) {
      this.lr ??= this.#frame(text.slice(lr[0].length));
      return true;
    }
    if (text.startsWith('Code:') || text.startsWith('Code :')) {
      this.code ??= text.slice(text.indexOf(':') + 1).trim();
      return true;
    }
    if (/\bMode USER_\d\d\b|Segment user$/.test(text)) {
      this.userMode = true;
      return true;
    }
    const address = FAULT_ADDRESS.exec(text);
    if (address === null) return false;
    this.values.addr ??= address[1] ?? address[2] ?? '';
    return true;
  }

  #frame(text: string): TraceFrame | null {
    const frame = findFrame(text.startsWith('"') ? text.slice(1) : text);
    return frame === null ? null : withSource(frame, this.#locate);
  }

  #readValues(text: string): boolean {
    if (!text.includes(':')) return false;
    let found = false;
    REGISTERS.lastIndex = 0;
    for (let match = REGISTERS.exec(text); match !== null; match = REGISTERS.exec(text)) {
      const [, name, value] = match;
      if (name === undefined || value === undefined || !NAMED.test(name)) continue;
      found = true;
      if (this.#count >= MAX_REGISTERS || this.values[name] !== undefined) continue;
      this.values[name] = value;
      this.#count += 1;
    }
    return found;
  }
}
