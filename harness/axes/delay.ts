import type { Board } from '../model/board.ts';
import { always, type BuiltInAxis, hasRepeats, namesOf, wholeNumber } from './axis.ts';
import type { Draft } from './draft.ts';

/** Longest delay of a probe: an hour of virtual time. */
const MILLISECONDS = wholeNumber('milliseconds', 0, 3_600_000);

/**
 * How long the probe of a subject sleeps at its start, in milliseconds of virtual time: `6000` for the first subject of
 * the board, on which the others depend, and `smmu-100+scm-6000` by name.
 */
export const DELAY: BuiltInAxis = {
  name: 'delay',
  values: (board) => ({
    expected: `${MILLISECONDS.expected}, or NAME-MILLISECONDS joined by + (${namesOf(board)})`,
    accepts: (value) => delaysOf(board, value) !== null,
    usual: [],
  }),
  meaningless: always,
  apply: (draft, value) => ({ ...draft, delays: delaysOf(draft.board, value) ?? [] }),
};

function delaysOf({ subjects }: Board, value: string): Draft['delays'] | null {
  if (value === '0') return [];
  const delays = value.split('+').map((part) => {
    const [, name, ms = ''] = /^(?:([^-]*)-)?(\d+)$/.exec(part) ?? [];
    const subject = name === undefined ? subjects[0] : subjects.find((other) => other.name === name);
    return subject === undefined || !MILLISECONDS.accepts(ms) ? null : { subject, ms: Number(ms) };
  });
  if (!delays.every((delay) => delay !== null) || hasRepeats(delays.map(({ subject }) => subject))) return null;
  return delays.filter(({ ms }) => ms > 0);
}
