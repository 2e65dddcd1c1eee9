import { closeSync, mkdirSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { neverBroken } from '../board/broken-polls.ts';
import { laidBoard } from '../board/machine.ts';
import { type BoardModels, transplant } from '../board/transplant.ts';
import { modelBoard } from '../devices/board-models.ts';
import type { NodeRegisters } from '../devicetree/addresses.ts';
import { setBootargs } from '../devicetree/chosen.ts';
import { toDts } from '../devicetree/dts.ts';
import { editTree } from '../devicetree/edit.ts';
import { serializeFdt } from '../devicetree/serialize.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { InputError } from '../errors.ts';
import { encodeBoardPlan } from '../firmware/board-plan.ts';
import { type ConsoleWay, consoleWay } from '../firmware/gate-table.ts';
import { consoleLookup, encodeGates, gateModules } from '../firmware/gates.ts';
import { IMAGE_SIZE_MAX, STANDIN_CPUS } from '../firmware/memory-map.ts';
import { encodeModules, type GuestModule } from '../guest/module-files.ts';
import { encodePlan } from '../guest/plan.ts';
import { shellQuote } from '../invocation.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { IMAGE_HEADER_SIZE, imageMemory, imagePages } from '../kernel/image.ts';
import { moduleFunctions } from '../kernel/modules.ts';
import { requireSound } from '../kernel/published.ts';
import { stripModule } from '../kernel/strip.ts';
import { withDependencies } from '../matrix/dependencies.ts';
import type { Cell } from '../model/cell.ts';
import type { PlanStep } from '../model/plan.ts';
import {
  cpuFor,
  type GuestFiles,
  type GuestMachine,
  QEMU,
  qemuArguments,
  type RenameFile,
  renameFiles,
} from '../qemu/command.ts';
import { bootargsOf, survivesOops } from './bootargs.ts';
import { type CommonFiles, type DtbFiles, type StandinFiles, sha256 } from './common-files.ts';
import { boardConsole } from './console.ts';
import { refuseMisspelt } from './symbols.ts';

/**
 * The device tree that a cell boots with: the board's own, without the CPUs that QEMU does not start, with the cell's
 * edits and its command line. Pure.
 * Throws {@link InputError} for a number of CPUs the board does not have and for edits that do not apply.
 */
function cellTree(board: DeviceTree, cell: Cell): DeviceTree {
  if (cell.cpus < 1 || cell.cpus > STANDIN_CPUS)
    throw new InputError(`cell ${cell.id} asks for ${cell.cpus} CPUs`, `the stand-in has 1 to ${STANDIN_CPUS}`);
  return setBootargs(editTree(withCpus(board, cell.cpus), cell.tree), bootargsOf(cell));
}

/** Boards by their number of CPUs: most cells have the same, and each absent one is an edit. */
const boardsByCpus = new WeakMap<DeviceTree, Map<number, DeviceTree>>();

function withCpus(board: DeviceTree, cpus: number): DeviceTree {
  const made = boardsByCpus.get(board) ?? new Map<number, DeviceTree>();
  boardsByCpus.set(board, made);
  const absent = Array.from({ length: STANDIN_CPUS - cpus }, (_, index) => cpus + index);
  const tree =
    made.get(cpus) ??
    editTree(
      board,
      absent.map((cpu) => ({ edit: 'delete', node: `/cpus/cpu@${cpu}` })),
    );
  made.set(cpus, tree);
  return tree;
}

export interface PreparedCell {
  readonly folder: string;
  readonly files: GuestFiles;
  readonly machine: GuestMachine;
  /** Whether the firmware writes the console instead of the UART's driver. */
  readonly hasConsole: boolean;
  /** The guest goes on after an oops: its plan counts what became of every device. */
  readonly survivesOops: boolean;
  /** Devices whose registers the firmware answers for; none on the stand-in. */
  readonly devices: readonly NodeRegisters[];
  /** SHA-256 by name of everything that the outcome depends on. */
  readonly inputs: Readonly<Record<string, string>>;
  /**
   * SHA-256 of all that QEMU is given: its arguments, and the content of every file that they name, wherever it lies.
   */
  readonly fingerprint: string;
}

/** The files of the modules that a plan loads, or that request_module() may ask for, in the order of their names. */
function modulesOf(plan: readonly PlanStep[], kernel: KernelArtefact, stripped: boolean): GuestModule[] {
  const names = new Set(plan.flatMap((step) => (step.step === 'load' || step.step === 'answer' ? [step.module] : [])));
  const files = [...names].sort().flatMap((name) => kernel.modules.get(name) ?? []);
  return files.map(({ name, path }) => {
    const bytes = readFileSync(path);
    requireSound(kernel, path, bytes);
    return { name, bytes: stripped ? stripModule(bytes) : bytes };
  });
}

/** What a cell's board comes to: its tree, and what QEMU and the firmware are told. */
interface CellBoard {
  readonly tree: DeviceTree;
  readonly registers: GuestFiles['registers'];
  /** Registers that the firmware answers for. */
  readonly devices: readonly NodeRegisters[];
  readonly machine: GuestMachine['board'];
  /** The firmware's file, null on the stand-in. */
  readonly plan: Uint8Array | null;
  readonly inputs: Readonly<Record<string, string>>;
}

function standinOf(board: StandinFiles, cell: Cell, kernel: KernelArtefact): CellBoard {
  const { size } = statSync(kernel.image);
  if (size > IMAGE_SIZE_MAX)
    throw new InputError(
      `${kernel.image} has ${size} bytes, and the stand-in has room for ${IMAGE_SIZE_MAX}`,
      'leave debug information and built-in modules out',
    );
  return {
    tree: cellTree(board.tree, cell),
    registers: board.registers,
    devices: [],
    machine: null,
    plan: null,
    inputs: { registers: board.registersHash },
  };
}

/** What answers on a board, which all of its cells have in common. */
const boardModels = new WeakMap<DeviceTree, BoardModels>();

function modelsOf(tree: DeviceTree): BoardModels {
  const models = boardModels.get(tree) ?? modelBoard(tree).models;
  boardModels.set(tree, models);
  return models;
}

/** Throws {@link InputError} for a tree that cannot be laid down, and for what the cell asks of it. */
function boardOf(board: DtbFiles, cell: Cell, kernel: KernelArtefact, initramfs: string, way: ConsoleWay): CellBoard {
  const laid = transplant(board.tree, board.blob.length, {
    name: board.name,
    imageSize: imageMemory(readHeader(kernel.image)),
    initramfsSize: statSync(initramfs).size,
    cpus: cell.cpus,
    breakerReads: BREAKER_READS,
    models: modelsOf(board.tree),
  });
  const tree = editTree(laid.tree, cell.tree);
  const { breaker } = laid.plan;
  const never = [...breaker.never, ...neverBroken(tree)];
  const console = way === 'firmware' ? null : laid.facts.console;
  const plan = encodeBoardPlan({ ...laid.plan, breaker: { ...breaker, never } });
  return {
    tree: setBootargs(tree, bootargsOf(cell, { console, cpus: cell.cpus })),
    registers: [],
    devices: laid.facts.registers,
    machine: laidBoard(laid.plan),
    plan,
    inputs: { board: sha256(plan) },
  };
}

/**
 * A poll is a loop of reads from one place: four in a row are seen in code that is none, and six to twenty change
 * nothing.
 */
const BREAKER_READS = 5;

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(IMAGE_HEADER_SIZE);
  const file = openSync(path, 'r');
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  return header;
}

