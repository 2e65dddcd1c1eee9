import { describe, expect, it } from 'vitest';
import type { Crash, DmesgEvent, ProbeEvent } from '../../harness/dmesg/events.ts';
import type { Cell } from '../../harness/model/cell.ts';
import { type Gate, isShort } from '../../harness/model/gate.ts';
import { probeCaller as callerOf } from '../../harness/search/cause.ts';
import { cellWith } from '../../harness/search/conditions.ts';
import { NOTHING_AT_THE_END } from '../../harness/search/disturbances.ts';
import { explainOrder } from '../../harness/search/explain.ts';
import type { ExploreRequest } from '../../harness/search/exploration.ts';
import { explore } from '../../harness/search/explore.ts';
import type { Outcome } from '../../harness/search/outcome.ts';
import { bootSimulated, frameOf, type SimulatedDevice, simulatedCell, UNFIXED } from './simulated-kernel.ts';

/** A report that the kernel survives. */
function aWarning(name: string, line: number): Crash {
  const seen = bootSimulated(UNFIXED, simulatedCell({ bootargs: ['driver_async_probe=qcom_scm'], gates: [LATE] }));
  const crash = seen.events.find((event): event is Crash => event.event === 'crash');
  if (crash === undefined) throw new Error('the simulated kernel does not crash');
  const title = `WARNING in ${name}`;
  return { ...crash, line, kind: 'warning', fatal: false, title, signature: title, function: name, probing: null };
}
const LATE: Gate = { gate: 'delay', device: 'firmware:scm', ms: 6000 };

const USUAL = { cpus: 1, shift: 4, loadOrder: null };

function requestFor(devices: readonly SimulatedDevice[], parts: Partial<ExploreRequest> = {}): ExploreRequest {
  return {
    base: simulatedCell({ watch: devices.map(({ device }) => device) }),
    targets: devices.map(({ device }) => ({ device, nodes: [], suppliers: [] })),
    strength: 3,
    budget: 64,
    seed: 1,
    constraints: [],
    loads: [],
    loadConstraints: [],
    boot: async (cell: Cell) => bootSimulated(devices, cell),
    pause: async () => {},
    stopAtFirstCrash: false,
    anyway: false,
    rebind: false,
    atTheEnd: NOTHING_AT_THE_END,
    nodeOf: (device) => `/${device}`,
    effort: 2_000_000,
    ...parts,
  };
}

/** Ten devices with driver waits, a supplier link and devices that have nothing to do with each other. */
const TEN: readonly SimulatedDevice[] = [
  { device: 'scm', driver: 'qcom_scm', takes: 3 },
  { device: 'hwlock', driver: 'qcom_hwspinlock' },
  { device: 'smem', driver: 'qcom-smem', waitsFor: ['hwlock'] },
  { device: 'rmtfs', driver: 'qcom_rmtfs_mem', waitsFor: ['scm'] },
  { device: 'cmd-db', driver: 'cmd-db' },
  { device: 'qfprom', driver: 'qfprom', takes: 2 },
  { device: 'pinctrl', driver: 'sdm845-pinctrl' },
  { device: 'gcc', driver: 'gcc-sdm845', takes: 4 },
  { device: 'bam', driver: 'bam-dma-engine', suppliers: ['gcc'] },
  { device: 'smmu', driver: 'arm-smmu', waitsFor: ['scm'] },
];

