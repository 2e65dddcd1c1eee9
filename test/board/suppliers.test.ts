import { describe, expect, test } from 'vitest';
import { interruptLinks, type Suppliers, suppliersOf } from '../../harness/board/suppliers.ts';
import { transplant, WITHOUT_KERNEL } from '../../harness/board/transplant.ts';
import { type FW_DEVLINK, type HasDriver, lackingFor, waitsOf } from '../../harness/board/waits.ts';
import type { DeviceTree } from '../../harness/devicetree/tree.ts';
import { type BoardTree, formatSuppliers, treeChanges } from '../../harness/report/suppliers.ts';
import { boardTree, clock, node } from './trees.ts';

const ONE_CELL = { '#clock-cells': [1] };

const tree = boardTree({
  more: [
    clock('clock@1000', 101, { ...ONE_CELL, clocks: [102, 0] }),
    node('mdss@2000', { compatible: 'acme,mdss', clocks: [101, 7] }, clock('phy@2100', 102, ONE_CELL)),
    clock('off@3000', 103, { ...ONE_CELL, status: 'disabled' }),
    clock('free@5000', 104, ONE_CELL),
    node('uart@4000', { compatible: 'acme,uart', clocks: [101, 1, 103, 0, 104, 2], 'memory-region': [104] }),
    node('gone@6000', { compatible: 'acme,uart', status: 'disabled', clocks: [101, 1] }),
  ],
});

test('links, cycles through a parent, and disabled suppliers', () => {
  const { links, cycles, disabled } = suppliersOf(tree);
  expect(links.map(({ consumer, supplier }) => `${consumer} ${supplier}`)).toEqual([
    '/clock@1000 /mdss@2000/phy@2100',
    '/mdss@2000 /clock@1000',
    '/uart@4000 /clock@1000',
    '/uart@4000 /free@5000',
  ]);
  expect(links.at(-1)?.properties).toEqual(['clocks']);
  expect(cycles).toEqual([['/clock@1000', '/mdss@2000', '/mdss@2000/phy@2100']]);
  expect(disabled).toEqual([{ consumer: '/uart@4000', supplier: '/off@3000', properties: ['clocks'] }]);
});

/** Every consumer of the tree that lacks something, and the paths of what it lacks. */
function allLacking(of: DeviceTree, hasDriver: HasDriver): [string, ...string[]][] {
  const suppliers = suppliersOf(of);
  const lacks = lackingFor(of, suppliers, hasDriver);
  const links = [...suppliers.links, ...interruptLinks(of)];
  return [...new Set(links.map(({ consumer }) => consumer))].flatMap((consumer): [string, ...string[]][] => {
    const paths = lacks(consumer).map(({ path }) => path);
    return paths.length === 0 ? [] : [[consumer, ...paths]];
  });
}

const FREE: Suppliers = { links: [], cycles: [], disabled: [] };
const boardOf = (more: Partial<BoardTree>): BoardTree => ({
  ...FREE,
  waits: { off: [], permissive: [], on: [], rpm: [] },
  release: null,
  changes: [],
  refusal: null,
  ...more,
});

test('as text', () => {
  const suppliers = suppliersOf(tree);
  const text = formatSuppliers(boardOf({ ...suppliers, waits: waitsOf(tree, suppliers, null) }), 'acme.dtb');
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      'acme.dtb: 4 links of 3 devices to suppliers, 1 cycles, 1 links to disabled suppliers',
      '  /clock@1000, /mdss@2000, /mdss@2000/phy@2100',
      '  /uart@4000: /off@3000 (clocks)',
      '  /uart@4000: /clock@1000 (clocks), /free@5000 (clocks)',
      '  fw_devlink=off, permissive, on, rpm: no device, for a link',
      '  whatever it is, a guess: 3 devices, where their drivers insist on a supplier that is disabled, ' +
        'or that needs them itself',
    ]),
  );
});

