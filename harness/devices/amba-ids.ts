import type { DeviceModel } from './device.ts';

/**
 * Peripheral and component identification at the end of a PrimeCell's first 4 KiB or more (drivers/amba/bus.c,
 * amba_read_periphid()).
 */
const PID = 0x20;
const CID = 0x10;
const CID_PRIMECELL = 0xb105_f00d;
const CID_CORESIGHT = 0xb105_900d;
/** CoreSight (IHI 0029): DEVARCH at 0xfbc and DEVTYPE at 0xfcc of the last 4 KiB. */
const DEVARCH = 0x44;
const DEVTYPE = 0x34;
/** DEVID of a cross trigger (cti_set_default_config() of coresight-cti-core.c): 4 channels, 8 triggers. */
const DEVID = 0x38;
const CTI_DEVID = 0x4_0800;
/**
 * Debug registers of a CPU (DDI 0487, H9): EDDEVID and EDDEVID1 say that the program counter is sampled, EDPRSR that it
 * has power (drivers/hwtracing/coresight/coresight-cpu-debug.c, debug_init_arch_data()).
 */
const EDDEVID = 0x38;
const EDDEVID1 = 0x3c;
const EDPRSR = 0x314;
/** PL330: CR0 says that it has booted non-secure, CR3 and CR4 which of its interrupts and requests are (DDI 0424). */
const PL330_CR0 = 0xe00;
const PL330_CR3 = 0xe0c;
const PL330_CR4 = 0xe10;
const PL330_CRD = 0xe14;
const ALL = 0xffff_ffff;

/**
 * What the ID tables of the drivers ask for, by the first compatible (Linux 6.12). `arch` and `type`: CoreSight
 * components.
 */
const IDS: Readonly<Record<string, { readonly pid: number; readonly arch?: number; readonly type?: number }>> = {
  'arm,coresight-dynamic-funnel': { pid: 0x000b_b908, type: 0x12 },
  'arm,coresight-dynamic-replicator': { pid: 0x000b_b909, type: 0x22 },
  'arm,coresight-tmc': { pid: 0x000b_b961, type: 0x32 },
  'arm,coresight-etm4x': { pid: 0x000b_b95d, arch: 0x4770_4a13, type: 0x13 },
  'arm,coresight-stm': { pid: 0x000b_b962, arch: 0x4770_0a63, type: 0x63 },
  'arm,coresight-cpu-debug': { pid: 0x000b_bd03, arch: 0x4770_6a15, type: 0x15 },
  'arm,coresight-catu': { pid: 0x000b_b9ee },
  'arm,coresight-cti': { pid: 0x000b_b906 },
  'arm,coresight-tpiu': { pid: 0x000b_b912, type: 0x11 },
  'arm,coresight-etb10': { pid: 0x000b_b907, type: 0x21 },
  'qcom,coresight-tpda': { pid: 0x000f_0f04 },
  'qcom,coresight-tpdm': { pid: 0x000f_0e04 },
  'arm,mhu': { pid: 0x001b_b098 },
  'arm,mhu-doorbell': { pid: 0x001b_b098 },
  'arm,pl011': { pid: 0x0024_1011 },
  'arm,pl022': { pid: 0x0004_1022 },
  'arm,pl031': { pid: 0x0004_1031 },
  'arm,pl050': { pid: 0x0004_1050 },
  'arm,pl041': { pid: 0x0004_1041 },
  'arm,pl061': { pid: 0x0004_1061 },
  'arm,pl080': { pid: 0x0004_1080 },
  'arm,pl081': { pid: 0x0004_1081 },
  'arm,pl111': { pid: 0x0004_1111 },
  'arm,pl180': { pid: 0x0004_1180 },
  'arm,pl330': { pid: 0x0024_1330 },
  'arm,pl353-smc-r2p1': { pid: 0x0004_1353 },
  'arm,pl354': { pid: 0x0004_1354 },
  'arm,sp804': { pid: 0x0014_1804 },
  'arm,sp805': { pid: 0x0004_1805 },
  'arm,sp810': { pid: 0x0004_1810 },
};

/** Trees of SA8775P and later name a trace unit by nothing else, and the driver takes what DEVARCH says is one. */
const ETM = 'arm,coresight-etm4x';

export const ambaIds: DeviceModel = {
  compatible: ['arm,primecell'],
  reads:
    'drivers/amba/bus.c, amba_read_periphid(); drivers/hwtracing/coresight; ' +
    'drivers/dma/pl330.c, read_dmac_config(), pl330_request_channel() (6.12)',
  model({ base, size, compatible: given, path }, answers) {
    const compatible = given.length === 1 && /\/etm@[^/]*$/.test(path) ? [ETM, ...given] : given;
    const known = compatible.map((name) => IDS[name]).find((entry) => entry !== undefined);
    if (known === undefined) return;
    const end = base + size;
    const isCoresight = compatible.some((name) => name.includes('coresight'));
    for (let byte = 0; byte < 4; byte++) {
      answers.word(end - PID + 4 * byte, (known.pid >>> (8 * byte)) & 0xff);
      answers.word(end - CID + 4 * byte, ((isCoresight ? CID_CORESIGHT : CID_PRIMECELL) >>> (8 * byte)) & 0xff);
    }
    if (isCoresight) {
      answers.word(end - DEVARCH, known.arch ?? 0);
      // The trace memory controller is a router where the tree calls it etr.
      answers.word(end - DEVTYPE, /\/etr@/.test(path) ? 0x21 : (known.type ?? 0));
    }
    if (compatible.includes('arm,coresight-cti')) answers.word(end - DEVID, CTI_DEVID);
    if (compatible.includes('arm,coresight-cpu-debug')) {
      answers.word(end - EDDEVID, 3);
      answers.word(end - EDDEVID1, 2);
      answers.word(base + EDPRSR, 1);
    }
    if (compatible.includes('arm,pl330')) {
      // 8 channels, 32 peripheral requests, 32 events; 64-bit bus, queues of 16.
      answers.word(base + PL330_CR0, 0x003f_f075);
      answers.word(base + PL330_CR3, ALL);
      answers.word(base + PL330_CR4, ALL);
      answers.word(base + PL330_CRD, 0x07f7_3f73);
    }
  },
};
