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

  it('connects MediaTek’s thermal controllers to their sensors, and knows the version of Qualcomm’s codec', () => {
    const { images } = models(
      node('thermal@1000', { compatible: 'mediatek,mt8186-lvts', reg: [0x1000, 0x1000] }),
      node('codec@2000', {
        compatible: ['qcom,sm8650-lpass-va-macro', 'qcom,sm8550-lpass-va-macro'],
        reg: [0x2000, 0x1000],
      }),
    );
    expect([0x104c, 0x114c, 0x124c, 0x134c].map((address) => wordAt(images, address))).toEqual([
      0x80, 0x80, 0x80, 0x80,
    ]);
    expect([0x20c0, 0x20c4, 0x20c8].map((address) => wordAt(images, address))).toEqual([2, 0xf, 0x50]);
  });

  it('ends what Allwinner’s MAC is asked for at once, and finds the CPU’s PLL of an H616 on', () => {
    const { images, rules } = models(
      node('ethernet@1000', {
        compatible: ['allwinner,sun50i-h616-emac0', 'allwinner,sun50i-a64-emac'],
        reg: [0x1000, 0x1000],
      }),
      node('clock@2000', { compatible: 'allwinner,sun50i-h616-ccu', reg: [0x2000, 0x1000] }),
    );
    const cleared = rules.flatMap((rule) => (rule.rule === 'self-clearing' ? [[rule.at, rule.bits]] : []));
    expect(cleared).toEqual([
      [0x1004, 1],
      [0x1048, 1],
    ]);
    expect(wordAt(images, 0x2000)).toBe(0xa000_1000);
  });

  it('has the power domains behind Amlogic’s secure monitor on', () => {
    const { monitor } = models(node('secure-monitor', { compatible: 'amlogic,meson-gxbb-sm' }));
    expect(monitor.answers.find(({ call }) => call === 0x8200_0095)?.words[0]).toBe(0);
  });

  it('has no clock of an RK3368 that comes from itself', () => {
    const { images } = models(node('clock@1000', { compatible: 'rockchip,rk3368-cru', reg: [0x1000, 0x1000] }));
    expect(wordAt(images, 0x117c)).toBe(0x300);
  });

  it('says yes to the random numbers of an Exynos850', () => {
    const { monitor } = models(node('rng@1000', { compatible: 'samsung,exynos850-trng', reg: [0x1000, 0x100] }));
    expect(monitor.answers.find(({ call }) => call === 0x8200_1012)?.words[0]).toBe(0);
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

  it('says that a trusted OS is OP-TEE, which shares memory and takes no other command', () => {
    const { monitor } = models(node('optee', { compatible: 'linaro,optee-tz', method: 'smc' }));
    const answer = (call: number) =>
      monitor.answers.find((entry) => entry.call === call)?.words.filter((_, n) => n % 2 === 0);
    expect(answer(0xbf00_ff01)).toEqual([0x384f_b3e0, 0xe7f8_11e3, 0xaf63_0002, 0xa5d5_c51b]);
    expect(answer(0xb200_0009)?.slice(0, 2)).toEqual([0, 4]);
    expect(answer(0x3200_0004)?.[0], 'no session is opened').not.toBe(0);
  });

  it('ends the MDIO transfers of a GMAC where its version has them', () => {
    const busy = (compatible: readonly string[]) =>
      models(node('ethernet@8000', { compatible, reg: [0x8000, 0x4000] })).rules.map(({ at }) => at);
    expect(busy(['rockchip,rk3399-gmac'])).toEqual([0x8010, 0x9000]);
    expect(busy(['rockchip,rk3588-gmac', 'snps,dwmac-4.20a'])).toEqual([0x8200, 0x9000]);
    expect(busy(['amlogic,meson-axg-dwmac', 'snps,dwmac-3.70a'])).toEqual([0x8010, 0x9000]);
  });

  it('has an identity for a Mali by its maker, and by its generation where the maker is not known', () => {
    const id = (compatible: readonly string[]) =>
      wordAt(models(node('gpu@8000', { compatible, reg: [0x8000, 0x4000] })).images, 0x8000);
    expect(id(['mediatek,mt8183-mali', 'arm,mali-bifrost'])).toBe(0x6221_0000);
    expect(id(['acme,mali', 'arm,mali-bifrost'])).toBe(0x7212_0000);
  });

  it('has the clocks and the groups of pins of a ZynqMP that its tree asks for', () => {
    const clocks = node('clocks', { compatible: 'xlnx,zynqmp-clk', phandle: [3] });
    const pins = node(
      'pinctrl',
      { compatible: 'xlnx,zynqmp-pinctrl' },
      node('uart', {}, node('mux', { groups: ['uart0_7_grp'], function: 'uart0' })),
    );
    const { monitor } = models(
      node('zynqmp-firmware', { compatible: 'xlnx,zynqmp-firmware', method: 'smc' }, clocks, pins),
      node('serial@ff000000', { clocks: [3, 56, 3, 31] }),
    );
    const ask = (...asked: readonly number[]) =>
      monitor.answers.find(
        (answer) => answer.call === 0xc200_0023 && answer.asked.every((word, n) => word === null || word === asked[n]),
      )?.words;
    expect(ask(12), 'clocks up to the highest, and the reference').toEqual([0, 58]);
    expect(ask(5, 57)).toEqual([0, 5]);
    expect(ask(5, 56)).toEqual([0, 1]);
    expect(ask(4, 56)?.[1]).toBe((5 << 16) | 57);
    expect(ask(8, 0)).toEqual([0, 8]);
    expect(ask(9, 0)?.[0], 'a name begins where other answers have their result').toBe(0x7472_6175);
    expect(ask(10, 0, 6)?.slice(1), 'two groups, and no more').toEqual([0x0007_0006, 0xffff_ffff, 0xffff_ffff]);
    expect(ask(99)).toEqual([19]);
  });

  it('leaves the PLLs of an Exynos on, so that the clocks behind them have a rate', () => {
    const { images, rules } = models(
      node('clocks@105b0000', { compatible: 'samsung,exynos5433-cmu-mif', reg: [0x105b_0000, 0x2000] }),
    );
    expect(wordAt(images, 0x105b_0120)).toBe(0xa0c8_0600);
    expect(rules.map(({ at }) => at - 0x105b_0000)).toEqual([0x100, 0x110, 0x120, 0x130]);
  });

  it('lets the multi core timer of an Exynos count as its crystal does, and take every value', () => {
    const { rules, images } = models(
      node('oscillator', { compatible: 'fixed-clock', 'clock-frequency': [26_000_000], phandle: [9] }),
      node('timer@1000', { compatible: 'samsung,exynos4210-mct', reg: [0x1000, 0x400], clocks: [9, 3, 4] }),
    );
    const counters = rules.flatMap((rule) => (rule.rule === 'counter' ? [[rule.at, rule.hertz, rule.high]] : []));
    expect(counters).toEqual([
      [0x1100, 26_000_000, false],
      [0x1104, 26_000_000, true],
    ]);
    expect(images.map(({ address }) => address)).toEqual([0x1110, 0x124c, 0x1340]);
  });

  it('lets the upper half of a write to Rockchip’s clocks and GRFs say which bits it is about', () => {
    const { rules } = models(
      node('cru@ff760000', { compatible: 'rockchip,rk3399-cru', reg: [0xff76_0000, 0x1000] }),
      node('syscon@ff770000', { compatible: ['rockchip,rk3588-sys-grf', 'syscon'], reg: [0xff77_0000, 0x1000] }),
      node('syscon@ff780000', { compatible: ['rockchip,rk3588-pmu', 'syscon'], reg: [0xff78_0000, 0x1000] }),
    );
    expect(rules.map(({ at, count }) => [at, count])).toEqual([
      [0xff76_0000, 0x400],
      [0xff77_0000, 0x400],
    ]);
  });

  it('has Qualcomm’s tables of frequencies in the layout of their hardware, and one that runs', () => {
    const domain = (compatible: readonly string[]) =>
      models(node('cpufreq@17d43000', { compatible, reg: [0x17d4_3000, 0x1400] })).images;
    const osm = domain(['qcom,sdm845-cpufreq-hw', 'qcom,cpufreq-hw']);
    expect(wordAt(osm, 0x17d4_3704)).toBe(16);
    expect(wordAt(osm, 0x17d4_3110 + 32)).toBe((1 << 30) | (4 << 16) | 1);
    const epss = domain(['qcom,sm8250-cpufreq-epss', 'qcom,cpufreq-epss']);
    expect(wordAt(epss, 0x17d4_3020)).toBe(16);
    expect(wordAt(epss, 0x17d4_3104)).toBe((1 << 30) | (4 << 16) | 1);
    expect(
      wordAt(models(node('l3@0', { compatible: 'qcom,sm8250-epss-l3', reg: [0x1000, 0x1000] })).images, 0x1000),
    ).toBe(1);
  });

  it('says how many channels the UDMA of a K3 has', () => {
    const udma = { compatible: 'ti,j721e-navss-main-udmap', reg: [0x1000, 0x100, 0x2000, 0x100] };
    const { images } = models(node('dma@1000', { ...udma, 'reg-names': ['rchanrt', 'gcfg'] }));
    expect((wordAt(images, 0x2028) ?? 0) & 0x1ff).toBe(140);
    expect(wordAt(images, 0x202c)).toBe(300);
  });

  it('has a management complex that has booted and whose commands succeed', () => {
    const { images, rules } = models(
      node('fsl-mc@800000', { compatible: 'fsl,qoriq-mc', reg: [0x80_0000, 0x40, 0x90_0000, 0x4_0000] }),
    );
    expect(wordAt(images, 0x90_0008)).toBe(1);
    expect(rules).toContainEqual(expect.objectContaining({ rule: 'self-clearing', at: 0x80_0000, bits: 0xff_0000 }));
    const version = rules.filter((rule) => rule.rule === 'on-write' && rule.value === 0x8311_0000);
    expect(version).toMatchObject([
      { at: 0x80_0004, to: 0x80_0008, set: 0 },
      { at: 0x80_0004, to: 0x80_000c, set: 10 },
      { at: 0x80_0004, to: 0x80_0010, set: 36 },
    ]);
  });

  it('gives MediaTek’s USB host its registers, and ports whose clocks are stable', () => {
    const { images, rules } = models(
      node('usb@10000', {
        compatible: ['mediatek,mt8195-xhci', 'mediatek,mtk-xhci'],
        reg: [0x1_0000, 0x1000, 0x2_0000, 0x100],
        'reg-names': ['mac', 'ippc'],
      }),
      node('usb@30000', {
        compatible: ['mediatek,mt8183-mtu3', 'mediatek,mtu3'],
        reg: [0x3_0000, 0x1000, 0x4_0000, 0x100],
        'reg-names': ['mac', 'ippc'],
      }),
    );
    expect(wordAt(images, 0x1_0028), 'page size').toBe(1);
    expect([wordAt(images, 0x2_0024), wordAt(images, 0x4_0024)], 'ports').toEqual([0x101, 0x101]);
    expect((wordAt(images, 0x2_0010) ?? 0) & 0x1_0d01).toBe(0x1_0d01);
    expect(wordAt(images, 0x3_0028), 'the gadget is no xHCI').toBeNull();
    expect(rules).toContainEqual(expect.objectContaining({ rule: 'follows', at: 0x2_0010, to: 0x2_0004, bit: 30 }));
  });

  it('gives Layerscape’s clocks a rate, in the byte order of the generator', () => {
    const generator = (compatible: string) =>
      models(node('clocking@1000000', { compatible, reg: [0x100_0000, 0x10_0000] })).images;
    expect(wordAt(generator('fsl,lx2160a-clockgen'), 0x106_0080)).toBe(6 << 1);
    expect(wordAt(generator('fsl,ls1043a-clockgen'), 0x100_0c00)).toBe(6 << 25);
  });

  it('has an SMMUv3 that translates, and is through with every command', () => {
    const { images, rules } = models(node('iommu@100000', { compatible: 'arm,smmu-v3', reg: [0x10_0000, 0x2_0000] }));
    expect((wordAt(images, 0x10_0000) ?? 0) & 0b1111, 'stage 1, AArch64').toBe(0b1010);
    const written = rules.filter(({ at }) => at === 0x10_0098);
    expect(written).toMatchObject([
      { rule: 'on-write', mask: 0, to: 0x10_009c, clear: 0xffff_ffff },
      { rule: 'sets', to: 0x10_009c },
    ]);
  });

  it('has X-Gene’s memories ready where each driver looks', () => {
    const at = (compatible: string, reg: number[]) =>
      models(node('a@10000', { compatible, reg })).images.map(({ address }) => address);
    expect(at('apm,xgene1-sgenet', [0x1_0000, 0xd100, 0x3_0000, 0xc300])).toEqual([0x1_d074, 0x3_c208]);
    expect(at('apm,xgene-storm-dma', [0x1_0000, 0x1_0000, 0x3_0000, 0x1_0000])).toEqual([0x1_d074, 0x3_d074]);
    const sata = [0x1_0000, 0x1000, 0x2_0000, 0x1000, 0x3_0000, 0x1000, 0x4_0000, 0x1000];
    expect(at('apm,xgene-ahci', sata)).toEqual([0x3_0074, 0x1_0000, 0x1_000c]);
  });

  it('finds the frames of the memory-mapped timer where its ranges put them', () => {
    const timer = {
      compatible: 'arm,armv7-timer-mem',
      reg: [0x2_0000, 0x1000],
      '#address-cells': [1],
      '#size-cells': [1],
      ranges: [0, 0x2_1000, 0x8000],
    };
    const { images, rules } = models(node('timer@20000', timer, node('frame@1000', { reg: [0x1000, 0x1000] })));
    expect(wordAt(images, 0x2_2010), 'its rate').toBe(62_500_000);
    expect(rules.filter(({ rule }) => rule === 'counter').map(({ at }) => at)).toEqual([
      0x2_2000, 0x2_2004, 0x2_2008, 0x2_200c,
    ]);
  });
});
