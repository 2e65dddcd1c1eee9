import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { suppliersOf } from '../../harness/board/suppliers.ts';
import { devicesOf } from '../../harness/devicetree/devices.ts';
import { emptyNode, nodeAt, type TreeNode, walk } from '../../harness/devicetree/tree.ts';
import { boardTree, node } from '../board/trees.ts';

/** Siblings that count how often their names are looked at. */
function counted(siblings: number) {
  const looks = { count: 0 };
  const children = Array.from({ length: siblings }, (_, n): TreeNode => {
    const plain = node(`dev@${n}`, {
      compatible: 'acme,device',
      phandle: [n + 1],
      '#clock-cells': [0],
      clocks: n === 0 ? [] : [n],
    });
    return {
      ...plain,
      get name() {
        looks.count++;
        return plain.name;
      },
    };
  });
  const tree = boardTree({ more: children });
  looks.count = 0;
  return { tree, looks };
}

describe('looking nodes up', () => {
  it.each([
    ['suppliersOf', suppliersOf],
    ['devicesOf', devicesOf],
  ])('does not look through all siblings for each: %s', (_, read) => {
    const small = counted(500);
    read(small.tree);
    const large = counted(5000);
    read(large.tree);
    expect(large.looks.count).toBeLessThan(11 * small.looks.count);
  });

  it('finds every node, and none that is not there, however many siblings it has', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { maxLength: 60 }), (names) => {
        const root = { ...emptyNode(''), children: names.map(emptyNode) };
        for (const placed of walk(root)) expect(nodeAt(root, placed.path)).toBe(placed.node);
        expect(nodeAt(root, '/none')).toBeUndefined();
        const edited = { ...root, children: root.children.slice(1) };
        expect(nodeAt(edited, `/${names[0] ?? 'none'}`)).toBeUndefined();
      }),
    );
  });
});
