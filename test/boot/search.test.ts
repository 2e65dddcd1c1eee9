import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseCellFile } from '../../harness/matrix/cell-file.ts';
import { bootrace } from './cli.ts';

const CRASH = 'null-deref: unable to handle kernel NULL pointer dereference in qcom_scm_qsmmu500_wait_safe_toggle';
const BOTH_ASYNC = 'driver_async_probe=qcom_scm,arm-smmu';

let folder: Awaited<ReturnType<typeof dir>>;
let crash: string;

const explorationSchema = z.object({
  boots: z.number(),
  outcomes: z.array(z.object({ signature: z.string().nullable(), stage: z.string(), key: z.string() })),
  cells: z.record(z.string(), z.string()),
});

const delaySchema = z.object({ failsFrom: z.number(), passesAt: z.number() });

const explanationSchema = z.object({
  sentence: z.string(),
  boots: z.number(),
  file: z.string(),
  needed: z.array(z.object({ condition: z.string() })),
  irrelevant: z.array(z.object({ condition: z.string() })),
  forCaller: z
    .object({ conditions: z.array(z.object({ condition: z.string() })), delays: z.array(delaySchema) })
    .nullable(),
});

const inFolder = (words: readonly string[]) => bootrace(words, { cwd: folder.path });

async function explain(cell: string) {
  const { stdout, stderr, exitCode } = await inFolder(['bisect', 'order', cell, '--json']);
  expect(exitCode, stderr).toBe(0);
  return explanationSchema.parse(JSON.parse(stdout));
}

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  const { stdout, stderr, exitCode } = await inFolder(['explore', '--kernel', 'unfixed', '--budget', '64', '--json']);
  expect(exitCode, stderr).toBe(1);
  const found = explorationSchema.parse(JSON.parse(stdout));
  expect(found.boots).toBeLessThanOrEqual(64);
  expect(found.outcomes).toContainEqual(expect.objectContaining({ signature: CRASH, stage: 'pairs' }));
  crash = found.cells[CRASH] ?? '';
});

afterAll(() => folder.cleanup());

test('the crash that explore finds from the device names is a cell that crashes again', async () => {
  const { exitCode, stderr } = await inFolder(['cell', crash, '--repeat', '2']);
  expect(stderr).toContain('null-deref (as expected)');
  expect(stderr).toContain('2 boots: the same console, byte for byte, in all of them');
  expect(exitCode).toBe(0);
});

describe('bisect order', () => {
  test.each([
    ['what explore found', () => crash],
    ['T8', () => 'T8'],
  ])('of %s ends with both flags and a delay, and not with the node', async (_, name) => {
    const found = await explain(name());
    expect(found.sentence).toMatch(
      /^arm-smmu crashes when it probes 5f000000\.iommu before qcom_scm has finished probing firmware:scm; needs: async qcom_scm, delay of at least [\d,]+ ms in the probe of firmware:scm; to crash asynchronously and not in an initcall also: async arm-smmu/,
    );
    expect(found.needed.map(({ condition }) => condition)).toEqual(['async', 'gate']);
    expect(found.forCaller?.conditions.map(({ condition }) => condition)).toEqual(['async']);
    expect(found.boots).toBeLessThanOrEqual(64);
    const [delay] = found.forCaller?.delays ?? [];
    const minimal = parseCellFile(await readFile(join(folder.path, found.file), 'utf8'), found.file);
    expect(minimal).toMatchObject({
      tree: [],
      bootargs: [BOTH_ASYNC],
      gates: [{ gate: 'delay', ms: delay?.failsFrom }],
    });
    expect(delay).toMatchObject({ passesAt: minimal.gates[0]?.gate === 'delay' ? minimal.gates[0].ms - 1 : null });
  });

  test('of T8 says that the position of the node does not matter', async () => {
    const { irrelevant, sentence } = await explain('T8');
    expect(irrelevant).toEqual([expect.objectContaining({ condition: 'tree' })]);
    expect(sentence).toContain("the node's position does not matter");
  });
});

