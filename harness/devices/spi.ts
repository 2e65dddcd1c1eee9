import type { PlacedBehaviour } from '../board/board-plan.ts';
import { type TreeNode, walk } from '../devicetree/tree.ts';
import { type Answers, type BoardDevice, compatibleOf, type DeviceModel, hasCompatible } from './device.ts';

/** SPI masters, and what lies behind their chip selects (firmware/models/spi.h). */

const SLAVE_SIZE = 0x1000;
const SLAVE_ID = 0x20;
const SLAVE_PORTS = 0x14;

/** Numbers of the kinds in firmware/models/spi.h; what is none of them reads as zeros. */
const FLASH = 1;
const RK806 = 2;
const CROS_EC = 3;
/** A W25Q128, 16 MiB (drivers/mtd/spi-nor/winbond.c): a size that is known without SFDP. Empty. */
const FLASH_ID = [0xef, 0x40, 0x18];

/** Older trees name the part alone (drivers/mtd/spi-nor/core.c, spi_nor_dev_ids). */
const FLASHES = /^jedec,spi-nor$|,(?:m25p|n25q|mx25|mx66|w25q|s25|sst25|en25|gd25|at25df|mt25q|is25)/;

/**
 * Ports of USB that Chromium's controller has, as the tree has them by either driver: cros_typec_probe() of
 * drivers/platform/chrome/cros_ec_typec.c (6.12) looks at a port of each number, and it has those of the tree alone.
 */
const USB_PORT = ['usb-c-connector', 'google,extcon-usbc-cros-ec'];

function usbPorts(controller: TreeNode): number {
  const nodes = [...walk(controller)].map(({ node }) => node);
  return Math.max(...USB_PORT.map((name) => nodes.filter((node) => hasCompatible(node, name)).length));
}

/** A store with the slaves of a master in it. */
function spiSlaves(device: BoardDevice, answers: Answers): number {
  const store = answers.store();
  for (const { node, reg } of device.slaves) {
    const slave = store + ((reg[0] ?? 0) % 16) * SLAVE_SIZE;
    if (hasCompatible(node, 'rockchip,rk806')) answers.word(slave, RK806);
    if (hasCompatible(node, 'google,cros-ec-spi')) {
      answers.word(slave, CROS_EC);
      answers.word(slave + SLAVE_PORTS, usbPorts(node));
    }
    if (!compatibleOf(node).some((name) => FLASHES.test(name))) continue;
    answers.word(slave, FLASH);
    answers.image(slave + SLAVE_ID, Uint8Array.from(FLASH_ID));
  }
  return store;
}

/** A master of the tree with what its chip selects choose. */
export function spiMaster(
  device: BoardDevice,
  answers: Answers,
  behaviour: PlacedBehaviour['behaviour'],
  size: number,
  more: readonly number[] = [],
): void {
  const parameters = [spiSlaves(device, answers), ...more];
  answers.behaviour({ behaviour, address: device.base, size, interrupts: [device.interrupt()], parameters });
}

/** get_fifo_len(): what fits into the FIFO is not transferred by DMA. */
const ROCKCHIP_VERSION = 0x48;
const ROCKCHIP_FIFO_OF_64 = 0x05ec_0002;

export const spiRockchip: DeviceModel = {
  compatible: /^rockchip,rk\d+-spi$/,
  reads: 'drivers/spi/spi-rockchip.c, rockchip_spi_isr(); drivers/mfd/rk8xx-spi.c; drivers/mtd/spi-nor (6.12)',
  model(device, answers) {
    spiMaster(device, answers, 'spi-rockchip', 0xc00);
    answers.word(device.base + ROCKCHIP_VERSION, ROCKCHIP_FIFO_OF_64);
  },
};

export const spiMt65xx: DeviceModel = {
  compatible: /^mediatek,mt\d+-spi$|^mediatek,spi-ipm$/,
  reads: 'drivers/spi/spi-mt65xx.c, mtk_spi_fifo_transfer(), mtk_spi_interrupt() (6.12)',
  model(device, answers) {
    spiMaster(device, answers, 'spi-mt65xx', 0x34);
  },
};

export const qcomQspi: DeviceModel = {
  compatible: ['qcom,qspi-v1'],
  reads: 'drivers/spi/spi-qcom-qspi.c, qcom_qspi_transfer_one(), qcom_qspi_irq() (6.12)',
  model(device, answers) {
    spiMaster(device, answers, 'qcom-qspi', 0x54);
  },
};

