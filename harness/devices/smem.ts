import type { AddressRange } from '../devicetree/addresses.ts';
import { cellsOf, stringsOf } from '../devicetree/values.ts';
import type { BoardDevice, DeviceModel } from './device.ts';
import { MemoryImage } from './register-image.ts';

/**
 * Shared memory as the boot loader leaves it, the way `qcom_smem_probe()` of drivers/soc/qcom/smem.c reads it (Linux
 * 5.10 to 7.2): `struct smem_header`, and the items either in one global heap (version 11) or in partitions (version
 * 12).
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
const GLOBAL_PARTITION_VERSION = 12;

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
/** include/dt-bindings/arm/qcom,ids.h (6.12), by the name of the SoC in the root's `compatible`. */
const SOC_IDS: Readonly<Record<string, number>> = {
  apq8016: 247,
  apq8094: 253,
  apq8096: 291,
  msm8916: 206,
  msm8939: 239,
  msm8953: 293,
  msm8976: 278,
  msm8992: 251,
  msm8994: 207,
  msm8996: 246,
  msm8998: 292,
  qrb5165: 455,
  sc7180: 425,
  sc7280: 487,
  sc8280xp: 449,
  sdm630: 318,
  sdm636: 345,
  sdm660: 317,
  sdm845: SOC_ID_SDM845,
  sm6115: 444,
  sm6125: 394,
  sm6350: 434,
  sm6375: 507,
  sm8150: 339,
  sm8250: 356,
  sm8350: 439,
  sm8450: 457,
  sm8550: 519,
};

