import { cellProperty } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';

/**
 * Identification registers of drivers/gpu/drm/bridge/synopsys/dw-hdmi.h: version 2.11a of an RK3399, as it prints it.
 */
const IDS = [0x21, 0x1a, 0xa0, 0xc1, 0x00, 0x00, 0xf2, 0x00] as const;

export const dwHdmi: DeviceModel = {
  compatible:
    /^(?:rockchip,rk(?:3228|3288|3328|3399|3568)|allwinner,sun(?:8i-a83t|50i-(?:a64|h6))|amlogic,meson-g12a)-dw-hdmi$/,
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

/** Where the transmitter of Amlogic's GX has the number of a register, and what it holds. */
const GX = { number: 0x10, data: 0x14 } as const;

export const dwHdmiGx: DeviceModel = {
  compatible: ['amlogic,meson-gx-dw-hdmi'],
  reads: 'drivers/gpu/drm/meson/meson_dw_hdmi.c, dw_hdmi_dwc_read() (6.12)',
  model({ base }, answers) {
    for (const [n, value] of IDS.entries()) {
      const held = { to: base + GX.data, set: value, clear: 0xff & ~value, interrupt: 0 } as const;
      answers.rule({ rule: 'on-write', at: base + GX.number, mask: 0xffff, value: n, ...held });
    }
  },
};
