import type { DeviceModel } from './device.ts';

/** PHY_R4 and PHY_R5 of the driver below: four requests to the PHY's inner bus, and their acknowledgement. */
const R4 = 0x10;
const R5 = 0x14;
const REQUESTS = [1 << 0, 1 << 1, 1 << 18, 1 << 19] as const;
const ACKNOWLEDGE = 1 << 16;

/** Each request is acknowledged as long as it is there; what is read is zero. */
export const mesonUsb3Phy: DeviceModel = {
  compatible: ['amlogic,g12a-usb3-pcie-phy'],
  reads: 'drivers/phy/amlogic/phy-meson-g12a-usb3-pcie.c, phy_g12a_usb3_pcie_cr_bus_addr() (6.12)',
  model({ base }, answers) {
    const to = { at: base + R4, to: base + R5, interrupt: 0 } as const;
    const all = REQUESTS.reduce((bits, bit) => bits | bit, 0);
    answers.rule({ rule: 'on-write', ...to, mask: all, value: 0, set: 0, clear: ACKNOWLEDGE });
    for (const bit of REQUESTS)
      answers.rule({ rule: 'on-write', ...to, mask: bit, value: bit, set: ACKNOWLEDGE, clear: 0 });
    answers.rule({ rule: 'plain', at: base + R5 });
  },
};

/** SM_A1_PWRC_SET, and SM_A1_PWRC_GET, which says whether a domain is off. */
const POWER_SET = 0x8200_0093;
const POWER_GET = 0x8200_0095;

/**
 * The secure monitor takes every change of a power domain, and finds them all on. Where it does not know the call, the
 * driver of the domains fails behind the first ones, and the kernel crashes when it lists those (genpd_debug_init()).
 */
export const mesonSecureMonitor: DeviceModel = {
  compatible: ['amlogic,meson-gxbb-sm'],
  reads: 'drivers/pmdomain/amlogic/meson-secure-pwrc.c, pwrc_is_off(); drivers/firmware/meson/meson_sm.c (6.12)',
  model(_device, answers) {
    for (const call of [POWER_SET, POWER_GET]) answers.call(call, 0);
  },
};
