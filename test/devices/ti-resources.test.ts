import { expect, test } from 'vitest';
import { k3Resources } from '../../harness/devices/ti-resources.ts';
import { node } from '../board/trees.ts';

const MOST = 0xffff_ffff;
const router = (ranges: readonly number[]) =>
  node('interrupt-controller@a00000', {
    compatible: 'ti,sci-intr',
    'ti,sci-dev-id': [3],
    'ti,interrupt-ranges': [...ranges],
  });
/** A GIC, and a device that `interrupts-extended` wires to its SPI 10, which is INTID 42. */
const wired = [
  node('interrupt-controller@1800000', {
    compatible: 'arm,gic-v3',
    'interrupt-controller': [],
    '#interrupt-cells': [3],
    phandle: [1],
  }),
  node('serial@2800000', { compatible: 'acme,uart', 'interrupts-extended': [1, 0, 10, 4] }),
];

test('outputs of a router are those of which no device has the line', () => {
  const [found] = k3Resources(node('', {}, ...wired, router([0, 32, 64])));
  expect(found).toEqual({ device: 3, kind: 0, first: 11, count: 53 });
});

test('a tree that says anything of its ranges has no more than a GIC has lines, and numbers of 16 bits', () => {
  const [found] = k3Resources(node('', {}, router([0, 0, MOST])));
  expect(found?.count).toBeLessThanOrEqual(1020);
  expect(k3Resources(node('', {}, router([MOST, 0, 8])))).toEqual([]);
});

test('a packet DMA has as many flows as it says, of the last of the kinds that share them', () => {
  const dma = node('dma-controller@485c0000', {
    compatible: 'ti,am64-dmss-pktdma',
    'ti,sci-dev-id': [30],
    'ti,sci-rm-range-tchan': [0x23, 0x24],
    'ti,sci-rm-range-tflow': [0x10, 0x11],
    'ti,sci-rm-range-rflow': [0x2a],
  });
  expect(k3Resources(node('', {}, dma)).filter(({ count }) => count > 0)).toEqual([
    { device: 30, kind: 0x11, first: 0, count: 112 },
    { device: 30, kind: 0x2a, first: 0, count: 176 },
  ]);
});

test('flows for any use lie behind those of the channels that receive', () => {
  const dma = node('dma-controller@31150000', {
    compatible: 'ti,j721e-navss-main-udmap',
    'ti,sci-dev-id': [212],
    'ti,sci-rm-range-rflow': [0],
  });
  expect(k3Resources(node('', {}, dma))).toContainEqual({ device: 212, kind: 0, first: 140, count: 160 });
});
