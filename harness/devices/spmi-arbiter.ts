import type { TreeNode } from '../devicetree/tree.ts';
import { cellsOf } from '../devicetree/values.ts';
import { type Answers, type BoardDevice, compatibleOf, type DeviceModel } from './device.ts';

/**
 * drivers/spmi/spmi-pmic-arb.c (6.12): PMIC_ARB_VERSION, PMIC_ARB_FEATURES of each bus; by version where the map of
 * APIDs is, and how far channels and observers are apart.
 */
const VERSION = 0x00;
const FEATURES = 0x04;
const VERSION_5 = { version: 0x5000_0000, apids: 0x900, channel: 0x1_0000, observer: 0x80 } as const;
const VERSION_7 = { version: 0x7000_0000, apids: 0x2000, channel: 0x1000, observer: 0x20 } as const;
const MANY_BUSES = 'qcom,x1e80100-spmi-pmic-arb';
const IS_IRQ_OWNER = 1 << 24;

/**
 * Bytes of a peripheral's registers, and where its type and subtype are (drivers/mfd/qcom-spmi-pmic.c and the drivers
 * of peripherals).
 */
const PERIPHERAL = 0x100;
const TYPE = 0x04;
const REVISIONS = 0x00;
const PMIC_TYPE = 0x51;
const PMIC_PERIPHERAL = 0x01;
const PMIC_REVISION = 0x0202_0000;
/** Subtypes of PM8998, PMI8998 and PM8005 by the slave that they begin at. */
const SUBTYPES: readonly number[] = [0x14, 0x14, 0x15, 0x15, 0x16, 0x16];

/** ADC_TM5_NUM_BTM of drivers/thermal/qcom/qcom-spmi-adc-tm5.c (6.12), adc_tm5_init(): channels that are watched. */
const ADC_TM = 0x35;
const NUM_BTM = 0x0f;
const ADC_TM_CHANNELS = 8;

/**
 * drivers/iio/adc/qcom-spmi-adc5.c, adc7_do_conversion(), which takes what is there when the time is over:
 * ADC5_USR_DATA0, 0.6 V of 1.875 V. That is 25 degrees in the PMIC and 42 behind a thermistor (qcom-vadc-common.c);
 * zero is critical.
 */
const ADC7 = { compatible: 'qcom,spmi-adc7', data: 0x50, code: [0x20, 0x24] } as const;

/** drivers/phy/qualcomm/phy-qcom-eusb2-repeater.c, eusb2_repeater_init() (6.12): EUSB2_RPTR_STATUS, RPTR_OK. */
const REPEATER = { compatible: /-eusb2-repeater$/, status: 0x08, isReady: 0x80 } as const;

/** drivers/nvmem/qcom-spmi-sdam.c (6.12), sdam_probe(): SDAM_SIZE in 32 bytes; trees have cells from 0x40 to 0xbf. */
const SDAM = { compatible: 'qcom,spmi-sdam', size: 0x44, blocks: 4 } as const;

/**
 * How many peripherals a child of a PMIC has, and what they say they are: `PMIC_GPIO_*`, `PMIC_MPP_*` of pinctrl,
 * `PON`, `ADC`.
 */
const KINDS: readonly {
  readonly name: RegExp;
  readonly count: number;
  readonly type: number;
  readonly subtype: number;
}[] = [
  { name: /^gpio/, count: 26, type: 0x10, subtype: 1 },
  { name: /^mpp/, count: 8, type: 0x11, subtype: 3 },
  { name: /^temp-alarm/, count: 1, type: 0x09, subtype: 8 },
  { name: /^adc-tm/, count: 1, type: 0x08, subtype: ADC_TM },
  { name: /^adc/, count: 1, type: 0x08, subtype: 1 },
];
/**
 * Peripherals that drivers reach beside those of the tree: RTC alarm; LPG's pattern memory and PWMs, flash and WLED of
 * PMI8998.
 */
const BESIDE: Readonly<Record<number, readonly number[]>> = {
  0: [0x61],
  3: [0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xd0, 0xd9],
};

