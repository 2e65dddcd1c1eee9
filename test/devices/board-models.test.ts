import { describe, expect, it } from 'vitest';
import { modelBoard } from '../../harness/devices/board-models.ts';
import { emptyNode, type TreeNode } from '../../harness/devicetree/tree.ts';
import { boardTree, GIC_V3, node, TIMER } from '../board/trees.ts';

const gic: TreeNode = {
  ...GIC_V3,
  properties: new Map([...GIC_V3.properties, ...node('', { phandle: [1] }).properties]),
};

function models(...more: readonly TreeNode[]) {
  const soc = node('soc', { '#address-cells': [1], '#size-cells': [1], ranges: [], 'interrupt-parent': [1] }, ...more);
  return modelBoard(boardTree({ gic, timer: TIMER, more: [soc] }));
}

const word = (images: ReturnType<typeof models>['models']['images'], address: number) => {
  const image = images.find((entry) => entry.address === address);
  return image === undefined ? null : new DataView(image.bytes.buffer).getUint32(0, true);
};

describe('models of a board’s devices', () => {
  it('says nothing of devices that it does not know, and of disabled ones', () => {
    const pl330 = { compatible: ['arm,pl330', 'arm,primecell'], reg: [0x1000, 0x1000] };
    const { models: plain, nodes } = models(
      node('a@0', { compatible: 'acme,thing', reg: [0, 0x1000] }),
      node('b@1000', { ...pl330, status: 'disabled' }),
    );
    expect(plain.images).toEqual([]);
    expect(nodes.map(({ path }) => path)).toEqual([]);
  });

  it('puts the identification of a PrimeCell at the end of its registers', () => {
    const { models: found } = models(
      node('dma@1000', { compatible: ['arm,pl330', 'arm,primecell'], reg: [0x1000, 0x1000] }),
    );
    expect(word(found.images, 0x1fe0)).toBe(0x30);
    expect(word(found.images, 0x1fec)).toBe(0x00);
    expect(word(found.images, 0x1ff0)).toBe(0x0d);
  });

  it('gives an I2C master its interrupt, and its slaves a file each', () => {
    const pmic = node('pmic@25', { compatible: 'nxp,pca9450c', reg: [0x25] });
    const { models: found } = models(
      node(
        'i2c@2000',
        { compatible: ['fsl,imx8mm-i2c', 'fsl,imx21-i2c'], reg: [0x2000, 0x1000], interrupts: [0, 35, 4] },
        pmic,
      ),
    );
    const [master] = found.behaviours;
    expect(master).toMatchObject({ behaviour: 'i2c-imx', address: 0x2000, interrupts: [67] });
    expect(found.images).toEqual([{ address: (master?.parameters[0] ?? 0) + 0x2500, bytes: Uint8Array.of(0x30) }]);
  });

  it('answers a command set of the power manager with the interrupt of the driver that asks', () => {
    const rsc = node('rsc@4000', {
      compatible: 'qcom,rpmh-rsc',
      reg: [0x4000, 0x1000, 0x5000, 0x1000, 0x6000, 0x1000],
      'reg-names': ['drv-0', 'drv-1', 'drv-2'],
      interrupts: [0, 3, 4, 0, 4, 4, 0, 5, 4],
      'qcom,drv-id': [2],
      'qcom,tcs-offset': [0xd00],
      'qcom,tcs-config': [2, 2, 0, 3, 1, 3, 3, 1],
    });
    const { models: found } = models(rsc);
    const triggers = found.rules.filter((rule) => rule.rule === 'on-write');
    expect(triggers).toHaveLength(9);
    expect(triggers[1]).toMatchObject({ at: 0x6d14 + 0x2a0, to: 0x6d04, set: 2, interrupt: 37 });
    expect(word(found.images, 0x600c)).toBe(((9 << 12) | (16 << 27)) >>> 0);
  });

  it('says that power states are extended where the tree has such, as the board’s PSCI does', () => {
    const tree = boardTree({
      more: [node('psci', { compatible: 'arm,psci-1.0' }, node('idle', { 'arm,psci-suspend-param': [0x4000_0004] }))],
    });
    expect(modelBoard(tree).models.monitor.suspendFeatures).toBe(2);
    expect(modelBoard({ ...tree, root: emptyNode('') }).models.monitor.suspendFeatures).toBe(0);
  });
});
