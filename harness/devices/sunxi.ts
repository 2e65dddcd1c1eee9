import type { DeviceModel } from './device.ts';

/** PLL control registers of Allwinner's clock units: bit 31 switches a PLL on, bit 28 says that it is locked. */
const ENABLE = 31;
const LOCK = 28;
const PLL_REGISTERS = 20;
const PLL_REGISTERS_H6 = 64;
/** The CPU's PLL as the boot loader leaves it: on, 17 times 24 MHz, and its lock can be seen (ccu-sun50i-h616.c). */
const PLL_CPU_ON = 0xa000_1000;

export const sunxiCcu: DeviceModel = {
  compatible: /^allwinner,sun50i-(?:a64|h5|h6|h616)-ccu$|^allwinner,sun8i-h3-ccu$/,
  reads: 'drivers/clk/sunxi-ng/ccu_common.c, ccu_helper_wait_for_lock(); ccu-sun50i-a64.c, ccu-sun50i-h6.c (6.12)',
  model({ base, compatible }, answers) {
    const isH6 = compatible.some((name) => /-h6(?:16)?-ccu$/.test(name));
    if (isH6) answers.word(base, PLL_CPU_ON);
    answers.rule({
      rule: 'follows',
      at: base,
      to: base,
      count: isH6 ? PLL_REGISTERS_H6 : PLL_REGISTERS,
      toStride: Uint32Array.BYTES_PER_ELEMENT,
      bit: LOCK,
      source: ENABLE,
      inverted: false,
    });
  },
};

/** Registers of drivers/mmc/host/sunxi-mmc.c, and its bits. */
const MMC = { control: 0x00, command: 0x18, masked: 0x34, raw: 0x38, mask: 0x30 } as const;
const RESETS = 7;
const START = 2 ** 31;
const CLOCK_ONLY = 2 ** 21;
const RESPONSE_TIMEOUT = 1 << 8;

/** No card: what is more than a change of the clock ends with a response timeout. */
export const sunxiMmc: DeviceModel = {
  compatible: /^allwinner,sun(?:50i-a64|50i-a100|20i-d1|9i-a80)-e?mmc$/,
  reads: 'drivers/mmc/host/sunxi-mmc.c, sunxi_mmc_reset_host(), sunxi_mmc_oclk_onoff(), sunxi_mmc_irq() (6.12)',
  model(device, answers) {
    const { base } = device;
    answers.rule({ rule: 'self-clearing', at: base + MMC.control, bits: RESETS });
    const failed = { mask: START + CLOCK_ONLY, value: START, set: RESPONSE_TIMEOUT, clear: 0 };
    answers.rule({ rule: 'on-write', at: base + MMC.command, to: base + MMC.raw, ...failed, interrupt: 0 });
    const interrupt = device.interrupt();
    answers.rule({ rule: 'on-write', at: base + MMC.command, to: base + MMC.masked, ...failed, interrupt });
    answers.rule({ rule: 'self-clearing', at: base + MMC.command, bits: START });
    answers.rule({ rule: 'clears', at: base + MMC.raw, to: base + MMC.masked });
    answers.rule({ rule: 'write-one-clears', at: base + MMC.raw, bits: 0xffff_ffff });
  },
};
