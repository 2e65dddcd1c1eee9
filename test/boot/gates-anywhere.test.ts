import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadCellFile } from '../../harness/matrix/matrix-file.ts';
import type { Gate } from '../../harness/model/gate.ts';
import { cellBooter, gateVerbs } from './cell-booter.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const HOLDS = fixture('buses/holds.yaml');
const BOARD_HOLDS = fixture('db845c-holds.yaml');
const SCM = 'firmware:scm';
const SMMU = '5f000000.iommu';
const boot = cellBooter({ bootargs: ['driver_async_probe=qcom_scm,arm-smmu'], watch: [SCM, SMMU] });

/** More functions than the CPU has breakpoints: the last ones are written over the kernel's text. */
const EIGHT: readonly Gate[] = [
  { gate: 'hold', at: { entry: 'arm_smmu_device_probe' }, until: { return: 'qcom_scm_probe' } },
  { gate: 'delay', at: { entry: 'qcom_scm_probe' }, ms: 300 },
  { gate: 'delay', at: { return: 'qcom_scm_probe' }, ms: 200 },
  { gate: 'delay', at: { entry: 'iommu_device_sysfs_add' }, ms: 50 },
  { gate: 'delay', at: { return: 'iommu_device_register' }, ms: 50 },
  { gate: 'delay', at: { entry: 'of_iommu_configure', nth: 2 }, ms: 10 },
  { gate: 'delay', at: { entry: 'device_add', of: SMMU }, ms: 5 },
  { gate: 'delay', at: { entry: 'bus_probe_device', nth: 3 }, ms: 5 },
  { gate: 'force', at: { return: 'iommu_device_sysfs_add' }, value: 0 },
  { gate: 'delay', at: { entry: 'driver_register', nth: 2 }, ms: 5 },
];

test.each([1, 2])('eight functions and more are gated at once, with %i vCPUs', async (cpus) => {
  const { record } = await boot({ cpus, gates: EIGHT });
  expect(record).toMatchObject({ verdict: 'bound', asExpected: true });
  const seen = gateVerbs(record);
  const order = [
    'delayed qcom_scm_probe()',
    'held arm_smmu_device_probe()',
    'released qcom_scm_probe()',
    'entered qcom_scm_probe()',
    'delayed qcom_scm_probe():return',
    'released qcom_scm_probe():return',
    'finished qcom_scm_probe()',
    'released arm_smmu_device_probe()',
    'delayed iommu_device_sysfs_add()',
    'delayed iommu_device_register():return',
    'released iommu_device_register():return',
  ];
  expect(seen.filter((what) => order.includes(what))).toEqual(order);
  for (const name of ['of_iommu_configure', 'device_add', 'bus_probe_device', 'driver_register'])
    expect(seen).toEqual(expect.arrayContaining([`delayed ${name}()`, `released ${name}()`]));
  expect(seen.filter((what) => what === 'delayed of_iommu_configure()')).toHaveLength(1);
});

/** More of them by the environment: `GATED_BOOTS=100`. */
const BOOTS = Number(process.env.GATED_BOOTS ?? 4);

test(`${BOOTS} boots with eight functions gated have one order and one console`, async () => {
  const { record, repeated, exitCode } = await boot({ gates: EIGHT }, ['--repeat', String(BOOTS)]);
  expect(record).toMatchObject({ verdict: 'bound', asExpected: true });
  expect({ ...repeated, exitCode }).toEqual({ repeat: BOOTS, flakes: [], exitCode: 0 });
});

