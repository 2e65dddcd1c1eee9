import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import type { DeviceTree, TreeNode } from '../../harness/devicetree/tree.ts';
import { encodeCells } from '../../harness/devicetree/values.ts';
import { InputError } from '../../harness/errors.ts';
import { anyTree } from './arbitrary-trees.ts';

const [BEGIN, END_NODE, PROP, NOP, END] = [1, 2, 3, 4, 9];
const HEADER_SIZE = 40;
const STRINGS = 'abc\0b\0';

function text(string: string): number[] {
  const padded = string.padEnd((Math.floor(string.length / 4) + 1) * 4, '\0');
  return [...Buffer.from(padded, 'latin1').values()].reduce<number[]>((cells, byte, index) => {
    cells[index >> 2] = ((cells[index >> 2] ?? 0) * 256 + byte) >>> 0;
    return cells;
  }, []);
}

/** A blob with these structure words, one empty reservation block and the strings block STRINGS. */
function blob(structure: readonly number[], header: Readonly<Record<number, number>> = {}): Uint8Array {
  const structureOffset = HEADER_SIZE + 16;
  const stringsOffset = structureOffset + 4 * structure.length;
  const fields = [
    0xd00dfeed,
    stringsOffset + STRINGS.length,
    structureOffset,
    stringsOffset,
    HEADER_SIZE,
    17,
    16,
    0,
    STRINGS.length,
    4 * structure.length,
  ].map((value, index) => header[4 * index] ?? value);
  return Buffer.concat([encodeCells([...fields, 0, 0, 0, 0, ...structure]), Buffer.from(STRINGS, 'latin1')]);
}

const ROOT = [BEGIN, 0];
const CLOSE = [END_NODE, END];
const VALID = blob([...ROOT, ...CLOSE]);

