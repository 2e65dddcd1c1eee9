import { expect, test } from 'vitest';
import { withDependencies } from '../../harness/matrix/dependencies.ts';
import type { PlanStep } from '../../harness/model/plan.ts';

const load = (module: string): PlanStep => ({ step: 'load', module, params: '' });
const names = (steps: readonly PlanStep[]) => steps.flatMap((step) => (step.step === 'load' ? [step.module] : []));

test('what a module needs is loaded before it, once', () => {
  const modules = new Map([
    ['smmu', { depends: ['scm', 'pgtable'] }],
    ['scm', { depends: ['tzmem'] }],
    ['tzmem', { depends: ['genalloc'] }],
    ['pgtable', { depends: ['genalloc'] }],
  ]);
  expect(names(withDependencies([load('scm'), load('smmu')], modules))).toEqual([
    'genalloc',
    'tzmem',
    'scm',
    'pgtable',
    'smmu',
  ]);
});

test('a module that the plan loads later stays later', () => {
  const modules = new Map([['smmu', { depends: ['scm'] }]]);
  expect(names(withDependencies([load('smmu'), load('scm')], modules))).toEqual(['smmu', 'scm']);
});

test('modules that need each other end', () => {
  const modules = new Map([
    ['a', { depends: ['b'] }],
    ['b', { depends: ['c'] }],
    ['c', { depends: ['b', 'a'] }],
  ]);
  expect(names(withDependencies([load('a')], modules))).toEqual(['c', 'b', 'a']);
});
