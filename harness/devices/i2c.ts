import type { PlacedBehaviour } from '../board/board-plan.ts';
import type { Answers, BoardDevice, DeviceModel } from './device.ts';
import { hasCompatible } from './device.ts';

/**
 * I2C masters with a file of 256 registers for each slave behind them (firmware/models/i2c.c, i2c-masters.c). A slave
 * whose identity is not known here reads as zeros.
 */

const SLAVE_SIZE = 0x100;

/** What drivers of slaves read before they accept the device: compatible, register, bytes. */
const IDENTITIES: readonly (readonly [string, number, readonly number[]])[] = [
  /** drivers/regulator/pfuze100-regulator.c, pfuze_identify(). */
  ['fsl,pfuze100', 0x00, [0x10]],
  /** VGEN5 as it is without a boot loader, 3.3 V: more than 1.8 V, which some trees do not allow. */
  ['fsl,pfuze100', 0x70, [0x1f]],
  ['fsl,pfuze200', 0x00, [0x11]],
  ['fsl,pfuze3000', 0x00, [0x30]],
  /** drivers/mfd/bd9571mwv.c and rohm-bd718x7.c: BD718XX_REG_REV. */
  ['rohm,bd71837', 0x00, [0xa3]],
  ['rohm,bd71847', 0x00, [0xa3]],
  /** drivers/regulator/pca9450-regulator.c, pca9450_i2c_probe(): device ID in the upper half. */
  ['nxp,pca9450a', 0x00, [0x10]],
  ['nxp,pca9450b', 0x00, [0x30]],
  ['nxp,pca9450c', 0x00, [0x30]],
  /** drivers/mfd/rk8xx-core.c: RK808_ID_MSB and LSB, RK817_ID_MSB and LSB. */
  ['rockchip,rk808', 0x17, [0x00, 0x00]],
  ['rockchip,rk817', 0xed, [0x81, 0x70]],
  ['rockchip,rk809', 0xed, [0x80, 0x90]],
  /** drivers/regulator/fan53555.c, fan53555_device_setup(): FAN53555_ID1, ID2. */
  ['silergy,syr827', 0x00, [0x80, 0x80, 0x00, 0x88, 0x00]],
  ['silergy,syr828', 0x00, [0x80, 0x80, 0x00, 0x88, 0x00]],
  ['rockchip,rk8600', 0x03, [0x08]],
  ['rockchip,rk8602', 0x03, [0x0a]],
  /** drivers/iio/common/st_sensors/st_sensors_core.c, st_sensors_verify_id(): Who-Am-I. */
  ['st,lis3mdl-magn', 0x0f, [0x3d]],
  /** drivers/iio/imu/inv_mpu6050/inv_mpu_core.c, inv_check_and_setup_chip(). */
  ['invensense,mpu6050', 0x75, [0x68]],
  /** drivers/iio/light/stk3310.c, stk3310_init(). */
  ['sensortek,stk3310', 0x3e, [0x13]],
  ['sensortek,stk3311', 0x3e, [0x1d]],
  /** drivers/gpio/gpio-pca953x.c: lines are inputs at reset; several banks are reached with bit 7 of the number set. */
  ['ti,tca6424', 0x8c, [0xff, 0xff, 0xff]],
  ['ti,tca6416', 0x06, [0xff, 0xff]],
  ['ti,tca9539', 0x06, [0xff, 0xff]],
  ['nxp,pca9555', 0x06, [0xff, 0xff]],
  ['nxp,pca9538', 0x03, [0xff]],
  ['nxp,pca9554', 0x03, [0xff]],
  ['nxp,pcal6408', 0x03, [0xff]],
  ['nxp,pcal6416', 0x06, [0xff, 0xff]],
  ['ti,tca6408', 0x03, [0xff]],
  ['ti,tca9554', 0x03, [0xff]],
  /**
   * drivers/regulator/da9211-regulator.c: DA9211_REG_DEVICE_ID in page 2, and in page 1 DA9211_REG_CONFIG_E, by which a
   * part has two converters (da9211_regulator_init()).
   */
  ...['dlg,da9211', 'dlg,da9212', 'dlg,da9213', 'dlg,da9214'].map((name) => [name, 0x47, [0x40]] as const),
  ['dlg,da9211', 0x01, [0x22]],
  ['dlg,da9212', 0x01, [0x22]],
  ['dlg,da9213', 0x01, [0x23]],
  ['dlg,da9214', 0x01, [0x23]],
  /** drivers/mfd/mt6360-core.c, mt6360_check_vendor_info(): MT6360_PMU_DEV_INFO. */
  ['mediatek,mt6360', 0x00, [0x54]],
  /** sound/soc/codecs/rt5645.c, rt5645_i2c_probe(): RT5645_VENDOR_ID2, two bytes of the register before the first. */
  ['realtek,rt5650', 0xff, [0x64]],
  ['realtek,rt5650', 0x00, [0x19]],
  /** drivers/gpu/drm/bridge/lontium-lt9611.c, lt9611_read_device_rev(): the revision of a DB845C. */
  ['lontium,lt9611', 0x02, [0xe1]],
  /** drivers/gpu/drm/bridge/lontium-lt9611uxc.c, lt9611uxc_read_version(): zero is a chip that wants its firmware. */
  ['lontium,lt9611uxc', 0x21, [0x43]],
  /** drivers/gpu/drm/bridge/sii902x.c, sii902x_init(): SII902X_REG_CHIPID. */
  ['sil,sii9022', 0x1b, [0xb0, 0x02, 0x03, 0x00]],
  ['sil,sii9022-cpi', 0x1b, [0xb0, 0x02, 0x03, 0x00]],
];

