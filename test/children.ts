import { readdirSync, readFileSync } from 'node:fs';
import { QEMU } from '../harness/qemu/command.ts';

/** What the kernel keeps of a command's name (proc(5), /proc/PID/comm). */
const NAME_BYTES = 15;

export interface Child {
  readonly pid: number;
  /** `R`, `S`, `T` where it was stopped (proc(5), /proc/PID/stat). */
  readonly state: string;
}

/** QEMUs that this process has started and that still are. */
export function qemuChildren(): Child[] {
  return readdirSync('/proc').flatMap((entry) => {
    const [, pid, name, state, parent] = /^(\d+) \((.*)\) (\S) (\d+) /s.exec(statOf(entry)) ?? [];
    const isOurs = name === QEMU.slice(0, NAME_BYTES) && Number(parent) === process.pid && state !== undefined;
    return isOurs ? [{ pid: Number(pid), state }] : [];
  });
}

function statOf(entry: string): string {
  if (!/^\d+$/.test(entry)) return '';
  try {
    return readFileSync(`/proc/${entry}/stat`, 'latin1');
  } catch {
    // It has ended in the meantime.
    return '';
  }
}
