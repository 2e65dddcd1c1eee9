import { describe, expect, it } from 'vitest';
import { reportsIn } from '../../harness/board/census.ts';
import { DmesgParser } from '../../harness/dmesg/parser.ts';
import { Drivers } from '../../harness/kernel/matches.ts';
import { ModuleMatcher } from '../../harness/kernel/modalias.ts';
import type { Cell } from '../../harness/model/cell.ts';
import type { PlanStep } from '../../harness/model/plan.ts';
import type { Verdict } from '../../harness/model/verdict.ts';
import { formatWhy } from '../../harness/report/why.ts';
import { whyBooted } from '../../harness/session/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import {
  isCounted,
  lackingIn,
  loadedIn,
  loadingAfter,
  suspectsIn,
  type Tried,
  triedIn,
  waitingAfter,
  withoutLate,
  withSuspects,
} from '../../harness/verdict/why-cell.ts';
import { boardTree, clock, node, placed } from '../board/trees.ts';
import { aCell } from '../cells.ts';
import { summaryOf } from './summary-of.ts';

/** A PMIC that is bound, and whose regulators and clock are parts of it with drivers of their own. */
const tree = boardTree({
  more: placed([
    clock('clock-controller@1000', 1),
    node(
      'i2c@2000',
      { compatible: 'acme,i2c' },
      node('pmic@20', { compatible: 'acme,pmic', phandle: [2], reg: [0x20] }),
    ),
    node('fixed-supply', { compatible: 'regulator-fixed', phandle: [3], 'vin-supply': [2] }),
    node('mmc@3000', { compatible: 'acme,mmc', clocks: [1], 'vmmc-supply': [3] }),
    node('hdmi@4000', { compatible: 'acme,hdmi', 'avdd-supply': [2] }),
    node('sound', { compatible: 'acme,card' }),
    node('spi@5000', { compatible: 'acme,spi', clocks: [1] }),
  ]),
});

const log = [
  '[    1.000000] bootrace: load acme_pmic ok',
  '[   12.100000] platform fixed-supply: deferred probe pending: reg-fixed-voltage: Failed to register regulator: -517',
  '[   12.200000] platform 3000.mmc: deferred probe pending: acme-mmc: vmmc regulator not available',
  '[   12.300000] platform 4000.hdmi: deferred probe pending: (reason unknown)',
  '[   12.400000] platform sound: deferred probe pending: acme-card: parse error',
  '[   12.500000] platform 5000.spi: deferred probe pending: acme-spi: could not get the clock',
  '[   13.000000] bootrace: census begin',
  '[   13.100000] bootrace: device platform 1000.clock-controller acme-clock /clock-controller@1000 of:NcT(null)Cacme,clock',
  '[   13.100000] bootrace: device i2c 0-0020 acme-pmic /i2c@2000/pmic@20 of:NpmicT(null)Cacme,pmic',
  '[   13.100000] bootrace: device platform acme-ldo.1.auto - - platform:acme-ldo /i2c@2000/pmic@20',
  '[   13.100000] bootrace: device platform acme-rtc.2.auto - - platform:acme-rtc /i2c@2000/pmic@20',
  '[   13.100000] bootrace: device platform fixed-supply - /fixed-supply of:NfT(null)Cregulator-fixed',
  '[   13.100000] bootrace: device platform lonely - /lonely of:NlT(null)Cacme,lonely',
  '[   13.200000] bootrace: census end',
];
const MODULES: Readonly<Record<string, readonly string[]>> = {
  'platform:acme-ldo': ['acme_ldo'],
  'platform:acme-rtc': ['acme_rtc'],
  'of:NpmicT(null)Cacme,pmic': ['acme_pmic'],
};

function eventsOf(lines: readonly string[]) {
  const parser = new DmesgParser();
  return [...parser.push(Buffer.from(`${lines.join('\n')}\n`)), ...parser.end()];
}

const events = eventsOf(log);
const found = whyUnbound(summaryOf(log));
const reports = reportsIn(events);
const lacking = lackingIn(reports, loadedIn(events), (modalias) => MODULES[modalias] ?? []);
const suspects = suspectsIn(found, { reports, lacking, tree });
const told = (tried: Tried) =>
  formatWhy(withSuspects(found, suspects, lacking, tried), { byTree: null, tried, ended: null, timeout: null });

