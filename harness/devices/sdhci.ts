import type { DeviceModel } from './device.ts';

/**
 * SD host controllers after the SD Host Controller Standard (simplified specification 3.00, section 2) without a card:
 * what the driver asks the controller is answered, and every command ends with a response timeout. Names are those of
 * drivers/mmc/host/sdhci.h (6.12).
 */
const COMMAND = 0x0c;
const PRESENT_STATE = 0x24;
const CLOCK_CONTROL = 0x2c;
const INT_STATUS = 0x30;
const SIGNAL_ENABLE = 0x38;
const CAPABILITIES = 0x40;
const CAPABILITIES_1 = 0x44;
const SLOT_AND_VERSION = 0xfc;

/** SDHCI_INT_TIMEOUT: no answer to a command. */
const COMMAND_TIMEOUT = 1 << 16;
const CLOCK_STABLE = 1;
const CLOCK_ENABLED = 0;
/** Software resets of all, of the command line and of the data line, in the last byte of that word. */
const RESETS = 7 << 24;
/** 200 MHz, timeouts counted at 50 MHz, 8 bits, ADMA2, high speed, SDMA, 3.3 V and 1.8 V. */
const CAN_DO = 0x056c_c8b2;
/** SDR50, SDR104, DDR50. */
const CAN_DO_1 = 0x7;
const VERSION_3 = 2 << 16;

/** Of esdhc and usdhc (drivers/mmc/host/sdhci-esdhc.h): the clock is stable, and gated off whenever that is asked. */
const ESDHC = /-u?sdhc$|-esdhc$/;
const ESDHC_CLOCK_STABLE = 1 << 3;
const ESDHC_CLOCK_GATE_OFF = 1 << 7;

/** Xenon (drivers/mmc/host/sdhci-xenon.h and -phy.c): PHY initialization is over, its DLL is locked. */
const XENON = /^marvell,(?:armada|ac5).*-sdhci$/;
const XENON_SLOT_EXT_PRESENT_STATE = 0x14c;
const XENON_EMMC_PHY_TIMING_ADJUST = 0x170;
const XENON_EMMC_5_0_PHY_TIMING_ADJUST = 0x100;

/** K3 (drivers/mmc/host/sdhci_am654.c): PHY_STAT1 of the second range: calibrated, DLL ready. */
const K3 = /^ti,.*-sdhci/;
const K3_PHY_STAT1 = 0x130;
const K3_PHY_READY = 3;

/** DesignWare Mobile Storage (drivers/mmc/host/sdhci-of-dwcmshc.c): where its own registers begin, and its DLL. */
const DWCMSHC = /-dwcmshc$/;
const DWCMSHC_P_VENDOR_AREA1 = 0xe8;
const DWCMSHC_AREA1 = 0x500;
const DWCMSHC_EMMC_DLL_STATUS0 = 0x840;
const DWCMSHC_DLL_LOCKED = 1 << 8;

export const sdhciHost: DeviceModel = {
  compatible: /^(?!qcom,|nvidia,|renesas,|ti,omap|ti,dra).*(?:sdhci(?:-.*)?|sdhc|dwcmshc|-emmc2)$/,
  reads: 'drivers/mmc/host/sdhci.c, __sdhci_read_caps(), sdhci_setup_host(), sdhci_enable_clk(), sdhci_reset() (6.12)',
  model(device, answers) {
    const { base, compatible } = device;
    if (device.ranges.length === 0) return;
    const is = (pattern: RegExp) => compatible.some((name) => pattern.test(name));
    answers.word(base + CAPABILITIES, CAN_DO);
    answers.word(base + CAPABILITIES_1, CAN_DO_1);
    answers.word(base + SLOT_AND_VERSION, VERSION_3);
    answers.rule({ rule: 'self-clearing', at: base + CLOCK_CONTROL, bits: RESETS });
    if (is(ESDHC)) answers.word(base + PRESENT_STATE, ESDHC_CLOCK_STABLE | ESDHC_CLOCK_GATE_OFF);
    else
      answers.rule({
        rule: 'follows',
        at: base + CLOCK_CONTROL,
        bit: CLOCK_STABLE,
        source: CLOCK_ENABLED,
        to: base + CLOCK_CONTROL,
        inverted: false,
      });
    // The transfer mode, in the same word, is written just before the command, with interrupts off.
    answers.rule({
      rule: 'on-write',
      at: base + COMMAND,
      mask: 0,
      value: 0,
      to: base + INT_STATUS,
      set: COMMAND_TIMEOUT,
      clear: 0,
      interrupt: 0,
    });
    answers.rule({ rule: 'write-one-clears', at: base + INT_STATUS, bits: 0xffff_ffff });
    const interrupt = device.interrupt();
    if (interrupt !== 0) answers.rule({ rule: 'line', at: base + INT_STATUS, to: base + SIGNAL_ENABLE, interrupt });
    if (is(XENON)) {
      answers.word(base + XENON_SLOT_EXT_PRESENT_STATE, 1);
      for (const at of [XENON_EMMC_PHY_TIMING_ADJUST, XENON_EMMC_5_0_PHY_TIMING_ADJUST])
        answers.rule({ rule: 'self-clearing', at: base + at, bits: 2 ** 31 });
    }
    const [, phy] = device.ranges;
    if (is(K3) && phy !== undefined) answers.word(phy.address + K3_PHY_STAT1, K3_PHY_READY);
    if (is(DWCMSHC)) {
      answers.word(base + DWCMSHC_P_VENDOR_AREA1, DWCMSHC_AREA1);
      answers.word(base + DWCMSHC_EMMC_DLL_STATUS0, DWCMSHC_DLL_LOCKED);
    }
  },
};
