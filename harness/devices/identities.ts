import { timerRateOf } from '../board/clues.ts';
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
    for (const { base: frame } of device.parts.filter(({ size }) => size > 0)) {
      answers.word(frame + FRAME.frequency, hertz);
      for (const at of [FRAME.physical, FRAME.virtual])
        for (const high of [false, true])
          answers.rule({ rule: 'counter', at: frame + at + (high ? 4 : 0), hertz, high });
    }
  },
};

/**
 * IMX_SIP_DDR_DVFS and its questions: how many rates of the memory there are, and what each is: in MT/s, from the PLL.
 */
const DDR_DVFS = 0xc200_0004;
const FREQUENCY_COUNT = 0x10;
const FREQUENCY_INFO = 0x11;
const MEGATRANSFERS = 3200;
const FROM_PLL = 1;

/** CLKE, RST_SEL and LOCK of GNRL_CTL (drivers/clk/imx/clk-pll14xx.c): it runs, as the boot loader leaves it. */
const PLL_RUNS = (2 ** 31 + (1 << 11) + (1 << 9)) >>> 0;
/** Its registers behind the start of the analogue block, and DIV_CTL0: 24 MHz times MDIV / PDIV / 2^SDIV. */
const IMX8MP_PLLS = [
  { at: 0x84, mdiv: 200, pdiv: 3, sdiv: 0, what: 'arm_pll, 1.6 GHz' },
  { at: 0x94, mdiv: 400, pdiv: 3, sdiv: 2, what: 'sys_pll1, 800 MHz' },
  { at: 0x104, mdiv: 250, pdiv: 3, sdiv: 1, what: 'sys_pll2, 1 GHz' },
  { at: 0x114, mdiv: 300, pdiv: 3, sdiv: 2, what: 'sys_pll3, 600 MHz' },
] as const;

export const imx8mpPlls: DeviceModel = {
  compatible: ['fsl,imx8mp-anatop'],
  reads:
    'drivers/clk/imx/clk-imx8mp.c, clk-pll14xx.c, clk_pll14xx_recalc_rate(); fec_main.c, fec_enet_mii_init() (6.12)',
  model({ base }, answers) {
    for (const { at, mdiv, pdiv, sdiv } of IMX8MP_PLLS) {
      answers.word(base + at, PLL_RUNS);
      answers.word(base + at + 4, (mdiv << 12) | (pdiv << 4) | sdiv);
    }
  },
};

export const imxDdrc: DeviceModel = {
  compatible: ['fsl,imx8m-ddrc'],
  reads: 'drivers/devfreq/imx8m-ddrc.c, imx8m_ddrc_init_freq_info() (6.12): a call of the secure monitor',
  model(_device, answers) {
    answers.callAsked(DDR_DVFS, [FREQUENCY_COUNT], [1]);
    answers.callAsked(DDR_DVFS, [FREQUENCY_INFO], [MEGATRANSFERS, 0, FROM_PLL]);
    answers.callAsked(DDR_DVFS, [], []);
  },
};

/** Registers of a job ring of NXP's CAAM (drivers/crypto/caam/regs.h, struct caam_job_ring). */
const JOB_RING = { status: 0x4c, command: 0x6c } as const;
const JRCR_RESET = 1;
const JRINT_ERR_HALT_COMPLETE = 8;

export const caamJobRing: DeviceModel = {
  compatible: ['fsl,sec-v4.0-job-ring'],
  reads: 'drivers/crypto/caam/jr.c, caam_jr_flush(), caam_reset_hw_jr() (6.12): flushed and reset at once',
  model({ base }, answers) {
    answers.rule({
      rule: 'on-write',
      at: base + JOB_RING.command,
      mask: JRCR_RESET,
      value: JRCR_RESET,
      to: base + JOB_RING.status,
      set: JRINT_ERR_HALT_COMPLETE,
      clear: 0,
      interrupt: 0,
    });
    answers.rule({ rule: 'self-clearing', at: base + JOB_RING.command, bits: JRCR_RESET });
  },
};

/** Core registers of drivers/usb/dwc2/hw.h: a DWC_otg 2.80a as on the Raspberry Pi, which can be host and device. */
const DWC2 = { reset: 0x10, id: 0x40, hardware2: 0x48, hardware3: 0x4c, hardware4: 0x50 } as const;
const AHB_IDLE = 2 ** 31;
const CORE_RESET = 1;
const FIFO_FLUSHES = 0x30;

export const dwc2: DeviceModel = {
  compatible: [
    'brcm,bcm2835-usb',
    'snps,dwc2',
    'rockchip,rk3066-usb',
    'amlogic,meson-g12a-usb',
    'amlogic,meson-gxbb-usb',
  ],
  reads: 'drivers/usb/dwc2/core.c, dwc2_check_core_version(), dwc2_core_reset(); params.c, dwc2_get_hwparams() (6.12)',
  model({ base }, answers) {
    answers.word(base + DWC2.id, 0x4f54_280a);
    answers.word(base + DWC2.hardware2, 0x228d_dd50);
    answers.word(base + DWC2.hardware3, 0x0ff0_00e8);
    answers.word(base + DWC2.hardware4, 0x1ff0_0020);
    answers.word(base + DWC2.reset, AHB_IDLE);
    answers.rule({ rule: 'read-only', at: base + DWC2.reset, bits: AHB_IDLE });
    answers.rule({ rule: 'self-clearing', at: base + DWC2.reset, bits: CORE_RESET | FIFO_FLUSHES });
  },
};

/** Requests to switch power domains on and off, and the handshake (drivers/pmdomain/imx/gpcv2.c, 6.12). */
const GPC_REQUESTS = { mp: [0x0d8, 0x0e4], other: [0x0f8, 0x104] } as const;
const GPC_HANDSHAKE_MP = 0x190;
/** Of the i.MX8MP: an acknowledgement lies 16 bits above its request. */
const GPC_ACKNOWLEDGED = 16;

export const imxGpc: DeviceModel = {
  compatible: /^fsl,imx8m[mnpq]-gpc$|^fsl,imx7d-gpc$/,
  reads: 'drivers/pmdomain/imx/gpcv2.c, imx_pgc_power_up() (6.12): a request is done at once',
  model({ base, compatible }, answers) {
    const isMp = compatible.includes('fsl,imx8mp-gpc');
    for (const at of isMp ? GPC_REQUESTS.mp : GPC_REQUESTS.other)
      answers.rule({ rule: 'self-clearing', at: base + at, bits: 0xffff_ffff });
    const at = base + GPC_HANDSHAKE_MP;
    for (let bit = 0; isMp && bit < GPC_ACKNOWLEDGED; bit++)
      answers.rule({ rule: 'follows', at, to: at, bit: bit + GPC_ACKNOWLEDGED, source: bit, inverted: false });
  },
};
