import { describe, expect, it } from 'vitest';
import type { DmesgEvent } from '../../harness/dmesg/events.ts';
import type { Cell } from '../../harness/model/cell.ts';
import { formatAsync } from '../../harness/report/async.ts';
import { asyncReport } from '../../harness/search/async.ts';
import type { Outcome } from '../../harness/search/outcome.ts';
import { simulatedCell } from './simulated-kernel.ts';

const DRIVERS = ['clock', 'console', 'early', 'user'];

/**
 * A kernel in which the user of a clock fails when it is late, an interleaving in which `console` is never bound, and
 * `early` is probed synchronously whatever is asked for.
 */
function bootClocks(cell: Cell): Outcome {
  const names = cell.bootargs.flatMap((word) =>
    word.startsWith('driver_async_probe=') ? word.slice(19).split(',') : [],
  );
  const isLate = cell.gates.length > 0;
  const absent = [...(names.includes('clock') && isLate ? ['user'] : []), ...(cell.shift === 5 ? ['console'] : [])];
  const at = (line: number) => ({ time: 5_000_000, line });
  const events = DRIVERS.filter((name) => !absent.includes(name)).flatMap((name, line): DmesgEvent[] => [
    { event: 'probe-entered', device: `${name}.0`, driver: name, ...at(line) },
    // Where a driver finds the device, its name is told; where the device finds the driver, it is not.
    ...(names.includes(name) && name !== 'early'
      ? [
          {
            event: 'probe-async',
            device: `${name}.0`,
            driver: name === 'user' ? null : name,
            ...at(line),
          } as const,
        ]
      : []),
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
    const { safe, synchronous, breaks, unasked, lateMs } = await asyncReport(request);
    expect(safe).toEqual(['user']);
    expect(synchronous).toEqual(['early']);
    expect(breaks).toMatchObject([{ driver: 'clock', other: 'user.0', isOwn: false, what: 'user.0 is not bound' }]);
    expect(unasked).toEqual([{ driver: 'console', why: 'its boot has no verdict: said so' }]);
    // The first boot bound its last device after 5 s.
    expect(lateMs).toBe(5000);
    expect(breaks[0]?.cell.gates).toEqual([{ gate: 'delay', device: 'clock.0', ms: 5000 }]);
  });

  it('blames no driver for what an interleaving does by itself', async () => {
    const { together } = await asyncReport(request);
    expect(together.same).toBe(together.boots);
  });

  it('names the nearest of the drivers that bind something where one does not', async () => {
    await expect(asyncReport({ ...request, drivers: ['consoel'] })).rejects.toThrow(
      'driver consoel binds nothing in the first boot, did you mean console?',
    );
  });

  it('leaves drivers unasked when the budget is used up', async () => {
    const { unasked, boots } = await asyncReport({ ...request, budget: 12 });
    expect(unasked.map(({ driver }) => driver)).toEqual(['console', 'early', 'user']);
    expect(boots).toBeLessThanOrEqual(12);
    const enough = await asyncReport({ ...request, budget: 15 });
    expect(unasked[0]?.why).toContain('--budget 15 ');
    expect(enough.unasked.map(({ driver }) => driver)).toEqual(['console']);
  });

  it('does not blame a driver for what is lost to the deferred probe timeout alone, since it was made so late', async () => {
    const boot = async (cell: Cell): Promise<Outcome> => {
      const outcome = bootClocks({ ...cell, shift: 4 });
      if (!outcome.events.some((event) => 'device' in event && event.device === 'user.0')) {
        if (cell.bootargs.includes('deferred_probe_timeout=60')) return bootClocks({ ...cell, shift: 4, gates: [] });
        const expiry = { event: 'deferral-timeout', device: 'user.0', driver: null, time: 1, line: 1 } as const;
        return { ...outcome, events: [...outcome.events, expiry] };
      }
      return outcome;
    };
    const all = await asyncReport({ ...request, boot });
    expect(all.timedOut).toEqual([{ driver: 'clock', other: 'user.0', what: 'user.0 is not bound' }]);
    expect(all.breaks).toEqual([]);
    // A boot of each driver and the first one, both perhaps with the longer time-out too, and those of all together.
    const few = await asyncReport({ ...request, boot, budget: 16 });
    expect(few.unasked).toContainEqual({
      driver: 'clock',
      why: 'the budget is used up (--budget 20 is enough for all)',
    });
    expect(few.boots).toBeLessThanOrEqual(16);
  });

  it('tells what is lost with the longer time-out too, and nothing where that boot has no verdict', async () => {
    const expiry = { event: 'deferral-timeout', device: 'user.0', driver: null, time: 1, line: 1 } as const;
    const without = (outcome: Outcome, device: string): Outcome => ({
      ...outcome,
      events: outcome.events.filter((event) => event.event !== 'agent' || event.words[0] !== device),
    });
    const isPatient = (cell: Cell) => cell.bootargs.includes('deferred_probe_timeout=60');
    const boot = async (cell: Cell): Promise<Outcome> => {
      const isClock = cell.bootargs.join().includes('clock') && cell.gates.length > 0;
      const outcome = without(bootClocks({ ...cell, shift: 4, gates: [] }), isClock ? 'early.0' : '');
      if (!isClock || isPatient(cell)) return outcome;
      return { ...without(outcome, 'console.0'), events: [...without(outcome, 'console.0').events, expiry] };
    };
    const { breaks } = await asyncReport({ ...request, boot });
    expect(breaks).toMatchObject([{ driver: 'clock', other: 'early.0', what: 'early.0 is not bound' }]);
    expect(breaks[0]?.cell.bootargs).toContain('deferred_probe_timeout=60');
    const none = await asyncReport({
      ...request,
      boot: async (cell) => (isPatient(cell) ? { ...(await boot(cell)), verdict: 'infra-error' } : boot(cell)),
    });
    expect(none.breaks).toEqual([]);
    expect(none.unasked[0]?.why).toContain('with deferred_probe_timeout=60 has no verdict');
  });

  it('names the pair that breaks only together, and has no boot for more when the budget is used up', async () => {
    const PAIR = ['clock', 'user'];
    const boot = async (cell: Cell) => {
      const outcome = bootClocks({ ...cell, gates: [], shift: 4 });
      const isLost = PAIR.every((name) => cell.bootargs.join().includes(name));
      const events = outcome.events.filter(
        (event) => !isLost || event.event !== 'agent' || event.words[0] !== 'console.0',
      );
      return { ...outcome, events };
    };
    const all = await asyncReport({ ...request, boot });
    expect(all.safe).toEqual(['clock', 'console', 'user']);
    expect(all.breaks).toMatchObject([{ driver: 'clock,user', other: 'console.0', what: 'console.0 is not bound' }]);
    expect(all.together).toEqual({ drivers: 3, boots: 5, same: 0 });
    const few = await asyncReport({ ...request, boot, budget: 15 });
    expect(few.breaks).toMatchObject([{ driver: 'clock,console,user' }]);
    expect(few.boots).toBeLessThanOrEqual(15);
  });
});

