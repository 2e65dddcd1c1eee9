import { expect, test } from 'vitest';
import { type BoardOutcome, differencesTo, SWEEPS, sweepCells, usualCells } from '../../harness/search/sweep.ts';
import { simulatedCell } from './simulated-kernel.ts';

const load = (module: string) => ({ step: 'load', module, params: '' }) as const;
const BASE = simulatedCell({
  id: 'board',
  plan: [load('a'), load('b'), { step: 'settle', ms: 500 }, { step: 'census' }],
});
const bound = Array.from({ length: 10 }, (_, number) => ({ device: `d${number}`, driver: `drv${number}` }));

function outcome(ends: Record<string, string>, signatures: string[] = [], complete = true): BoardOutcome {
  const crashes = signatures.map((signature) => ({
    signature,
    title: signature,
    function: null,
    probing: null,
    trace: [],
  }));
  return { crashes, ends: new Map(Object.entries(ends)), complete };
}

test('the boots of a sweep have names of their own, end with a census, and are the same for the same seed', () => {
  const request = { base: BASE, bound, pairs: [['d0', 'd1']] as const, sweeps: SWEEPS, most: 4, seed: 3 };
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
  expect(keys(outcome({}, [], false))).toEqual(['the guest did not come to its end']);
  expect(keys(outcome({}, ['oops'], false))).toEqual(['oops']);
});
