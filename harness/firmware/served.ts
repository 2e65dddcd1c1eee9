import { ABSENT, CELL_MODULES_OFFSET, SERVED_LAYOUT, SERVED_MAGIC } from './interface.ts';
import { encode } from './layout.ts';
import { CELL_ADDRESS, PAGES_ADDRESS } from './memory-map.ts';

/** What a guest that serves cells gets for each (serve.c). */
export interface ServedCell {
  /** The firmware's table (gates.ts), or null where it would be empty. */
  readonly table: Uint8Array | null;
  /** As guest/plan.ts encodes it. */
  readonly plan: Uint8Array;
  /** As guest/modules.ts lays them out; null where there are none. */
  readonly modules: Uint8Array | null | 'as before';
}

/** Room that serve.c has for the modules of a cell. */
export const MODULES_BYTES_MAX = PAGES_ADDRESS - CELL_ADDRESS - CELL_MODULES_OFFSET;

/** A cell as the firmware of a guest that waits for one takes it. */
export function encodeServedCell({ table, plan, modules }: ServedCell): Uint8Array {
  const header = encode(SERVED_LAYOUT, {
    magic: SERVED_MAGIC,
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
