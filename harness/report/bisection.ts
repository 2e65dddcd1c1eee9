import type { CommitStep } from '../session/bisect-commits.ts';
import type { BisectedConfigs, ConfigRequest } from '../session/bisect-configs.ts';
import { count, formatDuration } from './text.ts';

const SHORT_HASH = 12;
const MS = 1000;

/** A step of `bisect commits` in one line: what the commit came to, and how much is left. */
export function formatCommitStep({ commit, answer, shown, subject, left }: CommitStep): string {
  const what = `${commit.slice(0, SHORT_HASH)} ${answer}: ${shown} (${subject})`;
  if (left === null) return what;
  const { commits, steps, seconds } = left;
  return `${what}; ${count(commits, 'commit')} left, about ${count(steps, 'step')}, ${formatDuration(seconds * MS)}`;
}

/** What `bisect configs` found. */
export function formatConfigs(
  { cell, bad }: Pick<ConfigRequest, 'cell' | 'bad'>,
  { needed, irrelevant, shown, kernels, file }: BisectedConfigs,
): string {
  return [
    `With ${bad.name} cell ${cell.id} shows ${shown.join(' or ')}. What carries the change:`,
    ...needed.map(({ option, good: from, bad: to }) => `  ${option}: ${from} -> ${to}`),
    `${count(irrelevant, 'other option')} without an effect; ${count(kernels, 'kernel')}; minimal cell ${file}`,
    '',
  ].join('\n');
}
