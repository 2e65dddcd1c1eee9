import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootrace } from './cli.ts';
import { guestCell } from './guest-cell.ts';

/** Guests that mean harm, or that nobody has thought of. */

const MIB = 1024 * 1024;
let folder: Awaited<ReturnType<typeof dir>>;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
});

afterAll(() => folder.cleanup());

const OOPS = [
  '[    0.000000] Linux version 6.1.0 x',
  '[    1.100000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000',
  '[    1.100000] Internal error: Oops: 0000000096000004 [#1] SMP',
  '[    1.100000] CPU: 0 PID: 1 Comm: swapper Not tainted 6.1.0',
  '[    1.200000] Kernel panic - not syncing: Oops',
];

test('what a guest says last is heard, however soon it ends', async () => {
  const text = JSON.stringify(`${OOPS.join('\\n')}\\n`).replaceAll('\\\\', '\\');
  const cell = await guestCell(folder.path, 'says-and-ends', { TEXT: text }, 'null-deref');
  const { exitCode, stderr } = await bootrace(['cell', cell, '--repeat', '4'], { cwd: folder.path });
  expect(stderr).toContain('4 boots: the same console, byte for byte, in all of them');
  expect(exitCode, stderr).toBe(0);
});

test('what a guest says drives neither the terminal nor the CI that shows it', async () => {
  const words = '\\033]52;c;ZXZpbA==\\007\\033[2J\\342\\200\\256x ##[error]y';
  const lines = [...OOPS, `::error::${words}`].map((line) => line.replace('swapper', `##[error]s${words}`));
  const cell = await guestCell(folder.path, 'says-and-ends', { TEXT: `"${lines.join('\\n')}\\n"` }, 'null-deref');
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
  const cell = await guestCell(folder.path, 'floods-device', { TRANSPORT }, 'hang');
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

test.each(['WAITS', 'RESETS'])('a guest that never ends, as it %s, is ended and has a verdict', async (way) => {
  const cell = await guestCell(folder.path, 'never-ends', { [way]: 1 }, 'hang');
  const { exitCode, stderr } = await bootrace(['cell', cell], { cwd: folder.path });
  expect(stderr).toContain('hang (as expected)');
  expect(exitCode, stderr).toBe(0);
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