export const spiSun6i: DeviceModel = {
  compatible: ['allwinner,sun6i-a31-spi', 'allwinner,sun8i-h3-spi', 'allwinner,sun50i-r329-spi'],
  reads: 'drivers/spi/spi-sun6i.c, sun6i_spi_transfer_one(), sun6i_spi_handler() (6.12)',
  model(device, answers) {
    spiMaster(device, answers, 'spi-sun6i', 0x304);
  },
};

/** Registers of drivers/spi/spi-rockchip-sfc.c. */
const SFC = { clear: 0x08, recover: 0x10, fifo: 0x20, raw: 0x28, dma: 0x80 } as const;
/** 16 words of room to write, 16 to read. */
const SFC_LEVELS = (16 << 8) | (16 << 16);
const SFC_DMA_DONE = 1 << 7;

export const rockchipSfc: DeviceModel = {
  compatible: ['rockchip,sfc'],
  reads: 'drivers/spi/spi-rockchip-sfc.c, rockchip_sfc_exec_mem_op() (6.12)',
  model(device, answers) {
    const { base } = device;
    spiMaster(device, answers, 'rockchip-sfc', 0x200);
    answers.word(base + SFC.fifo, SFC_LEVELS);
    answers.rule({ rule: 'self-clearing', at: base + SFC.recover, bits: 1 });
    // What is fetched by DMA stays as it was: long reads, of SFDP and of the flash itself.
    const done = { mask: 1, value: 1, set: SFC_DMA_DONE, clear: 0, interrupt: device.interrupt() };
    answers.rule({ rule: 'on-write', at: base + SFC.dma, to: base + SFC.raw, ...done });
    answers.rule({ rule: 'clears', at: base + SFC.clear, to: base + SFC.raw });
  },
};

/** CQSPI_REG_CONFIG: the controller is idle. */
const CQSPI_IDLE = 2 ** 31;

export const cadenceQuadspi: DeviceModel = {
  compatible: ['ti,am654-ospi', 'ti,k2g-qspi', 'cdns,qspi-nor'],
  reads: 'drivers/spi/spi-cadence-quadspi.c, cqspi_exec_flash_cmd(), cqspi_command_read() (6.12)',
  model(device, answers) {
    spiMaster(device, answers, 'cadence-quadspi', 0x100);
    answers.word(device.base, CQSPI_IDLE);
    answers.rule({ rule: 'read-only', at: device.base, bits: CQSPI_IDLE });
  },
};

export const fslQuadspi: DeviceModel = {
  compatible: ['fsl,imx7d-qspi', 'fsl,imx6ul-qspi', 'fsl,imx6sx-qspi', 'fsl,ls1021a-qspi', 'fsl,ls2080a-qspi'],
  reads: 'drivers/spi/spi-fsl-qspi.c, fsl_qspi_do_op(), fsl_qspi_read_rxfifo() (6.12)',
  model(device, answers) {
    // `little_endian` of its `struct fsl_qspi_devtype_data`.
    const isBigEndian = device.compatible.includes('fsl,ls1021a-qspi');
    spiMaster(device, answers, 'fsl-quadspi', 0x400 + 0x10, [isBigEndian ? 1 : 0]);
  },
};

export const nxpFspi: DeviceModel = {
  compatible: ['nxp,lx2160a-fspi', 'nxp,imx8mm-fspi', 'nxp,imx8mp-fspi', 'nxp,imx8qxp-fspi', 'nxp,imx8dxl-fspi'],
  reads: 'drivers/spi/spi-nxp-fspi.c, nxp_fspi_do_op(), nxp_fspi_read_rxfifo() (6.12)',
  model(device, answers) {
    spiMaster(device, answers, 'nxp-fspi', 0x400);
  },
};

export const fslDspi: DeviceModel = {
  compatible: /^fsl,(?:ls\d+\w*(?:-v1\.0)?|lx2160a)-dspi$/,
  reads: 'drivers/spi/spi-fsl-dspi.c, dspi_transfer_one_message(), dspi_interrupt(), dspi_xspi_fifo_write() (6.12)',
  model(device, answers) {
    spiMaster(device, answers, 'fsl-dspi', 0x140, [device.node.properties.has('big-endian') ? 1 : 0]);
  },
};
