import { expect, test } from 'vitest';
import { cellBooter, gateVerbs } from './cell-booter.ts';

const SCM = 'firmware:scm';
const SMMU = '5f000000.iommu';
const ASYNC = 'driver_async_probe=qcom_scm,arm-smmu';

const boot = cellBooter({ bootargs: [ASYNC], watch: [SCM, SMMU] });

test.each([1, 2])('a hold keeps a probe back until the other one has finished, with %i vCPUs', async (cpus) => {
  const { record } = await boot({
    cpus,
    gates: [
      { gate: 'hold', device: SMMU, until: SCM, phase: 'finished' },
      { gate: 'delay', device: SCM, ms: 3000 },
    ],
  });
  // Held back in time, the SMMU never has to be deferred by the guard.
  expect(record.verdict).toBe('bound');
  expect(gateVerbs(record)).toEqual([
    `delayed ${SCM}`,
    `held ${SMMU}`,
    `released ${SCM}`,
    `entered ${SCM}`,
    `finished ${SCM}`,
    `released ${SMMU}`,
  ]);
});

test('a forced answer un-fixes a fixed kernel', async () => {
  const { record } = await boot({
    gates: [
      { gate: 'force', symbol: 'qcom_scm_is_available', value: 1 },
      { gate: 'hold', device: SCM, until: SMMU, phase: 'entered' },
    ],
  });
  expect(record.verdict).toBe('null-deref');
  expect(record.crash?.function).toBe('qcom_scm_qsmmu500_wait_safe_toggle');
  expect(record.gates).toContainEqual({ time: null, verb: 'forced', subject: 'qcom_scm_is_available', detail: '' });
});

test('a hold that can never open has no verdict, and says by name what it waits for', async () => {
  // The guard defers the SMMU until the SCM has probed, which is held until the SMMU has.
  const { record, exitCode } = await boot({ gates: [{ gate: 'hold', device: SCM, until: SMMU, phase: 'finished' }] });
  expect(record.verdict).toBe('infra-error');
  expect(record.reason).toContain(`holds ${SCM} until ${SMMU} has finished never opened: its probe was deferred`);
  expect(exitCode).toBe(3);
});

test('a hold until a device that never appears has no verdict, and says so', async () => {
  const { record } = await boot({
    gates: [{ gate: 'hold', device: SMMU, until: '5ff00000.nonesuch', phase: 'entered' }],
  });
  expect(record.verdict).toBe('infra-error');
  expect(record.reason).toContain(
    'until 5ff00000.nonesuch has entered never opened: no driver probed a device of that name',
  );
});

test('a gate on a device that never appears has no verdict, and names it', async () => {
  const { record } = await boot({ gates: [{ gate: 'delay', device: '5ff00000.nonesuch', ms: 10 }] });
  expect(record.verdict).toBe('infra-error');
  expect(record.reason).toContain('5ff00000.nonesuch');
});

test.each([
  ['a force', [] as const],
  ['a delay', [{ gate: 'delay', device: SCM, ms: 10 } as const]],
])('a WARN in a cell with %s is the kernel’s, not the firmware’s', async (_, more) => {
  // vfree() of an area that is not found warns (mm/vmalloc.c); find_vm_area() is what it asks.
  const { record } = await boot({
    gates: [
      { gate: 'force', symbol: 'remove_vm_area', value: 0 },
      { gate: 'force', symbol: 'find_vm_area', value: 0 },
      ...more,
    ],
  });
  expect(record.crash).toMatchObject({ kind: 'warning' });
  expect(record.reason).toContain('WARNING');
  expect(record.verdict).toBe('warning');
});

test('gates work on modules, whose probes are called by the same bus', async () => {
  const { record } = await boot({
    linkage: 'modules',
    bootargs: [],
    gates: [{ gate: 'delay', device: SMMU, ms: 2000 }],
    plan: [
      { step: 'load', module: 'qcom_scm', params: '' },
      { step: 'load', module: 'arm_smmu', params: '' },
      { step: 'settle', ms: 500 },
    ],
  });
  expect(record.verdict).toBe('bound');
  expect(gateVerbs(record)).toEqual([`delayed ${SMMU}`, `released ${SMMU}`]);
});
