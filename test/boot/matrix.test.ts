import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunRecord, runRecordSchema } from '../../harness/run/record.ts';
import { guestsIn } from '../processes.ts';
import { bootrace } from './cli.ts';

const SCHEMA = join(import.meta.dirname, '../../docs/run.schema.json');

let folder: Awaited<ReturnType<typeof dir>>;
let results: string;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  results = join(folder.path, 'results');
});

afterAll(() => folder.cleanup());

async function latest(): Promise<RunRecord> {
  return runRecordSchema.parse(JSON.parse(await readFile(join(results, 'latest', 'run.json'), 'utf8')));
}

function cellOfRow(run: RunRecord, row: string) {
  const cell = run.cells.find((one) => one.row === row);
  if (cell === undefined) throw new Error(`row ${row} is not in the run`);
  return cell;
}

describe('the rows of the thread on 6.1, each booted twice', () => {
  let run: RunRecord;

  beforeAll(async () => {
    const words = [
      'matrix',
      '--only',
      'kernel=6.1,6.1-unfixed',
      '--only',
      'row=T*',
      '--repeat',
      '2',
      '--results',
      results,
    ];
    const { exitCode, stdout, stderr } = await bootrace(words);
    expect(`${stderr}${stdout}`).toContain('all as expected');
    expect(exitCode).toBe(0);
    run = await latest();
  });

  test('run.json is valid by docs/run.schema.json', async () => {
    const schema: unknown = JSON.parse(await readFile(SCHEMA, 'utf8'));
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    formats.default(ajv);
    const validate = ajv.compile(z.record(z.string(), z.unknown()).parse(schema));
    const written: unknown = JSON.parse(await readFile(join(results, 'latest', 'run.json'), 'utf8'));
    expect(validate(written), JSON.stringify(validate.errors)).toBe(true);
    const { cells } = run;
    expect(validate({ ...run, cells: cells.map((cell) => ({ ...cell, verdict: 'fine' })) })).toBe(false);
  });

  test.each(['T5', 'T8', 'T11'])('%s dereferences NULL where the thread says', (row) => {
    const { verdict, crash } = cellOfRow(run, row);
    expect(verdict).toBe('null-deref');
    expect(crash).toMatchObject({
      function: 'qcom_scm_qsmmu500_wait_safe_toggle',
      address: '0x0',
      driver: 'arm-smmu',
      device: '5f000000.iommu',
      title: 'unable to handle kernel NULL pointer dereference in qcom_scm_qsmmu500_wait_safe_toggle',
    });
    expect(crash?.trace).toContain('arm_smmu_device_probe');
  });

  test.each(['T1', 'T2', 'T3', 'T6', 'T7'])('%s binds', (row) => {
    expect(cellOfRow(run, row)).toMatchObject({ verdict: 'bound', crash: null });
  });

  test('T4 is unbuildable for the reason that Kconfig gives', () => {
    expect(cellOfRow(run, 'T4')).toMatchObject({ verdict: 'unbuildable', folder: null });
    expect(cellOfRow(run, 'T4').reason).toContain('selected by ARM_SMMU_QCOM');
  });

  test('T10 is deferred, then bound', () => {
    const { verdict, order } = cellOfRow(run, 'T10');
    expect(verdict).toBe('deferred-then-bound');
    const at = (event: string) =>
      order.findIndex((one) => typeof one === 'object' && 'device' in one && `${one.event} ${one.device}` === event);
    expect(at('deferred 5f000000.iommu')).toBeGreaterThan(-1);
    expect(at('deferred 5f000000.iommu')).toBeLessThan(at('bound firmware:scm'));
    expect(at('bound firmware:scm')).toBeLessThan(at('bound 5f000000.iommu'));
  });

  test('two boots of a cell agree, ungated ones in every byte', () => {
    expect(run.flakes).toEqual([]);
    expect(run.repeat).toBe(2);
  });

  test('a cell leaves its files, and its command.sh boots the same guest', async () => {
    const cell = cellOfRow(run, 'T8');
    const path = join(results, 'latest', cell.folder ?? '');
    expect((await readdir(path)).sort()).toEqual(
      expect.arrayContaining(['cell.json', 'command.sh', 'console.log', 'events.jsonl', 'variant.dtb', 'variant.dts']),
    );
    const { stdout } = await execa('sh', [join(path, 'command.sh')], { stdin: 'ignore', stripFinalNewline: false });
    // By hand a guest goes on behind the event that ends a boot.
    const console = await readFile(join(path, 'console.log'), 'utf8');
    expect(stdout.slice(0, console.length)).toBe(console);
  });

  test('the table has a line a row, and what crashed', async () => {
    const { stdout, exitCode } = await bootrace(['report', join(results, 'latest')]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/T8 +✓ null-deref/);
    expect(stdout).toContain('in qcom_scm_qsmmu500_wait_safe_toggle at 0x0');
  });
});

test('a known-bad cell that does not crash fails the run, with its replay command', async () => {
  const file = join(folder.path, 'wrong.yaml');
  await writeFile(
    file,
    `axes: { kernel: [6.1], linkage: [builtin] }
expect: [{ match: { kernel: 6.1 }, verdict: null-deref, reason: planted }]
`,
  );
  const { exitCode, stdout } = await bootrace(['matrix', '--matrix', file, '--results', results]);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/expected +null-deref/);
  expect(stdout).toContain('cell 6.1.builtin');
});

test('a cell of a kernel that is no Image has no verdict: exit code 3 for what the machine cannot do, 2 for what the user gave', async () => {
  const image = join(folder.path, 'Image');
  await writeFile(image, 'MZ not a kernel');
  const file = join(folder.path, 'broken.yaml');
  await writeFile(file, `id: broken\nkernel: 'image:${image}'\nexpect: { verdict: bound }\n`);
  const { exitCode, stderr } = await bootrace(['cell', file, '--results', results]);
  expect(stderr).toContain(image);
  expect(exitCode).toBe(2);
});

/** Starts a matrix that boots, and waits until it does. */
async function whileBooting() {
  const cells = ['--only', 'kernel=6.1-unfixed', '--only', 'linkage=builtin', '--no-cache'];
  const child = bootrace(['matrix', ...cells, '--results', results]);
  await until(async () => (await guestsIn(results)).length > 0);
  // Not the child itself: it is a promise, and would be awaited.
  return { child };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const TRIES = 600;
  for (let n = 0; n < TRIES; n++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('waited in vain');
}

test('Ctrl-C leaves no guest and no half-written run', async () => {
  const before = (await readdir(results)).sort();
  const { child } = await whileBooting();
  child.kill('SIGINT');
  const { exitCode } = await child;
  expect(exitCode).toBe(130);
  expect(await guestsIn(results)).toEqual([]);
  expect((await readdir(results)).sort()).toEqual(before);
});

test('a harness that is killed takes its guests with it, and the next run removes what it left', async () => {
  const { child } = await whileBooting();
  child.kill('SIGKILL');
  await child;
  await until(async () => (await guestsIn(results)).length === 0);
  await bootrace(['cell', '6.1.builtin', '--results', results]);
  expect((await readdir(results)).filter((name) => name.includes('unfinished'))).toEqual([]);
});
