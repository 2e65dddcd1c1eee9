import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import type { DeviceTree, TreeNode } from '../../harness/devicetree/tree.ts';
import { buildKernel } from '../../harness/kernel/build.ts';
import { type BoardParts, boardTree, GIC_V3, node, SCM_AND_SMMU } from '../board/trees.ts';
import { FIRST_BUILD_MS } from '../guest/boot.ts';
import { bootrace } from './cli.ts';

/** `bootrace board` as a user runs it, on a tree of four devices and a small kernel, and what it refuses. */

/** Any that starts in a moment, for trees that are refused; and one with drivers for what it finds. */
const KERNEL = '6.1';
const STOCK = 'debian-stock:6.12';

let folder: Awaited<ReturnType<typeof dir>>;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  const signal = new AbortController().signal;
  const kernel = await buildKernel({ recipe: KERNEL, linkage: 'builtin', signal, onProgress: () => {} });
  if (kernel.kind !== 'ready') throw new Error(kernel.reason);
}, FIRST_BUILD_MS);

afterAll(() => folder.cleanup());

function laid(name: string, tree: DeviceTree | Uint8Array): string {
  const path = join(folder.path, `${name}.dtb`);
  writeFileSync(path, tree instanceof Uint8Array ? tree : serializeFdt(tree));
  return path;
}

const with_ = (tree: TreeNode, properties: Parameters<typeof node>[1]): TreeNode => ({
  ...tree,
  properties: new Map([...tree.properties, ...node('', properties).properties]),
});

/** With the two devices of the thread, and a first CPU that is not number 0. */
function treeOf(parts: BoardParts = {}, more: readonly TreeNode[] = []): DeviceTree {
  const tree = boardTree({
    ...(parts.gic === undefined ? { gic: with_(GIC_V3, { phandle: [1] }) } : {}),
    ...parts,
    more: [node('psci', { compatible: 'arm,psci-1.0', method: 'smc' }), ...more],
  });
  const cpus = tree.root.children.map((child) =>
    child.name === 'cpus' ? { ...child, children: child.children.slice(1) } : child,
  );
  return { ...tree, root: { ...with_(tree.root, { 'interrupt-parent': [1] }), children: cpus } };
}

const THREAD = [
  ...SCM_AND_SMMU,
  node('nobody@16000000', { compatible: 'acme,nobody', reg: [0, 0x1600_0000, 0, 0x1000] }),
];

const run = (tree: string, kernel = KERNEL, ...words: string[]) =>
  bootrace(['board', tree, '--kernel', kernel, '--results', join(folder.path, 'results'), ...words]);

const shown = z.object({
  devices: z.array(z.object({ name: z.string(), end: z.string() })),
  bound: z.number(),
  verdict: z.string(),
});

test('counts the devices of a board whose first CPU is not number 0', async () => {
  const { stdout, exitCode } = await run(laid('thread', treeOf({}, THREAD)), STOCK, '--json');
  const { devices, bound, verdict } = shown.parse(JSON.parse(stdout));
  expect(Object.fromEntries(devices.map(({ name, end }) => [name, end]))).toMatchObject({
    'firmware:scm': 'bound',
    '15000000.iommu': 'bound',
    '16000000.nobody': 'no-driver',
  });
  expect({ bound, verdict, exitCode }).toEqual({ bound: 3, verdict: 'bound', exitCode: 0 });
  const console = readFileSync(join(folder.path, 'results/latest/cells/thread-debian-stock-6.12/console.log'), 'utf8');
  // What the firmware says of the CPU is what the tree calls it.
  expect(console).toContain('Booting Linux on physical CPU 0x0000000100');
  expect(console).not.toContain('missing boot CPU MPIDR');
});

test('the cell that was counted is a file, which boots it again', async () => {
  await run(laid('again', treeOf({}, THREAD)), STOCK);
  const record = JSON.parse(readFileSync(join(folder.path, 'results/latest/run.json'), 'utf8'));
  const [{ replay, verdict }] = z.tuple([z.object({ replay: z.string(), verdict: z.string() })]).parse(record.cells);
  const file = /cell (\S+cell\.yaml)$/.exec(replay)?.[1] ?? '';
  const { stderr, exitCode } = await bootrace(['cell', file, '--results', join(folder.path, 'results')]);
  expect(stderr).toContain(`again-debian-stock-6.12: ${verdict} (as expected)`);
  expect(exitCode).toBe(0);
});