/**
 * Writes everything that a cell's boot needs into `folder`: device tree, initramfs, gate table, and `command.sh`, which
 * boots the same guest by hand. `symbols`: addresses of what the cell's gates name (run/symbols.ts). Throws {@link
 * InputError} for what the cell asks and the kernel or the tree does not have.
 */
export async function prepareCell(
  cell: Cell,
  kernel: KernelArtefact,
  symbols: ReadonlyMap<string, bigint>,
  common: CommonFiles,
  folder: string,
): Promise<PreparedCell> {
  mkdirSync(folder, { recursive: true });
  const laid = await common.board(cell.board, kernel);
  const lookup = consoleLookup(symbols, laid.kind === 'dtb');
  const pages = imagePages(readHeader(kernel.image));
  const initramfs = await common.initramfs(pages);
  const board =
    laid.kind === 'dtb'
      ? boardOf(laid, cell, kernel, initramfs.path, await boardConsole(kernel, lookup))
      : standinOf(laid, cell, kernel);
  const { tree } = board;
  const blob = serializeFdt(tree);
  const steps = withDependencies(cell.plan, kernel.modules);
  const modules = modulesOf(steps, kernel, laid.kind === 'dtb');
  const plan = encodePlan({ steps, watch: cell.watch });
  const blobs = modules.length === 0 ? null : encodeModules(modules);
  refuseMisspelt(cell, kernel);
  const gates = encodeGates(cell.gates, lookup, await moduleFunctions(gateModules(cell.gates), kernel.modules), {
    stepOf: (line) => {
      const step = cell.plan[line - 1];
      return step === undefined ? null : steps.indexOf(step) + 1;
    },
  });

  const own = (name: string) => join(folder, name);
  const shared = (kind: string, bytes: Uint8Array | null) => (bytes === null ? null : common.write({ kind }, bytes));
  // Small files one after the other: a round trip through the thread pool for each costs more than the writing.
  writeFileSync(own('variant.dtb'), blob);
  writeFileSync(own('variant.dts'), toDts(tree));
  const files: GuestFiles = {
    firmware: common.firmware,
    boardPlan: shared('board', board.plan),
    registers: board.registers,
    image: kernel.image,
    deviceTree: own('variant.dtb'),
    initramfs: initramfs.path,
    plan: common.write({ kind: 'plan' }, plan),
    modules: shared('modules', blobs),
    gates: shared('gates', gates),
    firmwareLog: own('firmware.log'),
  };
  const machine: GuestMachine = { cpus: cell.cpus, shift: cell.shift, board: board.machine, cpu: cpuFor(pages) };
  writeFileSync(own('command.sh'), commandScript(cell, files, machine, folder), { mode: 0o755 });
  const inputs = {
    ...common.hashes,
    initramfs: initramfs.hash,
    ...board.inputs,
    image: kernel.imageHash,
    modules: sha256(...modules.flatMap(({ name, bytes }) => [name, bytes])),
    tree: sha256(blob),
    plan: sha256(plan),
    // As the cell asks for them: in the table they are addresses, which the image decides.
    gates: sha256(JSON.stringify(cell.gates)),
    machine: `cpus=${cell.cpus} shift=${cell.shift}`,
  };
  const words = qemuArguments(
    renameFiles(files, (role, path) => (role === 'registers' ? basename(path) : IN_PLACE[role])),
    machine,
  );
  return {
    folder,
    files,
    machine,
    survivesOops: survivesOops(cell),
    hasConsole: consoleWay(lookup) !== 'uart',
    devices: board.devices,
    inputs,
    fingerprint: fingerprintOf(inputs, gates, words),
  };
}

