import { childNamed } from '../devicetree/tree.ts';
import { type DeviceModel, hasCompatible } from './device.ts';

/** Registers of `enum pwrap_regs`, drivers/soc/mediatek/mtk-pmic-wrap.c (6.12), by the wrapper's compatible. */
interface Wrapper {
  readonly done: number;
  readonly command: number;
  readonly data: number;
  readonly clear: number;
  /** SWINF_2_WDATA_31_0 and SWINF_2_RDATA_31_0 of wrappers with an arbiter (PWRAP_CAP_ARB). */
  readonly wide: readonly [number, number] | null;
}
const PLAIN: Wrapper = { done: 0x9c, command: 0xa0, data: 0xa4, clear: 0xa8, wide: null };
const WRAPPERS: readonly (readonly [string, Wrapper])[] = [
  ['mediatek,mt2701-pwrap', { done: 0x98, command: 0x9c, data: 0xa0, clear: 0xa4, wide: null }],
  ['mediatek,mt6797-pwrap', PLAIN],
  ['mediatek,mt7622-pwrap', PLAIN],
  ['mediatek,mt8173-pwrap', PLAIN],
  ['mediatek,mt8516-pwrap', PLAIN],
  ['mediatek,mt8186-pwrap', { done: 0xa0, command: 0xc20, data: 0xc24, clear: 0xc28, wide: null }],
  ['mediatek,mt8183-pwrap', { done: 0x94, command: 0xc20, data: 0xc24, clear: 0xc28, wide: null }],
  ['mediatek,mt6873-pwrap', { done: 0, command: 0xc80, data: 0xca8, clear: 0xca4, wide: [0xc84, 0xc94] }],
  ['mediatek,mt8195-pwrap', { done: 0, command: 0x880, data: 0x8a8, clear: 0x8a4, wide: [0x884, 0x894] }],
];
/** PWRAP_STATE_SYNC_IDLE0 and INIT_DONE0, or INIT_DONE1 with an arbiter. */
const IDLE = (1 << 20) | (1 << 21);
const IDLE_WIDE = 1 << 15;
/** PWRAP_STATE_INIT_DONE0_MT8186 instead. */
const IDLE_MT8186 = (1 << 20) | (1 << 22);

/** Where a PMIC says what it is: `mt6397_probe()` of drivers/mfd/mt6397-core.c (6.12). */
const CHIP_IDS: readonly (readonly [string, number, number])[] = [
  ['mediatek,mt6323', 0x100, 0x23],
  ['mediatek,mt6331', 0x100, 0x20],
  ['mediatek,mt6357', 0x0a, 0x5700],
  ['mediatek,mt6358', 0x0a, 0x5800],
  ['mediatek,mt6359', 0x0a, 0x5900],
  ['mediatek,mt6366', 0x0a, 0x6600],
  ['mediatek,mt6397', 0x100, 0x97],
];

/**
 * Voltages that the LDOs of MT6358 start with, in bits 8 to 11 of VxxxANA_CON0: one that each of the tables of
 * drivers/regulator/mt6358-regulator.c (6.12) has, mt6358_get_voltage_sel(). By first and last register, in steps of 4.
 */
const LDOS: readonly (readonly [number, number, number])[] = [
  [0x1e08, 0x1e4c, 0xb00],
  [0x1e98, 0x1e98, 0xb00],
  [0x1eae, 0x1eae, 0xc00],
];

/** The wrapper as the boot loader leaves it: initialised, with the tree's PMIC behind it. */
export const mtkPwrap: DeviceModel = {
  compatible: WRAPPERS.map(([name]) => name),
  reads:
    'drivers/soc/mediatek/mtk-pmic-wrap.c, pwrap_probe(), pwrap_read16(); ' +
    'drivers/mfd/mt6397-core.c, mt6397_probe() (6.12)',
  model(device, answers) {
    const wrapper = WRAPPERS.find(([name]) => device.compatible.includes(name))?.[1] ?? PLAIN;
    const { base, node } = device;
    const pmic = childNamed(node, 'pmic') ?? node.children[0];
    const store = answers.store();
    const isMt8186 = device.compatible.includes('mediatek,mt8186-pwrap');
    const idle = isMt8186 ? IDLE_MT8186 : wrapper.wide === null ? IDLE : IDLE_WIDE;
    answers.word(base + wrapper.done, 1);
    answers.word(base + wrapper.data, idle);
    answers.behaviour({
      behaviour: 'mtk-pwrap',
      address: base,
      size: 0x1000,
      interrupts: [],
      parameters: [store, wrapper.command, wrapper.data, wrapper.clear, idle, ...(wrapper.wide ?? [0, 0])],
    });
    const file = (register: number, value: number) =>
      answers.image(store + register, Uint8Array.of(value & 0xff, value >> 8));
    if (pmic !== undefined && hasCompatible(pmic, 'mediatek,mt6358'))
      for (const [first, last, value] of LDOS) for (let at = first; at <= last; at += 4) file(at, value);
    for (const [name, register, id] of CHIP_IDS)
      if (pmic !== undefined && hasCompatible(pmic, name)) file(register, id);
  },
};