describe('modules', () => {
  const plan = [
    { step: 'load', module: 'qcom_scm', params: '' },
    { step: 'load', module: 'arm_smmu', params: '' },
    { step: 'settle', ms: 500 },
  ] as const;

  test('functions of modules are gated where the loader has put them, and loads themselves', async () => {
    const { record } = await boot({
      linkage: 'modules',
      plan,
      gates: [
        { gate: 'delay', at: { entry: 'qcom_scm:qcom_scm_probe' }, ms: 300 },
        { gate: 'delay', at: { return: 'arm_smmu:arm_smmu_device_probe' }, ms: 200 },
        { gate: 'hold', at: { load: 'arm_smmu' }, until: { loaded: 'qcom_scm' } },
      ],
    });
    expect(record.verdict).toBe('bound');
    expect(gateVerbs(record)).toEqual([
      'entered qcom_scm',
      'delayed qcom_scm:qcom_scm_probe()',
      'released qcom_scm:qcom_scm_probe()',
      'finished qcom_scm',
      'open arm_smmu',
      'delayed arm_smmu:arm_smmu_device_probe():return',
      'released arm_smmu:arm_smmu_device_probe():return',
    ]);
  });

  test('a gate waits for a line of the plan', async () => {
    const { record } = await boot({
      linkage: 'modules',
      // Only where the module itself asks for it does its load not wait for its asynchronous probes (kernel/module/main.c, do_init_module()).
      plan: [{ step: 'load', module: 'qcom_scm', params: 'async_probe' }, ...plan.slice(1)],
      gates: [{ gate: 'hold', at: { probe: SCM }, until: { step: 2 } }],
    });
    expect(gateVerbs(record)).toEqual([`held ${SCM}`, 'entered step:2', `released ${SCM}`]);
  });
});

test('a gate that nothing hits is in the reason, with the calls that it saw', async () => {
  const { record } = await boot({ gates: [{ gate: 'delay', at: { entry: 'qcom_scm_probe', nth: 7 }, ms: 1 }] });
  expect(record.verdict).toBe('infra-error');
  expect(record.reason).toBe('the gate at qcom_scm_probe() was never hit (it saw 1 call)');
});

test('every call of a function is stopped where a gate names no number', async () => {
  const { record } = await boot({ gates: [{ gate: 'delay', at: { entry: 'of_iommu_configure' }, ms: 1 }] });
  const count = (what: string) => gateVerbs(record).filter((seen) => seen === what).length;
  expect(count('delayed of_iommu_configure()')).toBeGreaterThanOrEqual(2);
  expect(count('released of_iommu_configure()')).toBe(count('delayed of_iommu_configure()'));
});

test('where the kernel must not sleep, a gate spins', async () => {
  const { record } = await boot({ gates: [{ gate: 'delay', at: { entry: 'irq_enter_rcu', nth: 2 }, ms: 20 }] });
  expect(record.verdict).toBe('bound');
  expect(gateVerbs(record)).toEqual(['atomic irq_enter_rcu()', 'delayed irq_enter_rcu()', 'released irq_enter_rcu()']);
  const [, held, released] = record.gates;
  expect((released?.time ?? 0) - (held?.time ?? 0)).toBeGreaterThanOrEqual(20_000);
});

test('what the gates’ own sleep calls is neither gated nor a moment', async () => {
  const until = { entry: 'msleep' } as const;
  const waits = await boot({ gates: [{ gate: 'hold', at: { entry: 'qcom_scm_probe' }, until }] });
  expect(waits.record.reason).toBe(
    'the gate that holds qcom_scm_probe() until msleep() has entered never opened: that has not happened',
  );
  const { record } = await boot({ gates: [{ gate: 'delay', at: { entry: 'schedule_timeout' }, ms: 1 }] });
  expect(record.verdict).toBe('bound');
});

test('the kernel’s first task is not sent to sleep', async () => {
  const { record } = await boot({ gates: [{ gate: 'delay', at: { entry: 'fork_init' }, ms: 5 }] });
  expect(record.verdict).toBe('bound');
  expect(gateVerbs(record)).toEqual(['atomic fork_init()', 'delayed fork_init()', 'released fork_init()']);
});

test('a gate that is set only when its function was called says so', async () => {
  const first = ['device_add', 'driver_register', 'bus_add_driver', 'platform_device_add', 'qcom_scm_probe'];
  const gates = [...first, 'sched_init'].map((entry) => ({ gate: 'delay', at: { entry }, ms: 0 }) as const);
  const { record } = await boot({ gates });
  expect(record.reason).toContain('the gate at sched_init() was never hit after driver_init()');
});

