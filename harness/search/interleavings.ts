import { createRandom, shuffled } from './random.ts';

/** QEMU's largest `-icount shift=` (MAX_ICOUNT_SHIFT, 10, in its icount.c): one instruction takes 2^10 ns. */
const MAX_ICOUNT_SHIFT = 10;

/**
 * `count` values for `-icount shift=N`, each of which interleaves the guest's tasks in another way that repeats exactly.
 * The first is `usual`; the others follow in an order drawn from `seed`. There are no more than eleven.
 */
export function interleavings(count: number, usual: number, seed: number): number[] {
  const others = Array.from({ length: MAX_ICOUNT_SHIFT + 1 }, (_, shift) => shift).filter((shift) => shift !== usual);
  return [usual, ...shuffled(others, createRandom(seed))].slice(0, count);
}
