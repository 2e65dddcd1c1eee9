import { cellProperty } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';

/**
 * Identification registers of drivers/gpu/drm/bridge/synopsys/dw-hdmi.h: version 2.11a of an RK3399, as it prints it.
 */
const IDS = [0x21, 0x1a, 0xa0, 0xc1, 0x00, 0x00, 0xf2, 0x00] as const;

export const dwHdmi: DeviceModel = {
  compatible: /^rockchip,rk(?:3228|3288|3328|3399|3568)-dw-hdmi$|^allwinner,sun(?:8i-a83t|50i-a64|50i-h6)-dw-hdmi$/,
  reads: 'drivers/gpu/drm/bridge/synopsys/dw-hdmi.c, dw_hdmi_probe() (6.12): HDMI_DESIGN_ID to HDMI_CONFIG2_ID',
  model({ base, node }, answers) {
    // Registers of a byte, each in a word of its own where the tree says so.
    const width = cellProperty(node, 'reg-io-width') ?? 1;
    const image = new Uint8Array(width * IDS.length);
    IDS.forEach((value, n) => {
      image[width * n] = value;
    });
    answers.image(base, image);
  },
};
