import type { TreeNode } from '../devicetree/tree.ts';
import { cellProperty, readCells } from '../devicetree/values.ts';
import { type DeviceModel, hasCompatible } from './device.ts';

/**
 * drivers/spmi/spmi-pmic-arb.c (6.12): PMIC_ARB_VERSION and its values, PMIC_ARB_FEATURES, PMIC_ARB_REG_APID() of
 * version 5.
 */
const VERSION = 0x00;
const VERSION_5 = 0x5000_0000;
const FEATURES = 0x04;
const APIDS = 0x900;
const WRITE_CHANNEL_STRIDE = 0x1_0000;
const OBSERVER_STRIDE = 0x80;
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
    const bases = readCells(child.properties.get('reg') ?? new Uint8Array()) ?? [];
    const kind = KINDS.find(({ name }) => name.test(child.name));
    for (const base of bases)
      for (let n = 0; n < (kind?.count ?? 1); n++)
        if (!found.has((base >> 8) + n)) found.set((base >> 8) + n, [kind?.type ?? 0, kind?.subtype ?? 0]);
  }
  return found;
}

/** The arbiter as version 5, whatever the SoC has, with a channel for each peripheral of the tree's PMICs behind it. */
export const spmiArbiter: DeviceModel = {
  compatible: ['qcom,spmi-pmic-arb'],
  reads: 'drivers/spmi/spmi-pmic-arb.c, spmi_pmic_arb_probe(), pmic_arb_read_cmd_unlocked() (6.12)',
  model(device, answers) {
    const core = device.range('core') ?? device.ranges[0];
    const channels = device.range('chnls');
    const observer = device.range('obsrvr');
    if (core === undefined || channels === null || observer === null) return;
    const store = answers.store();
    let apid = 0;
    for (const { node, reg } of device.slaves) {
      const [slave] = reg;
      if (slave === undefined) continue;
      const adcs = new Set(
        node.children
          .filter((child) => hasCompatible(child, ADC7.compatible))
          .map((child) => (cellProperty(child, 'reg') ?? 0) >> 8),
      );
      for (const [peripheral, [type, subtype]] of peripheralsOf(node, slave)) {
        const ppid = (slave << 8) | peripheral;
        answers.word(core.address + APIDS + 4 * apid++, (ppid << 8) | IS_IRQ_OWNER);
        answers.word(store + ppid * PERIPHERAL + TYPE, type | (subtype << 8));
        if (subtype === ADC_TM) answers.image(store + ppid * PERIPHERAL + NUM_BTM, Uint8Array.of(ADC_TM_CHANNELS));
        if (adcs.has(peripheral)) answers.image(store + ppid * PERIPHERAL + ADC7.data, Uint8Array.from(ADC7.code));
        if (peripheral === PMIC_PERIPHERAL) answers.word(store + ppid * PERIPHERAL + REVISIONS, PMIC_REVISION);
      }
    }
    answers.word(core.address + VERSION, VERSION_5);
    answers.word(core.address + FEATURES, apid);
    for (const [range, stride] of [
      [channels, WRITE_CHANNEL_STRIDE],
      [observer, OBSERVER_STRIDE],
    ] as const)
      answers.behaviour({
        behaviour: 'spmi-arbiter',
        address: range.address,
        size: range.size,
        interrupts: [],
        parameters: [stride, core.address + APIDS, store],
      });
  },
};
