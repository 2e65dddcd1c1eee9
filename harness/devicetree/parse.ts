import { InputError } from '../errors.ts';
import {
  alignUp,
  CELL_SIZE,
  HEADER,
  HEADER_SIZE_V16,
  HEADER_SIZE_V17,
  isNodeName,
  isPropertyName,
  MAGIC,
  MAX_BLOB_SIZE,
  MAX_DEPTH,
  MAX_NAME,
  OLDEST_VERSION,
  RESERVATION_SIZE,
  RESERVATIONS_ALIGNMENT,
  STRUCTURE_ALIGNMENT,
  TOKEN,
  VERSION,
} from './format.ts';
import type { DeviceTree, MemoryReservation, TreeNode } from './tree.ts';

const DTS_START = '/dts-v1/';
const REMAKE = 'compile it again with dtc, or check that it was copied whole';

/** A range of the blob; `end` is the first byte after it. */
interface Block {
  readonly what: string;
  readonly start: number;
  readonly end: number;
}

interface OpenNode {
  readonly name: string;
  readonly properties: Map<string, Uint8Array>;
  readonly children: TreeNode[];
  readonly childNames: Set<string>;
}

/** One blob that is being read. Every read is checked against the block that it belongs to. */
class Reader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly name: string;

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.name = name;
  }

  fail(offset: number, what: string, hint: string = REMAKE): never {
    throw new InputError(`${this.name}: ${what}, at byte offset ${offset} (0x${offset.toString(16)})`, hint);
  }

  get size(): number {
    return this.bytes.length;
  }

  word(offset: number, block: Block): number {
    if (offset + CELL_SIZE > block.end) {
      this.fail(offset, `the ${block.what} ends too early (it ends at ${block.end})`);
    }
    return this.view.getUint32(offset);
  }

  doubleWord(offset: number, block: Block): bigint {
    return (BigInt(this.word(offset, block)) << 32n) | BigInt(this.word(offset + CELL_SIZE, block));
  }

  copy(offset: number, length: number, block: Block): Uint8Array {
    if (length > block.end - offset) {
      this.fail(offset, `a property value of ${length} bytes does not fit the ${block.what} (it ends at ${block.end})`);
    }
    return this.bytes.slice(offset, offset + length);
  }

  /** A NUL-terminated name of at most MAX_NAME characters; other characters than ASCII are left to the caller. */
  text(offset: number, block: Block, what: string): string {
    const limit = Math.min(block.end, offset + MAX_NAME + 1);
    const end = this.bytes.subarray(offset, limit).indexOf(0);
    if (end < 0) {
      const why =
        limit === block.end ? `is not terminated before the end of the ${block.what}` : `is longer than ${MAX_NAME}`;
      this.fail(offset, `${what} ${why}`);
    }
    return String.fromCharCode(...this.bytes.subarray(offset, offset + end));
  }

  startsWith(text: string): boolean {
    return text === String.fromCharCode(...this.bytes.subarray(0, text.length));
  }
}

/** Quoted for a message: names from a broken blob may hold anything. */
function quoted(name: string): string {
  return JSON.stringify(name);
}

