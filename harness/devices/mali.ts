import type { Answers, DeviceModel } from './device.ts';

/** Memory management units of Mali-400 and of Rockchip's SoCs, which descend from it: registers and commands. */
const MMU = { directory: 0x00, status: 0x04, command: 0x08 } as const;
const PAGING_ENABLED = 1 << 0;
const STALL_ACTIVE = 1 << 2;
const IDLE_AND_EMPTY = (1 << 3) | (1 << 4);
/** Commands by number: what they set and clear in the status. */
const COMMANDS = [
  { set: PAGING_ENABLED, clear: 0 },
  { set: 0, clear: PAGING_ENABLED },
  { set: STALL_ACTIVE, clear: 0 },
  { set: 0, clear: STALL_ACTIVE },
] as const;
const FORCE_RESET = 6;
/** The lower bits of the directory's address cannot be written. */
const DIRECTORY_LOW = 0xfff;

function maliMmu(base: number, answers: Answers): void {
  const on = (command: number, to: number, set: number, clear: number) =>
    answers.rule({
      rule: 'on-write',
      at: base + MMU.command,
      mask: 0xffff_ffff,
      value: command,
      to,
      set,
      clear,
      interrupt: 0,
    });
  answers.word(base + MMU.status, IDLE_AND_EMPTY);
  COMMANDS.forEach(({ set, clear }, command) => {
    on(command, base + MMU.status, set, clear);
  });
  on(FORCE_RESET, base + MMU.directory, 0, 0xffff_ffff);
  on(FORCE_RESET, base + MMU.status, 0, PAGING_ENABLED | STALL_ACTIVE);
}

export const rockchipIommu: DeviceModel = {
  compatible: ['rockchip,iommu', 'rockchip,rk3568-iommu'],
  reads: 'drivers/iommu/rockchip-iommu.c, rk_iommu_force_reset(), rk_iommu_enable_stall() (6.12)',
  model(device, answers) {
    // Its version 2 keeps address bits 32 to 39 in the lower half of the directory register.
    const isFirst = !device.compatible.includes('rockchip,rk3568-iommu');
    for (const { address } of device.ranges) {
      maliMmu(address, answers);
      if (isFirst) answers.rule({ rule: 'read-only', at: address + MMU.directory, bits: DIRECTORY_LOW });
    }
  },
};

/** Mali-400 and Mali-450 (drivers/gpu/drm/lima/lima_device.c, lima_ip_desc, and lima_regs.h). */
const LIMA = { l2: 0x1000, pmu: 0x2000, gp: 0x0000 } as const;
const LIMA_MMUS = [0x3000, 0x4000, 0x5000, 0x6000, 0x7000] as const;
/** Pixel processors; their registers begin 4 KiB behind. */
const LIMA_PPS = [0x8000, 0xa000, 0xc000, 0xe000] as const;
/** Mali-400 r1p1 and its cache of 64 KiB, 4 ways, 64 bytes a line. */
const GP_VERSION = 0x0b07_0101;
const PP_VERSION = 0xcd07_0101;
const L2_SIZE = 0x0610_0206;
const GP = { command: 0x20, raw: 0x24, clear: 0x28, version: 0x6c, softReset: 1 << 10, resetDone: 1 << 19 } as const;
const PP = {
  version: 0x1000,
  control: 0x100c,
  raw: 0x1020,
  clear: 0x1024,
  softReset: 1 << 7,
  resetDone: 1 << 12,
} as const;
const PMU = { up: 0x00, down: 0x04, raw: 0x10, clear: 0x18 } as const;

export const maliUtgard: DeviceModel = {
  compatible: ['arm,mali-400', 'arm,mali-450'],
  reads: 'drivers/gpu/drm/lima/lima_gp.c, lima_pp.c, soft resets; lima_mmu.c, lima_mmu_init(); lima_pmu.c (6.12)',
  model({ base }, answers) {
    const done = (at: number, mask: number, to: number, set: number) =>
      answers.rule({ rule: 'on-write', at, mask, value: mask, to, set, clear: 0, interrupt: 0 });
    answers.word(base + LIMA.gp + GP.version, GP_VERSION);
    done(base + GP.command, GP.softReset, base + GP.raw, GP.resetDone);
    answers.rule({ rule: 'clears', at: base + GP.clear, to: base + GP.raw });
    for (const core of LIMA_PPS) {
      answers.word(base + core + PP.version, PP_VERSION);
      done(base + core + PP.control, PP.softReset, base + core + PP.raw, PP.resetDone);
      answers.rule({ rule: 'clears', at: base + core + PP.clear, to: base + core + PP.raw });
      answers.rule({ rule: 'write-one-clears', at: base + core + PP.raw, bits: 0xffff_ffff });
    }
    answers.word(base + LIMA.l2 + 4, L2_SIZE);
    for (const at of [PMU.up, PMU.down]) done(base + LIMA.pmu + at, 0, base + LIMA.pmu + PMU.raw, 1);
    answers.rule({ rule: 'clears', at: base + LIMA.pmu + PMU.clear, to: base + LIMA.pmu + PMU.raw });
    for (const mmu of LIMA_MMUS) {
      maliMmu(base + mmu, answers);
      answers.rule({ rule: 'read-only', at: base + mmu, bits: DIRECTORY_LOW });
    }
  },
};