/** One item of the heap, at `offset` of the region. */
interface Item {
  readonly item: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The image up to the end of the last item; the rest of the region is free. */
export function smemImage(socId = SOC_ID_SDM845, more: readonly Item[] = []): Uint8Array {
  const items = [{ item: SOCINFO_ITEM, offset: HEADER_SIZE, bytes: socinfo(socId) }, ...more];
  const free = Math.max(...items.map(({ offset, bytes }) => offset + bytes.length));
  const image = new MemoryImage(free);
  image.u32(VERSIONS + SBL_VERSION_INDEX * 4, GLOBAL_HEAP_VERSION << 16);
  image.u32(INITIALIZED, 1);
  image.u32(FREE_OFFSET, free);
  image.u32(AVAILABLE, SMEM_SIZE - free);
  for (const { item, offset, bytes } of items) {
    const entry = TOC + item * TOC_ENTRY_SIZE;
    image.u32(entry, 1);
    image.u32(entry + 4, offset);
    image.u32(entry + 8, bytes.length);
    image.copy(offset, bytes);
  }
  return image.bytes;
}

/** `struct smem_ptable` in the last page of the region, `struct smem_ptable_entry`, `struct smem_info` behind them. */
const PAGE = 0x1000;
const TABLE = { magic: '$TOC', version: 4, count: 8, entries: 32 } as const;
const TABLE_ENTRY = { size: 48, bytes: 4, host0: 12, host1: 14, cacheline: 16 } as const;
const TABLE_INFO = { magic: 'SIII', bytes: 4, base: 8, items: 16, size: 20 } as const;
/** `struct smem_partition_header`, and `struct smem_private_entry` before each item. */
const PARTITION = { magic: '$PRT', host0: 4, host1: 6, bytes: 8, freeUncached: 12, freeCached: 16, size: 32 } as const;
const PRIVATE = { canary: 0xa5a5, item: 2, bytes: 4, size: 16 } as const;
/** `SMEM_GLOBAL_HOST`, twice that of the partition that all share; `SMEM_HOST_APPS`; `SMEM_HOST_COUNT`. */
const GLOBAL_HOST = 0xfffe;
const HOST_APPS = 0;
const HOSTS = 20;
/** The table says how many items there may be. These are made up, with room for the tables of IPA (0xb000 bytes). */
const ITEMS = 1024;
const CACHELINE = 32;
const PARTITION_SIZE = 0x2_0000;

/** A part of the region at `offset`. */
interface Part {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * The parts of a region of `size` bytes at `base` in version 12: the header, a partition that all processors share, one
 * for each of `hosts` as far as they fit, and the table that names them.
 */
export function partitionedSmem({ address, size }: AddressRange, hosts: readonly number[], socId: number): Part[] {
  const header = new MemoryImage(FREE_OFFSET);
  header.u32(VERSIONS + SBL_VERSION_INDEX * 4, GLOBAL_PARTITION_VERSION << 16);
  header.u32(INITIALIZED, 1);
  const room = Math.floor((size - 2 * PAGE) / PARTITION_SIZE);
  // The driver refuses a region without the page of the table by itself.
  if (room < 0) return [];
  const partitions = [
    { host0: GLOBAL_HOST, host1: GLOBAL_HOST, items: [{ item: SOCINFO_ITEM, bytes: socinfo(socId) }] },
    ...hosts.map((host) => ({ host0: HOST_APPS, host1: host, items: [] })),
  ].slice(0, room);
  const info = TABLE.entries + partitions.length * TABLE_ENTRY.size;
  const table = new MemoryImage(info + TABLE_INFO.size);
  table.text(0, TABLE.magic.length, TABLE.magic);
  table.u32(TABLE.version, 1);
  table.u32(TABLE.count, partitions.length);
  const parts = partitions.map(({ host0, host1, items }, n): Part => {
    const offset = PAGE + n * PARTITION_SIZE;
    const entry = TABLE.entries + n * TABLE_ENTRY.size;
    table.u32(entry, offset);
    table.u32(entry + TABLE_ENTRY.bytes, PARTITION_SIZE);
    table.u16(entry + TABLE_ENTRY.host0, host0);
    table.u16(entry + TABLE_ENTRY.host1, host1);
    table.u32(entry + TABLE_ENTRY.cacheline, CACHELINE);
    return { offset, bytes: partition(host0, host1, items) };
  });
  table.text(info, TABLE_INFO.magic.length, TABLE_INFO.magic);
  table.u32(info + TABLE_INFO.bytes, size);
  table.u32(info + TABLE_INFO.base, address);
  table.u16(info + TABLE_INFO.items, ITEMS);
  return [{ offset: 0, bytes: header.bytes }, ...parts, { offset: size - PAGE, bytes: table.bytes }];
}

/** A partition up to the end of its last item; those grow upwards, and what is cached would grow down from its end. */
function partition(host0: number, host1: number, items: readonly Omit<Item, 'offset'>[]): Uint8Array {
  const free = items.reduce<number>((at, { bytes }) => at + PRIVATE.size + bytes.length, PARTITION.size);
  const image = new MemoryImage(free);
  image.text(0, PARTITION.magic.length, PARTITION.magic);
  image.u16(PARTITION.host0, host0);
  image.u16(PARTITION.host1, host1);
  image.u32(PARTITION.bytes, PARTITION_SIZE);
  image.u32(PARTITION.freeUncached, free);
  image.u32(PARTITION.freeCached, PARTITION_SIZE);
  let at: number = PARTITION.size;
  for (const { item, bytes } of items) {
    image.u16(at, PRIVATE.canary);
    image.u16(at + PRIVATE.item, item);
    image.u32(at + PRIVATE.bytes, bytes.length);
    image.copy(at + PRIVATE.size, bytes);
    at += PRIVATE.size + bytes.length;
  }
  return image.bytes;
}

function socinfo(socId: number): Uint8Array {
  const image = new MemoryImage(SOCINFO_SIZE);
  image.u32(SOCINFO.fmt, 1);
  image.u32(SOCINFO.id, socId);
  image.u32(SOCINFO.ver, (2 << 16) | 1);
  image.text(SOCINFO.buildId, SOCINFO_BUILD_ID_SIZE, 'bootrace stand-in');
  return image.bytes;
}

/**
 * The channel of the power manager, as it leaves it before the kernel starts (drivers/rpmsg/qcom_smd.c, 6.12): the
 * table of channels, `struct smd_channel_info_word_pair` and two FIFOs.
 */
const SMD = { table: 13, info: 14, fifo: 338 } as const;
const SMD_TABLE_SIZE = 64 * 32;
const SMD_INFO_SIZE = 88;
const SMD_FIFO_SIZE = 0x400;
/**
 * `struct qcom_smd_alloc_entry`: name[20], cid, flags, ref_count; `SMD_CHANNEL_FLAGS_PACKET`, edge in the lowest byte.
 */
const SMD_ENTRY = { flags: 24, references: 28 } as const;
const SMD_PACKET = 1 << 9;
const SMD_EDGE_RPM = 15;
/** The other side's half: OPENED, and no interrupt wanted for what is read. */
const SMD_THEIRS = { state: 44, blockReadInterrupt: 44 + 32 } as const;
const SMD_OPENED = 2;

const SMD_AT = { table: HEADER_SIZE + SOCINFO_SIZE, info: HEADER_SIZE + SOCINFO_SIZE + SMD_TABLE_SIZE } as const;
/** Items are aligned to eight bytes, and so is the size of the information. */
const SMD_FIFO_AT = SMD_AT.info + SMD_INFO_SIZE;

/** Where the channel lies in shared memory at `address`. */
export function smdChannel(address: number): {
  readonly info: number;
  readonly fifo: number;
  readonly fifoSize: number;
} {
  return { info: address + SMD_AT.info, fifo: address + SMD_FIFO_AT, fifoSize: SMD_FIFO_SIZE };
}

function smdItems(): Item[] {
  const table = new MemoryImage(SMD_TABLE_SIZE);
  table.text(0, 20, 'rpm_requests');
  table.u32(SMD_ENTRY.flags, SMD_PACKET | SMD_EDGE_RPM);
  table.u32(SMD_ENTRY.references, 1);
  const info = new MemoryImage(SMD_INFO_SIZE);
  info.u32(SMD_THEIRS.state, SMD_OPENED);
  info.u32(SMD_THEIRS.blockReadInterrupt, 1);
  return [
    { item: SMD.table, offset: SMD_AT.table, bytes: table.bytes },
    { item: SMD.info, offset: SMD_AT.info, bytes: info.bytes },
    { item: SMD.fifo, offset: SMD_FIFO_AT, bytes: new Uint8Array(2 * SMD_FIFO_SIZE) },
  ];
}

/**
 * The number of the tree's SoC: `qcom,msm-id`, or what its name stands for, or SDM845's, which then only the log shows.
 */
function socIdOf(root: BoardDevice['root']): number {
  const [stated] = cellsOf(root, 'qcom,msm-id');
  const names = stringsOf(root, 'compatible');
  const known = names.map((name) => SOC_IDS[/^qcom,(\w+)/.exec(name)?.[1] ?? '']).find((id) => id !== undefined);
  return stated ?? known ?? SOC_ID_SDM845;
}

/** The other processors that the tree shares memory with, by the numbers that its SMP2P nodes give them. */
function hostsOf(nodes: BoardDevice['nodes']): number[] {
  const hosts = nodes.flatMap((node) => cellsOf(node, 'qcom,remote-pid'));
  return [...new Set(hosts)].filter((host) => host > HOST_APPS && host < HOSTS);
}

export const smemModel: DeviceModel = {
  compatible: ['qcom,smem'],
  reads: 'drivers/soc/qcom/smem.c, qcom_smem_probe(); socinfo.c, qcom_socinfo_probe() (6.12)',
  model(device, answers) {
    const region = smemRegion(device);
    if (region === null) return;
    const { nodes } = device;
    // A heap has no item from 512 on (`SMEM_ITEM_COUNT`): trees that name one are of SoCs with partitions.
    const isPartitioned = nodes.some((node) => cellsOf(node, 'qcom,smem').some((item) => item >= TOC_ENTRIES));
    const hasSmd = nodes.some(({ properties }) => properties.has('qcom,smd-edge'));
    const socId = socIdOf(device.root);
    const parts = isPartitioned
      ? partitionedSmem(region, hostsOf(nodes), socId)
      : [{ offset: 0, bytes: smemImage(socId, hasSmd ? smdItems() : []) }];
    for (const { offset, bytes } of parts) answers.image(region.address + offset, bytes);
  },
};

/** Shared memory: `reg`, or that of `memory-region`. */
export function smemRegion(device: BoardDevice): AddressRange | null {
  return device.ranges[0] ?? device.supplier('memory-region')?.ranges[0] ?? null;
}
