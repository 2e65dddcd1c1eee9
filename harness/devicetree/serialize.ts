import { InputError } from '../errors.ts';
import {
  alignUp,
  CELL_SIZE,
  HEADER,
  HEADER_SIZE_V17,
  isNodeName,
  isPropertyName,
  MAGIC,
  MAX_BLOB_SIZE,
  MAX_DEPTH,
  OLDEST_VERSION,
  RESERVATION_SIZE,
  RESERVATIONS_ALIGNMENT,
  TOKEN,
  VERSION,
} from './format.ts';
import type { DeviceTree, TreeNode } from './tree.ts';

const FIRST_CAPACITY = 64 * 1024;

/** Bytes that grow at the end. */
class Output {
  private bytes = new Uint8Array(FIRST_CAPACITY);
  private view = new DataView(this.bytes.buffer);
  length = 0;

  private reserve(count: number): number {
    const start = this.length;
    const end = start + count;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.bytes.length));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    this.length = end;
    return start;
  }

  // reserve() may replace the buffer, so it comes before any use of it.
  word(value: number): void {
    const start = this.reserve(CELL_SIZE);
    this.view.setUint32(start, value);
  }

  doubleWord(value: bigint): void {
    const start = this.reserve(2 * CELL_SIZE);
    this.view.setBigUint64(start, value);
  }

  append(bytes: Uint8Array): void {
    const start = this.reserve(bytes.length);
    this.bytes.set(bytes, start);
  }

  /** ASCII text and its NUL. */
  text(text: string): void {
    const start = this.reserve(text.length + 1);
    for (let index = 0; index < text.length; index++) {
      this.bytes[start + index] = text.charCodeAt(index);
    }
  }

  pad(alignment: number): void {
    this.reserve(alignUp(this.length, alignment) - this.length);
  }

  setWord(offset: number, value: number): void {
    this.view.setUint32(offset, value);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/**
 * The strings block. A name that is the end of an earlier one shares its bytes, first come first served, as in dtc
 * 1.6.1.
 */
class Strings {
  readonly output = new Output();
  private readonly offsets = new Map<string, number>();

  offsetOf(name: string): number {
    const known = this.offsets.get(name);
    if (known !== undefined) {
      return known;
    }
    const start = this.output.length;
    this.output.text(name);
    for (let skip = 0; skip < name.length; skip++) {
      const end = name.slice(skip);
      if (!this.offsets.has(end)) {
        this.offsets.set(end, start + skip);
      }
    }
    return start;
  }
}

function writeNode(structure: Output, strings: Strings, node: TreeNode, path: string, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new InputError(
      `the node ${path} is nested more than ${MAX_DEPTH} deep, which Linux does not read`,
      'move it further up',
    );
  }
  structure.word(TOKEN.beginNode);
  structure.text(node.name);
  structure.pad(CELL_SIZE);
  for (const [name, value] of node.properties) {
    if (!isPropertyName(name)) {
      throw new InputError(`${JSON.stringify(name)} of the node ${path} is no valid property name`);
    }
    structure.word(TOKEN.property);
    structure.word(value.length);
    structure.word(strings.offsetOf(name));
    structure.append(value);
    structure.pad(CELL_SIZE);
  }
  const names = new Set<string>();
  for (const child of node.children) {
    const childPath = path === '/' ? `/${child.name}` : `${path}/${child.name}`;
    if (!isNodeName(child.name)) {
      throw new InputError(`${JSON.stringify(child.name)} in ${path} is no valid node name`);
    }
    if (names.has(child.name)) {
      throw new InputError(`two nodes have the path ${childPath}`);
    }
    names.add(child.name);
    writeNode(structure, strings, child, childPath, depth + 1);
  }
  structure.word(TOKEN.endNode);
}

/**
 * The tree as a blob of version 17, byte for byte as dtc 1.6.1 lays it out: header, reservations, structure, strings.
 * @throws InputError for a tree that {@link parseFdt} would not read back: bad or double names, too deep, too large.
 */
export function serializeFdt(tree: DeviceTree): Uint8Array {
  const structure = new Output();
  const strings = new Strings();
  writeNode(structure, strings, tree.root, '/', 1);
  structure.word(TOKEN.end);

  const blob = new Output();
  const reservationsOffset = alignUp(HEADER_SIZE_V17, RESERVATIONS_ALIGNMENT);
  const structureOffset = reservationsOffset + (tree.reservations.length + 1) * RESERVATION_SIZE;
  const stringsOffset = structureOffset + structure.length;
  const totalSize = stringsOffset + strings.output.length;
  if (totalSize > MAX_BLOB_SIZE) {
    throw new InputError(
      `the device tree has ${totalSize} bytes, and arm64 Linux maps no more than ${MAX_BLOB_SIZE}`,
      'take nodes out of it',
    );
  }
  blob.append(new Uint8Array(HEADER_SIZE_V17));
  blob.setWord(HEADER.magic, MAGIC);
  blob.setWord(HEADER.totalSize, totalSize);
  blob.setWord(HEADER.structureOffset, structureOffset);
  blob.setWord(HEADER.stringsOffset, stringsOffset);
  blob.setWord(HEADER.reservationsOffset, reservationsOffset);
  blob.setWord(HEADER.version, VERSION);
  blob.setWord(HEADER.lastCompatibleVersion, OLDEST_VERSION);
  blob.setWord(HEADER.bootCpu, tree.bootCpu);
  blob.setWord(HEADER.stringsSize, strings.output.length);
  blob.setWord(HEADER.structureSize, structure.length);
  blob.pad(RESERVATIONS_ALIGNMENT);
  for (const { address, size } of [...tree.reservations, { address: 0n, size: 0n }]) {
    blob.doubleWord(address);
    blob.doubleWord(size);
  }
  blob.append(structure.finish());
  blob.append(strings.output.finish());
  return blob.finish();
}
