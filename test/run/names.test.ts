import { expect, test } from 'vitest';
import { plainCell } from '../../harness/axes/plain-cell.ts';
import type { Gate } from '../../harness/model/gate.ts';
import { checkDeviceNames } from '../../harness/run/names.ts';
import { boardTree, node, placed } from '../board/trees.ts';

const TREE = boardTree({
  more: placed([node('i2c@1000', { compatible: 'an,i2c' }, node('sensor@48', { compatible: 'a,sensor' }))]),
});
const check = (...gates: readonly Gate[]) =>
  checkDeviceNames({ ...plainCell('names', '6.1', { linkage: 'builtin' }), watch: [], gates }, TREE);

test('a gate on a node that the tree does not have is refused, with what was meant', () => {
  expect(() => check({ gate: 'delay', device: '/i2c@1000/sensor@48', ms: 1 })).not.toThrow();
  expect(() => check({ gate: 'delay', at: { probe: '/i2c@1000/senser@48' }, ms: 1 })).toThrow(
    expect.objectContaining({
      message: expect.stringContaining('no node'),
      hint: expect.stringContaining('/i2c@1000/sensor@48'),
    }),
  );
});

test.each<Gate>([
  { gate: 'hold', device: '0-0048', until: '1000.i2d', phase: 'entered' },
  { gate: 'hold', at: { load: 'm' }, until: { entered: '1000.i2d' } },
  { gate: 'delay', at: { entry: 'device_add', of: '1000.i2d' }, ms: 1 },
])('a misspelt device is refused wherever a gate names it', (gate) => {
  expect(() => check(gate)).toThrow('did you mean 1000.i2c?');
});

test('a device that a driver makes, and whatever a driver probes, is taken as it is named', () => {
  expect(() =>
    check({ gate: 'delay', device: 'dwc3.4.auto', ms: 1 }, { gate: 'delay', device: 'driver=i2d', ms: 1 }),
  ).not.toThrow();
});

test.each(['1000.i2c.0', '1000.i2c:00', '1000-2c', 'usb1'])(
  '%s, which a bus has named, is no misspelt device',
  (device) => {
    expect(() => check({ gate: 'delay', device, ms: 1 })).not.toThrow();
  },
);
