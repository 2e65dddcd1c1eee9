import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { laidBoard } from '../../harness/board/machine.ts';
import { type BoardModels, NO_MODELS, transplant } from '../../harness/board/transplant.ts';
import { modelBoard } from '../../harness/devices/board-models.ts';
import { setBootargs } from '../../harness/devicetree/chosen.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import type { TreeNode } from '../../harness/devicetree/tree.ts';
import { encodeBoardPlan } from '../../harness/firmware/board-plan.ts';
import { encodeSnapshotTable } from '../../harness/firmware/gates.ts';
import { encodeNextCell } from '../../harness/firmware/next-cell.ts';
import { FIRMWARE } from '../../harness/firmware/program.ts';
import { buildInitramfs } from '../../harness/guest/initramfs.ts';
import { encodePlan } from '../../harness/guest/plan.ts';
import { GUEST_INIT } from '../../harness/guest/program.ts';
import { buildKernel } from '../../harness/kernel/build.ts';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import { crossCompile } from '../../harness/kernel/cross.ts';
import { qemuArguments, renameFiles } from '../../harness/qemu/command.ts';
import { runGuest } from '../../harness/qemu/process.ts';
import { SnapshotGuest } from '../../harness/qemu/snapshot.ts';
import { boardTree, GIC_V3, node, SCM_AND_SMMU } from '../board/trees.ts';
import { FIRST_BUILD_MS } from '../guest/boot.ts';

/** A board whose addresses are not QEMU's, with the two devices of the thread on it, laid down as a .dtb is. */

const KERNEL = '6.1';
const SHIFT = 4;
const SMMU = '15000000.iommu';
const signal = new AbortController().signal;

const withPhandle = (gic: TreeNode): TreeNode => ({
  ...gic,
  properties: new Map([
    ...gic.properties,
    ...node('', { phandle: [1], '#address-cells': [2], '#size-cells': [2], ranges: [] }).properties,
  ]),
});
const GICS = {
  3: {
    ...withPhandle(GIC_V3),
    children: [
      node('its@17a40000', { compatible: 'arm,gic-v3-its', 'msi-controller': [], reg: [0, 0x17a4_0000, 0, 0x2_0000] }),
    ],
  },
  2: withPhandle(
    node('interrupt-controller@17a00000', {
      compatible: 'arm,gic-400',
      'interrupt-controller': [],
      '#interrupt-cells': [3],
      reg: [0, 0x17a0_0000, 0, 0x1000, 0, 0x17a0_2000, 0, 0x2000],
    }),
  ),
} as const;

/** Where the second CPU of the GICv2 board waits; the other board's is started by PSCI. */
const SPIN_TABLE = { address: 0x8000_0000n, size: 0x1000n };
const SPINNING = { 'enable-method': 'spin-table', 'cpu-release-addr': [0, 0x8000_00e0] };

function treeWith(version: 2 | 3) {
  const tree = boardTree({
    gic: GICS[version],
    cpus: version === 2 ? { 'cpu@100': SPINNING } : {},
    more: [node('psci', { compatible: 'arm,psci-1.0', method: 'smc' }), ...SCM_AND_SMMU],
  });
  const root = {
    ...tree.root,
    properties: new Map([...tree.root.properties, ...node('', { 'interrupt-parent': [1] }).properties]),
  };
  return { ...tree, root, reservations: [SPIN_TABLE] };
}

let folder: Awaited<ReturnType<typeof dir>>;
let image = '';
let firmware: Uint8Array;
let initramfs: Uint8Array;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  const kernel = await buildKernel({ recipe: KERNEL, linkage: 'builtin', signal, onProgress: () => {} });
  if (kernel.kind !== 'ready') throw new Error(kernel.reason);
  image = kernel.image;
  firmware = await crossCompile(FIRMWARE, cacheRoot());
  initramfs = buildInitramfs(await crossCompile(GUEST_INIT, cacheRoot()));
}, FIRST_BUILD_MS);

afterAll(() => folder.cleanup());

let laid = 0;

