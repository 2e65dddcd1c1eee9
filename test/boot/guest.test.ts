import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCpio } from '../../harness/guest/cpio.ts';
import { PLAN_PATH } from '../../harness/guest/plan.ts';
import type { KernelArtefact } from '../../harness/kernel/artefact.ts';
import { buildKernel } from '../../harness/kernel/build.ts';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import type { Cell, Gate, PlanStep } from '../../harness/matrix/cell.ts';
import { runGuest } from '../../harness/qemu/process.ts';
import { type Bench, openBench, prepareCell } from '../../harness/run/prepare.ts';

const FIRST_BUILD_MS = 900_000;
/** Two boots on a machine that is busy with other tests. */
const BOOT_MS = 120_000;
const SCM = 'firmware:scm';
const SMMU = '5f000000.iommu';

let folder: Awaited<ReturnType<typeof dir>>;
let bench: Bench;
let kernel: KernelArtefact;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  bench = await openBench(join(folder.path, 'shared'), cacheRoot());
  const built = await buildKernel({ recipe: '6.1', linkage: 'modules' });
  if (built.kind !== 'ready') throw new Error(built.reason);
  kernel = built;
}, FIRST_BUILD_MS);

afterAll(() => folder.cleanup());

let boots = 0;

/** Boots the kernel with a plan and returns its console. `plan` replaces the encoded plan where given. */
async function boot(steps: readonly PlanStep[], gates: readonly Gate[] = [], plan?: Uint8Array): Promise<string> {
  const cell: Cell = {
    id: 'guest',
    row: null,
    claim: null,
    axes: {},
    kernel: '6.1',
    linkage: 'modules',
    board: 'small',
    tree: [],
    bootargs: [],
    cpus: 1,
    shift: 4,
    gates,
    plan: steps,
    watch: [SCM, SMMU, 'nonesuch'],
    expect: { verdicts: ['bound'] },
  };
  const own = join(folder.path, `boot-${boots++}`);
  const prepared = await prepareCell(cell, kernel, new Map(), bench, own);
  if (plan !== undefined) {
    const archive = writeCpio([{ kind: 'file', path: PLAN_PATH, mode: 0o644, bytes: plan }]);
    await appendFile(prepared.files.initramfs, archive);
  }
  let console = '';
  await runGuest(prepared.arguments, {
    cwd: own,
    signal: new AbortController().signal,
    onConsole: (bytes) => {
      console += Buffer.from(bytes).toString('latin1');
      return /reboot: Power down|Kernel panic - not syncing/.test(console);
    },
  });
  return console;
}

/** What the init said, without time stamps. */
const said = (console: string) => [...console.matchAll(/\] bootrace: (.*?)\r?\n/g)].map((match) => match[1]);

/** The state of the devices that the board's drivers bind by themselves is of no interest here. */
const saidOfTwo = (console: string) => said(console).filter((text) => !/^bound (?!firmware:scm|5f0)/.test(text ?? ''));

const load = (module: string, params = ''): PlanStep => ({ step: 'load', module, params });

const delay = (ms: number): Gate => ({ gate: 'delay', device: SCM, ms });
const async = load('qcom_scm', 'async_probe=1');

