import type { DeviceModel } from './device.ts';

/** Bus addresses of memory begin at 0xc0000000; firmware/models/raspberrypi.c masks that off. */
export const raspberryPiMailbox: DeviceModel = {
  compatible: ['brcm,bcm2835-mbox'],
  reads: 'drivers/mailbox/bcm2835-mailbox.c; drivers/firmware/raspberrypi.c, rpi_firmware_transaction() (6.12)',
  model(device, answers) {
    const { base, size } = device;
    answers.word(base + 0x18, 0x4000_0000);
    answers.behaviour({
      behaviour: 'raspberry-pi-mailbox',
      address: base,
      size,
      interrupts: [device.interrupt()],
      parameters: [0],
    });
  },
};