/**
 * Parts of NXP's that are asked who they are at the reserved address (drivers/i2c/i2c-core-base.c,
 * i2c_get_device_id(); drivers/i2c/muxes/i2c-mux-pca954x.c, chips[], 6.12): the maker is number 0.
 */
const PARTS: readonly (readonly [string, number])[] = [
  ['nxp,pca9846', 0x10b],
  ['nxp,pca9847', 0x108],
  ['nxp,pca9848', 0x10a],
  ['nxp,pca9849', 0x109],
];
const DEVICE_ID_ADDRESS = 0x7c;
/** 12 bits of maker, 9 of part, 3 of revision. */
const deviceId = (part: number) => Uint8Array.of(0, part >>> 5, (part & 0x1f) << 3);

/** A master of the tree with its slaves. */
export function i2cMaster(
  device: BoardDevice,
  answers: Answers,
  behaviour: PlacedBehaviour['behaviour'],
  size: number,
  parameters: readonly number[] = [],
): void {
  const store = answers.store();
  answers.behaviour({
    behaviour,
    address: device.base,
    size,
    interrupts: [device.interrupt()],
    parameters: [store, ...parameters],
  });
  for (const { node, reg } of device.slaves) {
    const address = (reg[0] ?? 0) % 128;
    for (const [name, register, bytes] of IDENTITIES)
      if (hasCompatible(node, name)) answers.image(store + address * SLAVE_SIZE + register, Uint8Array.from(bytes));
    const part = PARTS.find(([name]) => hasCompatible(node, name))?.[1];
    if (part !== undefined) answers.image(store + DEVICE_ID_ADDRESS * SLAVE_SIZE + 2 * address, deviceId(part));
  }
}

export const i2cImx: DeviceModel = {
  compatible: ['fsl,imx21-i2c'],
  reads: 'drivers/i2c/busses/i2c-imx.c, i2c_imx_xfer_common() (6.12)',
  model(device, answers) {
    i2cMaster(device, answers, 'i2c-imx', 0x14);
  },
};

export const i2cVf610: DeviceModel = {
  compatible: ['fsl,vf610-i2c'],
  reads: 'drivers/i2c/busses/i2c-imx.c, i2c_imx_xfer_common(), imx_i2c_read_reg() (6.12): registers side by side',
  model(device, answers) {
    i2cMaster(device, answers, 'i2c-vf610', 0x08);
  },
};

export const i2cRk3x: DeviceModel = {
  compatible: /^rockchip,rk\d+-i2c$/,
  reads: 'drivers/i2c/busses/i2c-rk3x.c, rk3x_i2c_irq() (6.12)',
  model(device, answers) {
    i2cMaster(device, answers, 'i2c-rk3x', 0x300);
  },
};

/** Of `struct mv64xxx_i2c_regs`: data, control, status; and whether a one clears the interrupt. */
const MARVELL = [0x04, 0x08, 0x0c, 0];
const ALLWINNER = [0x08, 0x0c, 0x10];

export const i2cMv64xxx: DeviceModel = {
  compatible: /^marvell,mv(?:64xxx|78230|78230-a0)-i2c$|^allwinner,sun(?:4i-a10|6i-a31)-i2c$/,
  reads: 'drivers/i2c/busses/i2c-mv64xxx.c, mv64xxx_i2c_fsm(), mv64xxx_i2c_intr_offload() (6.12)',
  model(device, answers) {
    const isMarvell = device.compatible.some((name) => name.startsWith('marvell,'));
    const oneClears = hasCompatible(device.node, 'allwinner,sun6i-a31-i2c') ? 1 : 0;
    // The bridge of mv78230 lies behind these registers.
    if (isMarvell) i2cMaster(device, answers, 'i2c-mv64xxx', 0x100, MARVELL);
    else i2cMaster(device, answers, 'i2c-mv64xxx', 0x20, [...ALLWINNER, oneClears]);
  },
};

