import { describe, expect, it } from 'vitest';
import type { DeviceTree } from '../../harness/devicetree/tree.ts';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { type Edges, reach } from '../../harness/verdict/why-graph.ts';
import { guessByTree } from '../../harness/verdict/why-tree.ts';
import { boardTree, clock, node, placed } from '../board/trees.ts';
import { summaryOf } from './summary-of.ts';

const device = (name: string, more: Parameters<typeof node>[1] = {}) =>
  node(name, { compatible: 'acme,device', clocks: [1], ...more });

/** Twenty-three devices need the clock controller, five of them the PMIC as well. */
const pmic = node('pmic@20', { compatible: 'acme,pmic', phandle: [2], reg: [0x20] }, node('ldo', { phandle: [3] }));
const tree = boardTree({
  more: placed([
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
  ]),
});

const guessIn = (board: DeviceTree, lines: readonly string[]) => {
  const summary = summaryOf(lines);
  return guessByTree(whyUnbound(summary), summary, board);
};
const guess = (...lines: string[]) => guessIn(tree, lines).guesses;
/** What `why LOG --tree` prints. */
const told = (...lines: string[]) => {
  const summary = summaryOf(lines);
  const found = whyUnbound(summary);
  return formatWhy(found, { byTree: guessByTree(found, summary, tree), tried: null, ended: null, timeout: null });
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
    const behind = boardTree({ more: [clock('clock-controller@1000', 1), bus] });
    const line = '[    0.860000] acme-mmc 3f300000.mmc: could not get clk, deferring probe';
    expect(guessIn(behind, [line]).guesses).toMatchObject([
      { node: '/clock-controller@1000', waiting: ['3f300000.mmc'] },
    ]);
  });

  it('passes over what must be there, as a device that is bound needs it', () => {
    const bound = "[    3.000000] acme 6000.panel: driver: 'acme': driver_bound: bound to device";
    expect(guess(bound, pending('3000.mmc', 1)).map(({ node: path }) => path)).not.toContain('/i2c@2000/pmic@20');
  });

  it('says that it is a guess, or that there is none', () => {
    const text = told(pending('3000.mmc', 1), pending('5000.usb', 2));
    expect(text).toContain('By the device tree, which is a guess, these are waited for:');
    expect(text).toContain('/i2c@2000/pmic@20 (acme,pmic): 2 of the 5 devices that need it wait');
    expect(told(pending('9000.elsewhere', 1))).toContain('no supplier that explains what the log leaves open');
  });

  it('says nothing of the tree where the log leaves nothing open', () => {
    expect(told('[    0.000000] Linux version 6.12.0')).toBe(
      'The driver core reports no device that is deferred and no probe that failed at the end of the log.\n',
    );
    const named = '[    3.000000] platform 3000.mmc: deferred probe pending: wait for supplier 1000.clock-controller';
    expect(told(named)).not.toContain('device tree');
  });

  it('counts the devices that wait for a supplier, whatever is guessed for each of them', () => {
    const phy = pending('4000.hdmi', 1);
    const text = told(phy, pending('7000.phy', 2), pending('3000.mmc', 3));
    // Its PHY explains the HDMI, which needs the PMIC all the same.
    expect(text).toContain('3 of the 5 devices that need it wait');
    expect(text).toContain('waiting: 7000.phy, 3000.mmc');
  });

  it('does not hold a device for missing that was only matched with a driver', () => {
    const matched =
      "[    3.000000] bus: 'platform': __driver_probe_device: matched device 7000.phy with driver acme-phy";
    const [first] = guess(matched, '[    3.100000] acme-hdmi 4000.hdmi: failed to get phy: -517');
    expect(first).toMatchObject({ node: '/phy@7000', unbound: false });
  });
});

describe('a tree with more missing than is told', () => {
  /** Nine suppliers that wait, of two devices each, and one without a word in the log, of five. */
  const groups = Array.from({ length: 9 }, (_, n) => [
    clock(`clock@${n + 1}000`, n + 1),
    node(`dev@${n + 1}100`, { compatible: 'acme,device', clocks: [n + 1] }),
    node(`dev@${n + 1}200`, { compatible: 'acme,device', clocks: [n + 1] }),
  ]).flat();
  const five = Array.from({ length: 5 }, (_, n) => node(`spi@a${n}00`, { compatible: 'acme,spi', clocks: [10] }));
  const board = boardTree({ more: placed([...groups, clock('clock@a000', 10), ...five]) });
  const waiting = [
    ...Array.from({ length: 9 }, (_, n) => [`${n + 1}000.clock`, `${n + 1}100.dev`, `${n + 1}200.dev`]).flat(),
    ...Array.from({ length: 5 }, (_, n) => `a${n}00.spi`),
  ];

  it('puts that first for which the most wait, known to be missing or not', () => {
    const { guesses, more } = guessIn(board, waiting.map(pending));
    expect(guesses.map(({ node: path }) => path)).toEqual([
      '/clock@a000',
      ...Array.from({ length: 7 }, (_, n) => `/clock@${n + 1}000`),
    ]);
    expect(more).toBe(true);
  });
});

describe('a log and a tree that may come from anywhere', () => {
  const DEVICES = 20_000;
  const A_BUS = 100;
  /** Each needs the one before. */
  const chained = (n: number) =>
    node(`dev@${n}`, { compatible: 'acme,device', phandle: [n + 1], '#clock-cells': [0], clocks: n === 0 ? [] : [n] });
  const buses = Array.from({ length: DEVICES / A_BUS }, (_, bus) =>
    node(`bus@${bus}`, {}, ...Array.from({ length: A_BUS }, (__, n) => chained(bus * A_BUS + n))),
  );
  const board = boardTree({ more: buses });
  const all = Array.from({ length: DEVICES }, (_, n) => `bus@${Math.floor(n / A_BUS)}:dev@${n}`);

  it('is looked at in part, and says so', () => {
    const summary = summaryOf(all.map(pending));
    const found = whyUnbound(summary);
    const guesses = guessByTree(found, summary, board);
    expect(guesses).toMatchObject({ open: DEVICES, skipped: DEVICES - 500, links: DEVICES - 1, followed: 2000 });
    const text = formatWhy(found, { byTree: guesses, tried: null, ended: null, timeout: null });
    expect(text).toContain('19500 of the 20000 devices that the log leaves open were not looked up in the tree.');
    expect(text).toContain('The tree has 19999 links between devices; the search stopped at 2000 of them');
  });

  it('is walked once for all devices that are bound', () => {
    let looks = 0;
    const edges: Edges = new (class extends Map<string, [string, string[]][]> {
      override get(path: string) {
        looks++;
        return super.get(path);
      }
    })(all.slice(1).map((device, n) => [device, [[all[n] ?? '', ['clocks']]]]));
    expect(reach(all.slice(DEVICES / 2), edges).size).toBe(DEVICES / 2);
    expect(looks).toBe(DEVICES);
  });

  it('is followed from the nearest on, as far as is allowed', () => {
    const edges: Edges = new Map([
      [
        'a',
        [
          ['b', []],
          ['c', []],
        ],
      ],
      ['b', [['d', []]]],
    ]);
    expect([...reach(['a'], edges, { links: 2 })]).toEqual([
      ['b', 1],
      ['c', 1],
    ]);
  });
});
