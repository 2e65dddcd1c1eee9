import type { DeviceModel } from './device.ts';

/**
 * Registers of clock units in which zero is no divider: divider_recalc_rate(), drivers/clk/clk-divider.c, warns of one,
 * and drivers that divide themselves get no rate. Boot firmware sets them, and no tree has them: that the clocks are
 * divided by the least that the driver knows is a guess.
 */
interface Dividers {
  readonly compatible: DeviceModel['compatible'];
  readonly reads: string;
  /** Registers by their offset. */
  readonly words: readonly (readonly [offset: number, value: number])[];
}

const each = (shifts: readonly number[]): number => shifts.reduce((word, shift) => word + 2 ** shift, 0);

/** The source by five and what comes of it by two: `cpg_rpcsrc_div_table`, `cpg_rpc_div_table`. */
const RPC = (2 << 3) | 1;

const DIVIDERS: readonly Dividers[] = [
  {
    compatible: /^qcom,(?:\w+-)?dsi-phy-(?:10|7|5|4)nm(?:-\w+)?$/,
    reads:
      'drivers/gpu/drm/msm/dsi/phy/dsi_phy_10nm.c, pll_10nm_register(); dsi_phy_7nm.c, pll_7nm_register() (6.12): ' +
      'PHY_CMN_CLK_CFG0, the bit and the pixel clock',
    words: [[0x10, 0x11]],
  },
  {
    compatible: /^renesas,r8a77(?:4[abce]1|9(?:5|6|61|65|80|90|95))-cpg-mssr$/,
    reads: 'drivers/clk/renesas/rcar-gen3-cpg.c, rcar_gen3_cpg_clk_register() (6.12): CPG_RPCCKCR',
    words: [[0x238, RPC]],
  },
  {
    compatible: /^renesas,r8a779[afgh]0-cpg-mssr$/,
    reads: 'drivers/clk/renesas/rcar-gen4-cpg.c, rcar_gen4_cpg_clk_register() (6.12): CPG_RPCCKCR',
    words: [[0x874, RPC]],
  },
  {
    compatible: ['marvell,armada-3700-periph-clock-nb'],
    reads: 'drivers/clk/mvebu/armada-37xx-periph.c, data_nb (6.12): DIV_SEL0 to DIV_SEL2',
    words: [
      [0x4, each([0, 3, 12, 15, 20, 23, 28])],
      [0x8, each([0, 3, 6, 9, 12, 15, 18, 24, 27])],
      [0xc, each([7, 10, 13, 16, 19, 22])],
    ],
  },
  {
    compatible: ['marvell,armada-3700-periph-clock-sb'],
    reads: 'drivers/clk/mvebu/armada-37xx-periph.c, data_sb (6.12): DIV_SEL0 to DIV_SEL2',
    words: [
      [0x4, each([3, 6, 9, 12, 15, 18])],
      [0x8, each([6, 9, 18, 21])],
      [0xc, each([6, 9])],
    ],
  },
];

export const dividers: readonly DeviceModel[] = DIVIDERS.map(({ compatible, reads, words }) => ({
  compatible,
  reads,
  model({ base }, answers) {
    for (const [offset, value] of words) answers.word(base + offset, value);
  },
}));
