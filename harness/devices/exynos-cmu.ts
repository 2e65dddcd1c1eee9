import type { DeviceModel } from './device.ts';

/** Where the PLLs of Exynos5433's clock units are: `*_PLL_CON0` of drivers/clk/samsung/clk-exynos5433.c (6.12). */
const PLLS: readonly (readonly [string, readonly number[]])[] = [
  ['samsung,exynos5433-cmu-top', [0x100, 0x110]],
  ['samsung,exynos5433-cmu-cpif', [0x100]],
  ['samsung,exynos5433-cmu-mif', [0x100, 0x110, 0x120, 0x130]],
  ['samsung,exynos5433-cmu-disp', [0x100]],
  ['samsung,exynos5433-cmu-g3d', [0x100]],
  ['samsung,exynos5433-cmu-apollo', [0x100]],
  ['samsung,exynos5433-cmu-atlas', [0x100]],
];
const ENABLE = 31;
const LOCKED = 29;
/** As the boot loader leaves them: on, and 24 MHz * 200 / 6, which is the 800 MHz of the bus. */
const SETTING = 2 ** ENABLE + 2 ** LOCKED + (200 << 16) + (6 << 8);

export const exynosCmu: DeviceModel = {
  compatible: PLLS.map(([name]) => name),
  reads: 'drivers/clk/samsung/clk-pll.c, samsung_pll35xx_recalc_rate(), samsung_pll3xxx_enable() (6.12)',
  model({ base, compatible }, answers) {
    for (const offset of PLLS.find(([name]) => compatible.includes(name))?.[1] ?? []) {
      const at = base + offset;
      answers.word(at, SETTING);
      answers.rule({ rule: 'follows', at, to: at, bit: LOCKED, source: ENABLE, inverted: false });
    }
  },
};
