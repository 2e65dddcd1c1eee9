import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dir } from 'tmp-promise';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildKernel } from '../../harness/kernel/build.ts';
import type { Cell } from '../../harness/model/cell.ts';
import type { Gate } from '../../harness/model/gate.ts';
import type { PlanStep } from '../../harness/model/plan.ts';
import { SnapshotGuest } from '../../harness/qemu/snapshot.ts';
import { type CellRecord, exitCodeOf, type RunRecord } from '../../harness/run/record.ts';
import type { RunOptions } from '../../harness/run/run.ts';
import { bootMany } from '../bench/many.ts';
import { aCell } from '../cells.ts';
import { qemuChildren } from '../children.ts';
import { SCM, SMMU } from '../guest/boot.ts';
import { runQuietly } from '../runs.ts';

const MANY = 60;
const MEMORY_MAX_MB = 300;
/** Far less than any hang, far more than a QEMU needs to go. */
const SOON_MS = 10_000;
/** A busy machine takes its time to boot a guest. */
const SURELY_MS = 60_000;
const POLL_MS = 5;

const settle: PlanStep = { step: 'settle', ms: 500 };
const load = (module: string, params = ''): PlanStep => ({ step: 'load', module, params });
const probe = (device: string): PlanStep => ({ step: 'probe', device });
const delay = (device: string, ms: number): Gate => ({ gate: 'delay', device, ms });
const hold = (device: string, until: string, phase: 'entered' | 'finished'): Gate => ({
  gate: 'hold',
  device,
  until,
  phase,
});
const force = (symbol: string, value: number): Gate => ({ gate: 'force', symbol, value });
const LOADED = [load('qcom_scm'), load('arm_smmu'), settle];
const LOADED_ASYNC = [load('qcom_scm', 'async_probe=1'), load('arm_smmu', 'async_probe=1'), settle];

let folder: Awaited<ReturnType<typeof dir>>;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
});

afterEach(() => vi.restoreAllMocks());
afterAll(() => folder.cleanup());

function modules(parts: Partial<Cell> = {}): Cell {
  return aCell({ linkage: 'modules', plan: LOADED, watch: [SCM, SMMU], ...parts });
}

function builtin(parts: Partial<Cell> = {}): Cell {
  return modules({
    linkage: 'builtin',
    bootargs: ['driver_async_probe=qcom_scm,arm-smmu'],
    plan: [settle],
    ...parts,
  });
}

interface Told {
  readonly record: CellRecord;
  readonly console: string;
  readonly firmwareLog: string;
}

/** Cells are named by their place. One worker: each is booted from the snapshot of the one before. */
async function run(
  cells: readonly Cell[],
  more: Partial<Pick<RunOptions, 'useSnapshots' | 'workers' | 'repeat' | 'signal' | 'listen'>> = {},
): Promise<{ run: RunRecord; told: Told[] }> {
  const named = cells.map((cell, n) => ({ ...cell, id: `cell-${n}` }));
  const finished = await runQuietly(named, folder.path, { workers: 1, ...more });
  const told = finished.run.cells.map(async (record) => {
    const read = async (name: string) =>
      record.folder === null ? '' : readFile(join(finished.folder, record.folder, name), 'latin1');
    return { record, console: await read('console.log'), firmwareLog: await read('firmware.log') };
  });
  return { run: finished.run, told: await Promise.all(told) };
}

const verdicts = (told: readonly Told[]) => told.map(({ record }) => record.verdict);
const fromSnapshot = (told: readonly Told[]) => told.map(({ record }) => record.forked);

/** Boots the cells from snapshots and from reset, and compares all that they leave. */
async function sameFromReset(cells: readonly Cell[]): Promise<Told[]> {
  const shared = await run(cells);
  const reset = await run(cells, { useSnapshots: false, workers: null });
  expect(fromSnapshot(reset.told)).toEqual(cells.map(() => false));
  const lasting = ({ record: { wallMs: _, forked: __, ...record }, ...files }: Told) => ({ ...record, ...files });
  for (const [n, told] of shared.told.entries()) {
    const other = reset.told[n];
    expect(lasting(told), `cell ${n}`).toEqual(other && lasting(other));
  }
  return shared.told;
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + SURELY_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error('waited in vain');
    await sleep(POLL_MS);
  }
}

