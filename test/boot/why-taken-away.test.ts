import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootrace } from './cli.ts';

/**
 * `bootrace why LOG` where the truth is known: a real board boots without one supplier, and its console alone, without
 * the lines of the guest's own init, has to name that.
 */

const PINS = { path: '/soc/pinmux@f7010800', device: 'f7010800.pinmux' };
/** What needs these pins, by the board's tree and by the log. */
const NEEDS = ['f7111000.serial', 'f7112000.serial'];
let folder: Awaited<ReturnType<typeof dir>>;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
});

afterAll(() => folder.cleanup());

/** The console of a HiKey that is booted so. */
async function consoleOf(id: string, ...how: string[]): Promise<string> {
  const cell = ['kernel: debian-stock:6.12', 'board: hi6220-hikey.dtb', 'plan: [{ step: settle, ms: 15000 }]'];
  const file = join(folder.path, `${id}.yaml`);
  writeFileSync(file, `${[`id: ${id}`, ...cell, ...how].join('\n')}\nexpect: { verdict: bound }\n`);
  const results = join(folder.path, id);
  await bootrace(['cell', file, '--results', results]);
  const [run = ''] = readdirSync(results).filter((name) => name !== 'latest');
  const text = readFileSync(join(results, run, 'cells', id, 'console.log'), 'utf8');
  const log = join(folder.path, `${id}.log`);
  const lines = text.split('\n').filter((line) => !line.includes('bootrace: '));
  writeFileSync(log, lines.join('\n'));
  return log;
}

interface Told {
  readonly roots: readonly { readonly name: string; readonly waiting: readonly { readonly device: string }[] }[];
}

async function rootsOf(log: string): Promise<Told['roots']> {
  const { stdout } = await bootrace(['why', log, '--json']);
  const told: Told = JSON.parse(stdout);
  return told.roots;
}

test.each([
  ['no-device', `tree: [{ edit: unset, node: ${PINS.path}, property: compatible }]`, { cause: 'never-probed' }],
  [
    'failed',
    `gates: [{ gate: force, at: { entry: platform_probe, of: ${PINS.device} }, value: -22 }]`,
    { cause: 'failed', error: 22 },
  ],
])('what is missing is the root of who needs it: %s', async (id, how, cause) => {
  const [root, ...others] = (await rootsOf(await consoleOf(id, how))).filter(({ waiting }) => waiting.length > 0);
  expect(root).toMatchObject({ name: PINS.device, cause });
  expect(root?.waiting.map(({ device }) => device)).toEqual(expect.arrayContaining(NEEDS));
  expect(others).toEqual([]);
});

test('nobody waits where nothing is missing', async () => {
  expect((await rootsOf(await consoleOf('whole'))).filter(({ waiting }) => waiting.length > 0)).toEqual([]);
});
