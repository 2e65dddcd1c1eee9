import { expect, test } from 'vitest';
import { summaryOf } from '../verdict/summary-of.ts';

const machineOf = (...lines: string[]) => summaryOf(lines).machine;
const machine = (...lines: string[]) => machineOf(...lines)?.model ?? null;

test.each([
  ['[    0.000000] Machine model: Acme Widget (v2)', 'Acme Widget (v2)'],
  ['[    0.000000] OF: fdt: Machine model: Acme Widget', 'Acme Widget'],
  ['[    0.000000] OF: fdt:Machine model: Acme Widget  ', 'Acme Widget'],
  ['Machine model: Acme Widget', 'Acme Widget'],
  ['> [    0.000000] Machine model: Acme Widget', 'Acme Widget'],
])('the machine of %j', (line, model) => {
  expect(machine(line, '[    1.000000] Run /init as init process')).toBe(model);
});

test('arm64 does not say it as the common code for device trees does', () => {
  expect(machineOf('[    0.000000] Machine model: Acme Widget')?.mayBeArm64).toBe(true);
  expect(machineOf('[    0.000000] OF: fdt: Machine model: Acme Widget')?.mayBeArm64).toBe(false);
});

const OOPS = [
  '[    1.100000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000',
  '[    1.100000] Internal error: Oops: 0000000096000004 [#1] SMP',
  '[    1.100000] CPU: 0 PID: 1 Comm: swapper Not tainted 6.1.0',
];

test('the machine of a crash report, which of arm32 is none', () => {
  expect(machine(...OOPS, '[    1.100000] Hardware name: Acme Widget (DT)')).toBe('Acme Widget');
  expect(machine(...OOPS, '[    1.100000] Hardware name: Generic board (Flattened Device Tree)')).toBeNull();
});

test('a log that names none has none, and an endless name is cut', () => {
  expect(machine('[    0.000000] Linux version 6.12.0')).toBeNull();
  expect(machine(`[    0.000000] Machine model: ${'x'.repeat(1 << 20)}`)?.length ?? 0).toBeLessThanOrEqual(128);
});