export const i2cOmap: DeviceModel = {
  compatible: ['ti,omap4-i2c'],
  reads: 'drivers/i2c/busses/i2c-omap.c, omap_i2c_probe(), omap_i2c_xfer_data() (6.12)',
  model(device, answers) {
    // OMAP_I2C_IP_V2_REVNB_LO and HI.
    answers.word(device.base, 0x0022);
    answers.word(device.base + 4, 0x5040);
    i2cMaster(device, answers, 'i2c-omap', 0xd0);
  },
};

export const i2cBcm2835: DeviceModel = {
  compatible: ['brcm,bcm2835-i2c', 'brcm,bcm2711-i2c'],
  reads: 'drivers/i2c/busses/i2c-bcm2835.c, bcm2835_i2c_isr() (6.12)',
  model(device, answers) {
    i2cMaster(device, answers, 'i2c-bcm2835', 0x20);
  },
};

export const i2cTegra: DeviceModel = {
  compatible: /^nvidia,tegra(?:114|124|210)-i2c$/,
  reads: 'drivers/i2c/busses/i2c-tegra.c, tegra_i2c_isr(), tegra_i2c_xfer_msg() (6.12)',
  model(device, answers) {
    i2cMaster(device, answers, 'i2c-tegra', 0x100);
  },
};

export const i2cMeson: DeviceModel = {
  compatible: /^amlogic,meson(?:6|-gxbb|-axg)-i2c$/,
  reads: 'drivers/i2c/busses/i2c-meson.c, meson_i2c_xfer_msg(), meson_i2c_irq() (6.12)',
  model(device, answers) {
    i2cMaster(device, answers, 'i2c-meson', 0x20);
  },
};

/** Registers of drivers/i2c/busses/i2c-designware-core.h (6.12): FIFOs of 64 bytes, and what the component is. */
const DW_IC_COMP_PARAM_1 = 0xf4;
const DW_IC_COMP_TYPE = 0xfc;
const DW_FIFOS = (63 << 16) | (63 << 8);
const DW_TYPE = 0x4457_0140;

export const i2cDesignware: DeviceModel = {
  compatible: ['snps,designware-i2c'],
  reads: 'drivers/i2c/busses/i2c-designware-common.c, i2c_dw_init_regmap(); -master.c, i2c_dw_isr() (6.12)',
  model(device, answers) {
    i2cMaster(device, answers, 'i2c-designware', 0xf4);
    answers.word(device.base + DW_IC_COMP_PARAM_1, DW_FIFOS);
    answers.word(device.base + DW_IC_COMP_TYPE, DW_TYPE);
  },
};

/** Where the slave's address and the length of a second message are written, by `mtk_i2c_compatible`. */
const MEDIATEK_V1 = [0x04, 0x6c];
const MEDIATEK_OLD = [0x04, 0];
const MEDIATEK_V2 = [0x04, 0x44];
const MEDIATEK_V3 = [0x94, 0x44];
const MEDIATEK: Readonly<Record<string, readonly number[]>> = {
  'mediatek,mt2712-i2c': MEDIATEK_V1,
  'mediatek,mt6577-i2c': MEDIATEK_OLD,
  'mediatek,mt6589-i2c': MEDIATEK_OLD,
  'mediatek,mt7622-i2c': MEDIATEK_V1,
  'mediatek,mt7981-i2c': MEDIATEK_V3,
  'mediatek,mt7986-i2c': MEDIATEK_V1,
  'mediatek,mt8168-i2c': MEDIATEK_V1,
  'mediatek,mt8173-i2c': MEDIATEK_V1,
  'mediatek,mt8183-i2c': MEDIATEK_V2,
  'mediatek,mt8186-i2c': MEDIATEK_V2,
  'mediatek,mt8188-i2c': MEDIATEK_V3,
  'mediatek,mt8192-i2c': MEDIATEK_V2,
};

export const i2cMt65xx: DeviceModel = {
  compatible: Object.keys(MEDIATEK),
  reads: 'drivers/i2c/busses/i2c-mt65xx.c, mtk_i2c_do_transfer(), mtk_i2c_irq() (6.12)',
  model(device, answers) {
    const layout = device.compatible.flatMap((name) => MEDIATEK[name] ?? []).slice(0, 2);
    const dma = device.ranges[1];
    if (dma !== undefined) i2cMaster(device, answers, 'i2c-mt65xx', 0x98, [dma.address, ...layout]);
  },
};