describe('explore', () => {
  it('finds the crash from the device names alone', async () => {
    const found = await explore(requestFor(UNFIXED, { stopAtFirstCrash: true }));
    expect(found.stoppedBy).toBe('crash');
    expect(found.boots).toBeLessThanOrEqual(5);
    const crash = found.outcomes.find(({ signature }) => signature !== null);
    expect(crash?.signature).toBe('null-deref arm_smmu_reset');
    expect(bootSimulated(UNFIXED, crash?.cell ?? simulatedCell()).signature).toBe('null-deref arm_smmu_reset');
  });

  it('finds a crash that comes only when the other probe has not even begun at the end of the first', async () => {
    const late = UNFIXED.map((one) =>
      one.crashesWithout === undefined ? { ...one, takes: 0 } : { ...one, takes: 5, crashesLate: true as const },
    );
    const found = await explore(requestFor(late));
    expect(found.outcomes.map(({ stage, signature }) => [stage, signature])).toEqual([
      ['baseline', null],
      ['bindings', 'null-deref arm_smmu_reset'],
    ]);
  });

  it('asks for no order of bindings that it knows not to be had', async () => {
    const waiting: SimulatedDevice[] = [
      { device: 'a', driver: 'driver-a', waitsFor: ['b'] },
      { device: 'b', driver: 'driver-b', takes: 3 },
    ];
    const never: SimulatedDevice[] = [
      { device: 'a', driver: 'driver-a', waitsFor: ['missing'] },
      { device: 'b', driver: 'driver-b', waitsFor: ['missing'] },
    ];
    for (const devices of [waiting, never]) {
      const found = await explore(requestFor(devices));
      expect(found.stages.map(({ stage }) => stage)).not.toContain('bindings');
    }
  });

  it('goes on after a crash and says that the order crashes', async () => {
    const found = await explore(requestFor(UNFIXED));
    expect(found.stoppedBy).toBe('complete');
    expect(found.outcomes.reduce((sum, { times }) => sum + times, 0)).toBe(found.boots);
    expect(found.outcomes.map(({ boot }) => boot)).toEqual(
      found.outcomes.map(({ boot }) => boot).toSorted((a, b) => a - b),
    );
    expect(found.outcomes.find(({ signature }) => signature !== null)?.stage).toBe('pairs');
    expect(found.pairs.missing).toEqual([]);
    expect(found.pairs.impossible[0]?.reason).toContain('crashes when 5f000000.iommu is probed before firmware:scm');
  });

  it('unbinds and binds two devices in every order where it is asked to, and learns no order from it', async () => {
    const both: SimulatedDevice[] = [
      { device: 'a', driver: 'driver-a' },
      { device: 'b', driver: 'driver-b' },
    ];
    const orderOf = (cell: Cell, verb: 'bind' | 'unbind') =>
      cell.plan.flatMap((step) => (step.step === verb ? [step.device] : [])).join('');
    const seen: string[] = [];
    const boot = async (cell: Cell) => {
      const order = `${orderOf(cell, 'unbind')}/${orderOf(cell, 'bind')}`;
      if (order !== '/') seen.push(order);
      const outcome = bootSimulated(both, cell);
      return order === 'ba/ab' ? { ...outcome, verdict: 'oops' as const, signature: 'oops detach' } : outcome;
    };
    const found = await explore(requestFor(both, { boot, rebind: true }));
    expect(seen).toEqual(['a/a', 'b/b', 'ab/ab', 'ab/ba', 'ba/ab', 'ba/ba']);
    expect(found.outcomes.find(({ signature }) => signature === 'oops detach')).toMatchObject({
      stage: 'rebinds',
      times: 1,
    });
    expect(found.constraints).toEqual([]);
    // What nobody named comes after it.
    const stages = found.stages.map(({ stage }) => stage);
    expect(stages.indexOf('rebinds')).toBeLessThan(stages.indexOf('async'));
    const without = await explore(requestFor(both));
    expect(without.stages.map(({ stage }) => stage)).not.toContain('rebinds');
  });

  it('does at the end of every boot what it is asked to, when devices have settled', async () => {
    const ends: string[] = [];
    const boot = async (cell: Cell) => {
      ends.push(cell.plan.map(({ step }) => step).join(' '));
      return bootSimulated(UNFIXED, cell);
    };
    const atTheEnd = { suspend: 'devices', rescan: 'pci', end: 'reboot' } as const;
    await explore(requestFor(UNFIXED, { boot, atTheEnd, budget: 8 }));
    expect(ends.length).toBe(8);
    for (const end of ends) expect(end).toMatch(/settle rescan settle suspend settle reboot$/);
  });

  it('ends with the first boot where the kernel has no rescan of that bus', async () => {
    const boot = async (cell: Cell) => {
      const outcome = bootSimulated(UNFIXED, cell);
      const words = ['pcx', 'error', '2', 'No', 'such', 'file', 'or', 'directory'];
      const refused: DmesgEvent = { event: 'agent', verb: 'rescan', words, line: 999, time: 9_000_000 };
      return { ...outcome, events: [...outcome.events, refused] };
    };
    const atTheEnd = { ...NOTHING_AT_THE_END, rescan: 'pcx' };
    await expect(explore(requestFor(UNFIXED, { boot, atTheEnd }))).rejects.toThrow('cannot rescan the bus pcx');
  });

  it('covers every triple of ten devices that their dependencies allow, and lists the others with the reason', async () => {
    const found = await explore(requestFor(TEN));
    expect(found.coverage.missing).toEqual([]);
    expect(found.coverage.total).toBe(720);
    // bam after gcc: of the 720 triples, the 8 * 3 with bam before gcc cannot be.
    expect(found.coverage.impossible).toHaveLength(24);
    for (const { order, reason } of found.coverage.impossible) {
      expect(order.indexOf('bam')).toBeLessThan(order.indexOf('gcc'));
      expect(reason).toBe('the driver core does not probe bam before its supplier gcc is bound');
    }
    const orders = found.stages.filter(({ stage }) => ['pairs', 'orders', 'blame'].includes(stage));
    expect(orders.reduce((sum, { boots }) => sum + boots, 0)).toBeLessThanOrEqual(20);
    expect(found.coverage.lowerBound).toBe(6);
    expect(found.coverage.naive).toBe(3_628_800);
    expect(found.waits).toContainEqual({ device: 'smmu', suppliers: ['scm'], guesses: [] });
  });

  it('finds which of many unfinished devices a crash is about, and goes on covering', async () => {
    const devices = TEN.map((one) => (one.device === 'smmu' ? { ...one, waitsFor: [], crashesWithout: ['scm'] } : one));
    const found = await explore(requestFor(devices));
    expect(found.constraints).toContainEqual(expect.objectContaining({ before: 'scm', after: 'smmu' }));
    expect(found.coverage.missing).toEqual([]);
    expect(found.outcomes.filter(({ signature }) => signature !== null)).toHaveLength(1);
  });

  it('tells two crashes apart that hide each other', async () => {
    const devices = TEN.map((one) =>
      ['smmu', 'rmtfs'].includes(one.device) ? { ...one, waitsFor: [], crashesWithout: ['scm'] } : one,
    );
    const found = await explore(requestFor(devices));
    const fatal = found.constraints.filter(({ reason }) => reason.startsWith('the kernel crashes'));
    expect(fatal.map(({ before, after }) => `${before} ${after}`).toSorted()).toEqual(['scm rmtfs', 'scm smmu']);
    expect(found.outcomes.filter(({ signature }) => signature !== null)).toHaveLength(2);
    expect(found.coverage.missing).toEqual([]);
    const given = found.coverage.impossible.filter(({ reason }) => reason.startsWith('asked for'));
    expect(given).toEqual([]);
  });

  it('blames no device alone for a crash that takes two that are missing', async () => {
    // Held back alone, extcon does no harm, which leaves the SMMU; that the driver then only waits is to be seen.
    const devices: SimulatedDevice[] = [
      { device: 'smmu', driver: 'arm-smmu' },
      { device: 'extcon', driver: 'extcon-gpio', waitsFor: ['pinctrl'] },
      { device: 'usb', driver: 'dwc3', waitsFor: ['extcon'], crashesWithoutAll: ['smmu', 'extcon'] },
    ];
    const hidden: SimulatedDevice = { device: 'pinctrl', driver: 'pinctrl-drv', takes: 60 };
    const boot = async (cell: Cell) => bootSimulated([...devices, hidden], cell);
    const found = await explore(requestFor(devices, { boot }));
    expect(found.outcomes.some(({ signature }) => signature !== null)).toBe(true);
    expect(found.constraints).toEqual([]);
    expect(found.pairs.impossible).toEqual([]);
    expect(found.coverage.impossible.map(({ order }) => order.join(' '))).toEqual([
      'usb smmu extcon',
      'usb extcon smmu',
    ]);
    for (const { reason } of found.coverage.impossible) expect(reason).not.toContain('crashes when');
  });

  it('states no wait for a device that was only absent by chance', async () => {
    // extcon waits for pinctrl alone, which nobody asks about; the SMMU is not bound either when extcon is deferred.
    const devices: SimulatedDevice[] = [
      { device: 'extcon', driver: 'extcon-gpio', waitsFor: ['pinctrl'] },
      { device: 'smmu', driver: 'arm-smmu', takes: 30 },
      { device: 'usb', driver: 'dwc3', waitsFor: ['extcon'] },
    ];
    const hidden: SimulatedDevice = { device: 'pinctrl', driver: 'pinctrl-drv', takes: 60 };
    const boot = async (cell: Cell) => bootSimulated([...devices, hidden], cell);
    const { waits } = await explore(requestFor(devices, { boot }));
    expect(waits).toEqual([
      { device: 'extcon', suppliers: [], guesses: [] },
      { device: 'usb', suppliers: ['extcon'], guesses: [] },
    ]);
  });

  it('marks a wait as a guess where no boot was left to hold the supplier back', async () => {
    const devices: SimulatedDevice[] = [
      { device: 'rmtfs', driver: 'rmtfs', waitsFor: ['scm'] },
      { device: 'scm', driver: 'qcom_scm', takes: 3 },
    ];
    const short = await explore(requestFor(devices, { budget: 1 }));
    expect(short.waits).toEqual([{ device: 'rmtfs', suppliers: [], guesses: ['scm'] }]);
    const long = await explore(requestFor(devices));
    expect(long.waits).toEqual([{ device: 'rmtfs', suppliers: ['scm'], guesses: [] }]);
  });

  it('tells the crash of a device that nobody asked about once, takes it out, and goes on', async () => {
    const asked: SimulatedDevice[] = [
      { device: 'scm', driver: 'qcom_scm', takes: 5 },
      { device: 'rmtfs', driver: 'rmtfs', takes: 1 },
    ];
    const stranger: SimulatedDevice = { device: 'usb', driver: 'dwc3', crashesWithout: ['scm'] };
    const boot = async (cell: Cell) =>
      bootSimulated(cell.tree.some((edit) => edit.edit === 'disable') ? asked : [...asked, stranger], cell);
    const found = await explore(requestFor(asked, { boot }));
    expect(found.outcomes.map(({ signature, times }) => [signature, times])).toEqual([
      [null, found.boots - 1],
      ['null-deref dwc3_reset', 1],
    ]);
    expect(found.strangers).toEqual([
      { device: 'usb', signature: 'null-deref dwc3_reset', disabled: '/usb', kept: null, warns: false },
    ]);
    expect(found.pairs).toMatchObject({ covered: 2, missing: [], impossible: [] });

    const needed = await explore(
      requestFor(asked, {
        // Without the node of the stranger nothing is left.
        boot: async (cell) => bootSimulated(cell.tree.length > 0 ? [] : [...asked, stranger], cell),
      }),
    );
    expect(needed.strangers).toMatchObject([{ device: 'usb', disabled: null, kept: 'scm is not bound without it' }]);
  });

  describe('of boots that warn', () => {
    const asked: SimulatedDevice[] = [
      { device: 'scm', driver: 'qcom_scm', takes: 5 },
      { device: 'rmtfs', driver: 'rmtfs', takes: 1 },
    ];
    /** Boots that print a warning in the probe of `device` where `warns` says so. */
    const warning = (device: string, warns: (boot: number, cell: Cell) => boolean, stuck?: SimulatedDevice) => {
      let boots = 0;
      return async (cell: Cell): Promise<Outcome> => {
        const isLate = cell.gates.length > 0 && stuck !== undefined;
        const outcome = bootSimulated(isLate ? [stuck, ...asked.slice(1)] : asked, cell);
        if (!warns(++boots, cell)) return outcome;
        const probing = { driver: 'any', device };
        const event: Crash = { ...aWarning('gdsc', outcome.events.length + 1), probing };
        const { signature, title } = event;
        return { ...outcome, verdict: 'warning', signature, reason: title, events: [...outcome.events, event] };
      };
    };

    it('tells a warning of the first boot once, and judges the others without it', async () => {
      const found = await explore(requestFor(asked, { boot: warning('scm', () => true) }));
      expect(found.outcomes.map(({ verdict, boot, times }) => [verdict, boot, times])).toEqual([
        ['warning', 1, 1],
        ['bound', 2, found.boots - 1],
      ]);
      // What the verdict of every boot hid before.
      const stuck: SimulatedDevice = { device: 'scm', driver: 'qcom_scm', suppliers: ['nobody'] };
      const hidden = await explore(requestFor(asked, { boot: warning('scm', () => true, stuck) }));
      expect(hidden.outcomes.map(({ verdict }) => verdict)).toContain('stuck-deferred');
    });

    it('tells that of a device that nobody asked about once, and leaves the device in', async () => {
      const devices = ['tbu1', 'tbu2', 'tbu3'];
      const plain = await explore(requestFor(asked));
      let turn = 0;
      const found = await explore(
        requestFor(asked, {
          boot: async (cell) => warning(devices[turn++ % 3] ?? '', () => cell.shift !== 4)(cell),
        }),
      );
      expect(found.boots).toBe(plain.boots);
      expect(found.strangers).toMatchObject([{ disabled: null, kept: null, warns: true }]);
      expect(found.outcomes.map(({ verdict, times }) => [verdict, times])).toEqual([
        ['bound', found.boots - 1],
        ['warning', 1],
      ]);
    });

    it('tells that of a device that is asked about, also where another device has the same', async () => {
      const found = await explore(
        requestFor(asked, {
          boot: async (cell) => warning(cell.shift === 5 ? 'scm' : 'usb', () => true)(cell),
        }),
      );
      expect(found.outcomes.map(({ verdict, times }) => [verdict, times])).toEqual([
        ['warning', 2],
        ['bound', found.boots - 2],
      ]);
    });
  });

  it('counts an order that cannot be had among the orders, and not among the outcomes', async () => {
    const held: SimulatedDevice[] = [
      { device: 'firmware:scm', driver: 'qcom_scm', takes: 5 },
      { device: '5f000000.iommu', driver: 'arm-smmu', suppliers: ['firmware:scm'] },
    ];
    const boot = async (cell: Cell) => {
      const outcome = bootSimulated(held, cell);
      const isShut = outcome.gates.some(({ verb }) => verb === 'timed-out');
      return isShut ? { ...outcome, verdict: 'infra-error' as const, reason: 'a gate never opened' } : outcome;
    };
    const found = await explore(requestFor(held, { boot }));
    expect(found.outcomes.map(({ verdict }) => verdict)).toEqual(['bound']);
    expect(found.unrealised.some(({ why }) => why.startsWith('hold timed out'))).toBe(true);
  });

  it('ends with the first boot where that crashes by itself, unless it is to go on anyway', async () => {
    const devices: SimulatedDevice[] = [
      { device: '5f000000.iommu', driver: 'arm-smmu', takes: 1, crashesWithout: ['firmware:scm'] },
      { device: 'firmware:scm', driver: 'qcom_scm', takes: 5 },
    ];
    const found = await explore(requestFor(devices));
    expect(found).toMatchObject({ boots: 1, stoppedBy: 'baseline' });
    expect(found.outcomes[0]?.place.slice(0, 2)).toEqual(['arm_smmu_reset', 'platform_probe']);
    expect(found.atFault).toEqual({ device: '5f000000.iommu', node: '/5f000000.iommu' });
    const anyway = await explore(requestFor(devices, { anyway: true }));
    expect(anyway.boots).toBeGreaterThan(4);
    expect(anyway.outcomes.map(({ verdict }) => verdict)).toContain('bound');
  });

  it('ends with a first boot whose retries never end, and names the node of the device that is tried', async () => {
    const round = (line: number): ProbeEvent[] => [
      { event: 'retried', device: '1-003d', driver: null, time: line, line },
      { event: 'probe-entered', device: '1-003d', driver: 'hdmi', time: line, line },
      { event: 'probe-entered', device: '1-003f', driver: 'dsi', time: line, line },
      { event: 'bound', device: '1-003f', driver: 'dsi', time: line, line },
      { event: 'deferred', device: '1-003d', driver: 'hdmi', time: line, line, by: 'driver', reason: null },
    ];
    const boot = async (cell: Cell): Promise<Outcome> => ({
      ...bootSimulated(UNFIXED, cell),
      verdict: 'retry-loop',
      events: Array.from({ length: 30 }, (_, line) => round(line + 1)).flat(),
    });
    const found = await explore(requestFor(UNFIXED, { boot }));
    expect(found).toMatchObject({ boots: 1, atFault: { device: '1-003d', node: '/1-003d' } });
  });

  it('puts module loads into every order that symbols allow', async () => {
    const loads = ['a', 'b', 'c', 'd'].map((module) => ({ step: 'load', module, params: '' }) as const);
    const orders: string[] = [];
    const boot = async (cell: Cell) => {
      orders.push(cell.plan.map((step) => (step.step === 'load' ? step.module : '')).join(''));
      return bootSimulated(UNFIXED, cell);
    };
    const found = await explore(
      requestFor(UNFIXED, {
        base: simulatedCell({ plan: loads }),
        loads: ['a', 'b', 'c', 'd'],
        loadConstraints: [{ before: 'a', after: 'd', reason: 'd needs a symbol of a' }],
        boot,
      }),
    );
    expect(found.loadOrders?.missing).toEqual([]);
    expect(found.loadOrders?.impossible.every(({ reason }) => reason === 'd needs a symbol of a')).toBe(true);
    for (const order of orders) expect(order.indexOf('a')).toBeLessThan(order.indexOf('d'));
    expect(new Set(orders).size).toBeGreaterThanOrEqual(6);
  });

  it('leaves modules that nobody asks about where they are, but for what the order of the others needs', async () => {
    const names = ['bus', 'a', 'of-a', 'b', 'of-b', 'other'];
    const plan = names.map((module) => ({ step: 'load', module, params: '' }) as const);
    const orders: string[] = [];
    const isAsync = new Set<string>();
    const boot = async (cell: Cell) => {
      const loads = cell.plan.flatMap((step) => (step.step === 'load' ? [step] : []));
      orders.push(loads.map(({ module }) => module).join(' '));
      for (const { module, params } of loads) if (params !== '') isAsync.add(module);
      return bootSimulated(UNFIXED, cell);
    };
    const needs = (after: string, before: string) => ({ before, after, reason: `${after} needs ${before}` });
    const found = await explore(
      requestFor(UNFIXED, {
        base: simulatedCell({ plan }),
        loads: ['of-b', 'a'],
        // What of-b needs comes before it, and what needs a after it.
        loadConstraints: [needs('of-a', 'a'), needs('of-b', 'b'), needs('a', 'bus')],
        boot,
      }),
    );
    expect(found.loadOrders).toMatchObject({ covered: 2, total: 2 });
    expect(new Set(orders)).toEqual(new Set([names.join(' '), 'bus b other a of-b of-a', 'bus b other of-b a of-a']));
    expect([...isAsync].sort()).toEqual(['a', 'of-b']);

    // What stands between two of them stays there.
    orders.length = 0;
    await explore(
      requestFor(UNFIXED, {
        base: simulatedCell({ plan }),
        loads: ['a', 'b', 'other'],
        loadConstraints: [needs('of-a', 'a'), needs('b', 'of-a'), needs('b', 'a')],
        boot,
      }),
    );
    const places = orders.map((order) => ['a', 'of-a', 'b'].map((module) => order.split(' ').indexOf(module)));
    expect(new Set(orders).size).toBeGreaterThan(2);
    for (const place of places) expect(place).toEqual(place.toSorted((x, y) => x - y));
  });

  it('keeps to the budget', async () => {
    const found = await explore(requestFor(TEN, { budget: 7 }));
    expect(found.boots).toBe(7);
    expect(found.stoppedBy).toBe('budget');
    expect(found.coverage.missing.length).toBeGreaterThan(0);
  });

  it('boots the same cells for the same seed', async () => {
    const run = async (seed: number): Promise<string[]> => {
      const booted: string[] = [];
      const onProgress = ({ cell }: { cell: Cell }): void => void booted.push(JSON.stringify(cell));
      await explore(requestFor(TEN, { seed, onProgress, budget: 20 }));
      return booted;
    };
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
  });

  it('refuses a device that no driver looks at', async () => {
    const boot = async (cell: Cell) => bootSimulated(UNFIXED.slice(0, 1), cell);
    await expect(explore(requestFor(UNFIXED, { boot }))).rejects.toThrow(
      'no driver probed 5f000000.iommu in the first boot',
    );
  });

  it('refuses a device that is named twice, and fewer than two', async () => {
    await expect(explore(requestFor([...UNFIXED, ...UNFIXED]))).rejects.toThrow('named twice');
    await expect(explore(requestFor(UNFIXED.slice(0, 1)))).rejects.toThrow('at least two devices');
  });
});

