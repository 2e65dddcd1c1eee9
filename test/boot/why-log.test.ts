import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootrace } from './cli.ts';

/** `bootrace why LOG` with a device tree and the drivers of a kernel, as a user runs it. Nothing is booted. */

const STOCK = 'debian-stock:6.12';
let folder: Awaited<ReturnType<typeof dir>>;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
});

afterAll(() => folder.cleanup());

function log(name: string, ...lines: string[]): string {
  const path = join(folder.path, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const HEAD = '[    0.000000] Linux version 6.9.0 (me@here) #1 SMP PREEMPT';
/** The video decoder of the SoC and its GPU share one interconnect provider for the memory. */
const OPEN = [
  '[    3.100000] qcom-venus aa00000.video-codec: error -EPROBE_DEFER: failed to get interconnect path',
  '[    9.000000] platform ae00000.display-subsystem: deferred probe pending: msm-mdss: no icc path yet',
];
const model = (name: string) => `[    0.000000] Machine model: ${name}`;

test('the tree of the machine in the kernel of a package names the suppliers and their drivers', async () => {
  const file = log('db845c.log', HEAD, model('Thundercomm Dragonboard 845c'), ...OPEN);
  const { stdout, stderr, exitCode } = await bootrace(['why', file, '--kernel', STOCK]);
  expect(stderr).not.toContain('bootrace:');
  expect(exitCode).toBe(1);
  expect(stdout).toContain('Looked up beside the log: the device tree sdm845-db845c.dtb');
  expect(stdout).toMatch(/interconnect \(qcom,sdm845-\w+-noc\).*`interconnects/);
  expect(stdout).toMatch(/debian-stock:6\.12 has its driver (?:built in|as a module, qnoc_sdm845)/);
  const named = await bootrace(['why', file, '--tree', 'sdm845-db845c.dtb', '--kernel', STOCK, '--json']);
  expect(JSON.parse(named.stdout).beside).toMatchObject({ tree: 'sdm845-db845c.dtb', devices: 2, inTree: 2 });
  const without = await bootrace(['why', file]);
  expect(without.stdout).toMatch(/\nmore: `--kernel .*"Thundercomm Dragonboard 845c"/);
});

const ESCAPES = '\u001b]52;c;ZXZpbA==\u0007\u001b[2J\u202e::error::y';

test.each([
  ['no machine', [HEAD, ...OPEN], STOCK, 'the log does not say which machine it is of'],
  ['a kernel without trees', [HEAD, model('Acme'), ...OPEN], '6.1', 'the kernel 6.1 comes without device trees'],
  ['no such kernel', [HEAD, model('Acme'), ...OPEN], 'no-such-recipe', 'no-such-recipe'],
  ['a hostile model', [HEAD, model(`${ESCAPES}${'x'.repeat(1 << 20)}`), ...OPEN], STOCK, 'none of the '],
  [
    'a near model',
    [HEAD, model('Thundercomm Dragonboard 845'), ...OPEN],
    STOCK,
    'the nearest: sdm845-db845c.dtb ("Thundercomm Dragonboard 845c")',
  ],
])('%s is refused in a sentence', async (_, lines, kernel, words) => {
  const { stdout, stderr, exitCode } = await bootrace(['why', log('refused.log', ...lines), '--kernel', kernel]);
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain(words);
  expect(stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(stderr.length).toBeLessThan(2000);
  expect(stdout).toBe('');
  expect(exitCode).toBe(2);
});

test('the tree of another board is refused', async () => {
  const devices = ['ff100000.a', 'ff200000.b', 'ff300000.c', 'ff400000.d', 'ff500000.e'];
  const deferred = devices.map((device) => `[    3.100000] acme ${device}: error -EPROBE_DEFER: no clock yet`);
  const file = log('other.log', HEAD, model('Thundercomm Dragonboard 845c'), ...deferred);
  const { stderr, exitCode } = await bootrace(['why', file, '--kernel', STOCK]);
  expect(stderr).toContain("sdm845-db845c.dtb is of another board: of the log's 5 devices with an address it has 0");
  expect(exitCode).toBe(2);
});

test('a cell has its own kernel', async () => {
  const cell = join(folder.path, 'cell.yaml');
  writeFileSync(cell, readFileSync('docs/examples/late-smmu.yaml'));
  const { stderr, exitCode } = await bootrace(['why', cell, '--kernel', STOCK]);
  expect(stderr).toContain('a cell has its own kernel');
  expect(exitCode).toBe(2);
});
