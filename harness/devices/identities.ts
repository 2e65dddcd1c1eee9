import { timerRateOf } from '../board/clues.ts';
import { cellProperty } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';

/** Identification and capability registers that need a line or two each. */

export const dwcMmc: DeviceModel = {
  compatible: /dw-mshc/,
  reads: 'drivers/mmc/host/dw_mmc.c, dw_mci_probe(), dw_mci_interrupt() (6.12): VERID, HCON, no card',
  model(device, answers) {
    const { base } = device;
    answers.word(base + 0x6c, 0x5342_270a);
    answers.word(base + 0x70, 0x00e0_2081);
    // No card: a command (CMD.start_cmd without update_clock) ends with a response timeout, in RINTSTS and MINTSTS.
    const command = { mask: 2 ** 31 + 2 ** 21, value: 2 ** 31, set: 0x104, clear: 0, interrupt: device.interrupt() };
    answers.rule({ rule: 'on-write', at: base + 0x2c, to: base + 0x44, ...command, interrupt: 0 });
    answers.rule({ rule: 'on-write', at: base + 0x2c, to: base + 0x40, ...command });
    answers.rule({ rule: 'self-clearing', at: base + 0x2c, bits: 2 ** 31 });
    answers.rule({ rule: 'clears', at: base + 0x44, to: base + 0x40 });
    answers.rule({ rule: 'write-one-clears', at: base + 0x44, bits: 0xffff_ffff });
    // Resets of controller, FIFO and DMA are over at once.
    answers.rule({ rule: 'self-clearing', at: base, bits: 7 });
  },
};

export const brcmPcie: DeviceModel = {
  compatible: ['brcm,bcm2711-pcie'],
  reads:
    'drivers/pci/controller/pcie-brcmstb.c, brcm_pcie_setup() (6.12): PCIE_MISC_PCIE_STATUS, link and root complex',
  model({ base }, answers) {
    answers.word(base + 0x4068, 0xb0);
  },
};

/**
 * The memory-mapped view of the generic timer counts as the CPU's does, at the rate that the CPU says: the
 * driver takes the first rate that it finds for both. Its timers never fire.
 */
const FRAME = { physical: 0x00, virtual: 0x08, frequency: 0x10 } as const;
/** CNTTIDR: every frame is there and has a virtual timer. */
const CNTTIDR = 0x08;
const ALL_VIRTUAL = 0x3333_3333;

export const timerFrame: DeviceModel = {
  compatible: ['arm,armv7-timer-mem'],
  reads: 'drivers/clocksource/arm_arch_timer.c, arch_timer_mem_of_init(), arch_timer_mem_frame_get_cntfrq() (6.12)',
  model(device, answers) {
    answers.word(device.base + CNTTIDR, ALL_VIRTUAL);
    const hertz = timerRateOf(device);
    const cells = cellProperty(device.node, '#address-cells') ?? 2;
    for (const { reg } of device.slaves) {
      const frame = reg.slice(0, cells).reduce((high, cell) => high * 2 ** 32 + cell, 0);
      answers.word(frame + FRAME.frequency, hertz);
      for (const at of [FRAME.physical, FRAME.virtual])
        for (const high of [false, true])
          answers.rule({ rule: 'counter', at: frame + at + (high ? 4 : 0), hertz, high });
    }
  },
};