/** Everything that a boot needs, laid down in a folder of its own. */
function lay(version: 2 | 3, models: BoardModels, cpus = 1) {
  const path = join(folder.path, `${laid++}`);
  const lie = (name: string, bytes: Uint8Array) => {
    writeFileSync(`${path}-${name}`, bytes);
    return `${path}-${name}`;
  };
  const blob = serializeFdt(treeWith(version));
  const { tree, plan, facts } = transplant(parseFdt(blob), blob.length, {
    name: 'the board',
    imageSize: Number(readFileSync(image).readBigUInt64LE(16)),
    initramfsSize: initramfs.length,
    cpus,
    breakerReads: 5,
    models,
  });
  const bootargs = [
    `earlycon=pl011,mmio32,0x${facts.console.toString(16)}`,
    ...['keep_bootcon', 'rdinit=/init', 'printk.devkmsg=on', `maxcpus=${cpus}`, 'nokaslr', 'panic=-1'],
    'ignore_loglevel',
  ];
  return {
    lie,
    machine: { cpus, shift: SHIFT, board: laidBoard(plan) },
    files: {
      firmware: lie('firmware', firmware),
      image,
      deviceTree: lie('dtb', serializeFdt(setBootargs(tree, bootargs))),
      initramfs: lie('initramfs', initramfs),
      plan: lie('plan', encodePlan({ steps: [{ step: 'settle', ms: 500 }], watch: [SMMU] })),
      modules: null,
      gates: null,
      boardPlan: lie('board', encodeBoardPlan(plan)),
      registers: [],
      firmwareLog: `${path}-firmware.log`,
    },
    consoleFile: `${path}-console.log`,
  };
}

async function boot(version: 2 | 3, models: BoardModels = modelBoard(treeWith(version)).models, cpus = 1) {
  const { files, machine, consoleFile } = lay(version, models, cpus);
  const run = {
    consoleFile,
    logFile: files.firmwareLog,
    onConsole: () => false,
    signal,
    cwd: folder.path,
    shift: SHIFT,
  };
  const end = await runGuest((rename) => qemuArguments(renameFiles(files, rename), machine), run);
  return { end, console: await readFile(consoleFile, 'utf8'), log: await readFile(files.firmwareLog, 'utf8') };
}

describe.each([2, 3] as const)('a board with a GICv%i', (version) => {
  it('comes up at its own addresses, and its SMMU says what the model holds', { timeout: 120_000 }, async () => {
    const { end, console, log } = await boot(version);
    expect(console).toContain(`bootrace: bound ${SMMU} arm-smmu`);
    expect(console).toContain('stream matching with 76 register groups');
    expect(console).toContain('bootrace: done');
    expect(end).toMatchObject({ end: 'exited', code: 0 });
    if (version === 3) expect(console).toContain('ITS@0x0000000017a40000: allocated 8192 Devices @');
    if (version === 3) expect(console).not.toContain('ITS queue timeout');
    expect(log).toMatch(/^monitor-call 0xc2001503 answered$/m);
    expect(log).toMatch(/^page 0x15000000 reads=[1-9]\d* writes=[1-9]\d* broken=\d+$/m);
    expect(await boot(version)).toEqual({ end, console, log });
  });

  // Without interrupts between them the CPUs would wait for each other for ever.
  it('starts a second CPU, and does so twice with the same bytes', { timeout: 120_000 }, async () => {
    const { end, console, log } = await boot(version, undefined, 2);
    expect(console).toContain('CPU1: Booted secondary processor 0x0000000100');
    expect(console).toContain('SMP: Total of 2 processors activated');
    expect(console).toContain(`bootrace: bound ${SMMU} arm-smmu`);
    expect(console).toContain('bootrace: done');
    expect(end).toMatchObject({ end: 'exited', code: 0 });
    expect(await boot(version, undefined, 2)).toEqual({ end, console, log });
  });
});

it('without models the SMMU is no SMMU, and the guest ends all the same', { timeout: 120_000 }, async () => {
  const { console } = await boot(3, NO_MODELS);
  expect(console).not.toContain(`bootrace: bound ${SMMU}`);
  expect(console).toContain('bootrace: done');
});

it('cells of a snapshot say what a boot from reset says, one after the other', { timeout: 120_000 }, async () => {
  const fromReset = await boot(3);
  const { lie, files, machine, consoleFile } = lay(3, modelBoard(treeWith(3)).models);
  const table = encodeSnapshotTable({ devices: [], functions: [] }, false, () => null);
  if (table === null) throw new Error('no table');
  const gates = lie('gates', table);
  const guest = await SnapshotGuest.start({
    words: (rename) => qemuArguments(renameFiles({ ...files, gates }, rename), machine, { takesSnapshot: true }),
    consoleFile,
    cwd: folder.path,
    signal,
    shift: SHIFT,
  });
  if (guest === null) throw new Error('there is no snapshot');
  const cell = encodeNextCell({ table: null, plan: readFileSync(files.plan), modules: null });
  try {
    for (let n = 0; n < 3; n++) {
      const booted = await guest.boot(cell, () => false);
      expect(booted?.console.toString('utf8')).toBe(fromReset.console);
      expect(booted?.firmwareLog).toBe(fromReset.log);
    }
  } finally {
    await guest.close();
  }
});
