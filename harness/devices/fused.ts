import type { DeviceModel } from './device.ts';

/** What is fused into a chip: which it is, and how its sensors are calibrated. */

const EXYNOS: readonly (readonly [RegExp, number])[] = [
  [/^samsung,exynos5433-/, 0xe543_3000],
  [/^samsung,exynos7-/, 0xe742_0000],
  [/^samsung,exynos7885-/, 0xe788_5000],
  [/^samsung,exynos850-/, 0xe383_0000],
  [/^samsung,exynosautov9-/, 0xaaa8_0000],
];

export const exynosChipId: DeviceModel = {
  compatible: /^samsung,exynos\w*-chipid$/,
  reads: 'drivers/soc/samsung/exynos-chipid.c, exynos_chipid_probe() (6.12): the product, by the SoC of the root node',
  model({ base, root }, answers) {
    const names = new TextDecoder().decode(root.properties.get('compatible')).split('\0');
    const product = EXYNOS.find(([pattern]) => names.some((name) => pattern.test(`${name}-`)))?.[1];
    if (product !== undefined) answers.word(base, product);
  },
};

/**
 * Calibration words behind `amlogic,ao-secure`: `u_efuse_off` of the CPU's and of the memory's sensor; valid, no
 * offset.
 */
const CALIBRATIONS: readonly (readonly [string, number])[] = [
  ['amlogic,g12a-cpu-thermal', 0x128],
  ['amlogic,g12a-ddr-thermal', 0xf0],
];
const CALIBRATED = 0x84 * 2 ** 24;

export const amlogicThermal: DeviceModel = {
  compatible: CALIBRATIONS.map(([name]) => name),
  reads: 'drivers/thermal/amlogic_thermal.c, amlogic_thermal_initialize() (6.12)',
  model(device, answers) {
    const secure = device.supplier('amlogic,ao-secure');
    for (const [name, offset] of CALIBRATIONS)
      if (secure !== null && device.compatible.includes(name)) answers.word(secure.base + offset, CALIBRATED);
  },
};

/** PMU_VER_START to PMU_VER_END of drivers/mfd/hi655x-pmic.c are 0x10 to 0x38; registers lie four bytes apart. */
const HI655X_VERSION = 0x36;

export const hi655x: DeviceModel = {
  compatible: ['hisilicon,hi655x-pmic'],
  reads: 'drivers/mfd/hi655x-pmic.c, hi655x_pmic_probe() (6.12): HI655X_VER_REG',
  model({ base }, answers) {
    answers.word(base, HI655X_VERSION);
  },
};

/** LVTS_ID of each controller, 0x100 apart: bit 7 says that it is connected to its sensors. */
const LVTS_ID = 0x4c;
const LVTS_CONNECTED = 1 << 7;
const LVTS_CONTROLLERS = 4;
const LVTS_STRIDE = 0x100;

export const mtkLvts: DeviceModel = {
  compatible: /^mediatek,mt\d+-lvts(?:-ap|-mcu)?$/,
  reads: 'drivers/thermal/mediatek/lvts_thermal.c, lvts_ctrl_connect() (6.12)',
  model({ base }, answers) {
    for (let n = 0; n < LVTS_CONTROLLERS; n++) answers.word(base + n * LVTS_STRIDE + LVTS_ID, LVTS_CONNECTED);
  },
};

/** SMC_CMD_RANDOM, which answers that all is well. What it gives is zero. */
const EXYNOS_RANDOM = 0x8200_1012;

export const exynosTrng: DeviceModel = {
  compatible: ['samsung,exynos850-trng'],
  reads: 'drivers/char/hw_random/exynos-trng.c, exynos_trng_init_smc(), exynos_trng_do_read_smc() (6.12)',
  model(_device, answers) {
    answers.call(EXYNOS_RANDOM, 0);
  },
};
