import type { Verdict } from '../../matrix/cell.ts';

/** One letter for each verdict: the grid is read without colours, too. */
export const LETTER: Readonly<Record<Verdict, string>> = {
  bound: 'B',
  'deferred-then-bound': 'D',
  'stuck-deferred': 'S',
  'probe-failed': 'F',
  'module-rejected': 'R',
  warning: 'W',
  hang: 'H',
  oops: 'O',
  'null-deref': 'N',
  panic: 'P',
  unbuildable: 'U',
  'infra-error': '?',
};
