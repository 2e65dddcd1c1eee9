import { InputError } from '../errors.ts';
import type { PropertyValue } from '../model/tree-edit.ts';
import { CELL_SIZE } from './format.ts';
import type { TreeNode } from './tree.ts';

/** Meanings of property values (Devicetree Specification v0.4, section 2.2.4): the blob itself has only bytes. */

const MAX_CELL = 0xffffffff;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** `<stringlist>`, or null where the bytes are not NUL-terminated UTF-8. An empty property is the empty list. */
export function readStrings(value: Uint8Array): string[] | null {
  if (value.length === 0) {
    return [];
  }
  if (value.at(-1) !== 0) {
    return null;
  }
  try {
    return decoder.decode(value.subarray(0, -1)).split('\0');
  } catch {
    return null; // TextDecoder throws TypeError on what is not UTF-8.
  }
}

/** The only string of a `<string>` property, or null. */
export function readString(value: Uint8Array): string | null {
  const strings = readStrings(value);
  return strings?.length === 1 ? (strings[0] ?? null) : null;
}

/** Big-endian 32-bit cells, or null where the length is not a multiple of four. */
export function readCells(value: Uint8Array): number[] | null {
  if (value.length % CELL_SIZE !== 0) {
    return null;
  }
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  return Array.from({ length: value.length / CELL_SIZE }, (_, index) => view.getUint32(index * CELL_SIZE));
}

/** One cell, or null. */
function readCell(value: Uint8Array): number | null {
  return value.length === CELL_SIZE ? (readCells(value)?.[0] ?? null) : null;
}

/** @throws InputError where a string has a NUL in it, which a device tree string cannot. */
export function encodeStrings(strings: readonly string[], what = 'a device tree string'): Uint8Array {
  const bad = strings.find((string) => string.includes('\0'));
  if (bad !== undefined) {
    throw new InputError(
      `${what} has a NUL character in ${JSON.stringify(bad)}`,
      'give the parts as a list of strings, or the value as { bytes: HEX }',
    );
  }
  return encoder.encode(strings.map((string) => `${string}\0`).join(''));
}

/** @throws InputError where a number is not an unsigned 32-bit integer. */
export function encodeCells(cells: readonly number[], what = 'a device tree cell'): Uint8Array {
  const value = new Uint8Array(cells.length * CELL_SIZE);
  const view = new DataView(value.buffer);
  for (const [index, cell] of cells.entries()) {
    if (!Number.isInteger(cell) || cell < 0 || cell > MAX_CELL) {
      throw new InputError(
        `${what}: ${cell} does not fit a 32-bit cell`,
        'give whole numbers from 0 to 0xffffffff; a 64-bit number is two cells, the high one first',
      );
    }
    view.setUint32(index * CELL_SIZE, cell);
  }
  return value;
}

function encodeHex(hex: string, what: string): Uint8Array {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) {
    throw new InputError(`${what}: the bytes are not hexadecimal`, 'give two digits a byte without spaces: "00ff"');
  }
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function isStringList(value: readonly string[] | readonly number[]): value is readonly string[] {
  return typeof value[0] === 'string';
}

/**
 * Bytes of a value as a matrix file writes it. `what` names the property in errors.
 * @throws InputError where the value has no such bytes.
 */
export function encodeValue(value: PropertyValue, what: string): Uint8Array {
  if (value === true) {
    return new Uint8Array();
  }
  if (typeof value === 'string') {
    return encodeStrings([value], what);
  }
  if ('bytes' in value) {
    return encodeHex(value.bytes, what);
  }
  return isStringList(value) ? encodeStrings(value, what) : encodeCells(value, what);
}

/** dtc's `-H both` and Linux 6.1 (populate_properties() in drivers/of/fdt.c) know both names. */
export const PHANDLE_PROPERTIES: readonly string[] = ['phandle', 'linux,phandle'];

/** 0 and 0xffffffff are no phandles (FDT_MAX_PHANDLE in libfdt). */
function isPhandle(cell: number): boolean {
  return cell > 0 && cell < MAX_CELL;
}

/** The node's phandle, or null. */
export function phandleOf(node: TreeNode): number | null {
  for (const name of PHANDLE_PROPERTIES) {
    const value = node.properties.get(name);
    const cell = value === undefined ? null : readCell(value);
    if (cell !== null && isPhandle(cell)) {
      return cell;
    }
  }
  return null;
}

/** The string of property `name`, or null where it is absent or no single string. */
export function stringProperty(node: TreeNode, name: string): string | null {
  const value = node.properties.get(name);
  return value === undefined ? null : readString(value);
}

/** The cell of property `name`, or null where it is absent or no single cell. */
export function cellProperty(node: TreeNode, name: string): number | null {
  const value = node.properties.get(name);
  return value === undefined ? null : readCell(value);
}

/** The cells of property `name`; none where it is absent or no cells. */
export function cellsOf(node: Pick<TreeNode, 'properties'>, name: string): readonly number[] {
  const value = node.properties.get(name);
  return value === undefined ? [] : (readCells(value) ?? []);
}

/** The strings of property `name`; none where there is no such node or property, or it is no strings. */
export function stringsOf(node: Pick<TreeNode, 'properties'> | undefined, name: string): readonly string[] {
  const value = node?.properties.get(name);
  return value === undefined ? [] : (readStrings(value) ?? []);
}