describe('a cell says and does from a snapshot, byte for byte, what it does from reset', () => {
  test('with gates at functions: by breakpoints, by instructions that are written over, and in modules', async () => {
    const late = (name: string, nth: number): Gate => ({ gate: 'delay', at: { entry: name, nth }, ms: 2 });
    const many: Gate[] = [
      { gate: 'delay', at: { return: 'iommu_device_sysfs_add' }, ms: 50 },
      { gate: 'delay', at: { entry: 'of_iommu_configure' }, ms: 2 },
      late('bus_probe_device', 20),
      late('device_links_driver_bound', 1),
      late('driver_register', 5),
      late('device_add', 25),
      { gate: 'hold', at: { entry: 'iommu_device_register' }, until: { return: 'qcom_scm_probe' } },
    ];
    const told = await sameFromReset([
      builtin(),
      builtin({ gates: [{ gate: 'delay', at: { entry: 'qcom_scm_probe' }, ms: 300 }] }),
      builtin({ gates: many }),
      builtin({ gates: [...many.slice(0, 2), delay(SMMU, 20)] }),
    ]);
    expect(fromSnapshot(told)).toEqual(told.map(() => true));
    const inModule: Gate = { gate: 'delay', at: { return: 'arm_smmu:arm_smmu_device_probe' }, ms: 20 };
    await sameFromReset([modules(), modules({ gates: [inModule] }), modules({ gates: [inModule, delay(SCM, 5)] })]);
  });

  test('with modules: orders, parameters, autoprobe, other sets of modules, gates, hangs', async () => {
    const unloads: PlanStep[] = [
      ...LOADED,
      { step: 'write', path: '/sys/bus/platform/drivers/arm-smmu/unbind', value: SMMU },
      { step: 'wait', device: SMMU, ms: 1000 },
      { step: 'unload', module: 'arm_smmu' },
      load('arm_smmu'),
    ];
    const byHand: PlanStep[] = [
      { step: 'autoprobe', on: false },
      load('qcom_scm'),
      load('arm_smmu'),
      probe(SMMU),
      probe(SCM),
      probe(SMMU),
      settle,
    ];
    const told = await sameFromReset([
      modules(),
      modules({ plan: [load('arm_smmu'), load('qcom_scm'), settle] }),
      modules({ plan: LOADED_ASYNC }),
      modules({ plan: [] }),
      modules({ plan: [load('qcom_scm'), settle] }),
      modules({ plan: byHand }),
      modules({ plan: LOADED_ASYNC, gates: [delay(SCM, 6000)] }),
      modules({ plan: LOADED_ASYNC, gates: [hold(SMMU, SCM, 'finished'), delay(SCM, 3000)] }),
      // Can never open: the guard defers the SMMU until the SCM has probed.
      modules({ plan: LOADED_ASYNC, gates: [hold(SCM, SMMU, 'finished')] }),
      // The loader sleeps longer than hung tasks are let (kernel/hung_task.c: 120 s).
      modules({ gates: [delay(SMMU, 300_000)] }),
      // At the second load of arm_smmu, iommu_device_register() of 6.1 gives -EBUSY ("Failed to register iommu").
      modules({ plan: unloads }),
      modules({ gates: [force('devm_clk_bulk_get_all', -1)] }),
      modules(),
    ]);
    expect(verdicts(told)).toEqual([
      'bound',
      'module-rejected',
      'bound',
      'probe-failed',
      'probe-failed',
      'deferred-then-bound',
      'deferred-then-bound',
      'bound',
      'infra-error',
      'hang',
      'probe-failed',
      'probe-failed',
      'bound',
    ]);
    expect(told[8]?.record.reason).toContain('never opened');
    expect(fromSnapshot(told)).toEqual(told.map(() => true));
  });

  test('built in: gates alone, forced answers, crashes', async () => {
    const crashes = [hold(SCM, SMMU, 'entered'), force('qcom_scm_is_available', 1)];
    const told = await sameFromReset([
      builtin(),
      builtin({ gates: crashes }),
      builtin({ gates: [delay(SCM, 6000)] }),
      builtin({ gates: [delay(SCM, 6000), force('qcom_scm_is_available', 1)], plan: [] }),
      builtin(),
    ]);
    expect(verdicts(told)).toEqual(['bound', 'null-deref', 'deferred-then-bound', 'null-deref', 'bound']);
    expect(fromSnapshot(told)).toEqual(told.map(() => true));
  });

  test('without System.map the console is the driver’s own, until a cell has gates', async () => {
    const kernel = await buildKernel({ recipe: '6.1', linkage: 'builtin' });
    if (kernel.kind !== 'ready') throw new Error(kernel.reason);
    const image = { kernel: `image:${kernel.image}` };
    const told = await sameFromReset([builtin(image), builtin({ ...image, plan: [] }), builtin(image)]);
    expect(fromSnapshot(told)).toEqual([true, true, true]);
  });

  test('too many forced functions among the cells leave no breakpoint for the console', async () => {
    // None of them is called, and the SMMU's probe comes when the console has said much.
    const symbols = ['pas_supported', 'ice_available', 'hdcp_available', 'lmh_dcvsh_available'];
    const [a = '', b = '', c = '', d = ''] = symbols.map((name) => `qcom_scm_${name}`);
    await sameFromReset([
      builtin({ gates: [delay(SMMU, 600)] }),
      builtin({ gates: [force(a, 0), force(b, 0)] }),
      builtin({ gates: [force(c, 0), force(d, 0)] }),
    ]);
  });
});

