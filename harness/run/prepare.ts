import { createHash } from 'node:crypto';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setBootargs } from '../devicetree/chosen.ts';
import { toDts } from '../devicetree/dts.ts';
import { editTree } from '../devicetree/edit.ts';
import { parseFdt } from '../devicetree/parse.ts';
import { serializeFdt } from '../devicetree/serialize.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { InputError } from '../errors.ts';
import { buildInitramfs, buildPlanArchive } from '../guest/initramfs.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { compileGuestInit, crossCompile } from '../kernel/cross.ts';
import { compileDeviceTree } from '../kernel/dtc.ts';
import { parseSymbols } from '../kernel/symbols.ts';
import type { Cell, Gate } from '../matrix/cell.ts';
import { type GuestFiles, QEMU, qemuArguments, shellQuote } from '../qemu/command.ts';
import { BOARD_SOURCE, CPUS_MAX, FIRMWARE, registerFiles } from '../soc/board.ts';
import { encodeGates, gateSymbols } from '../soc/gates.ts';
import { bootargsOf } from './bootargs.ts';

/** What all cells of a run share, and the folder they share it in. */
export interface Bench {
  readonly board: DeviceTree;
  readonly init: Uint8Array;
  readonly files: Pick<GuestFiles, 'firmware' | 'registers'>;
  readonly hashes: Readonly<Record<string, string>>;
}

export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Compiles the board, the firmware and the init (both from the cache when unchanged) and lays the shared files down in `folder`. */
export async function openBench(folder: string, cache: string): Promise<Bench> {
  await mkdir(folder, { recursive: true });
  const [blob, firmware, init] = await Promise.all([
    compileDeviceTree(BOARD_SOURCE),
    crossCompile(FIRMWARE, cache),
    compileGuestInit(cache),
  ]);
  const firmwarePath = join(folder, 'el2-firmware.bin');
  await writeFile(firmwarePath, firmware);
  const registers = registerFiles();
  for (const { name, bytes } of registers) await writeFile(join(folder, `${name}.bin`), bytes);
  return {
    board: parseFdt(blob, BOARD_SOURCE),
    init,
    files: {
      firmware: firmwarePath,
      registers: registers.map(({ name, address }) => ({ path: join(folder, `${name}.bin`), address })),
    },
    hashes: {
      firmware: sha256(firmware),
      registers: sha256(...registers.flatMap(({ name, address, bytes }) => [`${name}@${address}`, bytes])),
      init: sha256(init),
    },
  };
}

/**
 * The device tree that a cell boots with: the board's own, without the CPUs that QEMU does not start, with the cell's
 * edits and its command line. Pure.
 * Throws {@link InputError} for a number of CPUs the board does not have and for edits that do not apply.
 */
export function cellTree(board: DeviceTree, cell: Cell): DeviceTree {
  if (cell.cpus < 1 || cell.cpus > CPUS_MAX)
    throw new InputError(`cell ${cell.id} asks for ${cell.cpus} CPUs`, `the stand-in has 1 to ${CPUS_MAX}`);
  const absent = Array.from({ length: CPUS_MAX - cell.cpus }, (_, index) => cell.cpus + index);
  const tree = editTree(board, [
    ...absent.map((cpu) => ({ edit: 'delete', node: `/cpus/cpu@${cpu}` }) as const),
    ...cell.tree,
  ]);
  return setBootargs(tree, bootargsOf(cell));
}