describe('malformed blobs', () => {
  it('reads the blob that the broken ones are made from', () => {
    expect(parseFdt(VALID).root.children).toEqual([]);
    const full = blob([...ROOT, PROP, 4, 0, 7, NOP, PROP, 0, 1, BEGIN, ...text('x@1'), END_NODE, ...CLOSE]);
    expect([...parseFdt(full).root.properties.keys()]).toEqual(['abc', 'bc']);
  });

  const many = (count: number, cells: readonly number[]) => Array.from({ length: count }, () => cells).flat();
  it.each<[what: string, bytes: Uint8Array, message: RegExp]>([
    ['an empty file', new Uint8Array(), /ends too early .*offset 0 /],
    ['source', Buffer.from('/dts-v1/;\n/ {};\n'), /source, not a blob/],
    ['another file', Buffer.from('\x7fELF and so on'), /magic number is 0x7f454c46.*offset 0 /],
    ['half a header', VALID.subarray(0, 20), /truncated: the header says 78 bytes and there are 20/],
    ['a truncated file', VALID.subarray(0, VALID.length - 1), /truncated.*offset 4 /],
    ['a totalsize of nothing', blob([...ROOT, ...CLOSE], { 4: 24 }), /header ends too early|blob ends too early/],
    ['a totalsize larger than any', blob([], { 4: 0xffffffff }), /truncated/],
    ['a blob that Linux cannot map', blob(many(600_000, [NOP])), /says 2400062 bytes, and arm64 Linux maps no more/],
    ['an old version', blob([...ROOT, ...CLOSE], { 20: 3, 24: 1 }), /version 3 .*cannot be read.*offset 20 /],
    ['a version of the future', blob([...ROOT, ...CLOSE], { 20: 99, 24: 18 }), /version 99 .*offset 20 /],
    ['a structure block outside', blob([...ROOT, ...CLOSE], { 8: 4000 }), /structure block .*outside.*offset 8 /],
    ['a structure block too long', blob([...ROOT, ...CLOSE], { 36: 0xfffffff0 }), /structure block .*outside/],
    [
      'a crooked structure block',
      blob([...ROOT, ...CLOSE], { 8: 57, 36: 8 }),
      /not a multiple of 4, at byte offset 8 /,
    ],
    ['a strings block outside', blob([...ROOT, ...CLOSE], { 12: 77, 32: 2 }), /strings block .*outside.*offset 12 /],
    ['a crooked reservation block', blob([...ROOT, ...CLOSE], { 16: 44 }), /not a multiple of 8, at byte offset 16 /],
    ['reservations without an end', blob([...ROOT, ...CLOSE], { 16: 56 }), /memory reservation block ends too early/],
    [
      'strings over the structure',
      blob([...ROOT, ...CLOSE], { 12: 60, 32: 4 }),
      /strings block overlaps the structure/,
    ],
    [
      'reservations in the header',
      blob([...ROOT, PROP, 20, 0, 0, 0, 0, 0, 0, ...CLOSE], { 16: 32 }),
      /overlaps the header/,
    ],
    ['no end of the structure', blob([...ROOT, END_NODE]), /structure block ends too early/],
    ['an end inside of a node', blob([...ROOT, END]), /ends inside of the node.*offset 64 /],
    ['no root', blob([END]), /without a root node/],
    ['two roots', blob([...ROOT, END_NODE, ...ROOT, ...CLOSE]), /second root node/],
    ['a root with a name', blob([BEGIN, ...text('x'), ...CLOSE]), /root node has the name "x"/],
    ['a node end too many', blob([...ROOT, END_NODE, END_NODE, END]), /end of a node outside/],
    ['a property before the root', blob([PROP, 0, 0, ...ROOT, ...CLOSE]), /property outside of the root/],
    [
      'a property after a node',
      blob([...ROOT, BEGIN, ...text('x'), END_NODE, PROP, 0, 0, ...CLOSE]),
      /after its first/,
    ],
    ['an unknown token', blob([...ROOT, 5, ...CLOSE]), /0x5 is no token.*offset 64 /],
    ['a value over the end', blob([...ROOT, PROP, 1000, 0, ...CLOSE]), /value of 1000 bytes does not fit/],
    ['a value that ends a byte late', blob([...ROOT, PROP, 1, 0]), /value of 1 bytes does not fit/],
    ['a value of 4 GiB', blob([...ROOT, PROP, 0xffffffff, 0, ...CLOSE]), /value of 4294967295 bytes does not fit/],
    ['a value at the very end', blob([...ROOT, PROP, 3]), /structure block ends too early/],
    ['a name outside', blob([...ROOT, PROP, 0, STRINGS.length, ...CLOSE]), /property name at 6 of the strings block/],
    ['a name far outside', blob([...ROOT, PROP, 0, 0xffffffff, ...CLOSE]), /property name at 4294967295/],
    ['an unterminated name', blob([...ROOT, PROP, 0, 4, ...CLOSE], { 32: 5 }), /property name is not terminated/],
    ['an empty property name', blob([...ROOT, PROP, 0, 3, ...CLOSE]), /"" is no valid property name/],
    ['an unterminated node name', blob([BEGIN, 0, BEGIN, 0x61616161]), /node name is not terminated/],
    ['an empty node name', blob([...ROOT, BEGIN, 0, END_NODE, ...CLOSE]), /"" is no valid node name/],
    ['a path as name', blob([...ROOT, BEGIN, ...text('../x'), END_NODE, ...CLOSE]), /"\.\.\/x" is no valid node name/],
    ['a name with control characters', blob([...ROOT, BEGIN, ...text('a\x1b['), END_NODE, ...CLOSE]), /"a\\u001b\["/],
    ['a very long name', blob([...ROOT, BEGIN, ...text('n'.repeat(256)), END_NODE, ...CLOSE]), /longer than 255/],
    ['a double property', blob([...ROOT, PROP, 0, 0, PROP, 0, 0, ...CLOSE]), /second property "abc"/],
    ['a double node', blob([...ROOT, ...many(2, [BEGIN, ...text('x'), END_NODE]), ...CLOSE]), /second node "x"/],
    ['too deep a tree', blob([...ROOT, ...many(64, [BEGIN, ...text('x')])]), /more than 64 deep/],
    ['endless nesting', blob([...ROOT, ...many(100_000, [BEGIN, ...text('x')])]), /more than 64 deep/],
  ])('%s', (_, bytes, message) => {
    const read = () => parseFdt(bytes, 'board.dtb');
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^board\.dtb: .*at byte offset \d+ \(0x[0-9a-f]+\)$/);
  });

  it('law: a blob with some bytes changed, cut or grown is a tree or an InputError', () => {
    const change = fc.record({ at: fc.nat(), value: fc.nat({ max: 255 }), word: fc.boolean() });
    const interesting = fc.constantFrom(0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xffffffff);
    fc.assert(
      fc.property(
        anyTree,
        fc.array(fc.tuple(change, interesting), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat()),
        (tree, changes, cut) => {
          let bytes = serializeFdt(tree);
          for (const [{ at, value, word }, number] of changes) {
            if (word) {
              const cells = Math.floor(bytes.length / 4);
              new DataView(bytes.buffer).setUint32(4 * (at % cells), number);
            } else {
              bytes[at % bytes.length] = value;
            }
          }
          if (cut !== null) {
            bytes = bytes.slice(0, cut % bytes.length);
          }
          let read: DeviceTree;
          try {
            read = parseFdt(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
            return;
          }
          // What was read can be written, and is the same tree then.
          expect(parseFdt(serializeFdt(read))).toEqual(read);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('reads the largest blobs in linear time', () => {
    const size = 2 * 1024 * 1024;
    const words = size / 4 - 100;
    const nops = blob([...ROOT, ...many(words, [NOP]), ...CLOSE]);
    const nodes = blob([
      ...ROOT,
      ...Array.from({ length: words / 4 }, (_, index) => [BEGIN, ...text(index.toString(36)), END_NODE]).flat(),
      ...CLOSE,
    ]);
    expect(parseFdt(nops).root.children).toHaveLength(0);
    expect(parseFdt(nodes).root.children.length).toBeGreaterThan(100_000);
    // Milliseconds each on an idle machine; what is quadratic in 130 000 nodes is not done in this time on any.
  }, 20_000);
});

describe('trees that cannot be written', () => {
  const node = (name: string, children: readonly TreeNode[] = []): TreeNode => ({
    name,
    properties: new Map(),
    children,
  });
  const tree = (root: TreeNode): DeviceTree => ({ bootCpu: 0, reservations: [], root });
  const deep = (depth: number): TreeNode => (depth === 1 ? node('x') : node('x', [deep(depth - 1)]));

  it('says which node is wrong', () => {
    expect(() => serializeFdt(tree(node('', [node('a', [node('b'), node('b')])])))).toThrow('the path /a/b');
    expect(() => serializeFdt(tree(node('', [node('a/b')])))).toThrow('"a/b" in / is no valid node name');
    expect(() => serializeFdt(tree({ ...node(''), properties: new Map([['a b', new Uint8Array()]]) }))).toThrow(
      '"a b" of the node / is no valid property name',
    );
    expect(() => serializeFdt(tree(node('', [deep(64)])))).toThrow('more than 64 deep');
    expect(parseFdt(serializeFdt(tree(node('', [deep(63)])))).root.children).toHaveLength(1);
    const huge = { ...node(''), properties: new Map([['a', new Uint8Array(2 * 1024 * 1024)]]) };
    expect(() => serializeFdt(tree(huge))).toThrow('arm64 Linux maps no more than 2097152');
  });
});
