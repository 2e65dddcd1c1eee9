import { fileURLToPath } from 'node:url';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cellBooter, gateVerbs } from './cell-booter.ts';
import { bootrace } from './cli.ts';

/* Races of mainline that only a gate inside a probe, or inside the driver core, shows. */

const SMMU = '5f000000.iommu';
const boot = cellBooter({ bootargs: [], watch: [SMMU] });
const zooBoard = (name: string) => fileURLToPath(new URL(`../../zoo/boards/${name}`, import.meta.url));
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
let folder: Awaited<ReturnType<typeof dir>>;
beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
});
afterAll(() => folder.cleanup());
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

describe('a module load probes a device that is still in device_add() (mended by a2225b6e834a)', () => {
  const fuses = '5e310000.fuses';
  const sram = '5e200000.sram';
  /** Two loads at once: the glue's probe adds the fuses, and stands aside when they are on their bus. */
  const cell = {
    linkage: 'modules',
    board: fixture('early-probe'),
    gates: [{ gate: 'delay', at: { return: 'bus_add_device', of: fuses }, ms: 1500 }],
    plan: [
      { step: 'beside', steps: 2, tasks: 2 },
      load('dwc3_of_simple'),
      load('nvmem_qfprom'),
      { step: 'join', ms: 30_000 },
      { step: 'wait', device: sram, ms: 3000 },
    ],
    watch: [fuses, sram],
  } as const;

  /** Without the gate; it builds the kernel, for which a test has not the time. */
  let plain: Awaited<ReturnType<typeof boot>>;
  beforeAll(async () => {
    const { gates: _, ...rest } = cell;
    plain = await boot({ ...rest, kernel: '6.12-early-probe' });
  });

  test('without the fix on 6.12, their consumer waits for ever', async () => {
    const { record } = await boot({ ...cell, kernel: '6.12-early-probe' });
    expect(record.verdict).toBe('stuck-deferred');
    expect(record.reason).toContain(`${sram}: still deferred`);
    expect(record.reason).toContain('/fuses@5e310000/trim@10');
    expect(plain.record.verdict).toMatch(/bound$/);
  });

  test('with it, in stock Debian 6.12, the probe is put off', async () => {
    const { record } = await boot({ ...cell, kernel: 'debian-stock:6.12' });
    expect(record.verdict).toBe('deferred-then-bound');
    expect(gateVerbs(record)).toContain('delayed bus_add_device():return');
  });

  test('explore finds it, given the modules and two threads', async () => {
    const names = ['--modules', 'dwc3_of_simple,nvmem_qfprom', '--threads', '2', '--preempt', 'bus_add_device:return'];
    const kernel = ['--kernel', '6.12-early-probe', '--linkage', 'modules', '--board', cell.board];
    const { stdout, exitCode } = await bootrace(['explore', ...kernel, ...names, '--json'], { cwd: folder.path });
    expect(exitCode).toBe(1);
    const typed = names.with(-1, 'bus_add_devic');
    const misspelt = await bootrace(['explore', ...kernel, ...typed, '--json'], { cwd: folder.path });
    expect(misspelt.exitCode).toBe(2);
    expect(misspelt.stderr).toContain('did you mean bus_add_device?');
    const found: unknown = JSON.parse(stdout);
    expect(found).toMatchObject({
      breaks: [{ found: 'preemption', what: `${sram} is not bound`, verdict: 'stuck-deferred', withOneThread: false }],
      orders: { boots: 1, same: 1 },
      interleavings: { boots: 5, same: 5 },
      stoppedBy: 'complete',
    });
  });
});