describe('what would wait for ever', () => {
  const waits = boardTree({
    more: [
      node(
        'clocks',
        {},
        clock('lost', 201),
        node('xo', { compatible: 'fixed-clock', phandle: [202], '#clock-cells': [0] }),
      ),
      node(
        'soc@0',
        { compatible: 'simple-bus' },
        node('bus@1000', { compatible: 'acme,bus' }, node('regulators', {}, clock('pmic@0', 203))),
        clock('root@2000', 204),
        node('first@3000', { compatible: 'acme,uart', clocks: [201] }),
        node('second@4000', { compatible: 'acme,uart', phandle: [205], clocks: [203], iommus: [201] }),
        node('third@5000', { compatible: 'acme,panel', 'power-domains': [205] }),
        node('fourth@6000', { compatible: 'acme,uart', clocks: [202, 204], dmas: [201] }),
      ),
    ],
  });
  const of = (hasDriver: HasDriver | null, value: (typeof FW_DEVLINK)[number] = 'on') =>
    waitsOf(waits, suppliersOf(waits), hasDriver)[value].map(
      ({ consumer, supplier, why }) => `${consumer} ${supplier} ${why}`,
    );

  test('is a consumer of what never is a device, where fw_devlink is on', () => {
    expect(of(null)).toEqual(['/soc@0/first@3000 /clocks/lost it never is a device: /clocks is no bus (clocks)']);
    expect(of(null, 'rpm')).toEqual(of(null));
    expect([of(null, 'off'), of(null, 'permissive')]).toEqual([[], []]);
  });

  test('is more where the driver of a bus is missing, and what needs those', () => {
    const hasDriver = (compatible: string) => compatible !== 'acme,bus';
    expect(of(hasDriver)).toEqual([
      '/soc@0/first@3000 /clocks/lost it never is a device: /clocks is no bus (clocks)',
      '/soc@0/second@4000 /soc@0/bus@1000/regulators/pmic@0 ' +
        'it never is a device: /soc@0/bus@1000 has no driver in this kernel (clocks)',
      '/soc@0/third@5000 /soc@0/second@4000 it waits for /soc@0/bus@1000/regulators/pmic@0 itself (power-domains)',
    ]);
  });

  test('is nothing that only lacks a driver itself: the deferred probe timeout ends that', () => {
    const hasDriver = (compatible: string) => compatible !== 'acme,clock';
    expect(of(hasDriver)).toEqual(of(null));
  });

  test('after that, what lacks a driver is named for all that are linked to it, and nothing else is', () => {
    const lacking = (...without: string[]) => allLacking(waits, (compatible) => !without.includes(compatible));
    expect(lacking('acme,bus'), 'a bus, for those of a part of it').toEqual([
      ['/soc@0/second@4000', '/soc@0/bus@1000'],
      ['/soc@0/third@5000', '/soc@0/bus@1000'],
    ]);
    expect(lacking('acme,clock').sort()).toEqual([
      ['/soc@0/first@3000', '/clocks/lost'],
      ['/soc@0/fourth@6000', '/soc@0/root@2000'],
      ['/soc@0/second@4000', '/soc@0/bus@1000/regulators/pmic@0'],
      ['/soc@0/third@5000', '/soc@0/bus@1000/regulators/pmic@0'],
    ]);
    expect(lacking(), 'what never is a device has a driver all the same').toEqual([]);
  });
});

test('what lacks a driver and needs its own consumers is named for these, and for all others', () => {
  const cycle = boardTree({
    more: [
      clock('clocks@1000', 1, { clocks: [2] }),
      clock('phy@2000', 2, { compatible: 'acme,phy', clocks: [1] }),
      node('uart@3000', { compatible: 'acme,uart', clocks: [1] }),
      // Its part is a device without it.
      node(
        'mfd@4000',
        { compatible: ['acme,mfd', 'simple-mfd'], clocks: [1] },
        clock('part', 3, { compatible: 'acme,part' }),
      ),
      node('usb@5000', { compatible: 'acme,usb', clocks: [3] }),
    ],
  });
  expect(allLacking(cycle, (compatible) => compatible !== 'acme,clock').sort()).toEqual([
    ['/mfd@4000', '/clocks@1000'],
    ['/phy@2000', '/clocks@1000'],
    ['/uart@3000', '/clocks@1000'],
  ]);
});

