import type { DeviceModel } from './device.ts';

/**
 * PLLs of Layerscape's clock generator: the factor is at bit 1. Boot firmware sets it by the board, and no tree has it:
 * that the bus runs at 600 MHz and cores at 1.6 GHz, from a crystal of 100 MHz, is a guess.
 */
const PLATFORM = 6;
const CORES = 16;
const FACTOR_SHIFT = 1;

/** Version 3 of the generator, little-endian, and that of the first SoCs, big-endian. */
const VERSION_3 = { platform: 0x6_0080, cores: [0x80, 0xa0, 0x1_0080, 0x1_00a0], bigEndian: false } as const;
const VERSION_2 = { platform: 0xc00, cores: [0x800, 0x820, 0x840, 0x860], bigEndian: true } as const;
const GENERATORS: readonly (readonly [string, typeof VERSION_2 | typeof VERSION_3])[] = [
  ['fsl,ls1012a-clockgen', VERSION_2],
  ['fsl,ls1043a-clockgen', VERSION_2],
  ['fsl,ls1046a-clockgen', VERSION_2],
  ['fsl,ls1028a-clockgen', VERSION_3],
  ['fsl,ls1088a-clockgen', VERSION_3],
  ['fsl,ls2080a-clockgen', VERSION_3],
  ['fsl,lx2160a-clockgen', VERSION_3],
];

export const qoriqClockgen: DeviceModel = {
  compatible: GENERATORS.map(([name]) => name),
  reads: 'drivers/clk/clk-qoriq.c, create_one_pll() (6.12): without a factor no clock has a rate',
  model({ base, compatible }, answers) {
    const layout = GENERATORS.find(([name]) => compatible.includes(name))?.[1];
    if (layout === undefined || base === 0) return;
    const pll = (offset: number, factor: number) => {
      const bytes = new Uint8Array(Uint32Array.BYTES_PER_ELEMENT);
      new DataView(bytes.buffer).setUint32(0, factor << FACTOR_SHIFT, !layout.bigEndian);
      answers.image(base + offset, bytes);
    };
    pll(layout.platform, PLATFORM);
    for (const offset of layout.cores) pll(offset, CORES);
  },
};