describe('what a cell adds to its log', () => {
  it('knows which parts of a device lack a module that was not loaded', () => {
    expect(lacking.map(({ device, node: at, modules }) => [device, at, modules])).toEqual([
      ['acme-ldo.1.auto', '/i2c@2000/pmic@20', ['acme_ldo']],
      ['acme-rtc.2.auto', '/i2c@2000/pmic@20', ['acme_rtc']],
    ]);
  });

  it('goes through what waits itself, and not past what is bound', () => {
    const ways = suspects.filter(({ lacking: one }) => one.device === 'acme-ldo.1.auto');
    expect(ways.map(({ device, way }) => [device, way.map(({ needs }) => needs)])).toEqual([
      ['fixed-supply', ['acme-ldo.1.auto']],
      ['3000.mmc', ['fixed-supply', 'acme-ldo.1.auto']],
      ['4000.hdmi', ['acme-ldo.1.auto']],
    ]);
  });

  it('lets the boot with the modules decide who waits for which', () => {
    const bound = (device: string) => `[   14.000000] acme ${device}: driver: 'acme': driver_bound: bound to device`;
    const more = [
      '[   13.300000] bootrace: settled 13000',
      '[   13.400000] bootrace: load acme_ldo ok',
      ...['fixed-supply', '3000.mmc', 'sound'].map(bound),
      '[   15.000000] bootrace: settled 15000',
      bound('4000.hdmi'),
      '[   15.100000] bootrace: load acme_rtc ok',
      '[   17.000000] bootrace: settled 17000',
      '[   17.100000] bootrace: census begin',
      '[   17.200000] bootrace: census end',
    ];
    const unbound = ['fixed-supply', '3000.mmc', '4000.hdmi', 'sound', '5000.spi'];
    const booted = eventsOf([...log, ...more]);
    const still = new Set(['5000.spi']);
    const tried = { ...triedIn(booted, ['acme_ldo', 'acme_rtc'], { unbound, still }), failed: null };
    expect(tried).toEqual({
      modules: [
        { module: 'acme_ldo', bound: ['fixed-supply', '3000.mmc', 'sound'], refused: null },
        { module: 'acme_rtc', bound: ['4000.hdmi'], refused: null },
      ],
      left: ['5000.spi'],
      late: [],
      failed: null,
    });
    const text = told(tried);
    expect(text).toContain('acme-ldo.1.auto: its driver is a module that is not loaded: load acme_ldo');
    expect(text).toContain(
      'as the device tree links them: fixed-supply (vin-supply), 3000.mmc (for fixed-supply, vmmc-',
    );
    expect(text).toContain('as they bind once it is loaded; the device tree does not link them: sound');
    expect(text).toContain('acme-rtc.2.auto: its driver is a module that is not loaded: load acme_rtc');
    expect(text).toContain('5000.spi: acme-spi defers it: could not get the clock');
    expect(text).toContain('still not bound: 5000.spi');
  });

  it('takes no device for helped that is bound as late without the loads, and no module for loaded that was refused', () => {
    const bound = (device: string) => `[   14.000000] acme ${device}: driver: 'acme': driver_bound: bound to device`;
    const booted = eventsOf([
      ...log,
      '[   13.300000] bootrace: settled 13000',
      '[   13.400000] bootrace: load acme_ldo error 1 Operation not permitted',
      ...['3000.mmc', 'sound'].map(bound),
      '[   15.000000] bootrace: settled 15000',
      '[   15.100000] bootrace: census begin',
      '[   15.200000] bootrace: census end',
    ]);
    const unbound = ['3000.mmc', '4000.hdmi', 'sound', '5000.spi'];
    const one = triedIn(booted, ['acme_ldo'], { unbound, still: new Set(['5000.spi']) });
    // 4000.hdmi was bound before the load.
    expect(one).toMatchObject({ left: ['5000.spi'], late: ['4000.hdmi'] });
    expect(one.modules).toEqual([
      { module: 'acme_ldo', bound: ['3000.mmc', 'sound'], refused: 'Operation not permitted' },
    ]);
    const both = withoutLate({ ...one, failed: null }, new Set(['sound']));
    expect(both.modules[0]?.bound).toEqual(['sound']);
    expect(both.late).toEqual(['4000.hdmi', '3000.mmc']);
    const text = told(both);
    expect(text).toContain('acme_ldo could not be loaded: Operation not permitted');
    expect(text).toContain('bound without any module, given more time: 4000.hdmi, 3000.mmc');
  });

  it('leaves a device where it was that a module does not help', () => {
    const tried = {
      modules: [{ module: 'acme_ldo', bound: [], refused: null }],
      left: ['3000.mmc'],
      late: [],
      failed: null,
    };
    const text = told(tried);
    expect(text).not.toContain('acme-ldo.1.auto');
    expect(text).toContain('In a boot that loads acme_ldo after the plan, none of these devices is bound either.');
  });

  it('calls the tree a guess where the boot came to nothing', () => {
    const text = told({
      modules: [{ module: 'acme_ldo', bound: [], refused: null }],
      left: [],
      late: [],
      failed: 'panic: attempted to kill init',
    });
    expect(text).toContain('acme-ldo.1.auto: its driver is a module that is not loaded: load acme_ldo');
    expect(text).toContain('(panic: attempted to kill init): what waits for them is a guess.');
  });
});

