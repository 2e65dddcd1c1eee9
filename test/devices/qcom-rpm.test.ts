import { describe, expect, it } from 'vitest';
import { modelBoard } from '../../harness/devices/board-models.ts';
import { smdChannel } from '../../harness/devices/smem.ts';
import type { TreeNode } from '../../harness/devicetree/tree.ts';
import { boardTree, GIC_V3, node, TIMER } from '../board/trees.ts';

const PHANDLES = { gic: 1, mailbox: 2, ram: 3 } as const;

function models(...more: readonly TreeNode[]) {
  const gic = { ...GIC_V3, properties: new Map([...GIC_V3.properties, ...node('', { phandle: [1] }).properties]) };
  const cells = { '#address-cells': [1], '#size-cells': [1], ranges: [], 'interrupt-parent': [PHANDLES.gic] };
  return modelBoard(boardTree({ gic, timer: TIMER, more: [node('soc', cells, ...more)] })).models;
}

const mailbox = (compatible: string) =>
  node('mailbox@b000', { compatible, reg: [0xb000, 0x1000], phandle: [PHANDLES.mailbox], '#mbox-cells': [1] });

describe('the power manager of SoCs before RPMh', () => {
  it('answers over SMD at the doorbell that its edge names, in the shared memory of the tree', () => {
    const found = models(
      mailbox('qcom,msm8916-apcs-kpss-global'),
      node('smem@100000', { compatible: 'qcom,smem', reg: [0x10_0000, 0x10_0000] }),
      node(
        'smd-edge',
        { interrupts: [0, 168, 1], mboxes: [PHANDLES.mailbox, 0], 'qcom,smd-edge': [15] },
        node('rpm-requests', { compatible: 'qcom,rpm-msm8916', 'qcom,smd-channels': 'rpm_requests' }),
      ),
    );
    const { info, fifo, fifoSize } = smdChannel(0x10_0000);
    expect(found.behaviours).toEqual([
      {
        behaviour: 'qcom-smd-rpm',
        address: 0xb008,
        size: 4,
        interrupts: [200],
        parameters: [1, info, fifo, fifoSize],
      },
    ]);
    const [image] = found.images.filter(({ address }) => address === 0x10_0000);
    const view = new DataView(image?.bytes.buffer ?? new ArrayBuffer(0));
    expect(view.getUint32(info - 0x10_0000 + 44, true), 'its half of the channel is open').toBe(2);
    expect(view.byteLength).toBe(fifo - 0x10_0000 + 2 * fifoSize);
  });

  it('answers over GLINK in message RAM, whose table of contents names the FIFOs', () => {
    const found = models(
      mailbox('qcom,msm8996-apcs-hmss-global'),
      node('sram@68000', { compatible: 'qcom,rpm-msg-ram', reg: [0x6_8000, 0x6000], phandle: [PHANDLES.ram] }),
      node(
        'glink-edge',
        {
          compatible: 'qcom,glink-rpm',
          interrupts: [0, 168, 1],
          mboxes: [PHANDLES.mailbox, 3],
          'qcom,rpm-msg-ram': [PHANDLES.ram],
        },
        node('rpm-requests', { compatible: 'qcom,rpm-msm8996', 'qcom,glink-channels': 'rpm_requests' }),
      ),
    );
    const toc = 0x6_8000 + 0x6000 - 0x100;
    const words = found.images.filter(({ address }) => address >= toc && address < toc + 0x100);
    expect(words.map(({ bytes }) => new DataView(bytes.buffer).getUint32(0, true))).toEqual([
      0x6772_7430, 2, 0x6170_3272, 0x1000, 0x800, 0x7232_6170, 0x2000, 0x800,
    ]);
    expect(found.behaviours[0]).toMatchObject({
      behaviour: 'qcom-glink-rpm',
      address: 0xb010,
      parameters: [8, 0x6_9000, 0x6_a000, 0x800],
    });
  });

  it('is not there where the tree names no doorbell', () => {
    const lonely = node('edge', { interrupts: [0, 168, 1] }, node('r', { compatible: 'qcom,rpm-msm8916' }));
    expect(models(lonely).behaviours).toEqual([]);
  });
});