test('devices of a bus that is a module are held', async () => {
  const { record } = await boot({
    kernel: 'debian-stock:6.12',
    bootargs: [],
    watch: [SMMU],
    gates: [
      { gate: 'delay', device: 'usb1', ms: 20 },
      { gate: 'delay', device: 'driver=hub', ms: 10 },
      { gate: 'hold', device: 'usb2', until: '1-0:1.0', phase: 'finished' },
    ],
    plan: [{ step: 'load', module: 'vhci_hcd', params: '' }],
  });
  expect(record).toMatchObject({ verdict: 'bound', asExpected: true });
  const order = [
    'delayed usb1',
    'released usb1',
    'delayed 1-0:1.0',
    'released 1-0:1.0',
    'finished 1-0:1.0',
    'open usb2',
  ];
  expect(gateVerbs(record).filter((what) => order.includes(what))).toEqual(order);
});

test('devices of many buses and functions of modules are held', async () => {
  const { record } = await boot(await loadCellFile(HOLDS));
  expect(record.reason).toBe('every watched device is bound');
  const seen = gateVerbs(record);
  // Loads begin with I2C. An auxiliary device waits for the plan, and each of the others for the one before it.
  const chain = ['ti_sn65dsi86.aux.44', '0-00', '0000:00:00.0', 'spi0.0', '0-0048'];
  for (const device of chain)
    expect(
      seen.filter((what) => what === `held ${device}`),
      device,
    ).toHaveLength(1);
  const releases = chain.map((device) => `released ${device}`);
  expect(seen.filter((what) => releases.includes(what))).toEqual(releases);
  const functions = [
    'held i2c_gpio:i2c_gpio_probe()',
    'released i2c_gpio:i2c_gpio_probe()',
    'held pci_stub:pci_stub_probe():return',
    'held spi_nor:spi_nor_probe()',
    'finished lm75:lm75_probe()',
    'released spi_nor:spi_nor_probe()',
    'released pci_stub:pci_stub_probe():return',
  ];
  expect(seen.filter((what) => functions.includes(what))).toEqual(functions);
  const delays = [SMMU, 'iommu_device_register():return', 'device_add()', 'bus_add_device():return'];
  delays.push('qcom_spmi_pmic:pmic_spmi_probe()', 'ti_sn65dsi86:ti_sn65dsi86_probe():return');
  for (const name of delays) expect(seen).toEqual(expect.arrayContaining([`delayed ${name}`, `released ${name}`]));
});

test('devices of a real board’s tree are held: SPMI, then I2C by its node, then SPI', async () => {
  const { record } = await boot(await loadCellFile(BOARD_HOLDS));
  expect(record.verdict).toBe('bound');
  const chain = ['0-00', '10-003b', 'spi0.0'];
  const seen = gateVerbs(record);
  for (const device of chain) expect(seen).toContain(`held ${device}`);
  const releases = chain.map((device) => `released ${device}`);
  expect(seen.filter((what) => releases.includes(what))).toEqual(releases);
  expect(seen).toEqual(
    expect.arrayContaining([`released 15000000.iommu`, 'released i2c_qcom_geni:geni_i2c_probe():return']),
  );
});

test('a PCI device of a real board’s tree is held: the root port, when it is retried', async () => {
  const port = '0000:00:00.0';
  const { record } = await boot({
    kernel: 'debian-stock:6.12',
    board: 'amd-overdrive-rev-b1.dtb',
    bootargs: ['driver_async_probe=armv8-pmu'],
    watch: [port, 'pmu'],
    gates: [
      { gate: 'delay', device: 'pmu', ms: 2000 },
      { gate: 'hold', device: port, until: 'pmu', phase: 'finished' },
    ],
    plan: [{ step: 'settle', ms: 500 }],
    expect: { verdicts: ['deferred-then-bound'] },
  });
  expect(record.verdict).toBe('deferred-then-bound');
  const order = ['delayed pmu', `held ${port}`, 'finished pmu', `released ${port}`];
  expect(gateVerbs(record).filter((what) => order.includes(what))).toEqual(order);
});