function readHeader(reader: Reader) {
  const file: Block = { what: 'file', start: 0, end: reader.size };
  if (reader.startsWith(DTS_START)) {
    reader.fail(0, 'this is device tree source, not a blob', 'compile it first: dtc -O dtb -o OUT.dtb FILE');
  }
  const magic = reader.word(HEADER.magic, file);
  if (magic !== MAGIC) {
    reader.fail(
      HEADER.magic,
      `this is no flattened device tree: the magic number is 0x${magic.toString(16)}, not 0x${MAGIC.toString(16)}`,
      'give a .dtb file, as made by dtc or by QEMU with -machine virt,dumpdtb=FILE',
    );
  }
  const totalSize = reader.word(HEADER.totalSize, file);
  if (totalSize > reader.size) {
    reader.fail(
      HEADER.totalSize,
      `the file is truncated: the header says ${totalSize} bytes and there are ${reader.size}`,
    );
  }
  if (totalSize > MAX_BLOB_SIZE) {
    reader.fail(
      HEADER.totalSize,
      `the header says ${totalSize} bytes, and arm64 Linux maps no more than ${MAX_BLOB_SIZE}`,
      'give a smaller device tree',
    );
  }
  // Bytes after `totalsize` are not part of the tree; QEMU and boot loaders leave room there.
  const blob: Block = { what: 'blob', start: 0, end: totalSize };
  const version = reader.word(HEADER.version, blob);
  const lastCompatible = reader.word(HEADER.lastCompatibleVersion, blob);
  if (version < OLDEST_VERSION || lastCompatible > VERSION) {
    reader.fail(
      HEADER.version,
      `version ${version} (compatible with ${lastCompatible}) cannot be read, ${OLDEST_VERSION} to ${VERSION} can`,
      'convert it: dtc -I dtb -O dtb -V 17 -o OUT.dtb FILE',
    );
  }
  const headerSize = version >= VERSION ? HEADER_SIZE_V17 : HEADER_SIZE_V16;
  const header: Block = { what: 'header', start: 0, end: headerSize };
  if (totalSize < headerSize) {
    reader.fail(HEADER.totalSize, `the header says that the blob has ${totalSize} bytes, less than the header itself`);
  }
  const block = (what: string, field: number, size: number | null): Block => {
    const start = reader.word(field, header);
    const end = size === null ? totalSize : start + size;
    if (start > totalSize || end > totalSize) {
      reader.fail(field, `the ${what} (from ${start} to ${end}) is outside of the blob, which has ${totalSize} bytes`);
    }
    return { what, start, end };
  };
  const structureSize = version >= VERSION ? reader.word(HEADER.structureSize, header) : null;
  const aligned = (part: Block, field: number, alignment: number): Block => {
    if (part.start % alignment !== 0) {
      reader.fail(field, `the ${part.what} starts at ${part.start}, which is not a multiple of ${alignment}`);
    }
    return part;
  };
  return {
    header,
    bootCpu: reader.word(HEADER.bootCpu, header),
    structureSized: structureSize !== null,
    reservations: aligned(
      block('memory reservation block', HEADER.reservationsOffset, null),
      HEADER.reservationsOffset,
      RESERVATIONS_ALIGNMENT,
    ),
    structure: aligned(
      block('structure block', HEADER.structureOffset, structureSize),
      HEADER.structureOffset,
      STRUCTURE_ALIGNMENT,
    ),
    strings: block('strings block', HEADER.stringsOffset, reader.word(HEADER.stringsSize, header)),
  };
}

/** Section 5.3: pairs of 64-bit address and size up to a pair of zeros. Returns where the block ends as well. */
function readReservations(reader: Reader, block: Block): { reservations: MemoryReservation[]; used: Block } {
  const reservations: MemoryReservation[] = [];
  for (let offset = block.start; ; offset += RESERVATION_SIZE) {
    const address = reader.doubleWord(offset, block);
    const size = reader.doubleWord(offset + RESERVATION_SIZE / 2, block);
    if (address === 0n && size === 0n) {
      return { reservations, used: { ...block, end: offset + RESERVATION_SIZE } };
    }
    reservations.push({ address, size });
  }
}