function peripheralsOf(pmic: TreeNode, slave: number): Map<number, readonly [number, number]> {
  const found = new Map<number, readonly [number, number]>();
  for (const extra of BESIDE[slave] ?? []) found.set(extra, [0, 0]);
  found.set(PMIC_PERIPHERAL, [PMIC_TYPE, SUBTYPES[slave] ?? 0x14]);
  for (const child of pmic.children) {
    const bases = cellsOf(child, 'reg');
    const kind = KINDS.find(({ name }) => name.test(child.name));
    for (const base of bases)
      for (let n = 0; n < (kind?.count ?? 1); n++)
        if (!found.has((base >> 8) + n)) found.set((base >> 8) + n, [kind?.type ?? 0, kind?.subtype ?? 0]);
  }
  return found;
}

/** The buses of an arbiter: nodes of their own, or itself. */
function busesOf(device: BoardDevice): TreeNode[] {
  if (!device.compatible.includes(MANY_BUSES)) return [device.node];
  return device.node.children.filter(({ name }) => /^spmi@/.test(name));
}

/**
 * The arbiter as version 7 where its registers reach to that one's map of APIDs, else as version 5, whatever the SoC
 * has; with a channel for each peripheral of the tree's PMICs behind it. PMICs of two buses that have the same number
 * are one.
 */
export const spmiArbiter: DeviceModel = {
  compatible: ['qcom,spmi-pmic-arb', MANY_BUSES],
  reads: 'drivers/spmi/spmi-pmic-arb.c, spmi_pmic_arb_probe(), pmic_arb_read_cmd_unlocked() (6.12)',
  model(device, answers) {
    const core = device.range('core') ?? device.ranges[0];
    const channels = device.range('chnls');
    const observer = device.range('obsrvr');
    if (core === undefined || channels === null || observer === null) return;
    const layout = core.size > VERSION_7.apids ? VERSION_7 : VERSION_5;
    const store = answers.store();
    let apid = 0;
    busesOf(device).forEach((bus, index) => {
      const first = apid;
      for (const pmic of bus.children) {
        const [slave] = cellsOf(pmic, 'reg');
        if (slave === undefined) continue;
        for (const [peripheral, kind] of peripheralsOf(pmic, slave)) {
          const ppid = (slave << 8) | peripheral;
          answers.word(core.address + layout.apids + 4 * apid++, (ppid << 8) | IS_IRQ_OWNER);
          answerPeripheral(store + ppid * PERIPHERAL, pmic, peripheral, kind, answers);
        }
      }
      answers.word(core.address + FEATURES + 4 * index, apid - first);
    });
    answers.word(core.address + VERSION, layout.version);
    for (const [range, stride] of [
      [channels, layout.channel],
      [observer, layout.observer],
    ] as const)
      answers.behaviour({
        behaviour: 'spmi-arbiter',
        address: range.address,
        size: range.size,
        interrupts: [],
        parameters: [stride, core.address + layout.apids, store],
      });
  },
};

/** Registers of a peripheral, `at` its place in the store. */
function answerPeripheral(
  at: number,
  pmic: TreeNode,
  peripheral: number,
  [type, subtype]: readonly [number, number],
  answers: Answers,
): void {
  answers.word(at + TYPE, type | (subtype << 8));
  if (subtype === ADC_TM) answers.image(at + NUM_BTM, Uint8Array.of(ADC_TM_CHANNELS));
  if (peripheral === PMIC_PERIPHERAL) answers.word(at + REVISIONS, PMIC_REVISION);
  const names = pmic.children.flatMap((child) =>
    (cellsOf(child, 'reg')[0] ?? 0) >> 8 === peripheral ? compatibleOf(child) : [],
  );
  const has = (compatible: string) => names.includes(compatible);
  if (names.some((name) => REPEATER.compatible.test(name)))
    answers.image(at + REPEATER.status, Uint8Array.of(REPEATER.isReady));
  if (has(SDAM.compatible)) answers.image(at + SDAM.size, Uint8Array.of(SDAM.blocks));
  if (has(ADC7.compatible)) answers.image(at + ADC7.data, Uint8Array.from(ADC7.code));
}