test("on Debian's own kernel a forced answer is enough, without a compiler", { timeout: 900_000 }, async () => {
  const force = ['--force', 'qcom_scm_is_available=1', '--stop-at-first-crash'];
  const words = ['explore', '--kernel', 'debian-stock:6.1', ...force, '--json'];
  const { stdout, stderr, exitCode } = await inFolder(words);
  expect(exitCode, stderr).toBe(1);
  const found = explorationSchema.parse(JSON.parse(stdout));
  expect(found.outcomes).toContainEqual(expect.objectContaining({ signature: CRASH }));
  const { needed, sentence } = await explain(found.cells[CRASH] ?? '');
  expect(needed.map(({ condition }) => condition)).toEqual(['async', 'gate', 'gate']);
  expect(sentence).toContain('needs: async qcom_scm, qcom_scm_is_available() returning 1, delay of at least ');
  expect(sentence).toContain('; to crash asynchronously and not in an initcall also: async arm-smmu');
});

test('a device that stays deferred is found, kept as a cell and explained, without a crash in the sentence', async () => {
  const force = ['--force', 'qcom_scm_is_available=0'];
  const { stdout, stderr, exitCode } = await inFolder(['explore', '--kernel', '6.1', ...force, '--json']);
  expect(exitCode, stderr).toBe(1);
  const found = explorationSchema.parse(JSON.parse(stdout));
  const { sentence } = await explain(found.cells['stuck-deferred 5f000000.iommu'] ?? '');
  expect(sentence).toMatch(
    /^5f000000\.iommu ends as stuck-deferred \(still deferred(?:: [^;]*)?\); needs: qcom_scm_is_available\(\) returning 0/,
  );
});

test('every order of three of ten devices is seen, or there is a reason why it cannot be, whatever the seed', async () => {
  const devices = [
    ...['smem', '5e040000.hwlock', 'firmware:scm', '5f000000.iommu', '5f400000.usb', '5e080000.rsc', '5d100000.cmd-db'],
    ...['5e060000.mailbox', '5e100000.dma-controller', '5e140000.clock-controller'],
  ];
  const schema = z.object({
    total: z.number(),
    covered: z.number(),
    missing: z.array(z.unknown()),
    impossible: z.array(z.object({ order: z.array(z.string()), reason: z.string() })),
    lowerBound: z.number(),
    naive: z.number(),
  });
  const found = new Set<string>();
  for (const seed of ['1', '6']) {
    const { stdout, stderr } = await inFolder([
      ...['explore', '--kernel', '6.1-full', '--board', 'full', '--strength', '3', '--seed', seed],
      ...['--devices', devices.join(','), '--json'],
    ]);
    const { coverage } = z.object({ coverage: schema }, { error: stderr }).parse(JSON.parse(stdout));
    expect(coverage.missing).toEqual([]);
    expect(coverage.total).toBe(10 * 9 * 8);
    expect(coverage.covered + coverage.impossible.length).toBe(coverage.total);
    expect(coverage).toMatchObject({ lowerBound: 6, naive: 3_628_800 });
    // smem waits for its lock; the DMA controller for its clocks, and for its SMMU, whose driver waits for the scm.
    for (const { order, reason } of coverage.impossible)
      expect(reason, order.join(' < ')).toMatch(
        /^(?:the driver core does not probe (?:smem before its supplier 5e040000\.hwlock|5e100000\.dma-controller before its supplier 5e140000\.clock-controller) is bound|5e100000\.dma-controller was not probed while 5f000000\.iommu was not bound(?:, which waits for firmware:scm)?)$/,
      );
    found.add(JSON.stringify(coverage.impossible.map(({ order }) => order.join(' < ')).sort()));
  }
  expect(found.size).toBe(1);
});

