import { resolveBoard } from '../boards/boards.ts';
import { InputError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';

export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly of: number;
}

/** `2/4` as the second of four shards. @throws InputError for anything else */
export function parseShard(text: string): Shard {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  const shard = { index: Number(index), of: Number(of) };
  if (index === undefined || shard.index < 1 || shard.index > shard.of)
    throw new InputError(`--shard ${text}: expected INDEX/COUNT with INDEX from 1 to COUNT`, 'for example --shard 2/4');
  return shard;
}

/**
 * Seconds that a boot of this cell is expected to take, relative to each other: medians of the default matrix on two
 * cores. A second vCPU runs on the same thread, and loading modules costs their relocation.
 */
function expectedSeconds(cell: Cell): number {
  const least = cell.kernel.startsWith('debian-stock:') ? 3 : 0;
  const boot = Math.max(least, resolveBoard(cell.board).bootMs / 1000);
  const modules = cell.plan.filter(({ step }) => step === 'load').length;
  return boot * (1 + 0.4 * (cell.cpus - 1)) + 0.1 * modules;
}

/**
 * The cells of one shard: longest first, each to the shard with the least work so far, ties to the first. Every cell is
 * in exactly one shard, and the same matrix gives the same shards on every machine; the order of the matrix is kept.
 */
export function cellsOfShard(cells: readonly Cell[], shard: Shard): Cell[] {
  const load = new Array<number>(shard.of).fill(0);
  const byDuration = cells
    .map((cell, place) => ({ place, seconds: expectedSeconds(cell) }))
    .sort((a, b) => b.seconds - a.seconds || a.place - b.place);
  const mine = new Set<number>();
  for (const { place, seconds } of byDuration) {
    const target = load.indexOf(Math.min(...load));
    load[target] = (load[target] ?? 0) + seconds;
    if (target === shard.index - 1) mine.add(place);
  }
  return cells.filter((_, place) => mine.has(place));
}
