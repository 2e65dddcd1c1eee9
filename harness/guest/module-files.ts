import { MODULE_NAME_SIZE } from './steps.ts';

/** A module as the guest loads it: uncompressed, and under the name that lsmod shows. */
export interface GuestModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const COUNT_SIZE = 8;
const ENTRY_SIZE = MODULE_NAME_SIZE + 2 * 8;

/**
 * The modules of a cell as init/harness.c finds them: their number, an entry for each (name, offset, size), then their
 * files.
 */
export function encodeModules(modules: readonly GuestModule[]): Uint8Array {
  const head = new DataView(new ArrayBuffer(COUNT_SIZE + modules.length * ENTRY_SIZE));
  head.setBigUint64(0, BigInt(modules.length), true);
  let offset = head.byteLength;
  modules.forEach(({ name, bytes }, index) => {
    const entry = COUNT_SIZE + index * ENTRY_SIZE;
    new TextEncoder().encodeInto(name, new Uint8Array(head.buffer, entry, MODULE_NAME_SIZE - 1));
    head.setBigUint64(entry + MODULE_NAME_SIZE, BigInt(offset), true);
    head.setBigUint64(entry + MODULE_NAME_SIZE + 8, BigInt(bytes.length), true);
    offset += bytes.length;
  });
  return Buffer.concat([new Uint8Array(head.buffer), ...modules.map(({ bytes }) => bytes)]);
}