const SCM_ASYNC = ['driver_async_probe=qcom_scm'] as const;
const DELAYED = { gates: [{ gate: 'delay', device: 'firmware:scm', ms: 6000 }] } satisfies Partial<Cell>;

describe('explainOrder', () => {
  const boot = async (cell: Cell) => bootSimulated(UNFIXED, cell);

  it('keeps what the crash needs, finds how long the delay must be, and adds what only decides who calls the probe', async () => {
    const cell = simulatedCell({
      bootargs: ['quiet', 'driver_async_probe=qcom_scm,arm-smmu'],
      tree: [{ edit: 'move', node: '/firmware', to: 'last' }],
      gates: [{ gate: 'delay', device: 'firmware:scm', ms: 6000 }],
      watch: ['firmware:scm', '5f000000.iommu'],
    });
    const found = await explainOrder({ cell, usual: USUAL, failure: null, boot });
    const [delay] = found.delays;
    const ms = delay?.failsFrom ?? 0;
    expect(found.sentence).toBe(
      `arm-smmu crashes when it probes 5f000000.iommu before qcom_scm has finished probing firmware:scm; needs: async qcom_scm, delay of at least ${ms} ms in the probe of firmware:scm; to crash asynchronously and not in an initcall also: async arm-smmu; the node's position does not matter; without effect: kernel parameter quiet`,
    );
    expect(delay).toMatchObject({ passesAt: ms - 1, passesAbove: null, failsBelow: null });
    const least = cellWith(cell, found.needed, USUAL);
    expect(callerOf(await boot(least))).toBe('initcall');
    expect(
      (await boot({ ...least, gates: [{ gate: 'delay', device: 'firmware:scm', ms: ms - 1 }] })).signature,
    ).toBeNull();
    // The minimal cell prints what the given one does.
    expect(found.minimal.bootargs).toEqual(['driver_async_probe=qcom_scm,arm-smmu']);
    expect(found.minimal.tree).toEqual([]);
    expect(callerOf(await boot(found.minimal))).toBe('async');
    expect(found.irrelevant).toHaveLength(2);
  });

  it('needs nothing for the caller where the crash comes from the same one anyway', async () => {
    const cell = simulatedCell({
      bootargs: ['driver_async_probe=qcom_scm'],
      gates: [{ gate: 'delay', device: 'firmware:scm', ms: 6000 }],
    });
    const { forCaller, sentence } = await explainOrder({ cell, usual: USUAL, failure: null, boot });
    expect(forCaller).toBeNull();
    expect(sentence).not.toContain('in an initcall');
  });

  it('takes for needed only what the crash needs, whatever its caller does', async () => {
    // With `a` alone it passes, with both the retry crashes, with neither the initcall: nothing of it is needed for the crash.
    const crashing = (caller: 'initcall' | 'deferred') => {
      const seen = bootSimulated(UNFIXED, simulatedCell({ bootargs: [...SCM_ASYNC], ...DELAYED }));
      const name = caller === 'initcall' ? 'do_one_initcall' : 'deferred_probe_work_func';
      const events = seen.events.map((event) =>
        event.event === 'crash' ? { ...event, trace: event.trace.toSpliced(-1, 1, frameOf(name)) } : event,
      );
      return { ...seen, events };
    };
    const found = await explainOrder({
      cell: simulatedCell({ bootargs: ['a', 'b'] }),
      usual: USUAL,
      failure: null,
      boot: async ({ bootargs }) => {
        if (bootargs.length === 1) return bootSimulated(UNFIXED, simulatedCell());
        return crashing(bootargs.length === 2 ? 'deferred' : 'initcall');
      },
    });
    expect(found.needed).toEqual([]);
    expect(found.forCaller?.conditions).toHaveLength(2);
    expect(found.sentence).toContain(
      'needs nothing beyond the kernel and the tree; to crash in the retry of deferred probes and not in an initcall also: kernel parameter a, kernel parameter b',
    );
  });

  it('finds the delay of the crash, and the longer one that its caller takes', async () => {
    const early = 10;
    const late = 50;
    const cell = simulatedCell({ bootargs: [...SCM_ASYNC], ...DELAYED });
    const crashing = bootSimulated(UNFIXED, cell);
    const found = await explainOrder({
      cell,
      usual: USUAL,
      failure: null,
      boot: async ({ gates: [gate] }) => {
        const ms = gate?.gate === 'delay' ? gate.ms : 0;
        if (ms < early) return bootSimulated(UNFIXED, simulatedCell());
        const name = ms < late ? 'do_one_initcall' : 'deferred_probe_work_func';
        const events = crashing.events.map((event) =>
          event.event === 'crash' ? { ...event, trace: event.trace.toSpliced(-1, 1, frameOf(name)) } : event,
        );
        return { ...crashing, events };
      },
    });
    expect(found.sentence).toContain(
      'needs: delay of at least 10 ms in the probe of firmware:scm; to crash in the retry of deferred probes and not in an initcall also: delay of at least 50 ms in the probe of firmware:scm',
    );
    expect(found.minimal.gates).toEqual([{ gate: 'delay', device: 'firmware:scm', ms: late }]);
  });

  it('finds delays that depend on each other as they are in the minimal cell', async () => {
    // Fails where d1 is at least 20, and d2 at least 5 and less than 3 s from d1.
    const cell = simulatedCell({
      gates: [
        { gate: 'delay', device: 'd1', ms: 6000 },
        { gate: 'delay', device: 'd2', ms: 6000 },
      ],
    });
    const delayOf = ({ gates }: Cell, device: string) =>
      gates.flatMap((gate) => (isShort(gate, 'delay') && gate.device === device ? [gate.ms] : []))[0] ?? 0;
    const boot = async (one: Cell) => {
      const [d1, d2] = [delayOf(one, 'd1'), delayOf(one, 'd2')];
      const fails = d1 >= 20 && d2 >= 5 && Math.abs(d1 - d2) < 3000;
      return bootSimulated(UNFIXED, fails ? simulatedCell({ bootargs: [...SCM_ASYNC], ...DELAYED }) : simulatedCell());
    };
    const { minimal, delays } = await explainOrder({ cell, usual: USUAL, failure: null, boot });
    for (const { device, failsFrom } of delays) {
      const shorter = minimal.gates.map((gate) =>
        isShort(gate, 'delay') && gate.device === device ? { ...gate, ms: failsFrom - 1 } : gate,
      );
      expect((await boot(minimal)).signature).not.toBeNull();
      expect((await boot({ ...minimal, gates: shorter })).signature, device).toBeNull();
    }
    expect([delayOf(minimal, 'd1'), delayOf(minimal, 'd2')]).toEqual([20, 5]);
  });

  it('reduces what explore found among ten devices to two drivers and a delay', async () => {
    const devices = TEN.map((one) => (one.device === 'smmu' ? { ...one, waitsFor: [], crashesWithout: ['scm'] } : one));
    const found = await explore(requestFor(devices, { stopAtFirstCrash: true }));
    const crash = found.outcomes.find(({ signature }) => signature !== null);
    expect(crash?.cell.gates.length).toBeGreaterThanOrEqual(9);
    const explained = await explainOrder({
      cell: crash?.cell ?? simulatedCell(),
      usual: USUAL,
      failure: null,
      boot: async (cell) => bootSimulated(devices, cell),
    });
    expect(explained.sentence).toMatch(
      /^arm-smmu crashes when it probes smmu before qcom_scm has finished probing scm; needs: async qcom_scm, delay of at least [\d,]+ ms in the probe of scm; to crash asynchronously and not in an initcall also: async arm-smmu/,
    );
    expect(explained.minimal.bootargs).toEqual(['driver_async_probe=qcom_scm,arm-smmu']);
    expect(explained.minimal.gates).toHaveLength(1);
    expect(explained.boots).toBeLessThanOrEqual(50);
  });

  it('keeps a hold that no delay replaces', async () => {
    // The crash needs the SMMU to begin after scm was entered and before it is bound: a delay of scm comes before that.
    const cell = simulatedCell({
      bootargs: ['driver_async_probe=qcom_scm,arm-smmu'],
      gates: [{ gate: 'hold', device: 'firmware:scm', until: '5f000000.iommu', phase: 'entered' }],
    });
    const boot = async (one: Cell) => {
      const delayed = one.gates.some((gate) => gate.gate === 'delay');
      return bootSimulated(UNFIXED, delayed ? { ...one, gates: [] } : one);
    };
    const explained = await explainOrder({ cell, usual: USUAL, failure: null, boot });
    expect(explained.minimal.gates).toEqual(cell.gates);
    expect(explained.sentence).toContain('the probe of firmware:scm held until that of 5f000000.iommu was entered');
  });

  it('keeps two warnings apart, of which one comes whatever the gates do', async () => {
    const delay: Gate = { gate: 'delay', device: 'firmware:scm', ms: 6000 };
    const cell = simulatedCell({ bootargs: ['quiet'], gates: [delay] });
    const boot = async ({ gates }: Cell): Promise<Outcome> => {
      const names = gates.length > 0 ? ['always', 'late'] : ['always'];
      const events = names.map((name, at) => aWarning(name, at + 1));
      return {
        verdict: 'warning',
        reason: events[0]?.title ?? '',
        signature: events[0]?.signature ?? null,
        events,
        gates: [],
      };
    };
    const found = await explainOrder({ cell, usual: USUAL, failure: null, boot });
    expect(found.failure.what).toBe('WARNING in late');
    expect(found.needed.map(({ condition }) => condition)).toEqual(['gate']);
    expect(found.others.map(({ what }) => what)).toEqual(['WARNING in always']);
    const other = await explainOrder({ cell, usual: USUAL, failure: 'always', boot });
    expect(other.needed).toEqual([]);
    await expect(explainOrder({ cell, usual: USUAL, failure: 'never', boot })).rejects.toThrow(
      'the cell shows no failure called never',
    );
  });

  it('keeps two devices apart that stay deferred for different reasons', async () => {
    const delay: Gate = { gate: 'delay', device: 'hwlock', ms: 6000 };
    const cell = simulatedCell({ gates: [delay], watch: ['usb', 'smem'] });
    const boot = async ({ gates }: Cell): Promise<Outcome> => {
      const stuck = gates.length > 0 ? ['usb', 'smem'] : ['usb'];
      const events = stuck.map(
        (device, at): DmesgEvent => ({
          event: 'deferred',
          line: at + 1,
          time: at,
          device,
          driver: null,
          by: 'driver',
          reason: null,
        }),
      );
      return { verdict: 'stuck-deferred', reason: 'usb: still deferred', signature: null, events, gates: [] };
    };
    const found = await explainOrder({ cell, usual: USUAL, failure: null, boot });
    expect(found.failure.device).toBe('smem');
    expect(found.sentence).toMatch(/^smem ends as stuck-deferred \(still deferred\); needs: delay of at least/);
    expect(found.others.map(({ device }) => device)).toEqual(['usb']);
  });

  it('refuses a cell that does not fail', async () => {
    await expect(explainOrder({ cell: simulatedCell(), usual: USUAL, failure: null, boot })).rejects.toThrow(
      'cell simulated does not fail: its verdict is bound',
    );
  });
});
