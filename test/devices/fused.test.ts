import { describe, expect, it } from 'vitest';
import { modelBoard } from '../../harness/devices/board-models.ts';
import type { TreeNode } from '../../harness/devicetree/tree.ts';
import { boardTree, node } from '../board/trees.ts';

function models(...more: readonly TreeNode[]) {
  const cells = { '#address-cells': [1], '#size-cells': [1], ranges: [] };
  return modelBoard(boardTree({ more: [node('soc', cells, ...more)] })).models;
}

function wordAt(images: ReturnType<typeof models>['images'], address: number): number | null {
  const image = images.find((entry) => entry.address === address);
  return image === undefined ? null : new DataView(image.bytes.buffer).getUint32(0, true);
}

describe('what a chip says of itself', () => {
  it('calibrates Amlogic’s sensor where its driver looks, behind the phandle of the tree', () => {
    const { images } = models(
      node('secure@140', { compatible: 'amlogic,meson-gx-ao-secure', reg: [0x140, 0x200], phandle: [7] }),
      node('sensor@1000', { compatible: ['amlogic,g12a-cpu-thermal'], reg: [0x1000, 0x80], 'amlogic,ao-secure': [7] }),
    );
    expect(wordAt(images, 0x140 + 0x128)).toBe(0x8400_0000);
    expect(wordAt(images, 0x140 + 0xf0), 'that of the other sensor is not asked for').toBeNull();
  });

  it('says of QUP that its state is valid, and stays so when it is written', () => {
    const { images, rules } = models(node('spi@2000', { compatible: 'qcom,spi-qup-v2.2.1', reg: [0x2000, 0x500] }));
    expect(wordAt(images, 0x2004)).toBe(0x14);
    expect(rules).toContainEqual(expect.objectContaining({ rule: 'read-only', at: 0x2004, bits: 0x14 }));
  });

  it('gives HiSilicon’s PMIC a version that its driver knows', () => {
    const { images } = models(
      node('pmic@f8000000', { compatible: 'hisilicon,hi655x-pmic', reg: [0xf800_0000, 0x1000] }),
    );
    expect(wordAt(images, 0xf800_0000)).toBe(0x36);
  });

  it('has as many LLCC banks as the tree names', () => {
    const llcc = { compatible: 'qcom,sc7180-llcc', reg: [0x3_0000, 0x1000, 0x9_0000, 0x1000] };
    const { images } = models(node('llcc@30000', { ...llcc, 'reg-names': ['llcc0_base', 'llcc_broadcast_base'] }));
    expect(wordAt(images, 0x6_000c)).toBe(1 << 28);
  });

  it('samples the program counter of a CPU that is powered', () => {
    const { images } = models(
      node('debug@4000', { compatible: ['arm,coresight-cpu-debug', 'arm,primecell'], reg: [0x4000, 0x1000] }),
    );
    expect([wordAt(images, 0x4fc8), wordAt(images, 0x4fc4), wordAt(images, 0x4314)]).toEqual([3, 2, 1]);
  });
});
