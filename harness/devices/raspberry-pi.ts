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

/** Bridges of the power domains (drivers/pmdomain/bcm/bcm2835-power.c): "brdg", and the control registers. */
const ASB_AXI_BRDG_ID = 0x20;
const BRIDGE = 0x6272_6467;
const ASB_CONTROLS = { first: 0x08, count: 6 } as const;
const ASB_REQ_STOP = 0;
const ASB_ACK = 1;
/** PM_IMAGE and PM_GRAFX: power is good where it is up, memory is repaired where that was asked. */
const PM_DOMAINS = [0x108, 0x10c] as const;
const PM_FOLLOWS = [
  { bit: 1, source: 0 },
  { bit: 4, source: 3 },
] as const;

export const raspberryPiPower: DeviceModel = {
  compatible: ['brcm,bcm2835-pm', 'brcm,bcm2711-pm'],
  reads: 'drivers/pmdomain/bcm/bcm2835-power.c, bcm2835_power_probe(), bcm2835_asb_control() (6.12)',
  model(device, answers) {
    const [pm, ...bridges] = device.ranges;
    if (pm === undefined) return;
    for (const at of PM_DOMAINS)
      for (const follows of PM_FOLLOWS)
        answers.rule({ rule: 'follows', at: pm.address + at, to: pm.address + at, inverted: false, ...follows });
    for (const { address } of bridges) {
      answers.word(address + ASB_AXI_BRDG_ID, BRIDGE);
      const at = address + ASB_CONTROLS.first;
      const each = { count: ASB_CONTROLS.count, toStride: Uint32Array.BYTES_PER_ELEMENT };
      answers.rule({ rule: 'follows', at, to: at, bit: ASB_ACK, source: ASB_REQ_STOP, inverted: false, ...each });
    }
  },
};

/**
 * The clock of the VPU and what comes from it, such as the small UART, as the boot loader leaves it: 500 MHz, a sixth
 * of PLLC's 3 GHz, which is 55 5/9 times the crystal's 54 MHz. All PLLs are locked.
 */
const CPRMAN = {
  vpuControl: 0x008,
  vpuDivisor: 0x00c,
  lock: 0x114,
  pllcControl: 0x1120,
  pllcFraction: 0x1220,
  pllcCore0: 0x1620,
} as const;
/** PLLC_CORE0 as the source; enabled, its gate open, busy. */
const VPU_CONTROL = 5 | (1 << 4) | (1 << 6) | (1 << 7);
/** Fixed point with 12 bits: undivided. */
const VPU_DIVISOR = 1 << 12;
/** CM_LOCK_FLOCKA to CM_LOCK_FLOCKH. */
const ALL_LOCKED = 0x1f << 8;
/** Out of reset, undivided before, and the whole part of the multiplier; its fraction has 20 bits. */
const PLLC_CONTROL = (1 << 17) | (1 << 12) | 55;
const PLLC_FRACTION = Math.round((5 / 9) * 2 ** 20);
const PLLC_CORE0_DIVISOR = 6;

export const raspberryPiClocks: DeviceModel = {
  compatible: ['brcm,bcm2711-cprman'],
  reads: 'drivers/clk/bcm/clk-bcm2835.c, bcm2835_pll_get_rate(), bcm2835_clock_get_rate(), bcm2835_pll_on() (6.12)',
  model({ base }, answers) {
    answers.word(base + CPRMAN.vpuControl, VPU_CONTROL);
    answers.word(base + CPRMAN.vpuDivisor, VPU_DIVISOR);
    answers.word(base + CPRMAN.lock, ALL_LOCKED);
    answers.rule({ rule: 'read-only', at: base + CPRMAN.lock, bits: ALL_LOCKED });
    answers.word(base + CPRMAN.pllcControl, PLLC_CONTROL);
    answers.word(base + CPRMAN.pllcFraction, PLLC_FRACTION);
    answers.word(base + CPRMAN.pllcCore0, PLLC_CORE0_DIVISOR);
  },
};

/** V3D 4.2 with one core; 36 bits of physical address, 32 of virtual (drivers/gpu/drm/v3d/v3d_regs.h). */
const V3D = { ident1: 0x000c, mmuDebug: 0x1238 } as const;

export const v3d: DeviceModel = {
  compatible: ['brcm,2711-v3d'],
  reads: 'drivers/gpu/drm/v3d/v3d_drv.c, v3d_platform_drm_probe() (6.12): V3D_HUB_IDENT1, V3D_MMU_DEBUG_INFO',
  model(device, answers) {
    const hub = device.range('hub') ?? device.ranges[0];
    if (hub === undefined) return;
    answers.word(hub.address + V3D.ident1, 0x124);
    answers.word(hub.address + V3D.mmuDebug, (6 << 8) | (2 << 4));
  },
};