test('a device lacks each supplier without a driver, the nearest first, also what others need for it', () => {
  const two = boardTree({
    more: [
      clock('gcc@1000', 1),
      node('pins@2000', { compatible: 'acme,pins', phandle: [2] }),
      node('phy@3000', { compatible: 'acme,phy', phandle: [3], clocks: [1] }),
      node('usb@4000', { compatible: 'acme,usb', phys: [3], 'pinctrl-0': [2] }),
    ],
  });
  expect(allLacking(two, (compatible) => compatible !== 'acme,clock' && compatible !== 'acme,pins')).toEqual([
    ['/phy@3000', '/gcc@1000'],
    ['/usb@4000', '/pins@2000', '/gcc@1000'],
  ]);
});

test('an interrupt controller is a supplier of all below it, but for those that name another or lie in one', () => {
  const cells = { '#interrupt-cells': [1] };
  const board = boardTree({
    more: [
      node('gpios@1000', { compatible: 'acme,gpio', phandle: [1], ...cells }),
      node('router@2000', { compatible: 'acme,router', phandle: [2], ...cells }),
      node(
        'bus@3000',
        { compatible: 'acme,bus', 'interrupt-parent': [2] },
        node('uart@3100', { compatible: 'acme,uart', interrupts: [4] }),
        node('key@3200', { compatible: 'acme,key', 'interrupt-parent': [1], interrupts: [5] }),
        node('silent@3300', { compatible: 'acme,uart' }),
        node(
          'pmic@3400',
          { compatible: 'acme,pmic', ...cells },
          node('rtc', { compatible: 'acme,rtc', interrupts: [1] }),
        ),
      ),
    ],
  });
  expect(allLacking(board, (compatible) => compatible !== 'acme,router')).toEqual([
    ['/bus@3000/uart@3100', '/router@2000'],
  ]);
  expect(allLacking(board, (compatible) => compatible !== 'acme,pmic')).toEqual([
    ['/bus@3000/pmic@3400/rtc', '/bus@3000/pmic@3400'],
  ]);
});

test('an endpoint of a graph alone makes nobody wait for what lacks a driver', () => {
  const sink = (properties: Readonly<Record<string, readonly number[]>>) => {
    const endpoint = (name: string, own: number, other: number) =>
      node(name, { phandle: [own], 'remote-endpoint': [other] });
    const tree = boardTree({
      more: [
        node('sink', { compatible: 'acme,sink', phandle: [1] }, endpoint('endpoint', 2, 3)),
        node('source', { compatible: 'acme,source', ...properties }, endpoint('endpoint', 3, 2)),
      ],
    });
    return allLacking(tree, (compatible) => compatible !== 'acme,sink');
  };
  expect(sink({})).toEqual([]);
  expect(sink({ phys: [1] })).toEqual([['/source', '/sink']]);
});

test('the difference to the tree that a boot gets, and why', () => {
  const board = boardTree();
  const changes = treeChanges(board, transplant(board, 4096, { ...WITHOUT_KERNEL, name: 'acme.dtb' }));
  expect(changes).toEqual([
    {
      change: '/memory@80000000: reg <0x0 0x80000000 0x0 0x0> -> <0x0 0x80000000 0x0 0x80000000>',
      why: expect.stringContaining('boot loader'),
    },
    { change: 'added /chosen', why: expect.stringContaining('initramfs') },
  ]);
  const text = formatSuppliers(boardOf({ changes }), 'acme.dtb');
  expect(text).toContain('  added /chosen  # the initramfs');
  expect(formatSuppliers(boardOf({ changes: null, refusal: 'no GIC' }), 'acme.dtb')).toContain(
    'it cannot be booted: no GIC',
  );
});
