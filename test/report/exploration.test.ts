import { expect, test } from 'vitest';
import { formatExploration } from '../../harness/report/exploration.ts';
import type { Coverage } from '../../harness/search/coverage.ts';
import type { Exploration, FoundOutcome } from '../../harness/search/exploration.ts';
import { aCell } from '../cells.ts';

const CELL = aCell({ id: 'base' });

const COVERAGE: Coverage = {
  strength: 2,
  total: 6,
  covered: 4,
  missing: [],
  impossible: [{ order: ['b', 'a'], reason: 'b needs a' }],
  lowerBound: 2,
  naive: 5040,
};

const CRASH: FoundOutcome = {
  key: 'null-deref f',
  verdict: 'null-deref',
  signature: 'null-deref f',
  title: 'NULL pointer dereference in f',
  place: ['f', 'g'],
  reason: 'a reason',
  cell: CELL,
  expect: { verdicts: ['null-deref'] },
  stage: 'pairs',
  boot: 3,
  times: 2,
};

function found(over: Partial<Exploration> = {}): Exploration {
  return {
    boots: 5,
    stoppedBy: 'complete',
    atFault: null,
    stages: [
      { stage: 'baseline', boots: 1 },
      { stage: 'pairs', boots: 3 },
      { stage: 'delays', boots: 1 },
    ],
    outcomes: [CRASH],
    strangers: [],
    pairs: COVERAGE,
    coverage: COVERAGE,
    bound: { covered: 3, total: 6 },
    loadOrders: null,
    constraints: [],
    waits: [],
    unrealised: [],
    ...over,
  };
}

const told = (over: Partial<Exploration> = {}, files = new Map<string, string>()) =>
  formatExploration(found(over), files, false);

test('an outcome says what it was, when it came first, and how to replay it', () => {
  const text = told({}, new Map([[CRASH.key, 'found/a cell.yaml']]));
  expect(text).toContain('null-deref: NULL pointer dereference in f  first in boot 3 (pairs), 2 boots');
  expect(text).toMatch(/replay .* cell 'found\/a cell\.yaml'/);
  expect(text).toMatch(/explain .* bisect order 'found\/a cell\.yaml'/);
});

test('an outcome without a file has nothing to replay', () => {
  expect(told()).not.toContain('replay');
});

test('coverage counts what is possible, and only the boots that ask for orders', () => {
  const text = told();
  expect(text).toContain(
    'orders of 2 probes: 4 of 5 possible (6 in all) in 4 boots; at least 2 boots needed, 5,040 to',
  );
  expect(text).toContain('orders of 2 bindings: 3 of 6');
  expect(text).toContain('b < a: b needs a');
  expect(text).toContain('5 boots (baseline 1, pairs 3, delays 1); stopped because every stage is done');
});

test('a first boot that fails is told instead of a coverage', () => {
  const text = told({ stoppedBy: 'baseline' });
  expect(text).toContain('ends in null-deref in f < g.');
  expect(text).toContain('--anyway');
  expect(text).not.toContain('Coverage');
  expect(text).toContain('take out what is at fault (--disable NODE), or');
  const of = (node: string | null) => told({ stoppedBy: 'baseline', atFault: { device: '1-003d', node } });
  expect(of('/i2c@0/hdmi@3d')).toContain('take out 1-003d (--disable /i2c@0/hdmi@3d), or search with --anyway.');
  expect(of(null)).toContain('take out what makes 1-003d (--disable NODE), or');
});

test('a wait that was not proved is called a guess', () => {
  const text = told({ waits: [{ device: 'a', suppliers: ['b'], guesses: ['c'] }] });
  expect(text).toContain('a defers until b is bound');
  expect(text).toContain('a may defer until c is bound: a guess');
});

test('a long list is cut, and the rest counted', () => {
  const missing = Array.from({ length: 15 }, (_, n) => [`x${n}`, 'y']);
  const text = told({ coverage: { ...COVERAGE, missing } });
  expect(text).toContain('x11 < y');
  expect(text).not.toContain('x12 < y');
  expect(text).toContain('and 3 more');
});

test('nothing that a log says reaches the terminal as a control sequence', () => {
  expect(told({ outcomes: [{ ...CRASH, title: 'a\u001b[2Jb' }] })).not.toContain('\u001b');
});

test('a warning says whose it is, and that it is not held against other boots', () => {
  const warning = { ...CRASH, verdict: 'warning', title: 'WARNING in g', boot: 1, stage: 'baseline' } as const;
  const stranger = { device: 'usb', signature: 'warning: WARNING in g', disabled: null, kept: null, warns: true };
  const text = told({ outcomes: [warning], strangers: [stranger] }, new Map([[warning.key, 'a.yaml']]));
  expect(text).toContain('replay');
  expect(text).not.toContain('explain');
  expect(text).toContain('the other boots are judged without the warnings of this one');
  expect(text).toContain('usb warns (warning: WARNING in g); left in, as a warning hides nothing, and not told again');
  expect(told({ outcomes: [{ ...warning, boot: 2 }] })).not.toContain('judged without');
});

test('boots that failed to show an order for one reason stand in one line', () => {
  const boot = (cell: string, why: string) => ({ cell, asked: ['b', 'a'], recorded: ['a', 'b'], why });
  const text = told({ unrealised: [boot('x-2', 'a came first'), boot('x-3', 'a came first'), boot('x-4', 'no b')] });
  expect(text).toContain('requested but never observed:\n      x-2 and 1 other: a came first\n      x-4: no b\n');
});
