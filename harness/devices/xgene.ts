import type { DeviceModel } from './device.ts';

/** Memory of a block of X-Gene's, which is ready when all of BLOCK_MEM_RDY is ones. */
const READY = 0xffff_ffff;
/** In the registers of Ethernet and DMA, and of the rings of the latter; in the diagnostics of AHCI. */
const IN_BLOCK = 0xd074;
const IN_DIAGNOSTICS = 0x74;
const AHCI_DIAGNOSTICS = 2;

/** RAM of an X-Gene lies above 4 GiB: without HOST_CAP_64 no port of AHCI has memory (ahci_platform_init_host()). */
const AHCI_CAPABILITIES = 0x00;
const [CAP_64, CAP_32_SLOTS] = [2 ** 31, 31 << 8];
const AHCI_PORTS = 0x0c;
/** Of Ethernet's second range: CLKEN_ADDR, the clock of the manager of its rings, which the boot loader leaves on. */
const RING_CLOCK = 0xc208;

export const xgeneMemory: DeviceModel = {
  compatible: /^apm,xgene(?:\d*-(?:enet|sgenet|xgenet|ahci)|\d*-ahci-v2|-storm-dma)$/,
  reads:
    'drivers/net/ethernet/apm/xgene/xgene_enet_hw.c, xgene_enet_ecc_init(), xgene_ring_mgr_init(); ' +
    'drivers/ata/ahci_xgene.c, ' +
    'xgene_ahci_init_memram(); drivers/dma/xgene-dma.c, xgene_dma_init_mem() (6.12)',
  model({ ranges, compatible }, answers) {
    const isAhci = compatible.some((name) => name.includes('ahci'));
    const isDma = compatible.some((name) => name.endsWith('-dma'));
    const [from, to] = isAhci ? [AHCI_DIAGNOSTICS, AHCI_DIAGNOSTICS + 1] : [0, isDma ? 2 : 1];
    for (const { address } of ranges.slice(from, to))
      answers.word(address + (isAhci ? IN_DIAGNOSTICS : IN_BLOCK), READY);
    const [first, second] = ranges;
    if (isAhci && first !== undefined) {
      answers.word(first.address + AHCI_CAPABILITIES, CAP_64 + CAP_32_SLOTS);
      answers.word(first.address + AHCI_PORTS, 1);
    }
    if (!isAhci && !isDma && second !== undefined) answers.word(second.address + RING_CLOCK, 1);
  },
};
