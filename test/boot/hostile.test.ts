import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootrace } from './cli.ts';

/** Guests that mean harm, or that nobody has thought of. */

const GUESTS = fileURLToPath(new URL('guests/', import.meta.url));
const MIB = 1024 * 1024;
let folder: Awaited<ReturnType<typeof dir>>;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
});

afterAll(() => folder.cleanup());

/** The Image of the guest in `guests/SOURCE.S`, and its name. */
async function compile(source: string, defines: Readonly<Record<string, string | number>>) {
  const name = [source, ...Object.values(defines).filter((value) => typeof value === 'number')].join('-');
  const path = (ending: string) => join(folder.path, name + ending);
  const words = Object.entries(defines).map(([key, value]) => `-D${key}=${value}`);
  await execa('aarch64-linux-gnu-gcc', ['-c', ...words, '-o', path('.o'), join(GUESTS, `${source}.S`)]);
  await execa('aarch64-linux-gnu-objcopy', ['-O', 'binary', path('.o'), path('.img')]);
  return { name, image: path('.img') };
}

/** A cell file that boots it. */
async function guest(source: string, defines: Readonly<Record<string, string | number>>, expected: string) {
  const { name, image } = await compile(source, defines);
  const file = join(folder.path, `${name}.yaml`);
  const plan = 'plan: [{ step: settle, ms: 500 }]';
  await writeFile(file, `id: ${name}\nkernel: 'image:${image}'\n${plan}\nexpect: { verdict: ${expected} }\n`);
  return file;
}

const OOPS = [
  '[    0.000000] Linux version 6.1.0 x',
  '[    1.100000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000',
  '[    1.100000] Internal error: Oops: 0000000096000004 [#1] SMP',
  '[    1.100000] CPU: 0 PID: 1 Comm: swapper Not tainted 6.1.0',
  '[    1.200000] Kernel panic - not syncing: Oops',
];

test('what a guest says last is heard, however soon it ends', async () => {
  const text = JSON.stringify(`${OOPS.join('\\n')}\\n`).replaceAll('\\\\', '\\');
  const cell = await guest('says-and-ends', { TEXT: text }, 'null-deref');
  const { exitCode, stderr } = await bootrace(['cell', cell, '--repeat', '4'], { cwd: folder.path });
  expect(stderr).toContain('4 boots: the same console, byte for byte, in all of them');
  expect(exitCode, stderr).toBe(0);
});

test('what a guest says drives neither the terminal nor the CI that shows it', async () => {
  const words = '\\033]52;c;ZXZpbA==\\007\\033[2J\\342\\200\\256x ##[error]y';
  const lines = [...OOPS, `::error::${words}`].map((line) => line.replace('swapper', `##[error]s${words}`));
  const cell = await guest('says-and-ends', { TEXT: `"${lines.join('\\n')}\\n"` }, 'null-deref');
  for (const option of [[], ['--json']]) {
    const { stdout, stderr } = await bootrace(['cell', cell, ...option], { cwd: folder.path });
    expect(stdout).toContain('NULL pointer dereference');
    for (const said of [stdout, stderr]) {
      expect(said.replaceAll(/[\t\n]|\r\n/g, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(said).not.toMatch(/##\[|^\s*::/m);
    }
  }
});

test.each([
  [0, 'infra-error', "has written to the firmware's log", 3],
  [1, 'hang', 'never started its plan', 0],
])('a guest that writes without end to virtio device %d fills no disk', async (TRANSPORT, verdict, why, code) => {
  const cell = await guest('floods-device', { TRANSPORT }, 'hang');
  const { exitCode, stderr } = await bootrace(['cell', cell, '--json'], { cwd: folder.path });
  const results = join(folder.path, 'results');
  const [run = ''] = (await readdir(results)).sort().reverse();
  const record = JSON.parse(await readFile(join(results, run, 'run.json'), 'utf8')).cells[0];
  expect([record.verdict, record.reason]).toEqual([verdict, expect.stringContaining(why)]);
  expect(exitCode, stderr).toBe(code);
  for (const [name, most] of [
    ['console.log', 64 * MIB],
    ['firmware.log', MIB],
  ] as const)
    expect((await stat(join(results, run, record.folder, name))).size, name).toBeLessThanOrEqual(most);
});

test('guests that never end are ended, each with a verdict, and none fills a disk', async () => {
  const images: string[] = [];
  for (const WAY of [1, 2, 3, 4, 5]) images.push(`'image:${(await compile('never-ends', { WAY })).image}'`);
  const matrix = join(folder.path, 'never-ends.yaml');
  await writeFile(
    matrix,
    `axes: { kernel: [${images.join(', ')}], linkage: [builtin] }\nexpect: [{ match: {}, verdict: hang }]\n`,
  );
  const results = join(folder.path, 'never-ends');
  const { exitCode, stderr } = await bootrace(['matrix', '--matrix', matrix, '--no-cache', '--results', results]);
  const run = JSON.parse(await readFile(join(results, 'latest', 'run.json'), 'utf8'));
  expect(run.cells.map(({ verdict }: { verdict: string }) => verdict)).toEqual(Array(5).fill('hang'));
  expect(exitCode, stderr).toBe(0);
  for (const cell of run.cells) {
    const { size } = await stat(join(results, 'latest', cell.folder, 'console.log'));
    expect(size, cell.id).toBeLessThanOrEqual(64 * MIB);
  }
});

test('what a log says drives neither the terminal nor the CI that shows what became of it', async () => {
  const file = join(folder.path, 'hostile.log');
  const words = '\u001b]52;c;ZXZpbA==\u0007\u001b[2J\u009b31m\u202e::error::y ##[error]z';
  const lines = [...OOPS, `pc : f${words}+0x1/0x2`, `Call trace:`, ` g${words}+0x1/0x2`, `::error::${words}`];
  await writeFile(file, lines.map((line) => line.replaceAll(/swapper|panic/g, (word) => `${word}${words}`)).join('\n'));
  for (const [verb, ...option] of [['classify'], ['classify', '--json'], ['why']]) {
    const { stdout, stderr } = await bootrace([verb ?? '', file, ...option], { cwd: folder.path });
    expect(stdout + stderr).not.toBe('');
    for (const said of [stdout, stderr]) {
      expect(said.replaceAll(/[\t\n]|\r\n/g, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(said).not.toMatch(/##\[|^\s*::/m);
    }
  }
});