export interface PreparedCell {
  readonly folder: string;
  readonly files: GuestFiles;
  readonly arguments: readonly string[];
  /** SHA-256 by name of everything that the outcome depends on. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** The modules a plan loads and those they need, so that a shell or a later step finds them too. */
async function modulesOf(cell: Cell, kernel: KernelArtefact): Promise<{ name: string; bytes: Uint8Array }[]> {
  const wanted = new Set<string>();
  const want = (name: string) => {
    const module = kernel.modules.get(name);
    if (module === undefined || wanted.has(name)) return;
    wanted.add(name);
    module.depends.forEach(want);
  };
  for (const step of cell.plan) if (step.step === 'load') want(step.module);
  return Promise.all(
    [...wanted].sort().map(async (name) => {
      const module = kernel.modules.get(name);
      if (module === undefined) throw new Error(`module ${name} left the index while it was read`);
      return { name, bytes: new Uint8Array(await readFile(module.path)) };
    }),
  );
}

/** Addresses of the symbols that the cell's gates need; from System.map. */
async function symbolsFor(gates: readonly Gate[], kernel: KernelArtefact): Promise<ReadonlyMap<string, bigint>> {
  const names = gateSymbols(gates);
  if (names.size === 0) return new Map();
  if (kernel.systemMap === null)
    throw new InputError(
      `kernel ${kernel.recipe} has no System.map, which the gates need`,
      'give one beside the Image',
    );
  return parseSymbols(await readFile(kernel.systemMap, 'utf8'), names);
}

/**
 * Writes everything that a cell's boot needs into `folder`: device tree, initramfs, gate table, and `command.sh`, which boots
 * the same guest by hand. Throws {@link InputError} for what the cell asks and the kernel or the tree does not have.
 */
export async function prepareCell(
  cell: Cell,
  kernel: KernelArtefact,
  bench: Bench,
  folder: string,
): Promise<PreparedCell> {
  await mkdir(folder, { recursive: true });
  await access(kernel.image);
  const tree = cellTree(bench.board, cell);
  const blob = serializeFdt(tree);
  const modules = await modulesOf(cell, kernel);
  const archive = buildInitramfs({ init: bench.init, modules });
  const plan = buildPlanArchive({ steps: cell.plan, watch: cell.watch });
  const symbols = await symbolsFor(cell.gates, kernel);
  const gates = encodeGates(cell.gates, (name) => symbols.get(name) ?? null);

  const own = (name: string) => join(folder, name);
  await Promise.all([
    writeFile(own('variant.dtb'), blob),
    writeFile(own('variant.dts'), toDts(tree)),
    writeFile(own('initramfs.cpio'), Buffer.concat([archive, plan])),
    ...(gates === null ? [] : [writeFile(own('gates.bin'), gates)]),
  ]);
  const files: GuestFiles = {
    firmware: bench.files.firmware,
    registers: bench.files.registers,
    image: kernel.image,
    deviceTree: own('variant.dtb'),
    initramfs: own('initramfs.cpio'),
    gates: gates === null ? null : own('gates.bin'),
    firmwareLog: own('firmware.log'),
  };
  const machine = { cpus: cell.cpus, shift: cell.shift };
  await writeFile(own('command.sh'), commandScript(cell, files, folder), { mode: 0o755 });
  return {
    folder,
    files,
    arguments: qemuArguments(files, machine),
    inputs: {
      ...bench.hashes,
      image: kernel.imageHash,
      modules: sha256(...modules.flatMap(({ name, bytes }) => [name, bytes])),
      tree: sha256(blob),
      plan: sha256(plan),
      gates: sha256(gates ?? ''),
      machine: `cpus=${cell.cpus} shift=${cell.shift}`,
    },
  };
}

/** A script that boots the same guest by hand, from any folder, with the console on the terminal. */
function commandScript(cell: Cell, files: GuestFiles, folder: string): string {
  const here = (path: string) => {
    const inside = relative(folder, path);
    return inside.startsWith('../../..') ? path : inside;
  };
  const words = qemuArguments(
    {
      firmware: here(files.firmware),
      image: files.image,
      deviceTree: here(files.deviceTree),
      initramfs: here(files.initramfs),
      gates: files.gates === null ? null : here(files.gates),
      registers: files.registers.map(({ path, address }) => ({ path: here(path), address })),
      firmwareLog: '/dev/stderr',
    },
    { cpus: cell.cpus, shift: cell.shift },
  );
  return [
    '#!/bin/sh',
    `# bootrace cell ${cell.id}: the same guest, with the console on this terminal and the firmware's log on standard error.`,
    '# A crashed or finished guest ends QEMU; Ctrl-C ends it at any time.',
    'cd "$(dirname "$0")" || exit 1',
    `exec ${[QEMU, ...words].map(shellQuote).join(' ')}`,
    '',
  ].join('\n');
}
