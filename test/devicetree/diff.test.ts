import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { diffTrees, formatDifference } from '../../harness/devicetree/diff.ts';
import { editTree } from '../../harness/devicetree/edit.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { type DeviceTree, emptyNode, type TreeNode } from '../../harness/devicetree/tree.ts';
import type { TreeEdit } from '../../harness/model/tree-edit.ts';
import { anyTree } from './arbitrary-trees.ts';
import { compile } from './dtc.ts';

let tree: DeviceTree;
beforeAll(async () => {
  tree = parseFdt(
    await compile(`/dts-v1/;
/ {
  model = "one";
  a { x = <1>; };
  b { inner { deep { y; }; }; };
  c { };
  d { user = <&p>; p: p { z = "s"; }; };
};`),
  );
});

function difference(edits: readonly TreeEdit[]): string[] {
  return diffTrees(tree, editTree(tree, edits)).map(formatDifference);
}

describe('the difference of two trees', () => {
  it.each<[what: string, edits: readonly TreeEdit[], lines: readonly string[]]>([
    ['nothing', [], []],
    ['a node moved last', [{ edit: 'move', node: '/a', to: 'last' }], ['placed /a last among its siblings']],
    ['a node moved first', [{ edit: 'move', node: '/c', to: 'first' }], ['placed /c first among its siblings']],
    [
      'a node moved under another parent',
      [{ edit: 'move', node: '/b/inner', to: 'last', parent: '/d' }],
      ['moved /b/inner to /d/inner'],
    ],
    [
      'a moved and changed node that has a phandle',
      [
        { edit: 'move', node: '/d/p', to: 'last', parent: '/a' },
        { edit: 'set', node: '/a/p', property: 'z', value: 't' },
      ],
      ['moved /d/p to /a/p', '/a/p: z "s" -> "t"'],
    ],
    ['a node deleted', [{ edit: 'delete', node: '/b' }], ['removed /b']],
    ['a property added', [{ edit: 'set', node: '/c', property: 'on', value: true }], ['/c: on added: present']],
    ['a property removed', [{ edit: 'unset', node: '/a', property: 'x' }], ['/a: x removed (was <0x1>)']],
    ['a property changed', [{ edit: 'set', node: '/', property: 'model', value: 'two' }], ['/: model "one" -> "two"']],
  ])('%s', (_, edits, lines) => {
    expect(difference(edits)).toEqual(lines);
  });

  it('a node added, and one moved into it', () => {
    const grown: DeviceTree = { ...tree, root: { ...tree.root, children: [...tree.root.children, emptyNode('new')] } };
    const moved = editTree(grown, [{ edit: 'move', node: '/b/inner', to: 'last', parent: '/new' }]);
    expect(diffTrees(tree, moved).map(formatDifference)).toEqual(['added /new', 'moved /b/inner to /new/inner']);
    expect(diffTrees(moved, tree).map(formatDifference)).toEqual(['removed /new', 'moved /new/inner to /b/inner']);
  });

  it('claims no move where two nodes that are alike may have moved', () => {
    const under = (parent: string): TreeNode => ({ ...emptyNode(parent), children: [emptyNode('twin')] });
    const root = (children: readonly TreeNode[]): DeviceTree => ({ ...tree, root: { ...emptyNode(''), children } });
    const before = root([under('a'), under('b'), emptyNode('c')]);
    const after = root([emptyNode('a'), emptyNode('b'), under('c')]);
    expect(diffTrees(before, after).map(formatDifference)).toEqual([
      'removed /a/twin',
      'removed /b/twin',
      'added /c/twin',
    ]);
  });

  it('the header and the reservations', () => {
    const other = { ...tree, bootCpu: 2, reservations: [{ address: 0x1000n, size: 0x20n }] };
    expect(diffTrees(tree, other).map(formatDifference)).toEqual([
      'boot cpu: 0 -> 2',
      'reservations: none -> 0x1000+0x20',
    ]);
  });

  it('law: there is none exactly where the trees are the same but for the order of properties', () => {
    const sorted = (node: TreeNode): unknown => [
      node.name,
      [...node.properties].map(([name, value]) => [name, [...value]]).toSorted(),
      node.children.map(sorted),
    ];
    const shuffled = (node: TreeNode): TreeNode => ({
      ...node,
      properties: new Map([...node.properties].toReversed()),
      children: node.children.map(shuffled),
    });
    fc.assert(
      fc.property(anyTree, anyTree, (a, b) => {
        expect(diffTrees(a, { ...a, root: shuffled(a.root) })).toEqual([]);
        const header = (of: DeviceTree) => `${of.bootCpu} ${of.reservations.map((r) => `${r.address} ${r.size}`)}`;
        const same = header(a) === header(b) && JSON.stringify(sorted(a.root)) === JSON.stringify(sorted(b.root));
        expect(diffTrees(a, b).length === 0).toBe(same);
      }),
    );
  });

  it('law: a shuffle of siblings is told by the nodes that moved, no more than needed', () => {
    const children = (names: readonly string[]): DeviceTree => ({
      bootCpu: 0,
      reservations: [],
      root: { ...emptyNode(''), children: names.map(emptyNode) },
    });
    const names = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 1 });
    const shuffle = names.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffle, ([before, after]) => {
        const told = diffTrees(children(before), children(after));
        const moved = new Set(told.map((one) => ('path' in one ? one.path.slice(1) : '')));
        // The rest kept its order ...
        expect(after.filter((name) => !moved.has(name))).toEqual(before.filter((name) => !moved.has(name)));
        // ... and one move is told as one.
        const once = [...before.slice(1), ...before.slice(0, 1)];
        expect(diffTrees(children(before), children(once))).toHaveLength(before.length === 1 ? 0 : 1);
      }),
    );
  });
});
