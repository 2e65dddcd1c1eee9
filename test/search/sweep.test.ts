import { expect, test } from 'vitest';
import {
  type BoardOutcome,
  differencesTo,
  SWEEPS,
  sweepCells,
  usualCells,
  withNeededFirst,
} from '../../harness/search/sweep.ts';
import { cellWithParts, leastParts, mixed, partsOf, partsText } from '../../harness/search/sweep-parts.ts';
import { simulatedCell } from './simulated-kernel.ts';

const load = (module: string) => ({ step: 'load', module, params: '' }) as const;
const BASE = simulatedCell({
  id: 'board',
  plan: [load('a'), load('b'), { step: 'settle', ms: 500 }, { step: 'census' }],
});
const needs = () => [];
const bound = Array.from({ length: 10 }, (_, number) => ({ device: `d${number}`, driver: `drv${number}` }));

function outcome(
  ends: Record<string, string>,
  signatures: string[] = [],
  complete = true,
  places: Record<string, string> = {},
): BoardOutcome {
  const crashes = signatures.map((signature) => ({
    signature,
    title: signature,
    function: null,
    probing: null,
    trace: [],
    modules: [],
  }));
  return {
    crashes,
    ends: new Map(Object.entries(ends)),
    places: new Map(Object.entries(places)),
    answers: new Map(),
    reasons: new Map(),
    booted: true,
    complete,
  };
}

test('the boots of a sweep have names of their own, end with a census, and are the same for the same seed', () => {
  const request = { base: BASE, bound, pairs: [['d0', 'd1']] as const, sweeps: SWEEPS, needs, most: 4, seed: 3 };
  const cells = sweepCells(request);
  expect(cells).toEqual(sweepCells(request));
  expect(new Set(cells.map(({ cell }) => cell.id)).size).toBe(cells.length);
  expect(cells.every(({ cell }) => cell.plan.at(-1)?.step === 'census')).toBe(true);
  const boots = (sweep: string) => cells.filter((one) => one.sweep === sweep).length;
  expect(SWEEPS.map((sweep) => [sweep, boots(sweep)])).toEqual([
    ['async', 1],
    ['loads', 4],
    ['late', 4],
    ['rebinds', 2],
    ['suspend', 1],
    ['pairs', 2],
  ]);
  expect(usualCells(BASE, 1).map(({ bootargs, gates }) => [bootargs, gates])).toEqual([
    [[], []],
    [[], []],
    [[], []],
  ]);
});

test('what the usual order shows in any interleaving is no difference', () => {
  const usual = [outcome({ a: 'bound by x', b: 'deferred' }, ['W: 1']), outcome({ a: 'bound by x', b: 'bound by y' })];
  const keys = (one: BoardOutcome) => differencesTo(usual, one).map(({ key }) => key);
  expect(keys(outcome({ a: 'bound by x', b: 'bound by y' }, ['W: 1']))).toEqual([]);
  expect(keys(outcome({ a: 'bound by z', b: 'deferred' }, ['W: 2']))).toEqual(['W: 2', 'a: bound by x / bound by z']);
  expect(keys(outcome({ a: 'bound by x' }))).toEqual(['b: deferred / not there']);
  // A device that one usual boot does not have either.
  const some = [...usual, outcome({ a: 'bound by x' })];
  expect(differencesTo(some, outcome({ a: 'bound by x' }))).toEqual([]);
  expect(keys(outcome({}, [], false))).toEqual(['the guest did not come to its end']);
  expect(keys(outcome({}, ['oops'], false))).toEqual(['oops']);
  expect(keys({ ...outcome({}, [], false), booted: false })).toEqual([]);
});

test('a device whose adapter has another number is the same device, by its node', () => {
  const at = (ends: Record<string, string>, places: Record<string, string>) => outcome(ends, [], true, places);
  const bridge = 'i2c /soc/i2c@f7102000/adv7533@39';
  const usual = [
    at({ '2-0039': 'bound by adv7511' }, { '2-0039': bridge }),
    at({ '1-0039': 'bound by adv7511' }, { '1-0039': bridge }),
  ];
  const keys = (one: BoardOutcome) => differencesTo(usual, one).map(({ key }) => key);
  expect(keys(at({ '0-0039': 'bound by adv7511' }, { '0-0039': bridge }))).toEqual([]);
  expect(keys(at({ '0-0039': 'deferred' }, { '0-0039': bridge }))).toEqual(['2-0039: bound by adv7511 / deferred']);
  // Another device has its number, and it is not there.
  const other = at({ '2-0039': 'bound by adv7511' }, { '2-0039': 'i2c /soc/i2c@f7101000/adv7533@39' });
  expect(keys(other)).toEqual(['2-0039: bound by adv7511 / not there']);
  // Devices of one node have their numbers from a counter of all.
  const parts = (first: number) => {
    const names = [`pmic-clock.${first}.auto`, `pmic-ldo.${first + 1}.auto`, `pmic-ldo.${first + 2}.auto`];
    const all = (value: string) => Object.fromEntries(names.map((name) => [name, value]));
    return { ends: { ...all('bound by x'), [names[2] ?? '']: 'bound by y' }, places: all('platform /pmic') };
  };
  const { ends, places } = parts(2);
  const moved = parts(9);
  expect(differencesTo([at(ends, places)], at(moved.ends, moved.places))).toEqual([]);
  const worse = { ...moved.ends, 'pmic-ldo.11.auto': 'deferred' };
  expect(differencesTo([at(ends, places)], at(worse, moved.places)).map(({ key }) => key)).toEqual([
    'pmic-ldo.4.auto: bound by y / deferred',
  ]);
  // Where one of them is missing their names alone tell them apart.
  const twins = at({ 'a.1': 'bound by x', 'a.2': 'bound by x' }, { 'a.1': 'platform /a', 'a.2': 'platform /a' });
  const one = at({ 'a.1': 'bound by x' }, { 'a.1': 'platform /a' });
  expect(differencesTo([twins], one).map(({ key }) => key)).toEqual(['a.2: bound by x / not there']);
});

