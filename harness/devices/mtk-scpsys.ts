import type { DeviceModel } from './device.ts';

/** Registers of `struct scpsys_domain_data`, at the same place for all domains: pwr_sta_offs, pwr_sta2nd_offs. */
const STATUS = 0x180;
const STATUS_2ND = 0x184;
/** PWR_ON_BIT and PWR_ON_2ND_BIT of a domain's control register. */
const ON = 2;
const ON_2ND = 3;
/** sram_pdn_bits, and sram_pdn_ack_bits by which the memories say that they follow them. */
const MEMORIES = [8, 9, 10, 11] as const;
const ACKNOWLEDGES = 4;

/** By SoC, the bit of a domain in both status registers and its control register (mt8183-pm-domains.h). */
const DOMAINS: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  'mediatek,mt8183-scpsys': [
    [24, 0x314],
    [1, 0x32c],
    [23, 0x334],
    [4, 0x338],
    [7, 0x34c],
    [20, 0x310],
    [22, 0x348],
    [3, 0x30c],
    [25, 0x344],
    [5, 0x308],
    [31, 0x300],
    [21, 0x304],
    [26, 0x324],
    [27, 0x33c],
    [28, 0x340],
  ],
};

/**
 * Power domains that are on where they are told to be. With a status that nobody knows the driver took one that it had
 * turned on for off when it was deferred, left its supply enabled, and was refused it the next time
 * (mtk-regulator-coupler.c).
 */
export const mtkScpsys: DeviceModel = {
  compatible: Object.keys(DOMAINS),
  reads: 'drivers/pmdomain/mediatek/mtk-pm-domains.c, scpsys_domain_is_on(), scpsys_sram_disable() (6.12)',
  model({ base, compatible }, answers) {
    const follows = { rule: 'follows', inverted: false } as const;
    for (const [bit, control] of compatible.flatMap((name) => DOMAINS[name] ?? [])) {
      const to = base + control;
      answers.rule({ ...follows, at: base + STATUS, bit, to, source: ON });
      answers.rule({ ...follows, at: base + STATUS_2ND, bit, to, source: ON_2ND });
      for (const source of MEMORIES) answers.rule({ ...follows, at: to, bit: source + ACKNOWLEDGES, to, source });
    }
  },
};
