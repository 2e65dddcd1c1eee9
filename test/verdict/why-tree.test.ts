import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { guessByTree } from '../../harness/verdict/why-tree.ts';
import { boardTree, clock, node } from '../board/trees.ts';
import { summaryOf } from './summary-of.ts';

const device = (name: string, more: Parameters<typeof node>[1] = {}) =>
  node(name, { compatible: 'acme,device', clocks: [1], ...more });

/** Twenty-three devices need the clock controller, five of them the PMIC as well. */
const pmic = node('pmic@20', { compatible: 'acme,pmic', phandle: [2], reg: [0x20] }, node('ldo', { phandle: [3] }));
const tree = boardTree({
  more: [
    clock('clock-controller@1000', 1),
    node(
      'i2c@2000',
      { compatible: 'acme,i2c', clocks: [1] },
      pmic,
      node('rtc@51', { compatible: 'acme,rtc', reg: [0x51] }),
    ),
    device('mmc@3000', { 'vmmc-supply': [3] }),
    device('hdmi@4000', { 'avdd-supply': [3], phys: [4] }),
    device('usb@5000', { 'vbus-supply': [3] }),
    device('panel@6000', { 'power-supply': [3] }),
    device('phy@7000', { phandle: [4], 'phy-supply': [3] }),
    ...Array.from({ length: 16 }, (_, n) => device(`uart@${(0x10000 + n).toString(16)}`)),
  ],
});

const guess = (...lines: string[]) => {
  const summary = summaryOf(lines);
  return guessByTree(whyUnbound(summary), summary, tree);
};
const pending = (name: string, n: number) => `[   12.${100_000 + n}] platform ${name}: deferred probe pending`;

describe('what a device tree adds to a log', () => {
  it('names the supplier that all need which wait, and not one that would hold back more', () => {
    expect(guess(pending('3000.mmc', 1), pending('5000.usb', 2))).toMatchObject([
      { node: '/i2c@2000/pmic@20', compatible: ['acme,pmic'], unbound: false, waiting: ['3000.mmc', '5000.usb'] },
    ]);
  });

  it('goes no further than what the log itself has among the devices that wait', () => {
    const found = guess(pending('4000.hdmi', 1), pending('7000.phy', 2));
    expect(found).toContainEqual(
      expect.objectContaining({ node: '/phy@7000', device: '7000.phy', unbound: true, waiting: ['4000.hdmi'] }),
    );
    expect(found).toContainEqual(expect.objectContaining({ node: '/i2c@2000/pmic@20', waiting: ['7000.phy'] }));
  });

  it('follows what the driver says that it lacks', () => {
    const [first] = guess('[    3.100000] acme-hdmi 4000.hdmi: failed to get phy: -517');
    expect(first?.node).toBe('/phy@7000');
  });

  it('takes the one supplier that the driver can mean, whoever else needs it', () => {
    const [first] = guess('[    3.100000] acme-mmc 3000.mmc: could not get clk, deferring probe');
    expect(first).toMatchObject({ node: '/clock-controller@1000', waiting: ['3000.mmc'] });
  });

  it('knows a device by the address that the CPU has for it', () => {
    const bus = node(
      'soc',
      {
        compatible: 'simple-bus',
        '#address-cells': [1],
        '#size-cells': [1],
        ranges: [0x7e00_0000, 0, 0x3f00_0000, 0x100_0000],
      },
      device('mmc@7e300000', { reg: [0x7e30_0000, 0x100] }),
    );
    const summary = summaryOf(['[    0.860000] acme-mmc 3f300000.mmc: could not get clk, deferring probe']);
    const behind = boardTree({ more: [clock('clock-controller@1000', 1), bus] });
    expect(guessByTree(whyUnbound(summary), summary, behind)).toMatchObject([
      { node: '/clock-controller@1000', waiting: ['3f300000.mmc'] },
    ]);
  });

  it('passes over what must be there, as a device that is bound needs it', () => {
    const bound = "[    3.000000] acme 6000.panel: driver: 'acme': driver_bound: bound to device";
    expect(guess(bound, pending('3000.mmc', 1)).map(({ node: path }) => path)).not.toContain('/i2c@2000/pmic@20');
  });

  it('says that it is a guess, or that there is none', () => {
    const lines = [pending('3000.mmc', 1), pending('5000.usb', 2)];
    const summary = summaryOf(lines);
    const found = whyUnbound(summary);
    const text = formatWhy(found, guessByTree(found, summary, tree), null);
    expect(text).toContain('By the device tree, which is a guess, these are waited for:');
    expect(text).toContain('/i2c@2000/pmic@20 (acme,pmic): 2 of the 5 devices that need it wait');
    expect(formatWhy(found, [], null)).toContain('no supplier that explains what the log leaves open');
  });
});