test('a boot taken apart is the same boot again, and less of it is less', () => {
  const request = { base: BASE, bound, pairs: [['d0', 'd1']] as const, sweeps: SWEEPS, needs, most: 4, seed: 3 };
  for (const by of sweepCells(request)) {
    if (by.sweep === 'suspend') continue;
    const parts = partsOf(by, BASE, bound, ['drv0', 'built,in']);
    const whole = cellWithParts(by, BASE, parts, needs);
    // Every driver by name stands for `*`.
    if (by.sweep === 'rebinds' || by.sweep === 'loads') expect(whole?.plan).toEqual(by.cell.plan);
    else expect(whole).toMatchObject({ gates: by.cell.gates, bootargs: ['driver_async_probe=drv0'] });
    const none = cellWithParts(by, BASE, [], needs);
    expect(none).toMatchObject({ bootargs: [], gates: [] });
    expect(none?.plan.filter(({ step }) => step === 'load' || step === 'unbind')).toEqual([load('a'), load('b')]);
  }
});

test('modules that are moved stand where the drawn order has them, the others in their usual order', () => {
  const usual = ['a', 'b', 'c', 'd', 'e'];
  const drawn = ['e', 'c', 'a', 'b', 'd'];
  expect(mixed(usual, drawn, new Set(['e']))).toEqual(['e', 'a', 'b', 'c', 'd']);
  expect(mixed(usual, drawn, new Set())).toEqual(usual);
  expect(mixed(usual, drawn, new Set(usual))).toEqual(drawn);
});

test('a module is loaded behind what it needs, in whatever order they are drawn', () => {
  const depends = new Map([
    ['a', ['b']],
    ['b', ['c', 'elsewhere']],
  ]);
  const inOrder = (wanted: string[]) => withNeededFirst(wanted, (module) => depends.get(module) ?? []).join('');
  expect(inOrder(['a', 'b', 'c', 'd'])).toBe('cbad');
  expect(inOrder(['d', 'c', 'a', 'b'])).toBe('dcba');
  expect(withNeededFirst(['x', 'y'], (module) => (module === 'x' ? ['y'] : ['x']))).toEqual(['y', 'x']);
});

test('names that the kernel would cut are not asked for', () => {
  const [by] = sweepCells({ base: BASE, bound, pairs: [], sweeps: ['async'], needs, most: 1, seed: 1 });
  if (by === undefined) throw new Error('there is a boot with all drivers asynchronous');
  const long = Array.from({ length: 40 }, (_, number) => `driver-number-${number}`);
  expect(cellWithParts(by, BASE, partsOf(by, BASE, bound, long), needs)).toBeNull();
});

test('what is left of a boot is said in words', () => {
  const gate = { gate: 'delay', device: 'd0', ms: 2000 } as const;
  expect(
    partsText([
      { part: 'driver', driver: 'drv0' },
      { part: 'module', module: 'a' },
      { part: 'gate', gate },
    ]),
  ).toBe('drv0, module a asynchronous, delay of 2,000 ms in the probe of d0');
  expect(partsText([{ part: 'rebound', bound: { device: 'd1', driver: 'drv1' } }])).toBe('d1 unbound and bound again');
  expect(partsText([{ part: 'moved', module: 'a' }])).toBe('a loaded at another place');
});

test('what a difference needs is found among many, the guess first, and within the tests that it may take', async () => {
  const all = Array.from({ length: 60 }, (_, number) => number);
  let tests = 0;
  const needing =
    (...wanted: number[]) =>
    async (kept: readonly number[]) => {
      tests++;
      return wanted.every((one) => kept.includes(one));
    };
  expect(await leastParts(all, [[7], [3]], 12, needing(3))).toEqual({ parts: [3], isMinimal: true });
  expect(tests).toBeLessThanOrEqual(2);
  const pair = await leastParts(all, [], 40, needing(11, 42));
  expect(pair).toEqual({ parts: [11, 42], isMinimal: true });
  tests = 0;
  const cut = await leastParts(all, [], 4, needing(11, 42));
  expect(tests).toBe(4);
  expect(cut.isMinimal).toBe(false);
  expect(cut.parts).toEqual(expect.arrayContaining([11, 42]));
  // A boot that says nothing does not show that what it left out is needed.
  const silent = await leastParts([1, 2, 3], [], 40, async (kept) => (kept.includes(3) ? null : false));
  expect(silent).toEqual({ parts: [1, 2, 3], isMinimal: false });
});
