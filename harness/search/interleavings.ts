import { resolveBoard } from '../boards/boards.ts';
import type { Board } from '../model/board.ts';
import type { Cell } from '../model/cell.ts';
import { createRandom, shuffled } from './random.ts';

/**
 * Largest `-icount shift=` that is tried: one instruction takes 2^N ns of virtual time. QEMU allows 10
 * (MAX_ICOUNT_SHIFT in its icount.c), but a guest whose instructions take too long spends all its time in timer
 * interrupts (250 a second), gets nowhere, and is called a hang.
 *
 * On a real board an interrupt takes more instructions, as the EL2 firmware plays the interrupt controller, and a guest
 * that is told of a counter slower than QEMU's has more ticks for as many instructions: with Debian's 6.12 at shift 8
 * sdm845-db845c (19.2 MHz) and rk3399-rockpro64 (24 MHz) do not come to their end, and imx8mm-evk (8 MHz, the slowest
 * that a tree of Debian's states and the guest is told) does not at 7. All three do at 6.
 */
const MAX_SHIFTS: Readonly<Record<Board['kind'], number>> = { standin: 8, dtb: 6 };

/**
 * `count` values for `-icount shift=N`, or as many as `cell`'s board has, each of which interleaves the guest's tasks
 * in another way that repeats exactly. The first is the cell's own; the others follow in an order drawn from `seed`.
 */
export function interleavings(cell: Pick<Cell, 'board' | 'shift'>, count: number, seed: number): number[] {
  const usual = cell.shift;
  const most = MAX_SHIFTS[resolveBoard(cell.board).kind];
  const others = Array.from({ length: most + 1 }, (_, shift) => shift).filter((shift) => shift !== usual);
  return [usual, ...shuffled(others, createRandom(seed))].slice(0, count);
}
