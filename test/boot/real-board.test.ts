import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BoardModels, NO_MODELS } from '../../harness/board/transplant.ts';
import { modelBoard } from '../../harness/devices/board-models.ts';
import { snapshotSymbols } from '../../harness/firmware/gates.ts';
import { encodeNextCell } from '../../harness/firmware/next-cell.ts';
import { FIRMWARE } from '../../harness/firmware/program.ts';
import { buildInitramfs } from '../../harness/guest/initramfs.ts';
import { GUEST_INIT } from '../../harness/guest/program.ts';
import type { KernelArtefact } from '../../harness/kernel/artefact.ts';
import { buildKernel } from '../../harness/kernel/build.ts';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import { crossCompile } from '../../harness/kernel/cross.ts';
import { qemuArguments, renameFiles } from '../../harness/qemu/command.ts';
import { runGuest } from '../../harness/qemu/process.ts';
import { findSymbols } from '../../harness/run/symbols.ts';
import { FIRST_BUILD_MS } from '../guest/boot.ts';
import { layBoard, SHIFT, SMMU, type Software, snapshotOf, treeWith } from './laid-board.ts';

const KERNEL = '6.1';
const signal = new AbortController().signal;

let folder: Awaited<ReturnType<typeof dir>>;
let kernel: KernelArtefact;
let software: Software;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  const built = await buildKernel({ recipe: KERNEL, linkage: 'builtin', signal, onProgress: () => {} });
  if (built.kind !== 'ready') throw new Error(built.reason);
  kernel = built;
  software = {
    firmware: await crossCompile(FIRMWARE, cacheRoot()),
    image: kernel.image,
    initramfs: buildInitramfs(await crossCompile(GUEST_INIT, cacheRoot())),
  };
}, FIRST_BUILD_MS);

afterAll(() => folder.cleanup());

let laid = 0;

const lay = (version: 2 | 3, models: BoardModels, cpus = 1) =>
  layBoard(join(folder.path, `${laid++}`), version, software, { models, cpus });

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

it.each([
  ['when its init asks for a plan', []],
  ['before the SMMU is probed', [SMMU]],
])('cells of a snapshot taken %s say what a boot from reset says', { timeout: 120_000 }, async (_, devices) => {
  const fromReset = await boot(3);
  const laidBoard = lay(3, modelBoard(treeWith(3)).models);
  const symbols = await findSymbols(kernel, snapshotSymbols({ devices, functions: [] }));
  const guest = await snapshotOf(laidBoard, { devices, functions: [] }, symbols);
  const cell = encodeNextCell({ table: null, plan: readFileSync(laidBoard.files.plan), modules: null });
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
