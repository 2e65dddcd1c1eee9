/** Layout of what a guest that serves cells gets for each (firmware/serve.c): `header`, then table, plan and modules. */
const MAGIC = 0x4c4c_4543_4d52_4242n;
const HEADER_SIZE = 8 + 4 * 4;
const AS_BEFORE = 0xffff_ffff;
const NONE = 0xffff_fffe;

export interface ServedCell {
  /** The firmware's table (firmware/gates.ts), or null where it would be empty. */
  readonly table: Uint8Array | null;
  /** As guest/plan.ts encodes it. */
  readonly plan: Uint8Array;
  /** As guest/modules.ts lays them out; null where there are none. */
  readonly modules: Uint8Array | null | 'as before';
}

/** Room that firmware/serve.c has for the modules of a cell. */
export const MODULES_BYTES_MAX = 60 * 1024 * 1024;

/** A cell as the firmware of a guest that waits for one takes it. */
export function encodeServedCell({ table, plan, modules }: ServedCell): Uint8Array {
  const header = new DataView(new ArrayBuffer(HEADER_SIZE));
  header.setBigUint64(0, MAGIC, true);
  header.setUint32(8, table?.length ?? NONE, true);
  header.setUint32(12, plan.length, true);
  header.setUint32(16, modules === 'as before' ? AS_BEFORE : (modules?.length ?? NONE), true);
  const parts = [table, plan, modules === 'as before' ? null : modules].filter((part) => part !== null);
  return Buffer.concat([new Uint8Array(header.buffer), ...parts]);
}
