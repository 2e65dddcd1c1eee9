import type { DeviceModel } from './device.ts';

/** Rockchip's clock units and general register files: a write says in its upper half which bits it is about. */
export const rockchipHighMask: DeviceModel = {
  compatible: /^rockchip,(?:px30|r[kv]\d+\w*)-(?:pmu)?cru$|^rockchip,(?:px30|r[kv]\d+\w*)-(?:\w+-)*(?:grf|pmugrf)$/,
  reads: 'drivers/clk/rockchip/clk.h, clk-pll.c, HIWORD_UPDATE() (6.12): other bits of a PLL are left as they are',
  model({ ranges }, answers) {
    for (const { address, size } of ranges)
      answers.rule({ rule: 'high-mask', at: address, count: Math.floor(size / Uint32Array.BYTES_PER_ELEMENT) });
  },
};