describe('the init, as PID 1 of a real kernel', { timeout: BOOT_MS }, () => {
  it('executes every step and reports in order', async () => {
    const console = await boot([
      { step: 'autoprobe', on: false },
      load('qcom_scm'),
      load('arm_smmu'),
      load('qcom_scm'),
      load('nonesuch'),
      { step: 'unload', module: 'qcom_scm' },
      { step: 'unload', module: 'nonesuch' },
      { step: 'probe', device: SMMU },
      { step: 'probe', device: SCM },
      { step: 'probe', device: SMMU },
      { step: 'probe', device: 'nonesuch' },
      { step: 'bind', driver: 'qcom_scm', device: SCM },
      { step: 'unbind', driver: 'nonesuch', device: SCM },
      { step: 'autoprobe', on: true },
      { step: 'write', path: '/sys/bus/platform/drivers_autoprobe', value: '0' },
      { step: 'write', path: '/sys/nonesuch', value: '0' },
      { step: 'wait', device: SCM, ms: 100 },
      { step: 'wait', device: 'nonesuch', ms: 100 },
    ]);
    expect(saidOfTwo(console)).toEqual([
      'start',
      'autoprobe off',
      'load qcom_scm ok',
      'load arm_smmu ok',
      'load qcom_scm error 17 File exists',
      'load nonesuch error 2 No such file or directory',
      'unload qcom_scm error 11 Resource temporarily unavailable',
      'unload nonesuch error 2 No such file or directory',
      `probe ${SMMU} error 517 Probe deferred`,
      `probe ${SCM} ok`,
      `probe ${SMMU} ok`,
      'probe nonesuch error 19 No such device',
      // qcom_scm sets suppress_bind_attrs: sysfs has no such file.
      `bind qcom_scm ${SCM} error 2 No such file or directory`,
      `unbind nonesuch ${SCM} error 19 No such device`,
      'autoprobe on',
      'write /sys/bus/platform/drivers_autoprobe ok',
      'write /sys/nonesuch error 2 No such file or directory',
      `wait ${SCM} bound`,
      'wait nonesuch timeout',
      `bound ${SMMU} arm-smmu`,
      `bound ${SCM} qcom_scm`,
      'absent nonesuch',
      'done',
    ]);
    expect(console).toContain('reboot: Power down');
  });

  it('reports devices without a driver, and deferred ones with the reason', async () => {
    expect(saidOfTwo(await boot([]))).toEqual([
      'start',
      `unbound ${SCM}`,
      `unbound ${SMMU}`,
      'absent nonesuch',
      'done',
    ]);
    // The SMMU is refused for as long as the firmware's driver is not there, and the kernel keeps it for later.
    // Loaded with async_probe=1, since the module loader waits for every asynchronous probe otherwise.
    const smmu = load('arm_smmu', 'async_probe=1');
    const deferred = said(await boot([async, smmu, { step: 'wait', device: SMMU, ms: 100 }], [delay(6000)]));
    expect(deferred).toContain(`unbound ${SMMU}`);
    expect(deferred).toContainEqual(expect.stringMatching(`^deferred ${SMMU}`));
  });

  it('does not take a device for bound whose probe is under way, though sysfs shows its driver', async () => {
    const lines = said(await boot([async, { step: 'wait', device: SCM, ms: 1000 }], [delay(6000)]));
    expect(lines).toContain(`wait ${SCM} timeout`);
    expect(lines).toContain(`probing ${SCM} qcom_scm`);
    expect(lines).not.toContain(`bound ${SCM} qcom_scm`);
  });

  it('settles only after a probe that sleeps for longer than the window', async () => {
    const lines = said(await boot([async, { step: 'settle', ms: 100 }], [delay(6000)]));
    const settled = lines.find((text) => text?.startsWith('settled '));
    expect(Number(settled?.split(' ')[1])).toBeGreaterThan(6000);
    expect(Number(settled?.split(' ')[1])).toBeLessThan(6400);
    expect(lines).toContain(`bound ${SCM} qcom_scm`);
  });

  it('gives up on a probe that does not return, and names it', async () => {
    const lines = said(await boot([async, { step: 'settle', ms: 100 }], [delay(600_000)]));
    expect(lines).toContainEqual(expect.stringMatching(/^unsettled 6\d{4}$/));
    expect(lines).toContain(`probing ${SCM} qcom_scm`);
    expect(lines.at(-1)).toBe('done');
  });

  it('gives the addresses that System.map has', async () => {
    const names = ['platform_probe', 'msleep', 'no_such_symbol'];
    const lines = said(await boot([{ step: 'symbols', names }]));
    const map = await readFile(kernel.systemMap ?? '', 'utf8');
    const addressOf = (name: string) => map.split('\n').find((entry) => entry.endsWith(` ${name}`));
    const symbols = lines.flatMap(
      (text) =>
        /^symbol (\S+) (\S+) (\S)$/
          .exec(text ?? '')
          ?.slice(1)
          .join(' ') ?? [],
    );
    const expected = names.slice(0, 2).map((name) => {
      const [address, type] = addressOf(name)?.split(' ') ?? [];
      return `${name} ${address} ${type}`;
    });
    expect(symbols.sort()).toEqual(expected.sort());
  });

  it('refuses a plan that is damaged, and powers off', async () => {
    const console = await boot([], [], Buffer.from('bootrace-plan-1\0run\0'));
    expect(said(console)).toEqual(['start', 'bad-plan it has an unknown verb']);
    expect(console).toContain('reboot: Power down');
  });

  it('gives the same console, byte for byte, when booted again', async () => {
    const steps: PlanStep[] = [async, load('arm_smmu', 'async_probe=1'), { step: 'settle', ms: 100 }];
    expect(await boot(steps, [delay(500)])).toBe(await boot(steps, [delay(500)]));
  });
});
