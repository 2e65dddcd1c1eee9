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

  it('leaves the clock of a Raspberry Pi 4’s VPU running at 500 MHz', () => {
    const { models: found } = models(node('cprman@101000', { compatible: 'brcm,bcm2711-cprman', reg: [0, 0x2000] }));
    const at = (address: number) => word(found.images, address) ?? 0;
    // PLLC_CORE0, the fifth parent (bcm2835_clock_vpu_parents), undivided.
    expect([at(0x008) & 0xf, at(0x00c)]).toEqual([5, 0x1000]);
    const pllc = 54e6 * ((at(0x1120) & 0x3ff) + at(0x1220) / 2 ** 20);
    expect(pllc / at(0x1620)).toBeCloseTo(500e6, -3);
  });

  it('gives the packet switch and the camera’s DMA of a K3 SoC their identities', () => {
    const { models: found } = models(
      node('ethernet@c000000', { compatible: 'ti,j7200-cpswxg-nuss', reg: [0xc00_0000, 0x20_0000] }),
      node('dma-controller@4e230000', {
        compatible: 'ti,am62a-dmss-bcdma-csirx',
        reg: [0x4e23_0000, 0x100],
        'reg-names': ['gcfg'],
      }),
    );
    expect(word(found.images, 0xc03_e000)).toBe(0x0029_3904);
    expect(word(found.images, 0x4e23_0028), 'channels to receive alone').toBe(6 << 18);
  });

  it('lets every channel of HiSilicon’s mailbox be unlocked and acquired, again and again', () => {
    const { models: found } = models(
      node('mailbox@1000', { compatible: 'hisilicon,hi3660-mbox', reg: [0x1000, 0x1000] }),
    );
    const stays = (at: number, bits: number) =>
      expect(found.rules).toContainEqual(expect.objectContaining({ rule: 'read-only', at, bits }));
    stays(0x1a00, 0xffff_ffff);
    expect(word(found.images, 0x1a00) ?? 0, 'unlocked').toBe(0);
    for (const mode of [0x1010, 0x1010 + 31 * 0x40]) {
      stays(mode, 0x30);
      expect(word(found.images, mode)).toBe(0x30);
    }
  });

  it('puts the identification of a PrimeCell at the end of its registers', () => {
    const { models: found } = models(
      node('dma@1000', { compatible: ['arm,pl330', 'arm,primecell'], reg: [0x1000, 0x1000] }),
    );
    expect(word(found.images, 0x1fe0)).toBe(0x30);
    expect(word(found.images, 0x1fec)).toBe(0x00);
    expect(word(found.images, 0x1ff0)).toBe(0x0d);
    const isNonSecure = (word(found.images, 0x1e00) ?? 0) & 4;
    expect(isNonSecure && word(found.images, 0x1e0c), 'each channel is one that a non-secure kernel may have').toBe(
      0xffff_ffff,
    );
  });

  it('takes what is called a trace unit for one where the tree says no more, and nothing else', () => {
    const primecell = (name: string) => {
      const { images } = models(node(`${name}@1000`, { compatible: 'arm,primecell', reg: [0x1000, 0x1000] })).models;
      return { cid: word(images, 0x1ff4), arch: word(images, 0x1fbc) };
    };
    expect(primecell('etm')).toEqual({ cid: 0x90, arch: 0x4770_4a13 });
    expect(primecell('dma')).toEqual({ cid: null, arch: null });
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

  it('lets an SD host without a card time out by interrupt, with the clock as its maker has it', () => {
    const host = (compatible: string) =>
      models(node('mmc@3000', { compatible, reg: [0x3000, 0x1000], interrupts: [0, 40, 4] })).models;
    const plain = host('arasan,sdhci-5.1');
    expect((word(plain.images, 0x3040) ?? 0) & (1 << 24)).not.toBe(0);
    expect(plain.rules).toContainEqual(expect.objectContaining({ rule: 'follows', at: 0x302c, to: 0x302c }));
    expect(plain.rules).toContainEqual(
      expect.objectContaining({ rule: 'line', at: 0x3030, to: 0x3038, interrupt: 72 }),
    );
    const nxp = host('fsl,imx8mm-usdhc');
    expect(word(nxp.images, 0x3024)).toBe(0x88);
    expect(nxp.rules.map(({ rule }) => rule)).not.toContain('follows');
    expect(host('qcom,sdhci-msm-v5').rules).toEqual([]);
  });

  it('halts a USB host whenever it is not told to run', () => {
    const { models: found } = models(
      node('usb@4000', { compatible: 'generic-ehci', reg: [0x4000, 0x100] }),
      node('usb@8000', { compatible: 'marvell,armada-3700-ehci', reg: [0x8000, 0x2000] }),
      node('usb@100000', { compatible: 'snps,dwc3', reg: [0x10_0000, 0x1_0000] }),
    );
    const halted = found.rules.filter((rule) => rule.rule === 'follows' && rule.inverted).map(({ at }) => at);
    expect(halted).toEqual([0x4014, 0x8114, 0x10_0024]);
    expect(word(found.images, 0x10_c120)).toBe(0x5533_300a);
    // Supported protocols are where the upper half of HCCPARAMS says, in words.
    const extended = 4 * ((word(found.images, 0x10_0010) ?? 0) >>> 16);
    expect(word(found.images, 0x10_0000 + extended + 4)).toBe(0x2042_5355);
  });

  it('knows the registers of a part of a syscon, and never invents its temperature', () => {
    const sensor = node('thermal-sensor@80', { reg: [0x80, 0x10], '#thermal-sensor-cells': [1] });
    const syscon = { compatible: 'syscon', reg: [0x9000, 0x1000], '#address-cells': [1], '#size-cells': [1] };
    const { models: found } = models(node('system-controller@9000', syscon, sensor));
    expect(found.never).toEqual([{ address: 0x9080, size: 0x10 }]);
  });

  it('invents nothing for an ADC that measures a temperature', () => {
    const adc = (at: number, phandle: number) =>
      node(`adc@${at}`, { compatible: 'acme,adc', reg: [at, 0x100], '#io-channel-cells': [1], phandle: [phandle] });
    const zone = node('sensor', { compatible: 'generic-adc-thermal', 'io-channels': [8, 0] });
    expect(models(adc(0x1000, 7), adc(0x2000, 8), zone).models.never).toEqual([{ address: 0x2000, size: 0x100 }]);
  });

  it('tells an SMMU of many pages that they are large', () => {
    const idr1 = (size: number) => {
      const iommu = node('iommu@100000', { compatible: 'arm,mmu-500', reg: [0x10_0000, size] });
      const [image] = models(iommu).models.images;
      return image === undefined ? 0 : new DataView(image.bytes.buffer).getUint32(0x24, true);
    };
    expect(idr1(0x8_0000) >>> 28).toBe(5);
    // 2^6 pages of 64 KiB on each side, as on the LS1028A.
    expect(idr1(0x80_0000) >>> 28).toBe(8 + 5);
  });

  it('parts shared memory where the tree names an item that a heap does not have', () => {
    const shared = (items: readonly number[]) => {
      const { images } = models(
        node('smem@100000', { compatible: 'qcom,smem', reg: [0x10_0000, 0x20_0000] }),
        node('smp2p', { compatible: 'qcom,smp2p', 'qcom,smem': items, 'qcom,remote-pid': [13] }),
      ).models;
      return images.map(({ address }) => address);
    };
    expect(shared([435, 428])).toEqual([0x10_0000]);
    expect(shared([617, 616]), 'header, two partitions and their table').toEqual([
      0x10_0000, 0x10_1000, 0x12_1000, 0x2f_f000,
    ]);
  });

  it('breaks no poll in a bank of GPIOs', () => {
    const { models: found } = models(
      node('gpio@5000', { compatible: 'acme,gpio', reg: [0x5000, 0x100], 'gpio-controller': [] }),
      node('pinctrl@6000', { compatible: 'acme,pins', reg: [0x6000, 0x100] }, node('gpio', { 'gpio-controller': [] })),
      node('syscon@7000', { compatible: 'acme,grf', reg: [0x7000, 0x100] }, node('gpio', { 'gpio-controller': [] })),
    );
    expect(found.never.map(({ address }) => address)).toEqual([0x5000, 0x6000]);
  });

  it('gives every SPI slave a place of its own, and a flash its identity', () => {
    const flash = node('flash@1', { compatible: 'jedec,spi-nor', reg: [1] });
    const pmic = node('pmic@0', { compatible: 'rockchip,rk806', reg: [0] });
    const spi = {
      compatible: ['rockchip,rk3588-spi', 'rockchip,rk3066-spi'],
      reg: [0x3000, 0x1000],
      interrupts: [0, 9, 4],
    };
    const { models: found } = models(node('spi@3000', spi, pmic, flash));
    const [master] = found.behaviours;
    expect(master).toMatchObject({ behaviour: 'spi-rockchip', interrupts: [41] });
    const store = master?.parameters[0] ?? 0;
    expect(word(found.images, store)).toBe(2);
    expect(word(found.images, store + 0x1000)).toBe(1);
    expect(found.images).toContainEqual({ address: store + 0x1020, bytes: Uint8Array.of(0xef, 0x40, 0x18) });
  });

  it('tells Allwinner’s I2C master from Marvell’s by its registers', () => {
    const master = (compatible: string[]) =>
      models(node('i2c@3000', { compatible, reg: [0x3000, 0x400], interrupts: [0, 9, 4] })).models.behaviours[0];
    expect(master(['allwinner,sun50i-a64-i2c', 'allwinner,sun6i-a31-i2c'])?.parameters.slice(1)).toEqual([
      8, 12, 16, 1,
    ]);
    expect(master(['allwinner,sun4i-a10-i2c'])?.parameters[4]).toBe(0);
    expect(master(['marvell,mv78230-i2c'])?.parameters.slice(1)).toEqual([4, 8, 12, 0]);
  });

  it('lists the clocks that a K3 tree speaks of, and the resources that it leaves to Linux', () => {
    const clocks = node('clocks', { compatible: 'ti,k2g-sci-clk', phandle: [7] });
    const dma = node('dma', { 'ti,sci-dev-id': [26], 'ti,sci-rm-range-bchan': [0x20, 0x21], reg: [0, 4] });
    const inta = node('inta', {
      compatible: 'ti,sci-inta',
      'ti,sci-dev-id': [28],
      'ti,interrupt-ranges': [6, 70, 34],
    });
    // Output 10 is INTID 66, which the mailbox is wired to: what is left are 11 to 15.
    const router = node('intr', {
      compatible: 'ti,sci-intr',
      'ti,sci-dev-id': [3],
      'ti,interrupt-ranges': [8, 64, 8, 128, 672, 64],
    });
    const rings = node('rings', {
      'ti,sci-dev-id': [30],
      'ti,num-rings': [286],
      'ti,sci-rm-range-gp-rings': [1],
    });
    const watchdog = node('wdt', {
      compatible: 'ti,j7-rti-wdt',
      clocks: [7, 125, 0],
      'assigned-clocks': [7, 125, 0],
      'assigned-clock-parents': [7, 125, 4],
    });
    const sci = node('sci', { mboxes: [8, 11, 8, 13], 'mbox-names': ['rx', 'tx'] });
    const proxy = node('mailbox@100000', {
      compatible: 'ti,am654-secure-proxy',
      phandle: [8],
      reg: [0x10_0000, 0x8_0000, 0x20_0000, 0x8_0000, 0x30_0000, 0x8_0000],
      'reg-names': ['target_data', 'rt', 'scfg'],
      interrupts: [0, 34, 4],
    });
    const { models: found } = models(clocks, dma, inta, router, rings, watchdog, sci, proxy);
    const [, , list = 0] = found.behaviours.find(({ behaviour }) => behaviour === 'ti-sci')?.parameters ?? [];
    expect(word(found.images, 0x30_c000), 'thread 11 receives').toBe(2 ** 31);
    expect(word(found.images, 0x20_d000), 'thread 13 may send').toBe(5);
    const words = (at: number, count: number) =>
      Array.from({ length: count }, (_, n) => word(found.images, at + 4 * n));
    expect(words(list, 1)).toEqual([1]);
    expect(words(list + 0x20, 5)).toEqual([125, 0, 4, 1, 32_768]);
    const of = (device: number, kind: number) => device * 2 ** 16 + kind;
    const channels = [of(26, 0x20), 0, 0];
    const aggregator = [of(28, 0x0a), 6, 34, of(28, 0x0d), 0, 1024];
    const resources = [...channels, ...aggregator, of(3, 0), 11, 5, of(30, 1), 222, 64];
    expect(words(list + 0x8000, 1 + resources.length)).toEqual([5, ...resources]);
  });

  it('offers as many clocks by SCMI as the tree asks for, in the memory that is shared', () => {
    const shared = node('shmem@10f000', { compatible: 'arm,scmi-shmem', reg: [0, 0x10_f000, 0, 0x100], phandle: [9] });
    const memory = node('reserved-memory', { '#address-cells': [2], '#size-cells': [2], ranges: [] }, shared);
    const clocks = node('protocol@14', { reg: [0x14], phandle: [10] });
    const scmi = node('scmi', { compatible: 'arm,scmi-smc', 'arm,smc-id': [0x8200_0010], shmem: [9] }, clocks);
    const cpu = node('cpu', { clocks: [10, 5] });
    const tree = boardTree({ gic, timer: TIMER, more: [memory, node('firmware', {}, scmi), cpu] });
    const [channel] = modelBoard(tree).models.behaviours;
    expect(channel).toMatchObject({ behaviour: 'scmi', address: 0x10_f000, size: 0x100 });
    const [call, , ...numbers] = channel?.parameters ?? [];
    expect([call, ...numbers]).toEqual([0x8200_0010, 6, 0, 0, 0b1_0000, 0x10_f000]);
  });

  it('answers SCPI and SCMI behind the channel of the message handling unit that they ring', () => {
    const mhu = (name: string, address: number, phandle: number) =>
      node(`${name}@${address.toString(16)}`, {
        compatible: [`arm,${name}`, 'arm,primecell'],
        reg: [address, 0x1000],
        phandle: [phandle],
        '#mbox-cells': [name === 'mhu' ? 1 : 2],
        interrupts: [0, 36, 4, 0, 35, 4, 0, 37, 4],
      });
    const shared = node('shmem@10f000', { compatible: 'arm,scmi-shmem', reg: [0x10_f000, 0x200], phandle: [9] });
    const sensors = node('sensors', { compatible: 'arm,scpi-sensors', phandle: [11] });
    const scpi = node('scpi', { compatible: 'arm,scpi', mboxes: [7, 1], shmem: [9] }, sensors);
    const zone = node('soc-thermal', { 'thermal-sensors': [11, 3] });
    const clocks = node('protocol@14', { reg: [0x14], phandle: [10] });
    const scmi = node('scmi', { compatible: 'arm,scmi', mboxes: [8, 0, 0, 8, 0, 1], shmem: [9] }, clocks);
    const { models: found } = models(
      mhu('mhu', 0x20_0000, 7),
      mhu('mhu-doorbell', 0x30_0000, 8),
      shared,
      scpi,
      zone,
      scmi,
      node('cpu', { clocks: [10, 5] }),
    );
    const [scp, doorbell] = found.behaviours;
    expect(scp).toMatchObject({ behaviour: 'scpi', address: 0x20_0128, size: 4, interrupts: [67] });
    const [answers, requests, arrived, , count] = scp?.parameters ?? [];
    expect([answers, requests, arrived, count]).toEqual([0x10_f000, 0x10_f100, 0x20_0020, 4]);
    expect(doorbell).toMatchObject({ behaviour: 'scmi-doorbell', address: 0x30_0108, size: 4, interrupts: [68] });
    const [call, , ...numbers] = doorbell?.parameters ?? [];
    expect([call, ...numbers]).toEqual([0, 6, 0, 0, 0b1_0000, 0x10_f000, 0x30_0000]);
    expect(found.rules).toContainEqual(expect.objectContaining({ rule: 'clears', at: 0x20_0030, to: 0x20_0020 }));
  });

  it('answers the SCPI before 1.0 on both channels of Amlogic’s unit, with a thermometer', () => {
    const shared = (at: number, phandle: number) =>
      node(`shmem@${at.toString(16)}`, {
        compatible: 'amlogic,meson-gxbb-scp-shmem',
        reg: [at, 0x400],
        phandle: [phandle],
      });
    const unit = node('mailbox@404', {
      compatible: 'amlogic,meson-gxbb-mhu',
      reg: [0x404, 0x4c],
      interrupts: [0, 208, 1, 0, 209, 1, 0, 210, 1],
      '#mbox-cells': [1],
      phandle: [7],
    });
    const compatible = ['amlogic,meson-gxbb-scpi', 'arm,scpi-pre-1.0'];
    const { models: found } = models(
      shared(0x1_3000, 8),
      shared(0x1_3400, 9),
      unit,
      node('scpi', { compatible, mboxes: [7, 1, 7, 2], shmem: [8, 9] }),
    );
    expect(found.behaviours).toMatchObject([
      { behaviour: 'scpi', address: 0x404 + 0x0c + 0x24, size: 4, interrupts: [32 + 209] },
      { behaviour: 'scpi', address: 0x404 + 0x18 + 0x24, size: 4, interrupts: [32 + 210] },
    ]);
    const [low, high] = found.behaviours.map(({ parameters }) => parameters.filter((_, n) => n !== 3));
    expect(low).toEqual([0x1_3000, 0x1_3200, 0x404 + 0x0c + 4, 1, 1]);
    expect(high?.slice(0, 3)).toEqual([0x1_3400, 0x1_3600, 0x404 + 0x18 + 4]);
    expect(found.rules).toContainEqual(
      expect.objectContaining({ rule: 'clears', at: 0x404 + 0x0c + 8, to: 0x404 + 0x10 }),
    );
  });

  it('answers SCMI behind a doorbell of NXP’s messaging unit, and behind no other channel of it', () => {
    const scmiBy = (...mboxes: number[]) => {
      const unit = { compatible: 'fsl,imx95-mu', reg: [0x5b_0000, 0x1000], interrupts: [0, 226, 4], phandle: [7] };
      const { models: found } = models(
        node('shmem@10f000', { compatible: 'arm,scmi-shmem', reg: [0x10_f000, 0x80], phandle: [9] }),
        node('mailbox@5b0000', { ...unit, '#mbox-cells': [2] }),
        node('scmi', { compatible: 'arm,scmi', mboxes, shmem: [9] }),
      );
      return found;
    };
    const { behaviours, rules } = scmiBy(7, 5, 0, 7, 3, 0);
    expect(behaviours).toMatchObject([{ behaviour: 'scmi-doorbell', address: 0x5b_0114, interrupts: [258] }]);
    expect(behaviours[0]?.parameters[7]).toBe(0x5b_0118);
    expect(rules).toContainEqual(expect.objectContaining({ rule: 'write-one-clears', at: 0x5b_0118 }));
    expect(scmiBy(7, 0, 0).behaviours).toEqual([]);
  });

  it('runs the PLLs of an i.MX8MP at the rates that its boot loader leaves', () => {
    const { models: found } = models(
      node('clock@360000', { compatible: ['fsl,imx8mp-anatop', 'fsl,imx8mm-anatop'], reg: [0x36_0000, 0x1000] }),
    );
    const megahertz = [0x84, 0x94, 0x104, 0x114].map((at) => {
      expect(word(found.images, 0x36_0000 + at)).toBe(0x8000_0a00);
      const divider = word(found.images, 0x36_0000 + at + 4) ?? 0;
      return (24 * (divider >> 12)) / ((divider >> 4) & 0x3f) / 2 ** (divider & 7);
    });
    expect(megahertz).toEqual([1600, 800, 1000, 600]);
  });

  it('has read what a bus of Marvell’s to PHYs is asked to read, and nothing where it is told to write', () => {
    const read = (name: string, command: number) =>
      models(node('mdio@100000', { compatible: name, reg: [0x10_0000, 0x10] })).models.rules.flatMap((rule) =>
        rule.rule === 'on-write' && (command & rule.mask) >>> 0 === rule.value ? [rule.set] : [],
      );
    expect(read('marvell,orion-mdio', 1 << 26)).toEqual([1 << 27]);
    expect(read('marvell,orion-mdio', 0)).toEqual([]);
    expect(read('marvell,xmdio', 7 << 26)).toEqual([1 << 29]);
    expect(read('marvell,xmdio', 5 << 26)).toEqual([]);
  });

  it('puts a root port on a PCI bus whose configuration space is memory', () => {
    const { models: found } = models(
      node('pcie@100000', { compatible: 'pci-host-ecam-generic', reg: [0x10_0000, 0x1000] }),
    );
    expect(word(found.images, 0x10_0000)).toBe(0x000c_1b36);
    expect(word(found.images, 0x10_0008)).toBe(0x0604_0000);
    // Without base addresses: what sizes them by writing ones reads zeros.
    expect(found.rules).toContainEqual(
      expect.objectContaining({ rule: 'read-only', at: 0x10_0010, bits: 0xffff_ffff }),
    );
  });

  it('resets a GPU at once, and its MMU keeps no low bits of its directory', () => {
    const { models: found } = models(
      node('gpu@100000', { compatible: ['acme,mali', 'arm,mali-t860'], reg: [0x10_0000, 0x1_0000] }),
      node('iommu@200000', { compatible: 'rockchip,iommu', reg: [0x20_0000, 0x100] }),
    );
    expect(word(found.images, 0x10_0000)).toBe(0x0860_2000);
    const resets = found.rules.filter(
      (rule) => rule.rule === 'on-write' && rule.at === 0x10_0030 && rule.set === 0x100,
    );
    expect(resets).toHaveLength(2);
    expect(found.rules).toContainEqual(expect.objectContaining({ rule: 'read-only', at: 0x20_0000, bits: 0xfff }));
  });

  it('puts the identity of an HDMI transmitter where its registers are', () => {
    const hdmi = (width: number) => {
      const where = { compatible: 'rockchip,rk3399-dw-hdmi', reg: [0x3000, 0x1000], 'reg-io-width': [width] };
      return models(node('hdmi@3000', where)).models.images[0]?.bytes;
    };
    expect(hdmi(4)?.[8]).toBe(0xa0);
    expect(hdmi(1)?.[2]).toBe(0xa0);
    const { rules } = models(node('hdmi@3000', { compatible: 'amlogic,meson-gx-dw-hdmi', reg: [0x3000, 0x20] })).models;
    const third = rules.find((rule) => rule.rule === 'on-write' && rule.value === 2);
    expect(third).toMatchObject({ at: 0x3010, to: 0x3014, set: 0xa0, clear: 0x5f });
  });

  it.each([
    ['qcom,dsi-phy-10nm', 0x10, [0, 4]],
    ['qcom,dsi-phy-7nm', 0x10, [0, 4]],
    ['qcom,sm8350-dsi-phy-5nm', 0x10, [0, 4]],
    ['renesas,r8a774a1-cpg-mssr', 0x238, [0, 4]],
    ['renesas,r8a779g0-cpg-mssr', 0x874, [0, 4]],
    ['marvell,armada-3700-periph-clock-nb', 0x4, [0, 3, 12, 15, 20, 23, 28]],
    ['marvell,armada-3700-periph-clock-nb', 0x8, [0, 3, 6, 9, 12, 15, 18, 24, 27]],
    ['marvell,armada-3700-periph-clock-sb', 0xc, [6, 9]],
  ])('leaves no divider of %s at zero', (compatible, offset, shifts) => {
    const clocks = node('clock@3000', { compatible, reg: [0x3000, 0x1000] });
    const value = word(models(clocks).models.images, 0x3000 + offset) ?? 0;
    expect(value).toBe(shifts.reduce((sum, shift) => sum + 2 ** shift, 0));
  });

  it('says that a PLL of Allwinner’s is locked where it is on, and no clock change is a command', () => {
    const { models: found } = models(
      node('clock@10000', { compatible: 'allwinner,sun50i-a64-ccu', reg: [0x1_0000, 0x400] }),
      node('mmc@20000', { compatible: 'allwinner,sun50i-a64-mmc', reg: [0x2_0000, 0x1000], interrupts: [0, 60, 4] }),
    );
    expect(found.rules).toContainEqual(
      expect.objectContaining({ rule: 'follows', at: 0x1_0000, toStride: 4, bit: 28, source: 31, inverted: false }),
    );
    const [, failed] = found.rules.filter((rule) => rule.rule === 'on-write');
    expect(failed).toMatchObject({ at: 0x2_0018, mask: 0x80_20_0000, value: 0x8000_0000, interrupt: 92 });
  });

  it('has temperatures below critical, a crypto engine that is one, and a PHY that the monitor switches on', () => {
    const sensor = node('sensor@80', { compatible: 'marvell,armada-ap806-thermal', reg: [0x80, 0x10] });
    const syscon = { compatible: 'syscon', reg: [0x9000, 0x1000], '#address-cells': [1], '#size-cells': [1] };
    const { models: found } = models(
      node('system-controller@9000', syscon, sensor),
      node('crypto@100000', { compatible: 'inside-secure,safexcel-eip97ies', reg: [0x10_0000, 0x2_0000] }),
      node('phy@200000', { compatible: 'marvell,comphy-cp110', reg: [0x20_0000, 0x6000] }),
    );
    const sample = ((word(found.images, 0x908c) ?? 0) & 0x3ff) - 0x400;
    expect(423 * sample + 150_000).toBeLessThan(60_000);
    expect((word(found.images, 0x10_fffc) ?? 0) & 0xffff).toBe(0x35ca);
    expect(found.monitor.answers).toContainEqual(expect.objectContaining({ call: 0x8200_0001, asked: [] }));
  });

  it('flushes a job ring, and switches power domains at once', () => {
    const { models: found } = models(
      node('jr@1000', { compatible: ['fsl,imx8mq-job-ring', 'fsl,sec-v4.0-job-ring'], reg: [0x1000, 0x1000] }),
      node('gpc@3000', { compatible: 'fsl,imx8mp-gpc', reg: [0x3000, 0x1000] }),
      node('pm@5000', { compatible: 'brcm,bcm2711-pm', reg: [0x5000, 0x200, 0x6000, 0x100] }),
    );
    expect(found.rules).toContainEqual(expect.objectContaining({ rule: 'on-write', at: 0x106c, to: 0x104c, set: 8 }));
    expect(found.rules.filter(({ rule, at }) => rule === 'self-clearing' && at > 0x3000).map(({ at }) => at)).toEqual([
      0x30d8, 0x30e4,
    ]);
    expect(found.rules.filter(({ at }) => at === 0x3190)).toHaveLength(16);
    expect(word(found.images, 0x6020)).toBe(0x6272_6467);
  });

  it('has a flash behind the masters that know flashes', () => {
    const flash = node('flash@0', { compatible: ['acme,flash', 'jedec,spi-nor'], reg: [0] });
    for (const [compatible, behaviour] of [
      ['ti,am654-ospi', 'cadence-quadspi'],
      ['fsl,imx7d-qspi', 'fsl-quadspi'],
      ['nxp,imx8mm-fspi', 'nxp-fspi'],
    ] as const) {
      const { models: found } = models(
        node('spi@3000', { compatible, reg: [0x3000, 0x1000], interrupts: [0, 9, 4] }, flash),
      );
      const [master] = found.behaviours;
      expect(master).toMatchObject({ behaviour, address: 0x3000, interrupts: [41] });
      expect(word(found.images, master?.parameters[0] ?? 0)).toBe(1);
    }
  });
});