describe('a snapshot that is lost', () => {
  /** Its plan takes long enough to be met at work: the init writes a line for every step. */
  const slow = modules({ plan: Array.from({ length: 1000 }, () => probe('nonesuch')) });

  test('one that goes on after its crash is ended, and the cells behind it are booted from another', async () => {
    const spins = { kernel: '6.1-unfixed', bootargs: ['driver_async_probe=qcom_scm,arm-smmu', 'panic=0'] };
    const plans = Array.from({ length: 4 }, (_, n) => builtin({ ...spins, plan: [{ step: 'settle', ms: 500 + n }] }));
    const told = await sameFromReset([builtin({ ...spins, gates: [delay(SCM, 6000)] }), ...plans]);
    expect(verdicts(told)).toEqual(['null-deref', 'bound', 'bound', 'bound', 'bound']);
    expect(fromSnapshot(told)).toEqual([true, true, true, true, true]);
  });

  test('QEMU killed in a cell: the cell is booted from reset, and has its verdict', async () => {
    const boot = vi.spyOn(SnapshotGuest.prototype, 'boot');
    const running = run([modules(), slow, modules(), modules({ plan: LOADED_ASYNC })]);
    await until(() => boot.mock.calls.length === 2);
    await sleep(POLL_MS);
    const [guest] = qemuChildren();
    if (guest === undefined) throw new Error('no guest is running');
    process.kill(guest.pid, 'SIGKILL');
    const { told } = await running;
    expect(verdicts(told)).toEqual(['bound', 'probe-failed', 'bound', 'bound']);
    expect(fromSnapshot(told).slice(0, 2)).toEqual([true, false]);
  });

  test('QEMU killed while it waits is replaced', async () => {
    // It waits, stopped, while the cells with two vCPUs are booted from reset. On a busy machine it may be stopped before its first cell, too.
    const boot = vi.spyOn(SnapshotGuest.prototype, 'boot');
    const hasBooted = () => boot.mock.settledResults[0]?.type === 'fulfilled';
    const others = [modules({ cpus: 2 }), modules({ cpus: 2 })];
    const running = run([modules(), ...others, modules(), modules(), modules(), modules()]);
    const waiting = () => qemuChildren().find(({ state }) => state === 'T');
    await until(() => hasBooted() && waiting() !== undefined);
    process.kill(waiting()?.pid ?? Number.NaN, 'SIGKILL');
    const { told } = await running;
    expect(verdicts(told)).toEqual(told.map(() => 'bound'));
    expect(fromSnapshot(told)).toEqual([true, false, false, true, true, true, true]);
  });

  test.each([false, true])('an aborted run leaves no QEMU, stopped by somebody: %s', async (areStopped) => {
    const aborting = new AbortController();
    const reason = new Error('aborted by the test');
    const boot = vi.spyOn(SnapshotGuest.prototype, 'boot');
    const running = run([modules(), slow, slow, slow], { signal: aborting.signal, workers: 2 });
    const failed = expect(running).rejects.toBe(reason);
    await until(() => boot.mock.calls.length >= 2);
    if (areStopped) for (const { pid } of qemuChildren()) process.kill(pid, 'SIGSTOP');
    expect(qemuChildren()).not.toEqual([]);
    const aborted = performance.now();
    aborting.abort(reason);
    await failed;
    expect(performance.now() - aborted).toBeLessThan(SOON_MS);
    expect(qemuChildren()).toEqual([]);
  });
});