/** Midgard and Bifrost: registers of drivers/gpu/drm/panfrost/panfrost_regs.h. */
const GPU = {
  id: 0x00,
  mmu: 0x14,
  spaces: 0x18,
  slots: 0x1c,
  raw: 0x20,
  clear: 0x24,
  mask: 0x28,
  command: 0x30,
} as const;
const RESET_COMPLETED = 1 << 8;
const CLEAN_CACHES_COMPLETED = 1 << 17;
/** Commands: soft and hard reset; to clean the caches. */
const GPU_COMMANDS = [
  { command: 1, done: RESET_COMPLETED },
  { command: 2, done: RESET_COMPLETED },
  { command: 7, done: CLEAN_CACHES_COMPLETED },
  { command: 8, done: CLEAN_CACHES_COMPLETED },
] as const;
/** Shader cores, tiler, L2: which are there, ready, and how they are switched on and off; and how many are there. */
const PARTS = [
  { present: 0x100, ready: 0x140, on: 0x180, off: 0x1c0, value: 0xf },
  { present: 0x110, ready: 0x150, on: 0x190, off: 0x1d0, value: 0x1 },
  { present: 0x120, ready: 0x160, on: 0x1a0, off: 0x1e0, value: 0x1 },
] as const;
/** 40 bits of physical address, 48 of virtual. */
const MMU_FEATURES = 0x2830;
/**
 * As boards print it: T860 of the RK3399, G52 of RK3568 and of the G12B; others by their products' numbers (gpu_models
 * of drivers/gpu/drm/panfrost/panfrost_gpu.c). Of several, the first of this list counts.
 */
const GPU_IDS: readonly (readonly [string, number])[] = [
  ['arm,mali-t604', 0x6956_0000],
  ['arm,mali-t624', 0x0620_0000],
  ['arm,mali-t628', 0x0620_0000],
  ['arm,mali-t720', 0x0720_0011],
  ['arm,mali-t760', 0x0750_0011],
  ['arm,mali-t820', 0x0820_0011],
  ['arm,mali-t830', 0x0830_0011],
  ['arm,mali-t860', 0x0860_2000],
  ['arm,mali-t880', 0x0880_0011],
  ['rockchip,rk3568-mali', 0x7402_1000],
  ['mediatek,mt8183-mali', 0x6221_0000],
  ['mediatek,mt8183b-mali', 0x6221_0000],
  ['arm,mali-bifrost', 0x7212_0000],
  ['arm,mali-valhall-jm', 0x9091_0000],
];

export const maliMidgard: DeviceModel = {
  compatible: GPU_IDS.map(([name]) => name),
  reads: 'drivers/gpu/drm/panfrost/panfrost_gpu.c, panfrost_gpu_soft_reset(), panfrost_gpu_init_features() (6.12)',
  model(device, answers) {
    const { base } = device;
    answers.word(base + GPU.id, GPU_IDS.find(([name]) => device.compatible.includes(name))?.[1] ?? 0);
    answers.word(base + GPU.mmu, MMU_FEATURES);
    answers.word(base + GPU.spaces, 0xff);
    answers.word(base + GPU.slots, 0x7);
    for (const { command, done } of GPU_COMMANDS)
      answers.rule({
        rule: 'on-write',
        at: base + GPU.command,
        mask: 0xff,
        value: command,
        to: base + GPU.raw,
        set: done,
        clear: 0,
        interrupt: 0,
      });
    answers.rule({ rule: 'clears', at: base + GPU.clear, to: base + GPU.raw });
    for (const { present, ready, on, off, value } of PARTS) {
      answers.word(base + present, value);
      answers.rule({ rule: 'sets', at: base + on, to: base + ready });
      answers.rule({ rule: 'clears', at: base + off, to: base + ready });
    }
  },
};
