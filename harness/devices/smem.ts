import type { TreeNode } from '../devicetree/tree.ts';
import { readCells } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';
import { MemoryImage } from './image.ts';

/**
 * Shared memory as the boot loader leaves it, the way `qcom_smem_probe()` and `qcom_smem_get_global()` of
 * drivers/soc/qcom/smem.c read it (Linux 5.10 to 6.12): `struct smem_header`, a global heap of version 11, no
 * partitions.
 */

/** Size of the region in the device tree. */
export const SMEM_SIZE = 0x10_0000;

/** `struct smem_header`: four `struct smem_proc_comm`, `version[32]`, four words, `toc[512]`. */
const VERSIONS = 4 * 16;
const INITIALIZED = VERSIONS + 32 * 4;
const FREE_OFFSET = INITIALIZED + 4;
const AVAILABLE = FREE_OFFSET + 4;
const TOC = AVAILABLE + 8;
/** `struct smem_global_entry`: allocated, offset, size, aux_base. */
const TOC_ENTRY_SIZE = 16;
const TOC_ENTRIES = 512;
const HEADER_SIZE = TOC + TOC_ENTRIES * TOC_ENTRY_SIZE;

/** `SMEM_MASTER_SBL_VERSION_INDEX`, and `SMEM_GLOBAL_HEAP_VERSION` in the upper half of that word. */
const SBL_VERSION_INDEX = 7;
const GLOBAL_HEAP_VERSION = 11;

/**
 * The item that `qcom_socinfo_probe()` of drivers/soc/qcom/socinfo.c reads: `SMEM_HW_SW_BUILD_ID`, `struct socinfo`.
 */
const SOCINFO_ITEM = 137;
const SOCINFO = {
  /** Format 1 ends behind the build identifier. */
  fmt: 0x00,
  /** `soc_id[]`: 321 is SDM845. */
  id: 0x04,
  /** Major and minor, 16 bits each (`SOCINFO_MAJOR`). */
  ver: 0x08,
  buildId: 0x0c,
} as const;
const SOCINFO_BUILD_ID_SIZE = 32;
/** The 0x2c bytes of format 1, aligned as `qcom_smem_alloc_global()` aligns items. */
const SOCINFO_SIZE = 0x30;
const SOC_ID_SDM845 = 321;

/** The image up to the end of the last item; the rest of the region is free. */
export function smemImage(): Uint8Array {
  const free = HEADER_SIZE + SOCINFO_SIZE;
  const image = new MemoryImage(free);
  image.u32(VERSIONS + SBL_VERSION_INDEX * 4, GLOBAL_HEAP_VERSION << 16);
  image.u32(INITIALIZED, 1);
  image.u32(FREE_OFFSET, free);
  image.u32(AVAILABLE, SMEM_SIZE - free);

  const entry = TOC + SOCINFO_ITEM * TOC_ENTRY_SIZE;
  image.u32(entry, 1);
  image.u32(entry + 4, HEADER_SIZE);
  image.u32(entry + 8, SOCINFO_SIZE);

  image.u32(HEADER_SIZE + SOCINFO.fmt, 1);
  image.u32(HEADER_SIZE + SOCINFO.id, SOC_ID_SDM845);
  image.u32(HEADER_SIZE + SOCINFO.ver, (2 << 16) | 1);
  image.text(HEADER_SIZE + SOCINFO.buildId, SOCINFO_BUILD_ID_SIZE, 'bootrace stand-in');
  return image.bytes;
}

/** Boards whose SoC is not SDM845 get its number as well: nothing but the log shows it. */
export const smemModel: DeviceModel = {
  compatible: ['qcom,smem'],
  reads: 'drivers/soc/qcom/smem.c, qcom_smem_probe() (6.12)',
  model(device, answers) {
    const memory = device.referenced('memory-region');
    const address = device.ranges[0]?.address ?? (memory === null ? null : addressOf(memory));
    if (address !== null) answers.image(address, smemImage());
  },
};

/**
 * Address of a node below /reserved-memory whose cells are 64 bits, as on every Qualcomm board with a smem node of its
 * own.
 */
function addressOf(memory: TreeNode): number | null {
  const [high = 0, low] = readCells(memory.properties.get('reg') ?? new Uint8Array()) ?? [];
  return low === undefined ? null : high * 2 ** 32 + low;
}
