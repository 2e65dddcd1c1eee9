import { describe, expect, it } from 'vitest';
import { modelBoard } from '../../harness/devices/board-models.ts';
import type { TreeNode } from '../../harness/devicetree/tree.ts';
import { boardTree, GIC_V3, node, TIMER } from '../board/trees.ts';

function models(...more: readonly TreeNode[]) {
  const gic = { ...GIC_V3, properties: new Map([...GIC_V3.properties, ...node('', { phandle: [1] }).properties]) };
  const cells = { '#address-cells': [1], '#size-cells': [1], ranges: [], 'interrupt-parent': [1] };
  return modelBoard(boardTree({ gic, timer: TIMER, more: [node('soc', cells, ...more)] })).models;
}

function bytesAt(images: ReturnType<typeof models>['images'], address: number): number[] {
  return [...(images.find((image) => image.address === address)?.bytes ?? [])];
}

describe('masters of buses with a register file for each slave', () => {
  it('tells a DesignWare I2C master from anything else by its component type', () => {
    const found = models(
      node('i2c@1000', { compatible: 'snps,designware-i2c', reg: [0x1000, 0x100], interrupts: [0, 12, 4] }),
    );
    expect(found.behaviours[0]).toMatchObject({ behaviour: 'i2c-designware', address: 0x1000, interrupts: [44] });
    expect(bytesAt(found.images, 0x10fc)).toEqual([0x40, 0x01, 0x57, 0x44]);
  });

  it('knows NXP’s I2C masters whose registers lie side by side', () => {
    const compatible = ['fsl,vf610-i2c'];
    const mux = node('i2c-mux@77', { compatible: 'nxp,pca9847', reg: [0x77] });
    const { behaviours, images } = models(
      node('i2c@2000', { compatible, reg: [0x2000, 0x1000], interrupts: [0, 34, 4] }, mux),
    );
    expect(behaviours).toMatchObject([{ behaviour: 'i2c-vf610', address: 0x2000, size: 8, interrupts: [66] }]);
    const reserved = (behaviours[0]?.parameters[0] ?? 0) + 0x7c00;
    expect(bytesAt(images, reserved + 2 * 0x77), 'manufacturer 0, part 0x108').toEqual([0x00, 0x08, 0x40]);
  });

  it('knows the masters of Amlogic, of Qualcomm’s serial engines and of MediaTek', () => {
    const placed = (name: string, compatible: string, ...slaves: readonly TreeNode[]) =>
      models(node(`${name}@2000`, { compatible, reg: [0x2000, 0x4000], interrupts: [0, 34, 4] }, ...slaves));
    const pmic = node('pmic@8', { compatible: 'fsl,pfuze100', reg: [8] });
    for (const [compatible, behaviour] of [
      ['amlogic,meson-gxbb-i2c', 'i2c-meson'],
      ['qcom,geni-i2c', 'i2c-geni'],
    ] as const) {
      const { behaviours, images } = placed('i2c', compatible, pmic);
      expect(behaviours).toMatchObject([{ behaviour, address: 0x2000, interrupts: [66] }]);
      expect(bytesAt(images, (behaviours[0]?.parameters[0] ?? 0) + 0x800), compatible).toEqual([0x10]);
    }
    const port = node('connector@0', { compatible: 'usb-c-connector' });
    const controller = node('ec@1', { compatible: 'google,cros-ec-spi', reg: [1] }, node('typec', {}, port));
    for (const [compatible, behaviour] of [
      ['mediatek,mt8192-spi', 'spi-mt65xx'],
      ['rockchip,rk3399-spi', 'spi-rockchip'],
      ['qcom,geni-spi', 'spi-geni'],
      ['qcom,qspi-v1', 'qcom-qspi'],
      ['allwinner,sun8i-h3-spi', 'spi-sun6i'],
    ] as const) {
      const { behaviours, images } = placed('spi', compatible, controller);
      expect(behaviours).toMatchObject([{ behaviour, address: 0x2000, interrupts: [66] }]);
      expect(bytesAt(images, (behaviours[0]?.parameters[0] ?? 0) + 0x1000), compatible).toEqual([3, 0, 0, 0]);
      expect(bytesAt(images, (behaviours[0]?.parameters[0] ?? 0) + 0x1014), 'a port').toEqual([1, 0, 0, 0]);
    }
    expect(bytesAt(placed('spi', 'rockchip,rk3399-spi').images, 0x2048), 'a FIFO of 64').toEqual([2, 0, 0xec, 5]);
    expect(placed('serial', 'qcom,geni-uart').behaviours).toEqual([]);
  });

  it('has as many ports on a SoundWire as its tree, and none where it has no registers', () => {
    const ports = { compatible: 'qcom,soundwire-v1.6.0', 'qcom,dout-ports': [5], 'qcom,din-ports': [3] };
    const { images } = models(node('soundwire@3000', { ...ports, reg: [0x3000, 0x2000] }), node('swm', ports));
    expect(images.map(({ address }) => address)).toEqual([0x3100]);
    expect(bytesAt(images, 0x3100)).toEqual([5 | (3 << 5), 0, 0, 0]);
  });

  it('completes what the system registers of a Versatile Express are asked, with a rate for an answer', () => {
    const { rules } = models(node('sysreg@1000', { compatible: 'arm,vexpress-sysreg', reg: [0x1000, 0x1000] }));
    const changed = (control: number) =>
      rules.flatMap((rule) =>
        rule.rule === 'on-write' && rule.at === 0x10a4 && (control & rule.mask) >>> 0 === rule.value
          ? [[rule.to, rule.set]]
          : [],
      );
    expect(changed(0x8010_0000)).toEqual([
      [0x10a8, 1],
      [0x10a0, 24_000_000],
    ]);
    expect(changed(0xc010_0000)).toEqual([[0x10a8, 1]]);
  });

  it('acknowledges each request of Amlogic’s USB 3 PHY, until there is none', () => {
    const { rules } = models(node('phy@46000', { compatible: 'amlogic,g12a-usb3-pcie-phy', reg: [0x46000, 0x2000] }));
    const answered = (written: number) =>
      rules.flatMap((rule) =>
        rule.rule === 'on-write' && rule.at === 0x46010 && (written & rule.mask) >>> 0 === rule.value >>> 0
          ? [rule.set - rule.clear]
          : [],
      );
    expect([1, 2, 1 << 18, 1 << 19].map(answered)).toEqual(Array.from({ length: 4 }, () => [1 << 16]));
    expect(answered(0x102d << 2)).toEqual([-(1 << 16)]);
  });

  it('gives Tegra’s masters their interrupt, and its clock controller a crystal', () => {
    const found = models(
      node('i2c@7000d000', {
        compatible: ['nvidia,tegra210-i2c', 'nvidia,tegra124-i2c'],
        reg: [0x7000_d000, 0x100],
        interrupts: [0, 53, 4],
      }),
      node('clock@60006000', { compatible: 'nvidia,tegra210-car', reg: [0x6000_6000, 0x1000] }),
    );
    expect(found.behaviours).toHaveLength(1);
    expect(found.behaviours[0]).toMatchObject({ behaviour: 'i2c-tegra', interrupts: [85] });
    expect(bytesAt(found.images, 0x6000_6050), '38.4 MHz').toEqual([0, 0, 0, 0x50]);
    expect(bytesAt(found.images, 0x6000_60d0), 'PLLD: ten times that').toEqual([1, 0x50, 0, 0]);
    expect(found.rules).toContainEqual(
      expect.objectContaining({ rule: 'follows', at: 0x6000_60d0, to: 0x6000_60d0, bit: 27, source: 30 }),
    );
  });

  it('says that the wrapper of an MT8186 is initialised by a bit of its own', () => {
    const found = models(node('pwrap@2000', { compatible: 'mediatek,mt8186-pwrap', reg: [0x2000, 0x1000] }));
    expect(found.behaviours[0]?.parameters.slice(1, 5)).toEqual([0xc20, 0xc24, 0xc28, 0x50_0000]);
  });

  it('leaves MediaTek’s wrapper initialised, and the chip behind it says what the tree calls it', () => {
    const pmic = node('pmic', { compatible: 'mediatek,mt6358' });
    const found = models(node('pwrap@2000', { compatible: 'mediatek,mt8183-pwrap', reg: [0x2000, 0x1000] }, pmic));
    const [wrapper] = found.behaviours;
    const [store = 0, command] = wrapper?.parameters ?? [];
    expect(command).toBe(0xc20);
    expect(bytesAt(found.images, 0x2094), 'PWRAP_INIT_DONE2').toEqual([1, 0, 0, 0]);
    expect(bytesAt(found.images, store + 0x0a)).toEqual([0x00, 0x58]);
    expect(bytesAt(found.images, store + 0x1e2c), 'a voltage of the table of VSIM1').toEqual([0x00, 0x0b]);
  });

  it('has a domain of MT8183 on by both status bits, and its memories down, where its control register says so', () => {
    const { rules } = models(node('syscon@6000', { compatible: ['mediatek,mt8183-scpsys'], reg: [0x6000, 0x1000] }));
    const follows = rules.flatMap((rule) =>
      rule.rule === 'follows' && rule.to === 0x6334 ? [[rule.at, rule.bit, rule.source]] : [],
    );
    expect(follows.slice(0, 2), 'mfg_async').toEqual([
      [0x6180, 23, 2],
      [0x6184, 23, 3],
    ]);
    expect(follows.slice(2).map(([at, bit, source]) => [at, (bit ?? 0) - (source ?? 0)])).toEqual(
      Array.from({ length: 4 }, () => [0x6334, 4]),
    );
  });

  it('turns a partition of Tegra on when it is toggled, and takes the toggle at once', () => {
    const { rules } = models(node('pmc@7000e400', { compatible: 'nvidia,tegra210-pmc', reg: [0x7000_e400, 0x400] }));
    const sor = rules.find((rule) => rule.rule === 'on-write' && rule.value === (0x100 | 17));
    expect(sor).toMatchObject({ at: 0x7000_e430, to: 0x7000_e438, set: 2 ** 17 });
    expect(rules).toContainEqual(expect.objectContaining({ rule: 'self-clearing', at: 0x7000_e430, bits: 0x100 }));
  });

  it('says how fast the memory of an i.MX8M is, once', () => {
    const { monitor } = models(node('memory@3d400000', { compatible: 'fsl,imx8m-ddrc', reg: [0x3d40_0000, 0x1000] }));
    expect(monitor.answers.map(({ asked, words }) => [asked[0] ?? null, words[0] ?? 0])).toEqual([
      [0x10, 1],
      [0x11, 3200],
      [null, 0],
    ]);
  });

  it('lets the masked view of Tegra’s GPIO registers change the lines that it names', () => {
    const { rules } = models(node('gpio@6000d000', { compatible: 'nvidia,tegra210-gpio', reg: [0x6000_d000, 0x1000] }));
    const written = (value: number) =>
      rules.filter((rule) => rule.rule === 'on-write' && rule.at === 0x6000_d180 && (value & rule.mask) === rule.value);
    expect(written(0x0808)).toMatchObject([{ to: 0x6000_d100, set: 8, clear: 0, count: 4 }]);
    expect(written(0x0800)).toMatchObject([{ to: 0x6000_d100, set: 0, clear: 8 }]);
  });

  it('knows the byte order of NXP’s DSPI, and the flash behind it', () => {
    const flash = node('flash@0', { compatible: 'jedec,spi-nor', reg: [0] });
    const dspi = (more: Parameters<typeof node>[1]) =>
      models(node('spi@3000', { reg: [0x3000, 0x1000], interrupts: [0, 9, 4], ...more }, flash)).behaviours[0];
    const little = dspi({ compatible: ['fsl,lx2160a-dspi', 'fsl,ls2085a-dspi'] });
    expect(little).toMatchObject({ behaviour: 'fsl-dspi', address: 0x3000, size: 0x140, interrupts: [41] });
    expect(little?.parameters[1]).toBe(0);
    expect(dspi({ compatible: 'fsl,ls1021a-v1.0-dspi', 'big-endian': [] })?.parameters[1]).toBe(1);
    expect(dspi({ compatible: 'fsl,vf610-dspi' }), 'another mode of transfer').toBeUndefined();
  });

  it('knows MediaTek’s I2C masters by where a slave’s address is, and their DMA', () => {
    const regulator = node('regulator@68', { compatible: 'dlg,da9211', reg: [0x68] });
    const master = (compatible: string[]) => {
      const reg = [0x3000, 0x70, 0x9000, 0x80];
      const found = models(node('i2c@3000', { compatible, reg, interrupts: [0, 76, 8] }, regulator));
      const [placed] = found.behaviours;
      const store = placed?.parameters[0] ?? 0;
      expect(placed).toMatchObject({ behaviour: 'i2c-mt65xx', interrupts: [108] });
      expect(bytesAt(found.images, store + 0x6801)).toEqual([0x22]);
      expect(bytesAt(found.images, store + 0x6847), 'two converters').toEqual([0x40]);
      return placed?.parameters.slice(1);
    };
    expect(master(['mediatek,mt8173-i2c'])).toEqual([0x9000, 0x04, 0x6c]);
    expect(master(['mediatek,mt8195-i2c', 'mediatek,mt8192-i2c'])).toEqual([0x9000, 0x04, 0x44]);
    expect(master(['mediatek,mt8188-i2c'])).toEqual([0x9000, 0x94, 0x44]);
    expect(master(['mediatek,mt6797-i2c', 'mediatek,mt6577-i2c'])).toEqual([0x9000, 0x04, 0]);
  });

  it('has a flash where a tree of old names the part alone', () => {
    const flash = node('flash@0', { compatible: 'st,m25p80', reg: [0] });
    const spi = { compatible: 'fsl,ls1021a-qspi', reg: [0x3000, 0x1000], interrupts: [0, 9, 4] };
    const found = models(node('spi@3000', spi, flash));
    const [store = 0, isBigEndian] = found.behaviours[0]?.parameters ?? [];
    expect(bytesAt(found.images, store)).toEqual([1, 0, 0, 0]);
    expect(isBigEndian).toBe(1);
  });

  it('has the size of a PMIC’s memory, and a temperature below critical behind its newest ADC', () => {
    const arbiter = (compatible: string, at: number) => {
      const adc = node('adc@3100', { compatible, reg: [0x3100] });
      const pmic = node('pmic@0', { reg: [0, 0] }, adc);
      const spmi = {
        compatible: 'qcom,spmi-pmic-arb',
        reg: [0x1_0000, 0x1000, 0x2_0000, 0x1000, 0x3_0000, 0x1000],
        'reg-names': ['core', 'chnls', 'obsrvr'],
      };
      const found = models(node('spmi@10000', spmi, pmic));
      return bytesAt(found.images, (found.behaviours[0]?.parameters[2] ?? 0) + at);
    };
    expect(arbiter('qcom,spmi-adc7', 0x3150)).toEqual([0x20, 0x24]);
    expect(arbiter('qcom,spmi-adc-rev2', 0x3150)).toEqual([]);
    expect(arbiter('qcom,spmi-sdam', 0x3144)).toEqual([4]);
    expect(arbiter('qcom,spmi-adc7', 0x3144)).toEqual([]);
    expect(arbiter('qcom,pm8550b-eusb2-repeater', 0x3108), 'ready').toEqual([0x80]);
  });

  it('gives each bus of an SPMI arbiter its peripherals, counted through', () => {
    const bus = (name: string, slave: number) =>
      node(name, { '#address-cells': [2], '#size-cells': [0] }, node(`pmic@${slave}`, { reg: [slave, 0] }));
    const arbiter = {
      compatible: 'qcom,x1e80100-spmi-pmic-arb',
      reg: [0x1_0000, 0x3000, 0x10_0000, 0x10_0000, 0x20_0000, 0x10_0000],
      'reg-names': ['core', 'chnls', 'obsrvr'],
    };
    const found = models(node('arbiter@10000', arbiter, bus('spmi@1', 1), bus('spmi@2', 7)));
    expect(bytesAt(found.images, 0x1_0000), 'version 7').toEqual([0, 0, 0, 0x70]);
    expect([bytesAt(found.images, 0x1_0004), bytesAt(found.images, 0x1_0008)].map(([count]) => count)).toEqual([1, 1]);
    expect(bytesAt(found.images, 0x1_2004), 'PPID of slave 7').toEqual([0, 1, 7, 1]);
    expect(found.behaviours.map(({ parameters }) => parameters[0])).toEqual([0x1000, 0x20]);
  });

  it('has the channels of an SPMI arbiter as far apart as its core is large', () => {
    const strides = [0x1100, 0x3000].map((size) => {
      const reg = [0x1_0000, size, 0x10_0000, 0x40_0000, 0x80_0000, 0x8_0000];
      const names = { 'reg-names': ['core', 'chnls', 'obsrvr'] };
      return models(node('spmi@10000', { compatible: 'qcom,spmi-pmic-arb', reg, ...names })).behaviours[0]
        ?.parameters[0];
    });
    expect(strides).toEqual([0x1_0000, 0x1000]);
  });

  it('has an interrupt behind Marvell’s ICU looked up when it comes', () => {
    const icu = (address: number, phandle: number) =>
      node(
        `interrupt-controller@${address.toString(16)}`,
        { compatible: 'marvell,cp110-icu', reg: [address, 0x440] },
        node('interrupt-controller@10', {
          compatible: 'marvell,cp110-icu-nsr',
          'interrupt-controller': [],
          '#interrupt-cells': [2],
          phandle: [phandle],
        }),
      );
    const i2c = { compatible: 'marvell,mv78230-i2c', reg: [0x9000, 0x20], interrupts: [120, 4] };
    const found = models(
      node('gicp@1000', {
        compatible: 'marvell,ap806-gicp',
        reg: [0x1000, 0x10],
        'marvell,spi-ranges': [64, 64, 288, 64],
      }),
      icu(0x2000, 7),
      icu(0x3000, 8),
      node('i2c@9000', { ...i2c, 'interrupt-parent': [8] }),
    );
    const of = (behaviour: string) => found.behaviours.filter((placed) => placed.behaviour === behaviour);
    expect(of('marvell-icu')).toMatchObject([
      { address: 0x2000, parameters: [64, 64, 288, 64] },
      { address: 0x3000, parameters: [64, 64, 288, 64] },
    ]);
    expect(of('i2c-mv64xxx')[0]?.interrupts).toEqual([0x8000 + 0x100 + 120]);
  });

  it('has no interrupt where a tree names one that neither a GIC nor an ICU has', () => {
    const icu = node(
      'interrupt-controller@2000',
      { compatible: 'marvell,cp110-icu', reg: [0x2000, 0x440] },
      node('interrupt-controller@10', {
        compatible: 'marvell,cp110-icu-nsr',
        'interrupt-controller': [],
        '#interrupt-cells': [2],
        phandle: [7],
      }),
    );
    const interruptOf = (cells: Record<string, number[]>) => {
      const i2c = node('i2c@9000', { compatible: 'snps,designware-i2c', reg: [0x9000, 0x100], ...cells });
      return models(icu, i2c).behaviours.find(({ address }) => address === 0x9000)?.interrupts;
    };
    expect(interruptOf({ interrupts: [0, 987, 4] })).toEqual([1019]);
    expect(interruptOf({ interrupts: [0, 988, 4] })).toEqual([0]);
    expect(interruptOf({ interrupts: [0, 0xffff_ffff, 4] })).toEqual([0]);
    expect(interruptOf({ 'interrupt-parent': [7], interrupts: [255, 4] })).toEqual([0x80ff]);
    expect(interruptOf({ 'interrupt-parent': [7], interrupts: [256, 4] })).toEqual([0]);
    expect(interruptOf({ 'interrupt-parent': [7], interrupts: [0xffff_ffff, 4] })).toEqual([0]);
  });

  it('lets the audio PLL of Tegra132 have a reference that its driver knows', () => {
    const { images } = models(
      node('clock@60006000', { compatible: 'nvidia,tegra132-car', reg: [0x6000_6000, 0x1000] }),
    );
    const [, ratio = 0] = bytesAt(images, 0x6000_60a4);
    expect(408_000_000 / (1 + ratio / 2)).toBe(9_600_000);
  });
});