/**
 * What a boot is a function of. The table is in it beside the gates of the cell: the addresses in it are those of a
 * System.map, which may be another for the same Image.
 */
export function fingerprintOf(
  inputs: Readonly<Record<string, string>>,
  table: Uint8Array | null,
  words: readonly string[],
): string {
  return sha256(JSON.stringify([inputs, sha256(table ?? ''), words]));
}

/** Names that do not depend on where a run keeps its files. */
const IN_PLACE: Readonly<Record<Exclude<keyof GuestFiles, 'registers'>, string>> = {
  firmware: 'firmware',
  image: 'image',
  deviceTree: 'device-tree',
  initramfs: 'initramfs',
  boardPlan: 'board',
  plan: 'plan',
  modules: 'modules',
  gates: 'gates',
  firmwareLog: 'firmware-log',
};

/** A script that boots the same guest by hand, from any folder, with the console on the terminal. */
function commandScript(cell: Cell, files: GuestFiles, machine: GuestMachine, folder: string): string {
  const here = (path: string) => {
    const inside = relative(folder, path);
    return inside.startsWith('../../..') ? path : inside;
  };
  const rename: RenameFile = (role, path) => {
    // Not /dev/stderr: it cannot be opened where that is a socket, as in the children of Node.js.
    if (role === 'firmwareLog') return 'firmware-by-hand.log';
    return role === 'image' ? path : here(path);
  };
  const words = qemuArguments(renameFiles(files, rename), machine);
  return [
    '#!/bin/sh',
    `# bootrace cell ${cell.id}: the same guest, with the console on this terminal`,
    "# and the firmware's log in firmware-by-hand.log.",
    '# A crashed or finished guest ends QEMU; Ctrl-C ends it at any time.',
    'cd "$(dirname "$0")" || exit 1',
    `exec ${[QEMU, ...words].map(shellQuote).join(' ')}`,
    '',
  ].join('\n');
}
