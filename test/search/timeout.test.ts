import { expect, test } from 'vitest';
import type { DmesgEvent } from '../../harness/dmesg/events.ts';
import type { Boot } from '../../harness/search/outcome.ts';
import { leastTimeout } from '../../harness/search/timeout.ts';
import { simulatedCell } from './simulated-kernel.ts';

const SECOND = 1_000_000;
const PASSES = { verdict: 'bound', reason: '', signature: null, gates: [] } as const;

const at = (seconds: number) => ({ line: 1, time: seconds * SECOND });
const bound = (device: string, seconds: number): DmesgEvent => ({
  event: 'bound',
  device,
  driver: 'd',
  ...at(seconds),
});

/** `first` waits for a supplier that comes late, `second` for one that comes later still. */
const waits = (late: number, later: number): Boot => {
  return async ({ bootargs }) => {
    const seconds = Number(bootargs.at(-1)?.replace('deferred_probe_timeout=', ''));
    const lives = [
      { device: 'first', supplier: 'early-supplier', comes: late },
      { device: 'second', supplier: 'late-supplier', comes: later },
    ];
    const events = lives.flatMap(({ device, supplier, comes }): DmesgEvent[] =>
      seconds < comes
        ? [{ event: 'deferral-timeout', device, driver: null, ...at(seconds) }]
        : [
            { event: 'deferred', by: 'supplier', reason: '', device, driver: null, ...at(0.1) },
            bound(supplier, comes),
            { event: 'retried', device, driver: null, ...at(comes) },
            bound(device, comes),
          ],
    );
    return { ...PASSES, events };
  };
};

test.each([2, 3, 4, 5, 6, 7, 100, 599])('the least time-out that works is found to the second: %i', async (least) => {
  const found = await leastTimeout(simulatedCell(), waits(least - 0.75, least - 0.25));
  expect(found).toMatchObject({ seconds: least, tooShort: least - 1, late: 'late-supplier', ms: least * 1000 - 250 });
  // Doubling, then halving, and both ends.
  expect(found.seconds === null ? null : found.boots).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(least + 1)) + 3);
});

test.each([
  [0.5, null],
  [700, 'first goes on without a supplier that does not come'],
])('a cell that one second, or not even ten minutes, makes work has none: %d', async (comes, ends) => {
  expect(await leastTimeout(simulatedCell(), waits(comes, comes))).toEqual({ seconds: null, ends, longest: 600 });
});
