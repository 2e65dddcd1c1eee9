import { expect, test } from 'vitest';
import { suppliersOf } from '../../harness/board/suppliers.ts';
import { formatSuppliers } from '../../harness/report/suppliers.ts';
import { boardTree, node } from './trees.ts';

const clock = (name: string, phandle: number, more: Record<string, string | number[]> = {}) =>
  node(name, { compatible: 'acme,clock', phandle: [phandle], '#clock-cells': [1], ...more });

const tree = boardTree({
  more: [
    clock('clock@1000', 101, { clocks: [102, 0] }),
    node('mdss@2000', { compatible: 'acme,mdss', clocks: [101, 7] }, clock('phy@2100', 102)),
    clock('off@3000', 103, { status: 'disabled' }),
    clock('free@5000', 104),
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

test('as text', () => {
  expect(formatSuppliers(suppliersOf(tree), 'acme.dtb').split('\n')).toEqual(
    expect.arrayContaining([
      'acme.dtb: 4 links of 3 devices to suppliers, 1 cycles, 1 links to disabled suppliers',
      '  /clock@1000, /mdss@2000, /mdss@2000/phy@2100',
      '  /uart@4000: /off@3000 (clocks)',
      '  /uart@4000: /clock@1000 (clocks), /free@5000 (clocks)',
    ]),
  );
});
