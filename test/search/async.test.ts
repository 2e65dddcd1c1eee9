import { describe, expect, it } from 'vitest';
import type { DmesgEvent } from '../../harness/dmesg/events.ts';
import type { Cell } from '../../harness/model/cell.ts';
import { asyncReport } from '../../harness/search/async.ts';
import type { Outcome } from '../../harness/search/outcome.ts';
import { simulatedCell } from './simulated-kernel.ts';

const DRIVERS = ['clock', 'console', 'user'];

/** A kernel in which the user of a clock fails when it is late, and an interleaving in which `console` is never bound. */
function bootClocks(cell: Cell): Outcome {
  const names = cell.bootargs.flatMap((word) =>
    word.startsWith('driver_async_probe=') ? word.slice(19).split(',') : [],
  );
  const isLate = cell.gates.length > 0;
  const absent = [...(names.includes('clock') && isLate ? ['user'] : []), ...(cell.shift === 5 ? ['console'] : [])];
  const at = (line: number) => ({ time: 5_000_000, line });
  const events = DRIVERS.filter((name) => !absent.includes(name)).flatMap((name, line): DmesgEvent[] => [
    { event: 'probe-entered', device: `${name}.0`, driver: name, ...at(line) },
    { event: 'bound', device: `${name}.0`, driver: name, ...at(line) },
    { event: 'agent', verb: 'bound', words: [`${name}.0`, name], ...at(line) },
  ]);
  const verdict = names.includes('console') && isLate ? 'infra-error' : absent.length > 0 ? 'probe-failed' : 'bound';
  return { verdict, reason: 'said so', signature: null, events, gates: [] };
}

describe('asyncReport', () => {
  const request = {
    base: simulatedCell({}),
    drivers: 'all',
    boot: async (cell: Cell) => bootClocks(cell),
    budget: 64,
    seed: 1,
  } as const;

  it('names the driver and the device that breaks, and takes a boot without a verdict for no break', async () => {
    const { safe, breaks, unasked, lateMs } = await asyncReport(request);
    expect(safe).toEqual(['user']);
    expect(breaks).toMatchObject([{ driver: 'clock', other: 'user.0', what: 'user.0 is not bound' }]);
    expect(unasked).toEqual([{ driver: 'console', why: 'its boot has no verdict: said so' }]);
    // The first boot bound its last device after 5 s.
    expect(lateMs).toBe(5000);
    expect(breaks[0]?.cell.gates).toEqual([{ gate: 'delay', device: 'clock.0', ms: 5000 }]);
  });

  it('blames no driver for what an interleaving does by itself', async () => {
    const { together } = await asyncReport(request);
    expect(together.same).toBe(together.boots);
  });

  it('leaves drivers unasked when the budget is used up', async () => {
    const { unasked, boots } = await asyncReport({ ...request, budget: 12 });
    expect(unasked.map(({ driver }) => driver)).toEqual(['console', 'user']);
    expect(boots).toBeLessThanOrEqual(12);
  });
});
