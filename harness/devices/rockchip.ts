import type { DeviceModel } from './device.ts';

/** Rockchip's general register files and clock units: a write says in its upper half which bits it is about. */
const GRF = /^rockchip,(?:px30|r[kv]\d+\w*)-(?:\w+-)*(?:grf|pmugrf)$/;
const CRU = /^rockchip,(?:px30|r[kv]\d+\w*)-(?:pmu)?cru$/;
/** GRF_SOC_STATUS1 of the RK3399: the PLL of the PCIe PHY is locked, and its output is on (drivers/phy/rockchip). */
const RK3399_PCIE_STATUS = 0xe2a4;
const PHY_PLL_LOCKED = 1 << 9;
/**
 * CLKSEL31_CON of the RK3368: the first choice of spdif_8ch_pre is itself, which overflows the kernel's stack
 * (drivers/clk/rockchip/clk-rk3368.c, mux_spdif_8ch_p; drivers/clk/clk.c, __clk_recalc_accuracies()). The last is a
 * crystal.
 */
const RK3368_SPDIF = { at: 0x17c, value: 3 << 8 } as const;

export const rockchipHighMask: DeviceModel = {
  compatible: new RegExp(`${GRF.source}|${CRU.source}`),
  reads:
    'drivers/clk/rockchip/clk.h, clk-pll.c, HIWORD_UPDATE(): other bits of a PLL are left as they are; ' +
    'drivers/phy/rockchip/phy-rockchip-pcie.c, rockchip_pcie_phy_power_on() (6.12)',
  model({ ranges, base, compatible }, answers) {
    // The fractional dividers among the clocks, and the fractions of their PLLs.
    const someAreWhole = compatible.some((name) => CRU.test(name));
    for (const { address, size } of ranges)
      answers.rule({
        rule: 'high-mask',
        at: address,
        count: Math.floor(size / Uint32Array.BYTES_PER_ELEMENT),
        someAreWhole,
      });
    if (compatible.includes('rockchip,rk3368-cru')) answers.word(base + RK3368_SPDIF.at, RK3368_SPDIF.value);
    if (compatible.includes('rockchip,rk3399-grf')) answers.word(base + RK3399_PCIE_STATUS, PHY_PLL_LOCKED);
  },
};