test('a device that is not there, and one without a driver, are refused before the first boot', async () => {
  const refuse = async (...words: string[]) => {
    const { exitCode, stdout, stderr } = await inFolder(['explore', '--kernel', '6.1', ...words]);
    expect([exitCode, stdout]).toEqual([2, '']);
    return stderr;
  };
  expect(await refuse('--devices', 'firmware:smc,5f000000.iommu')).toContain('did you mean firmware:scm?');
  expect(await refuse('--devices', 'firmware:scm,5f400000.usb')).toContain('the full board has it');
  expect(await refuse('--board', 'full', '--devices', 'firmware:scm,5f400000.usb')).toContain(
    'kernel 6.1 has no driver for 5f400000.usb (compatible qcom,sdm845-dwc3, qcom,dwc3)',
  );
  expect(await refuse('--devices', 'firmware:scm,5f000000.iommu', '--disable', '/soc/iommu@5f000000')).toContain(
    '5f000000.iommu is asked about, and --disable takes it away',
  );
  expect(await refuse('--force', 'qcom_scm_is_availble=1')).toContain('did you mean qcom_scm_is_available?');
});

test.each([
  [
    "{ gate: hold, device: 5f000000.iommu, until: 'firmware:scn', phase: entered }",
    'a gate names firmware:scn, which the small board does not have, did you mean firmware:scm?',
  ],
  ['{ gate: delay, at: { entry: of_iommu_configur }, ms: 1 }', 'did you mean of_iommu_configure?'],
  ["{ gate: delay, at: { entry: 'qcom_scn:qcom_scm_probe' }, ms: 1 }", 'did you mean qcom_scm?'],
  [
    "{ gate: delay, at: { entry: 'qcom_scm:qcom_scm_prob' }, ms: 1 }",
    'module qcom_scm has no function qcom_scm_prob\n  it may have been inlined, did you mean qcom_scm_probe?',
  ],
])('what a gate names and nothing has is wrong input: %s', async (gate, message) => {
  const file = join(folder.path, 'typo.yaml');
  const rest = 'plan: [{ step: load, module: qcom_scm }]\nexpect: { verdict: bound }';
  await writeFile(file, `id: typo\nkernel: 6.1\nlinkage: modules\ngates: [${gate}]\n${rest}\n`);
  for (const words of [
    ['cell', file],
    ['cell', file, '--repeat', '2'],
    ['bisect', 'order', file],
    ['why', file],
  ]) {
    const before = await readdir(join(folder.path, 'results'));
    const { exitCode, stdout, stderr } = await inFolder(words);
    expect([exitCode, stdout], words.join(' ')).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(await readdir(join(folder.path, 'results'))).toEqual(before);
  }
});

test('no wait is stated that a boot refutes, and a device that nobody asked about is told once and taken out', async () => {
  const schema = z.object({
    outcomes: z.array(z.object({ signature: z.string().nullable(), verdict: z.string(), times: z.number() })),
    strangers: z.array(z.object({ device: z.string(), disabled: z.string().nullable() })),
    waits: z.array(z.object({ device: z.string(), suppliers: z.array(z.string()), guesses: z.array(z.string()) })),
    pairs: z.object({ covered: z.number(), missing: z.array(z.unknown()) }),
  });
  const explore = async (devices: string, append: string) => {
    const words = ['explore', '--kernel', '6.1-full', '--board', 'full', '--devices', devices, '--append', append];
    const { stdout, stderr } = await inFolder([...words, '--json']);
    return schema.parse(JSON.parse(stdout), { error: () => stderr });
  };
  // extcon-usb waits for its pin controller alone, and binds long before an SMMU whose probe is delayed.
  const { waits } = await explore('5f000000.iommu,extcon-usb,5f400000.usb', 'fw_devlink=permissive');
  expect(waits).toContainEqual({ device: 'extcon-usb', suppliers: [], guesses: [] });
  expect(waits).toContainEqual({ device: '5f400000.usb', suppliers: ['extcon-usb'], guesses: [] });

  // dwc3-qcom, of which nothing was asked, crashes whenever the SMMU is late.
  const { outcomes, strangers, pairs } = await explore('firmware:scm,remoteproc-adsp,5d200000.rmtfs', 'fw_devlink=off');
  expect(strangers).toEqual([{ device: '5f400000.usb', disabled: '/soc/usb@5f400000' }]);
  expect(outcomes.filter(({ signature }) => signature !== null)).toMatchObject([{ times: 1 }]);
  expect(outcomes.map(({ verdict }) => verdict)).not.toContain('infra-error');
  expect(pairs).toMatchObject({ covered: 6, missing: [] });
});

