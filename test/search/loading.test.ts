import { describe, expect, it } from 'vitest';
import type { DmesgEvent } from '../../harness/dmesg/events.ts';
import type { GateEvent } from '../../harness/firmware/gate-log.ts';
import type { Cell } from '../../harness/model/cell.ts';
import { isPlaceGate } from '../../harness/model/gate.ts';
import { type LoadingRequest, loadingPlan, searchLoading } from '../../harness/search/loading.ts';
import type { Outcome } from '../../harness/search/outcome.ts';
import { pointSets, setCount } from '../../harness/search/preemption.ts';
import { simulatedCell } from './simulated-kernel.ts';

const PLACE = { return: 'bus_add_device' } as const;
/** Calls before the plan and while the two modules load; the second of these is the one of the race. */
const [BEFORE, WHILE, RACE] = [5, 3, 7];

/** A kernel in which `user` waits for ever where the glue stands aside at one call while the other module loads. */
function bootRacy(cell: Cell): Outcome {
  const loads = cell.plan.flatMap((step) => (step.step === 'load' ? [step.module] : []));
  const calls = loads.length === 0 ? BEFORE : BEFORE + WHILE;
  const atOnce = cell.plan.some(({ step }) => step === 'beside');
  const gates: GateEvent[] = [];
  let races = false;
  let line = 0;
  for (const gate of cell.gates) {
    if (!isPlaceGate(gate) || !('return' in gate.at)) continue;
    const nth = gate.at.nth ?? 0;
    if (nth > calls) gates.push({ verb: 'missed', place: 'bus_add_device():return', calls, late: false });
    else gates.push({ verb: 'delayed', time: 1, device: 'bus_add_device():return', detail: '' });
    if (nth === RACE && atOnce) races = true;
  }
  // Symbols that a module needs are there only when the other one is loaded.
  const rejected = loads.indexOf('user') !== -1 && loads.indexOf('user') < loads.indexOf('library');
  const bound = (device: string, driver: string): DmesgEvent => ({
    event: 'agent',
    verb: 'bound',
    words: [device, driver],
    time: null,
    line: line++,
  });
  return {
    verdict: rejected ? 'module-rejected' : races ? 'stuck-deferred' : 'bound',
    reason: 'said so',
    signature: null,
    events: [bound('glue', 'glue'), ...(races || rejected ? [] : [bound('user', 'user')])],
    gates,
  };
}

const request = (parts: Partial<LoadingRequest> = {}): LoadingRequest => ({
  base: simulatedCell({ plan: [{ step: 'settle', ms: 500 }] }),
  modules: ['glue', 'user'],
  constraints: [],
  threads: 2,
  places: [PLACE],
  bound: 1,
  boot: async (cell) => bootRacy(cell),
  pause: async () => {},
  budget: 64,
  seed: 1,
  ...parts,
});

describe('loads of modules', () => {
  it('finds the call at which a preemption breaks two loads at once, and that one loader does not show it', async () => {
    const found = await searchLoading(request());
    expect(found.breaks).toMatchObject([
      {
        found: 'preemption',
        how: `bus_add_device():return, call ${RACE}`,
        what: 'user is not bound',
        withOneThread: false,
        times: 1,
      },
    ]);
    expect(found.points).toEqual([{ place: 'bus_add_device():return', calls: WHILE }]);
    expect(found.rounds).toEqual([{ size: 1, sets: WHILE, booted: WHILE, hit: WHILE }]);
    expect(found.stoppedBy).toBe('complete');
  });

  it('tells modules that may load beside those after them from those that others rely on', async () => {
    const boot = async (cell: Cell): Promise<Outcome> => {
      const late = cell.gates.flatMap((gate) => (isPlaceGate(gate) && 'load' in gate.at ? [gate.at.load] : []));
      const outcome = bootRacy(cell);
      if (!late.includes('first')) return outcome;
      return { ...outcome, verdict: 'probe-failed', events: outcome.events.slice(0, 1) };
    };
    const found = await searchLoading(request({ modules: ['first', 'glue', 'user'], bound: 0, boot }));
    expect(found.parallel).toEqual(['glue']);
    expect(found.sequential).toEqual([{ module: 'first', other: 'user' }]);
    expect(found.breaks).toMatchObject([{ found: 'late', how: 'first', what: 'user is not bound' }]);
  });

  it('blames no thread for what an interleaving does by itself', async () => {
    const boot = async (cell: Cell): Promise<Outcome> => {
      const outcome = bootRacy(cell);
      return cell.shift === 5 ? { ...outcome, verdict: 'probe-failed', events: outcome.events.slice(0, 1) } : outcome;
    };
    const { breaks, interleavings } = await searchLoading(request({ bound: 0, boot }));
    expect(interleavings).toEqual({ boots: 5, same: 5 });
    expect(breaks).toEqual([]);
  });

  it('counts pairs of preemptions, and says where the budget ended', async () => {
    expect((await searchLoading(request({ bound: 2 }))).rounds[1]).toEqual({ size: 2, sets: 3, booted: 3, hit: 3 });
    const { rounds, boots, stoppedBy } = await searchLoading(request({ bound: 2, budget: 15 }));
    expect({ boots, stoppedBy }).toEqual({ boots: 15, stoppedBy: 'budget' });
    expect(rounds.at(-1)?.booted).toBeLessThan(3);
  });

  it('finds orders of loads that differ, and none that symbols forbid', async () => {
    const modules = ['library', 'user'];
    const free = await searchLoading(request({ modules, bound: 0, threads: 1 }));
    expect(free.breaks).toMatchObject([{ found: 'order', how: 'user, library', what: 'user is not bound' }]);
    const constraints = [{ before: 'library', after: 'user', reason: 'symbols' }];
    const forced = await searchLoading(request({ modules, constraints, bound: 0, threads: 1 }));
    expect(forced).toMatchObject({ breaks: [], orders: { boots: 0, same: 0 } });
  });

  it('refuses a first boot that crashes', async () => {
    const boot = async (cell: Cell): Promise<Outcome> => ({ ...bootRacy(cell), verdict: 'oops' });
    await expect(searchLoading(request({ boot }))).rejects.toThrow('ends in oops');
  });
});

it('threads take loads side by side, and what a module needs is waited for', () => {
  const needs = (module: string) => (module === 'c' ? ['a'] : []);
  const plan = loadingPlan([{ step: 'apart' }, { step: 'settle', ms: 1 }], ['a', 'b', 'c', 'd'], 8, needs);
  const text = plan.map((step) =>
    step.step === 'load' ? step.module : 'tasks' in step ? `${step.steps}/${step.tasks}` : step.step,
  );
  expect(text).toEqual(['apart', '2/2', 'a', 'b', 'join', '2/2', 'c', 'd', 'join', 'settle']);
  expect(loadingPlan([], ['a', 'b'], 1, needs).map(({ step }) => step)).toEqual(['load', 'load']);
});

it('sets of points are all there are, each once, in an order of the seed', () => {
  const points = [1, 2, 3, 4, 5].map((nth) => ({ place: PLACE, nth }));
  const sets = (seed: number) => pointSets(points, 3, seed, 100).map((set) => set.map(({ nth }) => nth).join());
  expect(sets(1)).toHaveLength(setCount(5, 3));
  expect(new Set(sets(1)).size).toBe(10);
  expect(sets(2)).not.toEqual(sets(1));
  expect(sets(2).toSorted()).toEqual(sets(1).toSorted());
});
