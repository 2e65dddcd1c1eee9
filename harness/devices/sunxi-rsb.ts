import type { DeviceModel } from './device.ts';

/** Allwinner's serial bus to its PMICs, which read as zeros where nothing was written (firmware/models/rsb.c). */
export const sunxiRsb: DeviceModel = {
  compatible: ['allwinner,sun8i-a23-rsb'],
  reads: 'drivers/bus/sunxi-rsb.c, _sunxi_rsb_run_xfer(), sunxi_rsb_irq() (6.12)',
  model(device, answers) {
    answers.behaviour({
      behaviour: 'sunxi-rsb',
      address: device.base,
      size: 0x34,
      interrupts: [device.interrupt()],
      parameters: [answers.store()],
    });
  },
};
