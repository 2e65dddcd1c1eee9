import { describe, expect, test } from 'vitest';
import { encodeNextCell } from '../../harness/firmware/next-cell.ts';

/** The layout that firmware/next-cell.c reads. */
function decode(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    magic: new TextDecoder().decode(bytes.subarray(0, 8)),
    table: view.getUint32(8, true),
    plan: view.getUint32(12, true),
    modules: view.getUint32(16, true),
    body: [...bytes.subarray(24)],
  };
}

const table = new Uint8Array([1, 2]);
const plan = new Uint8Array([3]);
const modules = new Uint8Array([4, 5, 6]);
const AS_BEFORE = 0xffffffff;
const NONE = 0xfffffffe;

describe('encodeNextCell', () => {
  test('lays out table, plan and modules behind their sizes', () => {
    const magic = 'BBRMCELL';
    expect(decode(encodeNextCell({ table, plan, modules }))).toEqual({
      magic,
      table: 2,
      plan: 1,
      modules: 3,
      body: [1, 2, 3, 4, 5, 6],
    });
  });

  test('tells no modules from those of the cell before, and an empty file from none', () => {
    expect(decode(encodeNextCell({ table: null, plan, modules: null }))).toMatchObject({
      table: NONE,
      modules: NONE,
      body: [3],
    });
    expect(decode(encodeNextCell({ table: null, plan, modules: 'as before' }))).toMatchObject({
      modules: AS_BEFORE,
      body: [3],
    });
    expect(decode(encodeNextCell({ table, plan, modules: new Uint8Array(0) }))).toMatchObject({
      modules: 0,
      body: [1, 2, 3],
    });
  });
});
