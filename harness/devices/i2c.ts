import type { PlacedBehaviour } from '../board/plan.ts';
import type { Answers, BoardDevice, DeviceModel } from './device.ts';
import { hasCompatible } from './device.ts';

/** I2C masters with a file of 256 registers for each slave behind them (firmware/models/i2c.c). */

const SLAVE_SIZE = 0x100;

/** What drivers of slaves read before they accept the device: compatible, register, bytes. */
const IDENTITIES: readonly (readonly [string, number, readonly number[]])[] = [
  /** drivers/regulator/pfuze100-regulator.c, pfuze_identify(). */
  ['fsl,pfuze100', 0x00, [0x10]],
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
];

function master(device: BoardDevice, answers: Answers, behaviour: PlacedBehaviour['behaviour'], size: number): void {
  const store = answers.store();
  answers.behaviour({ behaviour, address: device.base, size, interrupts: [device.interrupt()], parameters: [store] });
  for (const { node, reg } of device.slaves)
    for (const [name, register, bytes] of IDENTITIES)
      if (hasCompatible(node, name))
        answers.image(store + ((reg[0] ?? 0) % 128) * SLAVE_SIZE + register, Uint8Array.from(bytes));
}

export const i2cImx: DeviceModel = {
  compatible: ['fsl,imx21-i2c'],
  reads: 'drivers/i2c/busses/i2c-imx.c, i2c_imx_xfer_common() (6.12)',
  model(device, answers) {
    master(device, answers, 'i2c-imx', 0x14);
  },
};

export const i2cRk3x: DeviceModel = {
  compatible: /^rockchip,rk\d+-i2c$/,
  reads: 'drivers/i2c/busses/i2c-rk3x.c, rk3x_i2c_irq() (6.12)',
  model(device, answers) {
    master(device, answers, 'i2c-rk3x', 0x300);
  },
};