test('why names the one clock controller that a dozen devices wait for, the module to load, and the least time-out', async () => {
  const why = async (name: string, cell: string, ...words: string[]) => {
    const file = join(folder.path, `${name}.yaml`);
    await writeFile(file, `id: ${name}\n${cell}`);
    const { stdout, stderr } = await inFolder(['why', file, ...words]);
    expect(stderr).not.toContain('bootrace:');
    return stdout;
  };
  const full = 'kernel: 6.1-full\nboard: full\n';
  const clock = await why(
    'clock',
    `${full}bootargs: ['initcall_blacklist=clk_rpmh_init']\nplan: [{ step: settle, ms: 2000 }]\nwatch: [5e072000.phy]\nexpect: { verdict: stuck-deferred }\n`,
  );
  expect(clock).toMatch(/devices wait, for 1 reason:\n\n5e080000\.rsc:clock-controller: no driver has probed it/);
  expect(clock).toContain('waiting: 5e072000.phy, 5e130000.geniqup, remoteproc-adsp');
  const module = await why(
    'module',
    'kernel: 6.1\nlinkage: modules\nplan: [{ step: settle, ms: 100 }]\nexpect: { verdict: probe-failed }\n',
  );
  expect(module).toContain('firmware:scm: its driver is a module that is not loaded: load qcom_scm');
  expect(module).toContain('qcom_scm: then bound: firmware:scm');
  // The drivers of the board say no more than that a supply is missing, which a part of the PMIC has.
  const supply = await why(
    'supply',
    `kernel: debian-stock:6.12\nboard: rk3399-rockpro64.dtb\nplan:\n${[
      'gpio_rockchip',
      'i2c_rk3x',
      'fixed',
      'dw_mmc_rockchip',
    ]
      .map((name) => `  - { step: load, module: ${name} }\n`)
      .join('')}  - { step: settle, ms: 500 }\nwatch: [fe320000.mmc]\nexpect: { verdict: stuck-deferred }\n`,
  );
  expect(supply).toMatch(/rk808-regulator\.\d\.auto: its driver is a module that is not loaded: load rk808_regulator/);
  expect(supply).toMatch(/as the device tree links them: [^\n]*fe320000\.mmc \(vqmmc-supply\)/);
  expect(supply).toMatch(/rk808_regulator: then bound: [^\n]*fe320000\.mmc/);
  // The SMMU comes 15 s late, 14.7 s after the timer was started.
  const late = await why(
    'late',
    `${full}bootargs: ['driver_async_probe=arm-smmu']\ngates: [{ gate: delay, device: 5f000000.iommu, ms: 15000 }]\nplan: [{ step: settle, ms: 2000 }]\nwatch: [5e000000.sram]\nexpect: { verdict: deferred-then-bound }\n`,
    '--timeout',
  );
  const [, seconds, ms] =
    /Least deferred_probe_timeout: (\d+) \(([\d,]+) ms .*late is 5f000000\.iommu/.exec(late) ?? [];
  expect(seconds).toBe('15');
  expect(Math.abs(Number(ms?.replace(',', '')) - 14_750)).toBeLessThanOrEqual(100);
});

test('a driver that must not probe asynchronously is named with the device that it breaks', async () => {
  const schema = z.object({
    safe: z.array(z.string()),
    breaks: z.array(z.object({ driver: z.string(), other: z.string().nullable(), what: z.string() })),
    together: z.object({ drivers: z.number(), boots: z.number(), same: z.number() }),
    files: z.array(z.string()),
  });
  const { exitCode, stdout, stderr } = await inFolder([
    'explore',
    '--kernel',
    '6.1-unfixed',
    '--async',
    'all',
    '--json',
  ]);
  expect(exitCode, stderr).toBe(1);
  const found = schema.parse(JSON.parse(stdout));
  expect(found.breaks).toMatchObject([{ driver: 'qcom_scm', other: '5f000000.iommu' }]);
  expect(found.safe).toContain('arm-smmu');
  expect(found.together).toEqual({ drivers: 3, boots: 5, same: 5 });
  const replayed = await inFolder(['cell', found.files[0] ?? '']);
  expect(replayed.stderr).toContain('null-deref');
});

test('two modules are loaded at once, with a reader of sysfs beside them, in one order', async () => {
  const file = join(folder.path, 'beside.yaml');
  await writeFile(
    file,
    `id: beside
kernel: 6.12
linkage: modules
plan:
  - { step: override, device: 5f000000.iommu, driver: nothing }
  - { step: beside, steps: 1 }
  - { step: read, path: /sys/bus/platform/devices/5f000000.iommu/uevent, ms: 100 }
  - { step: beside, steps: 2, tasks: 2 }
  - { step: load, module: qcom_scm }
  - { step: load, module: arm_smmu }
  - { step: join, ms: 5000 }
  - { step: override, device: 5f000000.iommu, driver: '' }
  - { step: probe, device: 5f000000.iommu }
  - { step: names }
expect: { verdict: bound }
`,
  );
  const { exitCode, stdout, stderr } = await inFolder(['cell', file]);
  expect(stderr).toContain('bound (as expected)');
  expect(exitCode).toBe(0);
  const said = stdout.split('\n').flatMap((line) => /bootrace: (.*)/.exec(line)?.[1]?.trim() ?? []);
  expect(said).toContain('join done 0');
  expect(said).toContain('name tty ttyAMA0 9000000.serial:0.0');
  // Kept for a driver that does not exist, the SMMU is probed only when that is taken back.
  expect(said.indexOf('load arm_smmu ok')).toBeLessThan(said.indexOf('probe 5f000000.iommu ok'));
  const probing = stdout.indexOf('probing driver arm-smmu with device');
  expect(probing).toBeGreaterThan(stdout.indexOf('bootrace: join done'));
  const repeated = await inFolder(['cell', file, '--repeat', '5']);
  expect(repeated.stderr).toContain('5 boots: the same console, byte for byte, in all of them');
});

test('an I2C adapter is among the names also where the kernel has no class of them', async () => {
  const file = join(folder.path, 'adapter.yaml');
  const board = fileURLToPath(new URL('../fixtures/buses', import.meta.url));
  const plan = '[{ step: load, module: i2c_gpio }, { step: settle, ms: 500 }, { step: names }]';
  await writeFile(
    file,
    `id: adapter\nkernel: debian-stock:6.12\nboard: ${board}\nplan: ${plan}\nexpect: { verdict: bound }\n`,
  );
  const { stdout } = await inFolder(['cell', file]);
  expect(stdout).toMatch(/bootrace: name i2c-adapter i2c-\d+ \S*i2c/);
});

test('a cell with two gates gives one console in 100 boots', async () => {
  const gates = `
  - { gate: hold, device: 5f000000.iommu, until: 'firmware:scm', phase: finished }
  - { gate: delay, device: 'firmware:scm', ms: 3000 }`;
  const file = join(folder.path, 'two-gates.yaml');
  await writeFile(
    file,
    `id: two-gates\nkernel: 6.1\nbootargs: ['${BOTH_ASYNC}']\ngates:${gates}\nplan: [{ step: settle, ms: 500 }]\nexpect: { verdict: bound }\n`,
  );
  const { exitCode, stderr } = await inFolder(['cell', file, '--repeat', '100']);
  expect(stderr).toContain('100 boots: the same console, byte for byte, in all of them');
  expect(exitCode).toBe(0);
});
