import { expect, test } from 'vitest';
import { bootargsOf } from '../../harness/run/bootargs.ts';

test('detectors of stalls wait for no fewer instructions at a larger shift', () => {
  const patience = (shift: number) =>
    bootargsOf({ shift, bootargs: [], plan: [] }).filter((word) => /stall_timeout|watchdog_thresh/.test(word));
  expect(patience(0)).toEqual([]);
  expect(patience(4)).toEqual([]);
  expect(patience(6)).toEqual(['rcupdate.rcu_cpu_stall_timeout=240', 'watchdog_thresh=40']);
  expect(patience(10)).toEqual(['rcupdate.rcu_cpu_stall_timeout=300', 'watchdog_thresh=640']);
});

test("a cell's words come last, so that they win", () => {
  expect(bootargsOf({ shift: 8, plan: [], bootargs: ['watchdog_thresh=3'] }).at(-1)).toBe('watchdog_thresh=3');
});
