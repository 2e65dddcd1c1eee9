import { expect, it } from 'vitest';
import { classifyBytes } from '../../harness/verdict/classify.ts';

it('lists devices in the order in which they bound, whichever was spoken of first', () => {
  const log = [
    '[    0.000000] Linux version 6.1.0 (builder@host) #1 SMP',
    '[    1.000000] platform 1000.late: deferred probe pending',
    "[    1.100000] driver: 'a': driver_bound: bound to device '2000.early'",
    "[    1.200000] driver: 'b': driver_bound: bound to device '1000.late'",
  ];
  const bytes = Buffer.from(log.map((line) => `${line}\n`).join(''));
  const { bound } = classifyBytes('log', bytes, { knownIssues: [], today: '2026-01-01' });
  expect(bound).toEqual(['2000.early', '1000.late']);
});
