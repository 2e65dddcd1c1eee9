import type { DeviceModel } from './device.ts';

/** Identification and capability registers that need a line or two each. */

export const dwc3: DeviceModel = {
  compatible: ['snps,dwc3'],
  reads: 'drivers/usb/dwc3/core.c, dwc3_core_is_valid() (6.12): GSNPSID',
  model({ base }, answers) {
    answers.word(base + 0xc120, 0x5533_300a);
  },
};

export const dwcMmc: DeviceModel = {
  compatible: /dw-mshc/,
  reads: 'drivers/mmc/host/dw_mmc.c, dw_mci_probe(), dw_mci_init_dma() (6.12): VERID, HCON',
  model({ base }, answers) {
    answers.word(base + 0x6c, 0x5342_270a);
    answers.word(base + 0x70, 0x00e0_2081);
  },
};

export const ohci: DeviceModel = {
  compatible: ['generic-ohci'],
  reads: 'drivers/usb/host/ohci-hcd.c, ohci_run() (6.12): HcRevision, HcFmInterval, one port',
  model({ base }, answers) {
    answers.word(base, 0x110);
    answers.word(base + 0x34, 0x2778_2edf);
    answers.word(base + 0x48, 1);
    // Host controller reset, HcCommandStatus.HCR.
    answers.rule({ rule: 'self-clearing', at: base + 0x08, bits: 1 });
  },
};

export const ehci: DeviceModel = {
  compatible: ['generic-ehci'],
  reads: 'drivers/usb/host/ehci-hcd.c, ehci_setup() (6.12): CAPLENGTH, HCIVERSION, HCSPARAMS',
  model({ base }, answers) {
    answers.word(base, 0x0100_0010);
    answers.word(base + 4, 1);
    // USBCMD.HCRESET.
    answers.rule({ rule: 'self-clearing', at: base + 0x10, bits: 2 });
  },
};

/** The memory-mapped view of the generic timer: CNTFRQ of the control frame. */
const TIMER_HERTZ = 19_200_000;
export const timerFrame: DeviceModel = {
  compatible: ['arm,armv7-timer-mem'],
  reads: 'drivers/clocksource/arm_arch_timer.c, arch_timer_mem_frame_get_cntfrq() (6.12)',
  model({ base }, answers) {
    answers.word(base + 0x10, TIMER_HERTZ);
  },
};
