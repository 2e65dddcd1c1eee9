import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cell } from '../../harness/model/cell.ts';
import type { Gate } from '../../harness/model/gate.ts';
import type { PlanStep } from '../../harness/model/plan.ts';
import { bisectAxes } from '../../harness/search/axes.ts';
import { bisectConfigs, diffConfigs, mixConfig } from '../../harness/search/configs.ts';
import type { Outcome } from '../../harness/search/outcome.ts';
import { bootSimulated, simulatedCell, UNFIXED } from './simulated-kernel.ts';

const load = (module: string, params: string): PlanStep => ({ step: 'load', module, params });

describe('bisectAxes', () => {
  it('names the async flag and the delay among differences that do not matter', async () => {
    const good = simulatedCell({ bootargs: ['quiet', 'fw_devlink=on'], cpus: 1 });
    const bad = simulatedCell({
      bootargs: ['fw_devlink=off', 'driver_async_probe=arm-smmu,qcom_scm'],
      tree: [{ edit: 'move', node: '/firmware', to: 'last' }],
      gates: [{ gate: 'delay', device: 'firmware:scm', ms: 6000 }],
      cpus: 2,
    });
    const found = await bisectAxes(good, bad, async (cell) => bootSimulated(UNFIXED, cell));
    expect(found.needed.map(({ axis, subject }) => `${axis} ${subject}`)).toEqual([
      'bootargs driver_async_probe=qcom_scm',
      'gates delay of firmware:scm',
    ]);
    expect(found.irrelevant).toHaveLength(5);
    expect(found.cell.bootargs).toEqual(['quiet', 'fw_devlink=on', 'driver_async_probe=qcom_scm']);
    expect(bootSimulated(UNFIXED, found.cell).signature).toBe(found.bad.signature);
  });

  it('puts any two cells together from their differences: with all of them the bad one, with none the good one', async () => {
    const plans = fc.shuffledSubarray([
      load('qcom_scm', ''),
      load('qcom_scm', 'async_probe=1'),
      load('arm_smmu', ''),
      { step: 'autoprobe', on: false } as const,
      { step: 'settle', ms: 10 } as const,
      { step: 'settle', ms: 20 } as const,
    ]);
    const gates = fc.shuffledSubarray<Gate>([
      { gate: 'delay', device: 'a', ms: 1 },
      { gate: 'delay', device: 'a', ms: 2 },
      { gate: 'hold', device: 'b', until: 'a', phase: 'finished' },
      { gate: 'force', symbol: 'f', value: 1 },
    ]);
    const words = fc.shuffledSubarray(['a', 'a=1', 'b']);
    const cells = fc
      .record({ plan: plans, gates, bootargs: words, cpus: fc.integer({ min: 1, max: 2 }) })
      .map((parts) => simulatedCell(parts));
    const outcomeOf = (signature: string | null): Outcome => ({
      verdict: signature === null ? 'bound' : 'null-deref',
      reason: '',
      signature,
      events: [],
      gates: [],
    });
    const content = ({ plan, gates: some, bootargs, cpus }: Cell): string =>
      JSON.stringify([plan, some, bootargs, cpus]);
    await fc.assert(
      fc.asyncProperty(cells, cells, async (good, bad) => {
        fc.pre(content(good) !== content(bad));
        const booted: string[] = [];
        // Fails only when everything is as in the bad cell: then nothing can be left out.
        const found = await bisectAxes(good, bad, async (cell) => {
          booted.push(content(cell));
          return outcomeOf(content(cell) === content(bad) ? 'x' : null);
        });
        expect(content(found.cell)).toBe(content(bad));
        expect(found.irrelevant).toEqual([]);
        expect(booted.slice(0, 2)).toEqual([content(good), content(bad)]);
      }),
    );
  });

  it('watches what either cell watches, whatever else a boot has of which', async () => {
    const good = simulatedCell({ watch: ['a'] });
    const bad = simulatedCell({ watch: ['a', 'b'], cpus: 2, bootargs: ['x'] });
    const mixed: Cell[] = [];
    await bisectAxes(good, bad, async (cell) => {
      if (cell.id !== good.id || cell.cpus === 1) mixed.push(cell);
      const signature = cell.cpus === 2 ? 'x' : null;
      return { verdict: signature === null ? 'bound' : 'null-deref', reason: '', signature, events: [], gates: [] };
    });
    expect(mixed.some(({ cpus, bootargs }) => cpus === 1 && bootargs.includes('x'))).toBe(true);
    for (const cell of mixed.filter((one) => one !== good)) expect(cell.watch).toEqual(['a', 'b']);
  });

  it('refuses two cells that show the same', async () => {
    const boot = async (cell: Cell) => bootSimulated(UNFIXED, cell);
    await expect(bisectAxes(simulatedCell(), simulatedCell({ cpus: 2 }), boot)).rejects.toThrow('show the same: bound');
  });
});

describe('configuration files', () => {
  const good = '# Linux/arm64\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="text"\nCONFIG_D=m\n';
  const bad = 'CONFIG_A=y\nCONFIG_B=y\nCONFIG_C="other"\nCONFIG_E=17\n';

  it('lists the options that differ', () => {
    expect(diffConfigs(good, bad)).toEqual([
      { option: 'CONFIG_B', good: 'n', bad: 'y' },
      { option: 'CONFIG_C', good: '"text"', bad: '"other"' },
      { option: 'CONFIG_E', good: 'n', bad: '17' },
      { option: 'CONFIG_D', good: 'm', bad: 'n' },
    ]);
    expect(diffConfigs(mixConfig(good, diffConfigs(good, bad)), bad)).toEqual([]);
    expect(diffConfigs(mixConfig(good, []), good)).toEqual([]);
  });

  it('finds the option to blame', async () => {
    const found = await bisectConfigs(good, bad, async (config) => (config.includes('CONFIG_E=17') ? 'fail' : 'pass'));
    expect(found.minimal.map(({ option }) => option)).toEqual(['CONFIG_E']);
  });

  it('names the line that it cannot read', () => {
    expect(() => diffConfigs('CONFIG_A=y\nhello\n', bad)).toThrow('the good .config:2: "hello"');
  });
});
