import { createRandom, shuffled } from './random.ts';

/**
 * Largest `-icount shift=` that is tried: one instruction takes 2^8 ns. QEMU allows 10 (MAX_ICOUNT_SHIFT in its
 * icount.c), but with 2^10 ns an instruction the guest spends all its time in timer interrupts (250 a second) and gets
 * nowhere.
 */
const MAX_SHIFT = 8;

/**
 * `count` values for `-icount shift=N`, each of which interleaves the guest's tasks in another way that repeats
 * exactly. The first is `usual`; the others follow in an order drawn from `seed`.
 */
export function interleavings(count: number, usual: number, seed: number): number[] {
  const others = Array.from({ length: MAX_SHIFT + 1 }, (_, shift) => shift).filter((shift) => shift !== usual);
  return [usual, ...shuffled(others, createRandom(seed))].slice(0, count);
}
