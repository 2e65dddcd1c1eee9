import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cellBooter, gateVerbs } from './cells.ts';

/* Races of mainline that only a gate inside a probe, or inside the driver core, shows. */

const SMMU = '5f000000.iommu';
const boot = cellBooter({ bootargs: [], watch: [SMMU] });
const zooBoard = (name: string) => fileURLToPath(new URL(`../../zoo/boards/${name}`, import.meta.url));
const load = (module: string, params = '') => ({ step: 'load', module, params }) as const;

test('the QUSB2 PHY is suspended before it has driver data (mended by 1ca52c0983c3): stock Debian 6.1', async () => {
  const { record } = await boot({
    kernel: 'debian-stock:6.1',
    board: zooBoard('qusb2'),
    // Runtime PM of suppliers by fw_devlink is the default only since late 2023.
    bootargs: ['fw_devlink=rpm'],
    gates: [{ gate: 'hold', at: { entry: 'pm_runtime_forbid', of: '5e172000.phy' }, until: { step: 3 } }],
    plan: [
      load('phy_qcom_qusb2', 'async_probe'),
      { step: 'probe', device: '5e200000.sram' },
      { step: 'settle', ms: 500 },
    ],
  });
  expect(record).toMatchObject({ verdict: 'null-deref', crash: { function: 'qusb2_phy_runtime_suspend' } });
});

test('a client probes between iommu_device_register() and the SMMU’s bind (229e6ee43d2a): 5.10.223', async () => {
  const window = { gate: 'delay', at: { return: 'bus_set_iommu' }, ms: 500 } as const;
  const cell = { kernel: '5.10-full', bootargs: ['driver_async_probe=arm-smmu'] };
  const { record } = await boot({ ...cell, gates: [window] });
  expect(record).toMatchObject({ verdict: 'null-deref', crash: { function: 'arm_smmu_probe_device' } });
  expect((await boot(cell)).record.verdict).toBe('bound');
});

test('a module load probes a device that is still in device_add(): deferred since a2225b6e834a, in stock Debian 6.1', async () => {
  const fuses = '5e310000.fuses';
  const { record } = await boot({
    kernel: 'debian-stock:6.1',
    board: zooBoard('device-add'),
    gates: [
      { gate: 'hold', at: { load: 'nvmem_qfprom' }, until: { entry: 'bus_add_device', of: fuses } },
      { gate: 'delay', at: { return: 'bus_add_device', of: fuses }, ms: 1500 },
    ],
    // A load that is synchronous waits for all asynchronous probes, that of the glue among them.
    plan: [
      load('dwc3_of_simple', 'async_probe'),
      load('nvmem_qfprom', 'async_probe'),
      { step: 'wait', device: '5e200000.sram', ms: 3000 },
    ],
    watch: [SMMU, fuses, '5e200000.sram'],
    expect: { verdicts: ['deferred-then-bound'] },
  });
  expect(record.verdict).toBe('deferred-then-bound');
  expect(gateVerbs(record)).toContain('delayed bus_add_device():return');
});
