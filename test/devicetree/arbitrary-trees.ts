import fc from 'fast-check';
import type { DeviceTree, TreeNode } from '../../harness/devicetree/tree.ts';
import { encodeCells, encodeStrings } from '../../harness/devicetree/values.ts';

/** Arbitrary device trees. */

const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCXYZ0123456789,._+*#?-'];
const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));

/** dtc gives these a meaning of its own: it drops a `name` that repeats the node's, and checks phandles. */
const SPECIAL = new Set(['name', 'phandle', 'linux,phandle']);

const word = fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 1, maxLength: 12 });
const propertyName = word.filter((name) => !SPECIAL.has(name));
const unitAddress = fc.integer({ min: 0, max: 0xffffffff }).map((address) => `@${address.toString(16)}`);
const nodeName = fc.tuple(word, fc.oneof(fc.constant(''), unitAddress)).map(([name, unit]) => name + unit);

const text = fc.string({ unit: fc.constantFrom(...PRINTABLE), maxLength: 20 });
const cell = fc.integer({ min: 0, max: 0xffffffff });
const propertyValue: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constant(new Uint8Array()),
  fc.array(text, { minLength: 1, maxLength: 4 }).map((strings) => encodeStrings(strings)),
  fc.array(cell, { minLength: 1, maxLength: 6 }).map((cells) => encodeCells(cells)),
  fc.uint8Array({ maxLength: 20 }),
);

const properties = fc
  .uniqueArray(fc.tuple(propertyName, propertyValue), { selector: ([name]) => name, maxLength: 5 })
  .map((entries) => new Map(entries));

const { node } = fc.letrec<{ node: TreeNode; children: TreeNode[] }>((tie) => ({
  node: fc.record({ name: nodeName, properties, children: tie('children') }),
  children: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant<TreeNode[]>([]),
    fc.uniqueArray(tie('node'), { selector: (child) => child.name, maxLength: 4 }),
  ),
}));

const reservation = fc.record({
  address: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
  size: fc.bigInt({ min: 1n, max: 0xffffffffffffffffn }),
});

/** Any tree with valid names; without phandles and labels. */
export const anyTree: fc.Arbitrary<DeviceTree> = fc.record({
  bootCpu: cell,
  reservations: fc.array(reservation, { maxLength: 3 }),
  root: fc.record({
    name: fc.constant(''),
    properties,
    children: fc.uniqueArray(node, { selector: (child) => child.name, maxLength: 5 }),
  }),
});