test('a kernel without an early console for our UART boots, and its console is the firmware’s', async () => {
  const kernel = await buildKernel({ recipe: KERNEL, linkage: 'builtin' });
  if (kernel.kind !== 'ready') throw new Error(kernel.reason);
  const map = join(folder.path, 'System.map');
  const symbols = readFileSync(kernel.systemMap ?? '', 'utf8');
  expect(symbols).toContain(' pl011_early_write\n');
  // The driver is not asked for: without the name of its function, it might as well not be there.
  writeFileSync(map, symbols.replace(/^.* pl011_early_write\n/m, ''));
  const { stdout, exitCode } = await run(laid('own', treeOf({}, THREAD)), `image:${kernel.image},map=${map}`);
  expect(stdout).toContain('console by the firmware');
  expect(exitCode).toBe(0);
  const log = readFileSync(join(folder.path, 'results/latest/cells', readCells()[0] ?? '', 'console.log'), 'utf8');
  expect(log).toMatch(/^\[ {4}0\.000000\] Booting Linux/);
  expect(log).toContain('bootconsole [bootrace0] enabled');
  expect(log).not.toContain('earlycon');
  expect(log).toContain('really_probe: bound device 15000000.iommu to driver arm-smmu');
});

function readCells(): string[] {
  return readdirSync(join(folder.path, 'results/latest/cells'));
}

test(
  'a kernel with 16 KiB pages boots, and its drivers bind as those of the other',
  async () => {
    const bound = async (kernel: string) => {
      const { stdout } = await run('bcm2711-rpi-4-b.dtb', kernel, '--json');
      return z.object({ release: z.string(), complete: z.boolean(), bound: z.int() }).parse(JSON.parse(stdout));
    };
    const [usual, large] = [await bound(STOCK), await bound(`${STOCK}/16k`)];
    expect(large.release).toMatch(/-16k$/);
    expect([large.complete, usual.complete]).toEqual([true, true]);
    expect(Math.abs(large.bound - usual.bound)).toBeLessThanOrEqual(2);
    expect(large.bound).toBeGreaterThan(40);
  },
  FIRST_BUILD_MS,
);

describe('one sentence, and exit code 2', () => {
  const memory = (address: number) => [node('memory@0', { device_type: 'memory', reg: [0, address, 0, 0x2000_0000] })];
  it.each([
    ['of another architecture', () => treeOf({ cpu: 'sifive,u74' }), 'is the device tree of a RISC-V board'],
    ['of a 32-bit board', () => treeOf({ cpu: 'arm,cortex-a9' }), 'is the device tree of a 32-bit Arm board'],
    ['without a GIC', () => treeOf({ gic: null }), 'has no Arm GIC that bootrace can stand in for'],
    ['without a timer', () => treeOf({ timer: null }), 'has no arm,armv8-timer node'],
    ['with RAM where the GIC is', () => treeOf({ memory: memory(0x1700_0000) }), 'within its RAM'],
    ['without a driver', () => treeOf({}, THREAD.slice(2)), `the kernel ${KERNEL} has no driver for any device of`],
    ['that is cut', () => serializeFdt(treeOf()).subarray(0, 300), 'the file is truncated'],
    ['that is text', () => Buffer.from('hello, world\n'.repeat(99)), 'this is no flattened device tree'],
  ])('a tree %s', async (what, tree, sentence) => {
    const { exitCode, stdout, stderr } = await run(laid(what.replaceAll(' ', '-'), tree()));
    expect(stderr.split(sentence)).toHaveLength(2);
    expect(stderr.split('\n').filter((line) => line.startsWith('bootrace: '))).toHaveLength(1);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  it('a kernel that is none', async () => {
    const image = join(folder.path, 'Image');
    writeFileSync(image, 'not a kernel');
    const { exitCode, stderr } = await run(laid('good', treeOf()), `image:${image}`);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('cut short') });
  });
});
