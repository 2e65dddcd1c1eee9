import { ABSENT, CELL_MODULES_OFFSET, NEXT_CELL_LAYOUT, NEXT_CELL_MAGIC } from './interface.ts';
import { encode } from './layout.ts';
import { CELL_ADDRESS, PAGES_ADDRESS } from './memory-map.ts';

/** What a guest with a snapshot gets for each cell (next-cell.c). */
export interface NextCell {
  /** The firmware's table (gates.ts), or null where it would be empty. */
  readonly table: Uint8Array | null;
  /** As guest/plan.ts encodes it. */
  readonly plan: Uint8Array;
  /** As guest/module-files.ts lays them out; null where there are none. */
  readonly modules: Uint8Array | null | 'as before';
}

/** Room that next-cell.c has for the modules of a cell. */
export const MODULES_BYTES_MAX = PAGES_ADDRESS - CELL_ADDRESS - CELL_MODULES_OFFSET;

/** A cell as the firmware takes it. */
export function encodeNextCell({ table, plan, modules }: NextCell): Uint8Array {
  const header = encode(NEXT_CELL_LAYOUT, {
    magic: NEXT_CELL_MAGIC,
    table: table?.length ?? ABSENT.none,
    plan: plan.length,
    modules: modules === 'as before' ? ABSENT.as_before : (modules?.length ?? ABSENT.none),
    reserved: 0,
  });
  return Buffer.concat([
    header,
    ...[table, plan, modules === 'as before' ? null : modules].filter((part) => part !== null),
  ]);
}