it('loads after a plan and before its shutdown', () => {
  const plan: PlanStep[] = [{ step: 'load', module: 'a', params: '' }, { step: 'shutdown' }];
  expect(loadingAfter(plan, []).map(({ step }) => step)).toEqual(['load', 'census', 'shutdown']);
  expect(loadingAfter(plan, ['b']).map(({ step }) => step)).toEqual([
    ...['load', 'settle', 'load', 'settle', 'census', 'shutdown'],
  ]);
});

it('waits after a plan as long as the loads would take', () => {
  const plan: PlanStep[] = [{ step: 'load', module: 'a', params: '' }, { step: 'census' }];
  const loading = loadingAfter(plan, ['b', 'c']);
  expect(waitingAfter(plan, 2)).toEqual(loading.filter((step) => step.step !== 'load' || step.module === 'a'));
  const once = ['[    1.000000] bootrace: census begin', '[    1.100000] bootrace: census end'];
  // The plan's own census is not the last one.
  expect(isCounted(eventsOf(once), loading)).toBe(false);
  const more = ['[    2.000000] bootrace: census begin', '[    2.100000] bootrace: census end'];
  expect(isCounted(eventsOf([...once, ...more]), loading)).toBe(true);
});

describe('the boots of a cell', () => {
  const matcher = new ModuleMatcher({
    modules: [{ name: 'acme_ldo', aliases: ['platform:acme-ldo'], before: [], after: [] }],
    builtin: [],
  });
  const more = [
    '[   13.300000] bootrace: settled 13000',
    '[   13.400000] bootrace: load acme_ldo ok',
    '[   14.000000] acme 3000.mmc: driver: acme: driver_bound: bound to device',
    '[   15.000000] bootrace: settled 15000',
    '[   15.100000] bootrace: census begin',
    '[   15.200000] bootrace: census end',
  ];
  /** Verdict of the cell's own boot, and the console of each part. */
  const bootsOf = async (verdict: Verdict, own = log, watch: readonly string[] = [], then = more) => {
    const cells: Cell[] = [];
    const answer = await whyBooted(aCell({ id: 'board', plan: [{ step: 'settle', ms: 1000 }], watch }), {
      boot: async (cell) => {
        cells.push(cell);
        const isLoading = cell.id.includes('.loading-');
        const lines = isLoading ? [...log.slice(0, 1), ...log.slice(3, 6), ...then] : own;
        return { verdict, reason: 'for a reason', signature: null, events: eventsOf(lines), gates: [] };
      },
      tree,
      drivers: new Drivers(null, matcher),
      matcher,
    });
    return { answer, parts: cells.map(({ id }) => id) };
  };

  it.each<Verdict>(['stuck-deferred', 'warning', 'module-rejected'])('try the modules after %s', async (verdict) => {
    const { answer, parts } = await bootsOf(verdict);
    expect(parts[1]).toBe('board.loading-1');
    expect(answer.tried?.failed).toBeNull();
    expect(answer.ended).toBe(verdict === 'stuck-deferred' ? null : `${verdict}: for a reason`);
  });

  it.each<Verdict>(['oops', 'panic', 'hang'])('try nothing after %s, and say so', async (verdict) => {
    const { answer, parts } = await bootsOf(verdict);
    expect(parts).toEqual(['board']);
    expect(answer).toMatchObject({ tried: null, ended: `${verdict}: for a reason` });
  });

  it.each([
    ['acme-socinfo', " driver: 'acme': driver_bound: bound to device 'acme-socinfo'"],
    ['acme-nonesuch', ' acme: nothing else'],
  ])('a watched device that a driver makes is no hole in the tree: %s', async (device, said) => {
    const made = more.toSpliced(3, 0, `[   14.100000]${said}`);
    const absent = `[   12.600000] bootrace: absent ${device}`;
    const { answer } = await bootsOf('stuck-deferred', log.toSpliced(6, 0, absent), [device], made);
    const text = formatWhy(answer.found, { byTree: null, tried: answer.tried, ended: null, timeout: null });
    expect(text).not.toContain('incomplete');
    if (device === 'acme-socinfo') expect(text).toMatch(/then bound: .*acme-socinfo/);
    else expect(text).toContain('acme-nonesuch: there is no such device: the device tree has no node for it');
  });

  it('try nothing where the devices were not counted', async () => {
    const { answer, parts } = await bootsOf('bound', log.slice(0, 6));
    expect(parts).toEqual(['board']);
    expect(answer).toMatchObject({ tried: null, ended: 'bound: for a reason' });
  });
});
