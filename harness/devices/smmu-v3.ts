import type { DeviceModel } from './device.ts';

/** Registers of an SMMUv3 (IHI 0070, section 6.3), page 0: what it says it can do. */
const IDENTITY = [
  /** IDR0: stage 1, AArch64 tables, 16-bit ASIDs, little-endian, two-level stream tables. */
  { at: 0x00, value: 2 + (2 << 2) + (1 << 12) + (2 << 21) + (1 << 27) },
  /** IDR1: queues of 2^19 commands, events and page requests; 16 bits of stream. */
  { at: 0x04, value: 16 + (19 << 11) + (19 << 16) + (19 << 21) },
  /** IDR5: pages of 4, 16 and 64 KiB, 44 bits of address. */
  { at: 0x14, value: 4 + (7 << 4) },
] as const;
/** What is written to the first is read from the second: acknowledgements, and commands that are done. */
const FOLLOWERS = [
  { from: 0x20, to: 0x24 },
  { from: 0x50, to: 0x54 },
  { from: 0x98, to: 0x9c },
] as const;
const GBPA = { at: 0x44, update: 2 ** 31 } as const;

export const smmuV3: DeviceModel = {
  compatible: ['arm,smmu-v3'],
  reads:
    'drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c, arm_smmu_device_hw_probe(), arm_smmu_write_reg_sync(), ' +
    'arm_smmu_cmdq_poll_until_sync() (6.12)',
  model({ base }, answers) {
    for (const { at, value } of IDENTITY) answers.word(base + at, value);
    for (const { from, to } of FOLLOWERS) {
      const at = base + from;
      const all = { set: 0, clear: 0xffff_ffff, interrupt: 0 };
      answers.rule({ rule: 'on-write', at, mask: 0, value: 0, to: base + to, ...all });
      answers.rule({ rule: 'sets', at, to: base + to });
      answers.rule({ rule: 'plain', at: base + to });
    }
    answers.rule({ rule: 'self-clearing', at: base + GBPA.at, bits: GBPA.update });
  },
};
