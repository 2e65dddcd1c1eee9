import { expect, test } from 'vitest';
import { brokenPollNotes, neverBroken } from '../../harness/board/broken-polls.ts';
import { registersOf } from '../../harness/devicetree/addresses.ts';
import { boardTree, node } from './trees.ts';

const tree = boardTree({
  more: [
    node('clock@1000000', { compatible: 'acme,clk', reg: [0, 0x100_0000, 0, 0x1000], 'bootrace,never-break': [] }),
    node('phy@2000000', { compatible: 'acme,phy', reg: [0, 0x200_0000, 0, 0x1000] }),
  ],
});
const LOG = [
  'poll-broken 0x2000010 pc=0xffff800080afb7b8 lr=0xffff800080afafd4 held=0x3 told=0xfffffffc',
  'poll-broken 0x2000010 pc=0xffff800080afb7b8 lr=0xffff800080afafd4 held=0x3 told=0xfffffffc',
  'poll-broken 0x1000004 pc=0xffff800080afb7b8 lr=0xffff800080afafd4 held=0x3 told=0xfffffffc',
  'page 0x2000000 reads=9 writes=4 broken=2',
  '',
].join('\n');

test('a tree says whose polls are never broken', () => {
  expect(neverBroken(tree)).toEqual([{ address: 0x100_0000, size: 0x1000 }]);
});

test('of the devices that a verdict is about, whose polls were broken and where', () => {
  const notes = (...devices: string[]) => brokenPollNotes(LOG, registersOf(tree), new Set(devices));
  expect(notes('2000000.phy')).toEqual([
    '2000000.phy hangs on values that were made up: 2 of its polls were broken (0x2000010); bootrace,never-break on its node leaves them alone',
  ]);
  expect(notes('3000000.usb', '15000000.iommu')).toEqual([]);
  expect(notes('1000000.clock', '2000000.phy')).toHaveLength(2);
});