test('AMBA devices of a real board’s tree are held and delayed', async () => {
  const gpios = ['f7020000.gpio', 'f7021000.gpio', 'f7022000.gpio'] as const;
  const { record } = await boot({
    kernel: 'debian-stock:6.12',
    board: 'hi6220-hikey.dtb',
    bootargs: ['driver_async_probe=pl061_gpio'],
    watch: [...gpios],
    gates: [
      { gate: 'hold', device: gpios[0], until: gpios[1], phase: 'finished' },
      { gate: 'delay', device: gpios[2], ms: 500 },
    ],
    plan: [{ step: 'settle', ms: 1000 }],
    expect: { verdicts: ['bound'] },
  });
  expect(record.reason).toBe('every watched device is bound');
  const seen = gateVerbs(record).filter((what) => !what.startsWith('entered'));
  expect(seen).toEqual(expect.arrayContaining([`delayed ${gpios[2]}`, `released ${gpios[2]}`]));
  const chain = [`held ${gpios[0]}`, `finished ${gpios[1]}`, `released ${gpios[0]}`];
  expect(seen.filter((what) => chain.includes(what))).toEqual(chain);
});

test('a CPU of a real board’s tree goes off and comes back, and the others go on', async () => {
  const online = (value: string) => ({ step: 'write', path: '/sys/devices/system/cpu/cpu1/online', value }) as const;
  const { record } = await boot({
    kernel: 'debian-stock:6.12',
    board: 'hi6220-hikey.dtb',
    cpus: 2,
    watch: ['f7020000.gpio'],
    gates: [
      { gate: 'delay', at: { entry: 'cpu_die' }, ms: 1 },
      { gate: 'delay', at: { entry: 'secondary_start_kernel', nth: 2 }, ms: 1 },
    ],
    plan: [{ step: 'settle', ms: 100 }, online('0'), { step: 'settle', ms: 100 }, online('1')],
    expect: { verdicts: ['bound'] },
  });
  expect(record.verdict).toBe('bound');
  expect(gateVerbs(record)).toEqual(expect.arrayContaining(['delayed cpu_die()', 'delayed secondary_start_kernel()']));
});

test('a wait of an hour comes to its end, and a plan that stops at a shell is refused', async () => {
  const { record } = await boot({ plan: [{ step: 'wait', device: 'nonesuch.1', ms: 3_600_000 }] });
  expect(record.reason).toContain('the step wait nonesuch.1 ended with it not bound');
  await expect(boot({ plan: [{ step: 'shell' }] })).rejects.toThrow('its plan stops at a shell');
});

test('a suspend of all devices is a step of the plan, and gates stand in it', async () => {
  const { record } = await boot({
    kernel: 'debian-stock:6.1',
    board: fixture('buses'),
    bootargs: ['suspend.pm_test_delay=1'],
    watch: [SMMU],
    gates: [
      { gate: 'delay', at: { entry: 'dpm_suspend_start' }, ms: 50 },
      { gate: 'delay', at: { return: 'pci_pm_suspend', of: '0000:00:00.0' }, ms: 20 },
      { gate: 'delay', at: { entry: 'dpm_resume_end' }, ms: 50 },
    ],
    plan: [
      { step: 'rescan', bus: 'pci' },
      { step: 'suspend', test: 'devices' },
    ],
    expect: { verdicts: ['bound'] },
  });
  expect(record.reason).toBe('every watched device is bound');
  expect(gateVerbs(record).filter((what) => what.startsWith('delayed'))).toEqual([
    'delayed dpm_suspend_start()',
    'delayed pci_pm_suspend():return',
    'delayed dpm_resume_end()',
  ]);
});