describe('formatAsync', () => {
  it('says what was shown, of which drivers, and what was not', () => {
    const names = ['a', 'b', 'c'];
    const text = formatAsync(
      {
        drivers: [...names, 'builtin', 'lone', 'slow', 'slower', 'x,y', 'late', 'later'],
        safe: names,
        synchronous: ['builtin'],
        breaks: [{ driver: 'lone', other: 'lone.0', isOwn: true, what: 'WARNING in f', cell: simulatedCell({}) }],
        together: { drivers: 2, boots: 5, same: 5 },
        ...{ msBefore: 1000, msAfter: 900, boots: 20, lateMs: 2000 },
        timedOut: ['slow', 'slower'].map((driver) => ({ driver, other: 'a.0', what: 'a.0 is not bound' })),
        unasked: [
          { driver: 'x,y', why: 'commas' },
          { driver: 'late', why: 'the budget' },
          { driver: 'later', why: 'the budget' },
        ],
      },
      [],
    );
    expect(text).toContain('Asked about 7 drivers: each asynchronous alone');
    expect(text).toContain('  no difference: a, b, c\n');
    expect(text).toContain('so that nothing is shown: builtin\n');
    expect(text).toContain('  breaks: lone in its own lone.0: WARNING in f\n');
    expect(text).toContain(
      '  only too late: slow, slower: a.0 is not bound when the deferred probe timeout is over, and ',
    );
    expect(text).toContain('  no answer: x,y: commas\n  no answer: late, later: the budget\n');
    expect(text).toContain('Together, 2 of the 3 without a difference: 5 of 5 interleavings');
    expect(text).toContain('(not c: the kernel takes no more names)');
  });
});
