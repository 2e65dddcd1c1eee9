import type { DeviceModel } from './device.ts';
import { hasCompatible } from './device.ts';

/** Identification and capability registers of TI's K3 SoCs. */

/** `JTAG_ID_PARTNO_*` of drivers/soc/ti/k3-socinfo.c by the compatible of the board's SoC. */
const PART_NUMBERS: Readonly<Record<string, number>> = {
  'ti,am625': 0xbb7e,
  'ti,am62a7': 0xbb8d,
  'ti,am62p5': 0xbb9d,
  'ti,am642': 0xbb38,
  'ti,am654': 0xbb5a,
  'ti,j7200': 0xbb6d,
  'ti,j721e': 0xbb64,
  'ti,j721s2': 0xbb75,
  'ti,j722s': 0xbba0,
  'ti,j784s4': 0xbb80,
};
/** Maker TI, and the bit that is always one. */
const JTAG_TI = (0x17 << 1) | 1;

export const k3ChipId: DeviceModel = {
  compatible: ['ti,am654-chipid'],
  reads: 'drivers/soc/ti/k3-socinfo.c, k3_chipinfo_probe() (6.12): CTRLMMR_WKUP_JTAGID',
  model({ base, root }, answers) {
    const [, number] = Object.entries(PART_NUMBERS).find(([name]) => hasCompatible(root, name)) ?? [];
    if (number !== undefined) answers.word(base, ((number << 12) | JTAG_TI) >>> 0);
  },
};

/**
 * Capability registers of a global configuration range: CAP2 to CAP4 (udma_probe() and k3-udma.h of drivers/dma/ti).
 */
const [CAP2, CAP3, CAP4] = [0x28, 0x2c, 0x30];
/** Block copy: 28 channels, 20 to send, 20 to receive (AM64 Technical Reference Manual, 11.1.3). */
const BCDMA_CAP2 = 28 | (20 << 9) | (20 << 18);
/** A camera's: channels to receive alone, whose registers are all that its node has. */
const CAMERA_CAP2 = 6 << 18;
/** Packets: 42 channels to send, 29 to receive; 176 and 112 flows. */
const [PKTDMA_CAP2, PKTDMA_CAP3, PKTDMA_CAP4] = [42 | (29 << 18), 176, 112];

/**
 * UDMA: channels to send, of others, and to receive, by 9 bits each, and flows. The main one and the MCU's as those of
 * the J721E: each channel has the ring of its own number, so that the MCU's would not have rings for more.
 */
const UDMA_MAIN = { channels: 140 | (160 << 9) | (140 << 18), flows: 300 };
const UDMA_MCU = { channels: 48 | (48 << 18), flows: 96 };

/** Without channels the driver writes through a null pointer, when it marks those that the power manager gives it. */
export const k3Udma: DeviceModel = {
  compatible: /^ti,(?:am654|j721e)-navss-(?:main|mcu)-udmap$/,
  reads: 'drivers/dma/ti/k3-udma.c, udma_setup_resources(), udma_mark_resource_ranges() (6.12)',
  model(device, answers) {
    const config = device.range('gcfg');
    if (config === null) return;
    const { channels, flows } = device.compatible.some((name) => name.includes('-mcu-')) ? UDMA_MCU : UDMA_MAIN;
    answers.word(config.address + CAP2, channels);
    answers.word(config.address + CAP3, flows);
  },
};

const PKTDMA = 'ti,am64-dmss-pktdma';
const BCDMA = 'ti,am64-dmss-bcdma';

export const k3Dma: DeviceModel = {
  compatible: [PKTDMA, BCDMA, 'ti,am62a-dmss-bcdma-csirx', 'ti,j721s2-dmss-bcdma-csi'],
  reads: 'drivers/dma/ti/k3-udma.c, udma_get_mmrs() (6.12)',
  model(device, answers) {
    const config = device.range('gcfg');
    if (config === null) return;
    const isPacket = hasCompatible(device.node, PKTDMA);
    const block = hasCompatible(device.node, BCDMA) ? BCDMA_CAP2 : CAMERA_CAP2;
    answers.word(config.address + CAP2, isPacket ? PKTDMA_CAP2 : block);
    answers.word(config.address + CAP3, isPacket ? PKTDMA_CAP3 : 0);
    answers.word(config.address + CAP4, isPacket ? PKTDMA_CAP4 : 0);
  },
};

/** Address lookup engine of the switch, behind AM65_CPSW_NU_BASE and AM65_CPSW_NU_ALE_BASE (am65-cpsw-nuss.c). */
const ALE = 0x2_0000 + 0x1_e000;
const ALE_IDVER = 0x0029_3904;
/** In units of 1024 entries, and of 8 policers from bit 8. */
const ALE_STATUS = 1 | (4 << 8);

export const k3Cpsw: DeviceModel = {
  compatible: /^ti,(?:am654|am642|j721e)-cpsw-nuss$|^ti,j\w+-cpswxg-nuss$/,
  reads: 'drivers/net/ethernet/ti/cpsw_ale.c, cpsw_ale_create() (6.12): ALE_IDVER, ALE_STATUS',
  model({ base }, answers) {
    answers.word(base + ALE, ALE_IDVER);
    answers.word(base + ALE + 4, ALE_STATUS);
  },
};

/** DSS_SYSSTATUS of `tidss_am65x_common_regs`: everything has come out of reset. */
const DSS_SYSSTATUS = 0x20;

export const k3Dss: DeviceModel = {
  compatible: ['ti,am625-dss', 'ti,am62a7-dss', 'ti,am62l-dss', 'ti,am65x-dss', 'ti,j721e-dss'],
  reads: 'drivers/gpu/drm/tidss/tidss_dispc.c, dispc_softreset() (6.12)',
  model(device, answers) {
    const common = device.range('common') ?? device.range('common_m') ?? device.ranges[0];
    if (common === undefined) return;
    answers.word(common.address + DSS_SYSSTATUS, 0x3ff);
    answers.rule({ rule: 'plain', at: common.address + DSS_SYSSTATUS });
  },
};
