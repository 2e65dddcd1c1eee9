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

const FIRST = [
  '[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd071]',
  '[    0.000000] Linux version 6.12.9 (builder@host) #1 SMP PREEMPT',
];

function verdictOf(...lines: string[]) {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const { verdict, fragment } = classifyBytes('log', bytes, { knownIssues: [], today: '2026-01-01' });
  return { verdict, fragment };
}

const FRAGMENT = { verdict: 'infra-error', fragment: true };
const HANG = { verdict: 'hang', fragment: false };

it('does not take a few lines that a mail quotes for a boot that stopped there', () => {
  expect(verdictOf(...FIRST.map((line) => `> ${line}`))).toEqual(FRAGMENT);
  expect(verdictOf('With the patch my board says', '', ...FIRST, '', 'which is the processor that it has.')).toEqual(
    FRAGMENT,
  );
});

it('but says that a boot stopped where a boot loader, or the mail itself, shows it', () => {
  expect(verdictOf('U-Boot 2024.01 (Jan 01 2024)', 'Starting kernel ...', ...FIRST)).toEqual(HANG);
  expect(verdictOf('> this is what I get and then nothing:', ...FIRST.map((line) => `> ${line}`))).toEqual(HANG);
  expect(verdictOf(...FIRST, ...Array.from({ length: 7 }, (_, n) => `[    0.00000${n}] line ${n}`))).toEqual(HANG);
});
