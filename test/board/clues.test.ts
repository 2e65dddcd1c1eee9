import { describe, expect, test } from 'vitest';
import { spisOf, timerRateOf } from '../../harness/board/clues.ts';
import { boardTree, GIC_V3, node } from './trees.ts';

const gic = { ...GIC_V3, properties: new Map([...GIC_V3.properties, ...node('', { phandle: [1] }).properties]) };
const soc = (compatible: string, ...more: ReturnType<typeof node>[]) => {
  const tree = boardTree({ gic, more });
  const properties = new Map([
    ...tree.root.properties,
    ...node('', { 'interrupt-parent': [1], compatible: ['acme,board', compatible] }).properties,
  ]);
  return { ...tree, root: { ...tree.root, properties } };
};

describe('SPIs', () => {
  test.each([
    ['interrupts', [0, 33, 4, 0, 5, 4, 1, 900, 4], 64],
    ['interrupts-extended', [1, 0, 127, 4], 128],
    ['interrupt-map', [0, 0, 0, 1, 1, 0, 300, 4], 320],
    ['qcom,pdc-ranges', [0, 480, 94, 94, 609, 31], 640],
    ['reg', [0, 700, 0, 4], 988],
  ] as const)('%s', (property, cells, spis) => {
    expect(spisOf(soc('acme,soc', node('device', { [property]: [...cells] })))).toBe(spis);
  });

  test('of as many interrupts, and of as many nodes, as a blob of 2 MiB has room for', () => {
    const most = (2 * 1024 * 1024) / 12;
    const interrupts = Array.from({ length: 3 * Math.floor(most) }, (_, at) => (at % 3 === 1 ? 40 : 0));
    expect(spisOf(soc('acme,soc', node('device', { interrupts })))).toBe(64);
    const children = Array.from({ length: most }, (_, n) => node(`${n}`, {}));
    expect(spisOf(soc('acme,soc', { ...node('bus', {}), children }))).toBe(988);
  });

  test('of a known SoC', () => {
    expect(spisOf(soc('qcom,sdm845', node('device', { interrupts: [0, 33, 4] })))).toBe(768);
  });
});

describe('the rate of the timer', () => {
  test.each([
    ['qcom,sdm845', 19_200_000],
    ['rockchip,rk3399', 24_000_000],
    ['brcm,bcm2711', 54_000_000],
    ['acme,soc', 62_500_000],
    // Too slow a guest: HiKey has 1.2 MHz.
    ['hisilicon,hi6220', 62_500_000],
  ])('%s', (compatible, rate) => {
    expect(timerRateOf(soc(compatible))).toBe(rate);
  });

  test('that the tree states', () => {
    const timer = node('timer', { compatible: 'arm,armv8-timer', 'clock-frequency': [12_000_000] });
    expect(timerRateOf({ ...boardTree({ timer }) })).toBe(12_000_000);
  });
});
