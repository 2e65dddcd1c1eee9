import { cellProperty } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';
import { encodeFields, type Field } from './register-image.ts';

/**
 * Identification registers of the stand-in's SMMU-500, global register space 0 of the Arm System Memory Management Unit
 * Architecture Specification, version 2.0 (IHI 0062D.c), as `arm_smmu_device_cfg_probe()` of Linux reads them.
 */

/** IHI 0062D.c section 10.6: SMMU_IDR0, SMMU_IDR1, SMMU_IDR2, SMMU_IDR7. */
const IDR0 = 0x20;
const IDR1 = 0x24;
const IDR2 = 0x28;
const IDR7 = 0x3c;

const FIELDS = {
  /** Stage 1, stage 2 and nested translation are supported. */
  S1TS: { register: IDR0, bit: 30, width: 1 },
  S2TS: { register: IDR0, bit: 29, width: 1 },
  NTS: { register: IDR0, bit: 28, width: 1 },
  /** Stream matching. */
  SMS: { register: IDR0, bit: 27, width: 1 },
  /** Coherent translation table walks. */
  CTTW: { register: IDR0, bit: 14, width: 1 },
  /** Number of stream identifier bits. */
  NUMSIDB: { register: IDR0, bit: 9, width: 4 },
  /** Number of stream match register groups. */
  NUMSMRG: { register: IDR0, bit: 0, width: 8 },
  /** The register space has 2^(NUMPAGENDXB+1) pages on each side. */
  NUMPAGENDXB: { register: IDR1, bit: 28, width: 3 },
  /** Number of context banks. */
  NUMCB: { register: IDR1, bit: 0, width: 8 },
  /** Translation granules. */
  PTFSv8_64kB: { register: IDR2, bit: 14, width: 1 },
  PTFSv8_16kB: { register: IDR2, bit: 13, width: 1 },
  PTFSv8_4kB: { register: IDR2, bit: 12, width: 1 },
  /** Upstream bus, output and intermediate address sizes; 5 is 48 bits. */
  UBS: { register: IDR2, bit: 8, width: 4 },
  OAS: { register: IDR2, bit: 4, width: 4 },
  IAS: { register: IDR2, bit: 0, width: 4 },
  /** Implementation revision. */
  MAJOR: { register: IDR7, bit: 4, width: 4 },
} as const satisfies Record<string, Field>;

const ADDRESS_48_BITS = 5;
const PAGE_SIZE = 4096;
const LARGE_PAGE_SIZE = 65_536;
const NUMPAGENDXB_MAX = 7;
/** SMMU_IDR1.PAGESIZE: 64 KiB. */
const PAGESIZE_FIELD = { register: IDR1, bit: 31, width: 1 };

/** What the stand-in's SMMU says of itself. */
const STANDIN: Readonly<Record<keyof typeof FIELDS, number>> = {
  S1TS: 1,
  S2TS: 1,
  NTS: 1,
  SMS: 1,
  CTTW: 1,
  NUMSIDB: 8,
  NUMSMRG: 16,
  NUMPAGENDXB: 5,
  NUMCB: 4,
  PTFSv8_64kB: 1,
  PTFSv8_16kB: 1,
  PTFSv8_4kB: 1,
  UBS: ADDRESS_48_BITS,
  OAS: ADDRESS_48_BITS,
  IAS: ADDRESS_48_BITS,
  MAJOR: 2,
};

/** Bytes of the whole register space: both halves of 2^(NUMPAGENDXB+1) pages (IHI 0062D.c, section 2.4). */
export const SMMU500_SIZE = 2 * 2 ** (STANDIN.NUMPAGENDXB + 1) * PAGE_SIZE;

/** The register file's first bytes, up to the last identification register; the rest reads as zero after reset. */
export function smmu500Registers(): Uint8Array {
  return encodeFields(FIELDS, STANDIN);
}

/** Streams of 15 bits, as the trees of boards number them (`iommus`); a kernel refuses one that is out of range. */
const BOARD = { ...STANDIN, NUMSIDB: 15 };
/** Values that the DB845C's own SMMUs print: the one of the SoC and the one of its GPU. */
const QUALCOMM = { ...BOARD, S2TS: 0, NTS: 0, NUMSMRG: 0x4c, NUMCB: 0x2d, PTFSv8_16kB: 0 };
const ADRENO = { ...BOARD, S2TS: 0, NTS: 0, CTTW: 0, NUMSMRG: 5, NUMCB: 5, OAS: 1, IAS: 1 };
const OTHER = { ...BOARD, NUMSMRG: 0x60, NUMCB: 0x24 };
/** SMMU_IDR0.ATOSNS: no address translation operations. */
const ATOSNS = { register: IDR0, bit: 26, width: 1 };

export const smmuModel: DeviceModel = {
  compatible: ['arm,mmu-500', 'arm,smmu-v2', 'qcom,smmu-v2', 'qcom,smmu-500', 'arm,mmu-401', 'arm,smmu-v1'],
  reads: 'drivers/iommu/arm/arm-smmu/arm-smmu.c, arm_smmu_device_cfg_probe() (6.12)',
  model({ base, size, compatible, node, interrupts }, answers) {
    // Both halves have 2^(NUMPAGENDXB + 1) pages, of 64 KiB where 2^8 of 4 KiB are too few.
    const small = Math.max(2, Math.log2(size / 2 / PAGE_SIZE));
    const PAGESIZE = small > NUMPAGENDXB_MAX + 1 ? 1 : 0;
    const pages = small - PAGESIZE * Math.log2(LARGE_PAGE_SIZE / PAGE_SIZE);
    const isAdreno = compatible.some((name) => name === 'qcom,smmu-v2' || name === 'qcom,adreno-smmu');
    const isQualcomm = compatible.some((name) => name.startsWith('qcom,'));
    const values = isAdreno ? ADRENO : isQualcomm ? QUALCOMM : OTHER;
    // Each bank has an interrupt of its own behind the global ones; the driver wants no fewer than there are banks.
    const contexts = interrupts.length - (cellProperty(node, '#global-interrupts') ?? 1);
    const banks = Math.min(values.NUMCB, 2 ** pages, Math.max(1, contexts));
    const numbers = { ...values, NUMPAGENDXB: Math.floor(pages) - 1, NUMCB: banks, ATOSNS: isAdreno ? 0 : 1, PAGESIZE };
    answers.image(base, encodeFields({ ...FIELDS, ATOSNS, PAGESIZE: PAGESIZE_FIELD }, numbers));
  },
};
