import type { DeviceModel } from './device.ts';

/**
 * Where versions 3 and 4 of the MAC have their version and the bus to their PHYs: GMAC_VERSION and GMAC_MII_ADDR of
 * drivers/net/ethernet/stmicro/stmmac/dwmac1000.h, GMAC4_VERSION and GMAC_MDIO_ADDR of dwmac4.h (6.12).
 */
const GMAC = { version: 0x20, mdio: 0x10, value: 0x1037 } as const;
const GMAC4 = { version: 0x110, mdio: 0x200, value: 0x3051 } as const;
const IS_GMAC4 = /^snps,dw(?:mac-[45]|c-qos)|^rockchip,(?:rk3568|rk3576|rk3588|rv1126)-gmac$|-eqos$|-ethqos$/;
const MII_BUSY = 1;
/** DMA_BUS_MODE, at the same place in both. */
const DMA_BUS_MODE = 0x1000;
const SOFTWARE_RESET = 1;

/** No PHY is asked for long: each register of it reads as zero. */
export const dwmac: DeviceModel = {
  compatible:
    /^snps,dw(?:mac(?:-[345].*)?|c-qos-ethernet-.*)$|^rockchip,rk\d+-gmac$|^amlogic,.*-dwmac$|-eqos$|-ethqos$/,
  reads:
    'drivers/net/ethernet/stmicro/stmmac/hwif.c, stmmac_get_id(); stmmac_mdio.c, stmmac_mdio_read(); ' +
    'dwmac_lib.c, dwmac_dma_reset() (6.12)',
  model({ base, compatible }, answers) {
    const { version, mdio, value } = compatible.some((name) => IS_GMAC4.test(name)) ? GMAC4 : GMAC;
    answers.word(base + version, value);
    answers.rule({ rule: 'self-clearing', at: base + mdio, bits: MII_BUSY });
    answers.rule({ rule: 'self-clearing', at: base + DMA_BUS_MODE, bits: SOFTWARE_RESET });
  },
};

/** EMAC_BASIC_CTL1 and EMAC_MDIO_CMD of Allwinner's MAC. */
const EMAC = { control: 0x04, mdio: 0x48 } as const;

export const sun8iEmac: DeviceModel = {
  compatible: /^allwinner,sun(?:8i|50i)-.*-emac$/,
  reads:
    'drivers/net/ethernet/stmicro/stmmac/dwmac-sun8i.c, sun8i_dwmac_reset(); stmmac_mdio.c, stmmac_mdio_read() (6.12)',
  model({ base }, answers) {
    answers.rule({ rule: 'self-clearing', at: base + EMAC.control, bits: SOFTWARE_RESET });
    answers.rule({ rule: 'self-clearing', at: base + EMAC.mdio, bits: MII_BUSY });
  },
};