describe('the cross-check, where stamps of a boot from a snapshot differ by 1 µs from both boots from reset', () => {
  /** Moves one stamp of each boot from a snapshot, of the first alone if `once`. */
  function move(place: 'of the snapshot' | 'after it', once: boolean): void {
    const original = SnapshotGuest.prototype.boot;
    async function moved(this: SnapshotGuest, ...words: Parameters<typeof original>) {
      const booted = await original.apply(this, words);
      if (booted === null) throw new Error('the guest has ended');
      const console = Buffer.from(booted.console);
      const last = console.indexOf('.', console.indexOf('\n[', place === 'after it' ? booted.snapshotAt : 0)) + 6;
      console.write(console.at(last) === 0x30 ? '1' : '0', last);
      return { ...booted, console };
    }
    const spy = vi.spyOn(SnapshotGuest.prototype, 'boot');
    if (once) spy.mockImplementationOnce(moved);
    else spy.mockImplementation(moved);
  }
  const CELLS = [modules(), modules({ plan: LOADED_ASYNC }), modules()];

  test("once: QEMU's clock was off, which is told", async () => {
    move('after it', true);
    const { run: record, told } = await run(CELLS);
    expect(verdicts(told)).toEqual(['bound', 'bound', 'bound']);
    expect(fromSnapshot(told)).toEqual([true, true, true]);
    expect(record.clockRaces).toMatchObject([{ id: 'cell-0', repetition: null }]);
    expect(exitCodeOf(record)).toBe(0);
  });

  test('in what all get from the snapshot: the clock was off when it was taken, and it is given up', async () => {
    move('of the snapshot', false);
    const { run: record, told } = await run(CELLS);
    expect(verdicts(told)).toEqual(['bound', 'bound', 'bound']);
    expect(told[0]?.record.forked).toBe(false);
    expect(record.clockRaces).toMatchObject([{ id: 'cell-0', repetition: null }]);
  });

  test('again after the snapshot: the cell has no verdict', async () => {
    move('after it', false);
    const { run: record, told } = await run(CELLS);
    expect(verdicts(told)[0]).toBe('infra-error');
    expect(told[0]?.record).toMatchObject({ id: 'cell-0', asExpected: false });
    expect(told[0]?.record.reason).toContain('this cell differs in its console');
    expect(exitCodeOf(record)).toBe(3);
  });
});

describe('what is booted from reset', () => {
  test.each([
    ['two vCPUs', modules({ cpus: 2 }), {}],
    ['a shift below 4', modules({ shift: 3 }), {}],
    ['--no-snapshots', modules(), { useSnapshots: false }],
    ['--repeat 2', modules(), { repeat: 2 }],
    ['a cell that is alone in its group', modules({ bootargs: ['alone'] }), {}],
  ])('%s', async (_, cell, more) => {
    const start = vi.spyOn(SnapshotGuest, 'start');
    const cells = cell.bootargs.length > 0 ? [cell] : [cell, cell, cell];
    const { told, run: record } = await run(cells, { workers: null, ...more });
    expect(fromSnapshot(told)).toEqual(cells.map(() => false));
    expect(start).not.toHaveBeenCalled();
    expect(record.flakes).toEqual([]);
  });

  test('a cell that its kernel cannot boot keeps no other from its snapshot', async () => {
    const bad = modules({ gates: [force('nonesuch', 0)] });
    const { told } = await run([bad, modules(), modules({ plan: LOADED_ASYNC })]);
    expect(verdicts(told)).toEqual(['infra-error', 'bound', 'bound']);
    expect(fromSnapshot(told)).toEqual([undefined, true, true]);
  });
});

test(`${MANY} cells in one run leave nothing behind`, async () => {
  const { fromSnapshot, verdicts, residentMb, most, left } = await bootMany(MANY);
  expect(fromSnapshot).toBeGreaterThanOrEqual(MANY - most.guests);
  expect(verdicts).toEqual({ bound: MANY / 2, 'module-rejected': MANY / 4, 'probe-failed': MANY / 4 });
  // The test runner itself takes its share.
  expect(residentMb.most - residentMb.before).toBeLessThan(MEMORY_MAX_MB);
  expect(left).toEqual({ descriptors: 0, guests: 0, files: [] });
});
