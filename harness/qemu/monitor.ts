import type { Duplex } from 'node:stream';

/** Where the guest's first CPU is: addresses of its program counter and of its link register. */
export interface GuestPlace {
  readonly pc: bigint;
  readonly lr: bigint;
}

/** More looks than it takes to find the guest outside of the firmware, where every access to a register ends. */
const MOST_LOOKS = 50;
const LOOK_MS = 20;
/** QEMU answers at once; one that hangs never does. */
const PATIENCE_MS = 3000;
/** The kernel's addresses have their upper half set; the firmware's are physical. */
const KERNEL_SPACE = 1n << 63n;

/**
 * Asks QEMU's monitor (`info registers`; target/arm/cpu.c, aarch64_cpu_dump_state()) until it finds the guest in the
 * kernel; null where it does not, or gets no answer.
 */
export function placeOfGuest(monitor: Duplex): Promise<GuestPlace | null> {
  return new Promise((resolve) => {
    let text = '';
    let looks = 0;
    let next: NodeJS.Timeout | null = null;
    const finish = (place: GuestPlace | null) => {
      clearTimeout(patience);
      if (next !== null) clearTimeout(next);
      monitor.off('data', hear);
      resolve(place);
    };
    const patience = setTimeout(() => finish(null), PATIENCE_MS);
    const ask = () => {
      text = '';
      looks++;
      monitor.write('info registers\n');
    };
    const hear = (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const place = readRegisters(text);
      if (place === null) return;
      text = '';
      if (place.pc >= KERNEL_SPACE) finish(place);
      else if (looks === MOST_LOOKS) finish(null);
      else next = setTimeout(ask, LOOK_MS);
    };
    monitor.on('data', hear);
    monitor.on('error', () => finish(null));
    ask();
  });
}

/** Null while the answer is not whole. */
export function readRegisters(text: string): GuestPlace | null {
  const [, pc] = /\bPC=([0-9a-f]{16})\b/.exec(text) ?? [];
  const [, lr] = /\bX30=([0-9a-f]{16})\b/.exec(text) ?? [];
  return pc === undefined || lr === undefined ? null : { pc: BigInt(`0x${pc}`), lr: BigInt(`0x${lr}`) };
}
