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

  it('names devices as Linux does: by the address that the CPU has for them, or by their nodes', () => {
    const bus = (name: string, ranges: number[], ...children: TreeNode[]) =>
      node(name, { compatible: 'simple-bus', '#address-cells': [1], '#size-cells': [1], ranges }, ...children);
    const tree = boardTree({
      more: [
        // As bcm2711's: the peripherals have other addresses for the bus than for the CPU.
        bus(
          'soc',
          [0x7e00_0000, 0, 0xfe00_0000, 0x180_0000],
          node('watchdog@7e100000', { compatible: 'acme,watchdog', reg: [0x7e10_0000, 0x114] }),
          node(
            'i2c@7e804000',
            { compatible: 'acme,i2c', reg: [0x7e80_4000, 0x1000], '#address-cells': [1], '#size-cells': [0] },
            node('sensor@48', { compatible: 'acme,sensor', reg: [0x48] }),
          ),
          node('local@10', { compatible: 'acme,unmapped', reg: [0x10, 4] }),
        ),
        bus('soc@0', [], node('clock', { compatible: 'acme,clock' })),
        node(
          'reserved-memory',
          { '#address-cells': [2], '#size-cells': [2], ranges: [] },
          node('smem@86000000', { compatible: 'acme,smem', reg: [0, 0x8600_0000, 0, 0x20_0000] }),
        ),
      ],
    });
    const named = (path: string) => [...devicesOf(tree)].find(([, at]) => at === path)?.[0];
    expect(named('/soc/watchdog@7e100000')).toBe('fe100000.watchdog');
    expect(named('/soc/i2c@7e804000/sensor@48')).toBe('fe804000.i2c:sensor@48');
    expect(named('/soc/local@10')).toBe('soc:local@10');
    expect(named('/soc@0')).toBe('soc@0');
    expect(named('/soc@0/clock')).toBe('soc@0:clock');
    expect(named('/reserved-memory/smem@86000000')).toBe('86000000.smem');
  });
});
