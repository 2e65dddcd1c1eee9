import { expect, test } from 'vitest';
import type { Cell } from '../../harness/model/cell.ts';
import { type HuntRequest, hunt, huntAtRandom } from '../../harness/search/hunt.ts';
import type { Outcome } from '../../harness/search/outcome.ts';
import { GIVING_UP, independentOf, milestonesOf, missed, opened, tornApart } from '../../harness/search/windows.ts';
import { bootSimulated, type SimulatedDevice, simulatedCell, UNFIXED } from './simulated-kernel.ts';

const DEVICES = UNFIXED.map(({ device }) => device);

function request(machine: readonly SimulatedDevice[], cells: Cell[], parts: Partial<HuntRequest> = {}): HuntRequest {
  return {
    base: simulatedCell(),
    targets: DEVICES.map((device) => ({ device, nodes: [], suppliers: [] })),
    nodeOf: () => null,
    loadConstraints: [],
    milestones: ['devres_add'],
    nameless: [],
    mutexes: [],
    canSuspend: true,
    pause: async () => {},
    boot: async (cell) => {
      cells.push(cell);
      return bootSimulated(machine, cell);
    },
    budget: 64,
    seed: 1,
    isFound: (failures) => failures.some(({ verdict }) => verdict === 'null-deref'),
    ...parts,
  };
}

test('finds a crash that needs an order, ends there, and finds nothing where there is none', async () => {
  const cells: Cell[] = [];
  const { found, boots } = await hunt(request(UNFIXED, cells));
  expect(found).toMatchObject({ part: 'orders', boot: boots });
  expect(cells).toHaveLength(boots);

  const sound = UNFIXED.map(({ crashesWithout, ...device }) => ({ ...device, waitsFor: crashesWithout ?? [] }));
  const clean = await hunt(request(sound, []));
  expect(clean.found).toBeNull();
  expect(clean.outcomes).toEqual([]);
});

test('keeps to its budget, and gives the same boots for the same seed', async () => {
  const never = { isFound: () => false, budget: 9 };
  for (const search of [hunt, huntAtRandom]) {
    const [first, second]: Cell[][] = [[], []];
    expect((await search(request(UNFIXED, first ?? [], never))).boots).toBe(9);
    await search(request(UNFIXED, second ?? [], never));
    expect(first).toEqual(second);
  }
});

test('no window is opened twice', async () => {
  const cells: Cell[] = [];
  const sound = UNFIXED.map(({ crashesWithout: _, ...device }) => device);
  let last: Cell | null = null;
  const windows: string[] = [];
  await hunt(
    request(sound, cells, {
      milestones: ['devres_add', GIVING_UP],
      isFound: () => false,
      budget: 400,
      // Whoever is asked comes by each milestone twice.
      boot: async (cell) => {
        last = cell;
        const passed = cell.gates.flatMap((gate) =>
          gate.gate === 'delay' && 'at' in gate && 'return' in gate.at ? [`${gate.at.return}():return`] : [],
        );
        const gates = [...passed, ...passed].map(
          (device) => ({ verb: 'delayed', time: 1, device, detail: '1' }) as const,
        );
        return { ...bootSimulated(sound, cell), gates };
      },
      onProgress: (part) => {
        if (part === 'windows' && last !== null) windows.push(JSON.stringify({ ...last, id: '' }));
      },
    }),
  );
  // The first time that a probe gives up, and each time that a milestone is passed but for that one.
  expect(windows).toHaveLength(DEVICES.length * 4);
  expect(new Set(windows).size).toBe(windows.length);
});

test('a base without a verdict is told', async () => {
  const boot = async (): Promise<Outcome> => ({
    verdict: 'infra-error',
    reason: 'no QEMU',
    signature: null,
    events: [],
    gates: [],
  });
  await expect(hunt(request(UNFIXED, [], { boot }))).rejects.toThrow('the first boot has no verdict: no QEMU');
});

test('milestones are counted by their calls: what is published first, then resources from the last', () => {
  const delayed = (device: string) => ({ verb: 'delayed', time: 1, device, detail: '1' }) as const;
  const functions = ['devres_add', 'pm_runtime_enable', 'devres_add', 'pm_runtime_enable'];
  const gates = [...functions.map((name) => `${name}():return`), 'a.device'].map(delayed);
  expect(milestonesOf({ verdict: 'bound', reason: '', signature: null, events: [], gates })).toEqual([
    { name: 'pm_runtime_enable', nth: 1 },
    { name: 'pm_runtime_enable', nth: 2 },
    { name: 'devres_add', nth: 2 },
    { name: 'devres_add', nth: 1 },
  ]);
});

test('whoever a device needs, also through others, is not held for it', () => {
  const target = (device: string, ...suppliers: string[]) => ({ device, nodes: [], suppliers });
  const targets = [target('a', 'b'), target('b', 'c'), target('c'), target('d', 'a')];
  expect(independentOf('a', targets).map(({ device }) => device)).toEqual(['d']);
  const { gates } = opened(simulatedCell(), 'a', [target('d')], { name: 'devres_add', nth: 2 });
  const call = { nth: 2, of: 'a' };
  expect(gates).toEqual([
    { gate: 'hold', at: { probe: 'd' }, until: { entry: 'devres_add', ...call } },
    { gate: 'delay', at: { return: 'devres_add', ...call }, ms: 1000 },
  ]);
});

test('others come when a device has given up for want of them', () => {
  const { gates } = missed(simulatedCell(), 'a', [{ device: 'd', nodes: [], suppliers: [] }]);
  const call = { nth: 1, of: 'a' };
  expect(gates).toEqual([
    { gate: 'hold', at: { probe: 'd' }, until: { entry: 'devres_release_all', ...call } },
    { gate: 'delay', at: { return: 'devres_release_all', ...call }, ms: 1000 },
  ]);
});

test('a device is torn apart at its mutexes, in a plan that a cell file can hold', () => {
  const others = [
    { device: 'b', driver: 'of-b' },
    { device: 'c', driver: null },
  ];
  const { gates, plan } = tornApart({ ...simulatedCell(), plan: [] }, 'a', 'of-a', others, ['mutex_lock']);
  expect(gates).toEqual([{ gate: 'delay', at: { entry: 'mutex_lock', during: 'a' }, ms: 40 }]);
  expect(plan.length).toBeLessThan(1000);
  expect(plan.filter((step) => step.step === 'unbind').slice(0, 2)).toEqual([
    { step: 'unbind', driver: 'of-a', device: 'a' },
    { step: 'unbind', driver: 'of-b', device: 'b' },
  ]);
  expect(plan.filter((step) => step.step === 'probe').slice(0, 2)).toEqual([
    { step: 'probe', device: 'b' },
    { step: 'probe', device: 'c' },
  ]);
});