/** Section 5.4. Iterative, and each byte is looked at once, so that a hostile blob costs no more than its size. */
function readStructure(reader: Reader, block: Block, strings: Block): { root: TreeNode; used: Block } {
  const open: OpenNode[] = [];
  let root: TreeNode | undefined;
  let offset = block.start;
  for (;;) {
    const tokenOffset = offset;
    const token = reader.word(tokenOffset, block);
    offset += CELL_SIZE;
    const parent = open.at(-1);
    switch (token) {
      case TOKEN.nop:
        break;
      case TOKEN.beginNode: {
        const name = reader.text(offset, block, 'a node name');
        if (parent === undefined) {
          if (root !== undefined) {
            reader.fail(tokenOffset, `a second root node, ${quoted(name)}`);
          }
          if (name !== '') {
            reader.fail(offset, `the root node has the name ${quoted(name)} and must have none`);
          }
        } else {
          if (!isNodeName(name)) {
            reader.fail(offset, `${quoted(name)} is no valid node name`);
          }
          if (parent.childNames.has(name)) {
            reader.fail(offset, `a second node ${quoted(name)} in the node ${quoted(parent.name)}`);
          }
          parent.childNames.add(name);
        }
        if (open.length >= MAX_DEPTH) {
          reader.fail(tokenOffset, `nodes are nested more than ${MAX_DEPTH} deep, which Linux does not read`);
        }
        open.push({ name, properties: new Map(), children: [], childNames: new Set() });
        offset = alignUp(offset + name.length + 1, CELL_SIZE);
        break;
      }
      case TOKEN.property: {
        const length = reader.word(offset, block);
        const nameOffset = reader.word(offset + CELL_SIZE, block);
        if (parent === undefined) {
          reader.fail(tokenOffset, 'a property outside of the root node');
        }
        if (parent.children.length > 0) {
          // Section 5.4.2; libfdt, and so the kernel, would not see it.
          reader.fail(tokenOffset, `a property of the node ${quoted(parent.name)} after its first subnode`);
        }
        if (nameOffset >= strings.end - strings.start) {
          reader.fail(
            offset + CELL_SIZE,
            `a property name at ${nameOffset} of the strings block, which has ${strings.end - strings.start} bytes`,
          );
        }
        const name = reader.text(strings.start + nameOffset, strings, 'a property name');
        if (!isPropertyName(name)) {
          reader.fail(strings.start + nameOffset, `${quoted(name)} is no valid property name`);
        }
        if (parent.properties.has(name)) {
          reader.fail(tokenOffset, `a second property ${quoted(name)} in the node ${quoted(parent.name)}`);
        }
        offset += 2 * CELL_SIZE;
        parent.properties.set(name, reader.copy(offset, length, block));
        offset = alignUp(offset + length, CELL_SIZE);
        break;
      }
      case TOKEN.endNode: {
        if (parent === undefined) {
          reader.fail(tokenOffset, 'the end of a node outside of the root node');
        }
        open.pop();
        const node: TreeNode = { name: parent.name, properties: parent.properties, children: parent.children };
        const grandparent = open.at(-1);
        if (grandparent === undefined) {
          root = node;
        } else {
          grandparent.children.push(node);
        }
        break;
      }
      case TOKEN.end:
        if (parent !== undefined) {
          reader.fail(tokenOffset, `the structure block ends inside of the node ${quoted(parent.name)}`);
        }
        if (root === undefined) {
          reader.fail(tokenOffset, 'the structure block ends without a root node');
        }
        return { root, used: { ...block, end: offset } };
      default:
        reader.fail(tokenOffset, `0x${token.toString(16)} is no token of the structure block`);
    }
  }
}

/** Blocks that share bytes would be one thing to this reader and another to the next. */
function checkDisjoint(reader: Reader, blocks: readonly Block[]): void {
  const inOrder = blocks.filter((block) => block.end > block.start).sort((a, b) => a.start - b.start);
  for (const [index, block] of inOrder.entries()) {
    const before = inOrder[index - 1];
    if (before !== undefined && block.start < before.end) {
      reader.fail(block.start, `the ${block.what} overlaps the ${before.what} (${before.start} to ${before.end})`);
    }
  }
}

/**
 * Reads a flattened device tree of version 16 or 17 (Devicetree Specification v0.4, chapter 5), in time linear in its
 * size. `name` is what errors call it, a file name as a rule.
 * @throws InputError that says what is wrong with the blob and at which byte offset.
 */
export function parseFdt(bytes: Uint8Array, name = 'device tree'): DeviceTree {
  const reader = new Reader(bytes, name);
  const header = readHeader(reader);
  const { reservations, used: reservationsUsed } = readReservations(reader, header.reservations);
  const { root, used: structureUsed } = readStructure(reader, header.structure, header.strings);
  checkDisjoint(reader, [
    header.header,
    reservationsUsed,
    // Version 16 does not say how long the structure block is: what was read of it counts.
    header.structureSized ? header.structure : structureUsed,
    header.strings,
  ]);
  return { bootCpu: header.bootCpu, reservations, root };
}
