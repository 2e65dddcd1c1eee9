import { expect, test } from 'vitest';
import { type KernelProgress, StepCounter } from '../../harness/kernel/progress.ts';

const MS_A_STEP = 1000;

function reportsOf(total: number | null, isRough: boolean, steps: number): KernelProgress[] {
  const reports: KernelProgress[] = [];
  let now = 0;
  const report = (progress: KernelProgress) => reports.push(progress);
  const counter = new StepCounter({ phase: 'compiling', subject: '6.1', total, isRough }, report, () => now);
  for (let step = 0; step < steps; step++) {
    now += MS_A_STEP;
    counter.advance();
  }
  return reports;
}

test('the time left is told from a tenth of the steps on, where their number is known', () => {
  expect(reportsOf(100, false, 50).map(({ secondsLeft }) => secondsLeft)).toEqual([
    ...Array(9).fill(null),
    ...Array.from({ length: 41 }, (_, step) => 90 - step),
  ]);
});

test('no time is told of a number that is another build’s', () => {
  const last = { phase: 'compiling', subject: '6.1', done: 50, secondsLeft: null };
  expect(reportsOf(100, true, 50).at(-1)).toEqual({ ...last, total: 100, isRough: true });
  expect(reportsOf(null, true, 50).at(-1)).toEqual({ ...last, total: null, isRough: true });
});

test('a number that turns out too low is no longer told', () => {
  expect(reportsOf(10, false, 11).at(-1)).toMatchObject({ done: 11, total: null, secondsLeft: null });
});
