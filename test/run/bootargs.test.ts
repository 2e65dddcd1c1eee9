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

test('a display whose first modeset never ends does not hold the console of a real board', () => {
  const words = { shift: 4, plan: [], bootargs: [] };
  expect(bootargsOf(words, { console: 0x1000, cpus: 1 })).toContain('fb.lockless_register_fb=1');
  expect(bootargsOf(words)).not.toContain('fb.lockless_register_fb=1');
});
