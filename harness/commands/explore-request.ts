import { existsSync } from 'node:fs';
import { plainCell } from '../axes/plain-cell.ts';
import { tellLeftOut } from '../board/left-out.ts';
import { boardNames, resolveBoard } from '../boards/boards.ts';
import { devicesOf } from '../devicetree/devices.ts';
import { editTree } from '../devicetree/edit.ts';
import { type DeviceTree, nodeAt } from '../devicetree/tree.ts';
import { stringsOf } from '../devicetree/values.ts';
import { InputError } from '../errors.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { cacheRoot } from '../kernel/cache.ts';
import { type Drivers, driversOf } from '../kernel/matches.ts';
import { loadOrder, moduleIndex } from '../kernel/modalias.ts';
import { modulesWithText } from '../kernel/modules.ts';
import { loadPlan } from '../matrix/matrix-file.ts';
import type { Cell } from '../model/cell.ts';
import type { PlanStep } from '../model/plan.ts';
import type { TreeEdit } from '../model/tree-edit.ts';
import { modulesOfBoard, readModulesLoad, SETTLE_MS } from '../run/count.ts';
import type { Runner } from '../run/runner.ts';
import { loadsOf } from '../search/conditions.ts';
import { didYouMean } from '../suggest.ts';
import { tell } from '../terminal/output.ts';
import type { ExploreOptions } from './explore.options.ts';

/** What a search is about, checked. */
interface Asked {
  readonly base: Cell;
  readonly kernel: KernelArtefact;
  readonly devices: readonly string[];
  /** Modules whose orders are asked about: those of the devices' drivers, and those that were named one by one. */
  readonly loads: readonly string[];
  readonly tree: DeviceTree;
}

/** Names that a hint lists. */
const LISTED = 40;

/**
 * Checks what a search was asked: the board has the devices, and the kernel has drivers for them.
 * @throws InputError when one is missing, with what was likely meant
 */
export async function askedOf(options: ExploreOptions, runner: Runner, shared: string): Promise<Asked> {
  const edits = (options.disable ?? []).map((node): TreeEdit => ({ edit: 'disable', node }));
  const unedited = await runner.board(options);
  const tree = editTree(unedited, edits);
  const nodes = devicesOf(tree);
  const devices = options.devices ?? usualDevices(options);
  const missing = devices.find((device) => !nodes.has(device));
  if (missing !== undefined && devicesOf(unedited).has(missing))
    throw new InputError(
      `${missing} is asked about, and --disable takes it away`,
      options.devices === undefined ? 'name other devices with --devices' : 'leave it out of --devices',
    );
  if (missing !== undefined) throw await unknownDevice(missing, options.board, nodes, runner);
  const plan = options.plan === undefined ? null : await loadPlan(options.plan);
  const named = await modulesNamed(options);
  const plain = baseCell(options, devices, edits, plan);
  const kernel = await runner.checkWithKernel(plain);
  const base =
    named === null
      ? plain
      : { ...plain, plan: loadingModules(plain, await modulesAsked(runner, options, named.modules, kernel, shared)) };
  const loaded = loadsOf(base.plan);
  const drivers = await driversOf(cacheRoot(), kernel);
  const about = { kernel, drivers, loaded };
  const ofDevices: string[] = [];
  for (const device of devices) ofDevices.push(...(await driverModules(device, tree, nodes, about)));
  const loads = named === null ? loaded : named.oneByOne ? [...named.modules, ...ofDevices] : ofDevices;
  return { base, kernel, devices, loads, tree };
}

/** The devices of a search that names none: those whose orders are asked about, or that a boot has to bind. */
function usualDevices({ board, async, threads, preempt, preemptions }: ExploreOptions): readonly string[] {
  if (async !== undefined) return resolveBoard(board).subjects.map(({ device }) => device);
  const asksForLoads = threads !== undefined || preempt !== undefined || preemptions !== undefined;
  return asksForLoads ? [] : subjectsOf(board);
}

/** The plan of `cell` with these modules in place of those that it loads. */
function loadingModules({ board, plan }: Cell, modules: readonly string[]): PlanStep[] {
  const loads = modules.map((module): PlanStep => ({ step: 'load', module, params: '' }));
  const rest = plan.filter(({ step }) => step !== 'load');
  if (resolveBoard(board).kind !== 'dtb') return [...loads, ...rest];
  // On a real board what one module does must not end the boot, and drivers wait for suppliers that are not there.
  return [
    { step: 'apart' },
    ...loads,
    { step: 'settle', ms: SETTLE_MS },
    ...rest.filter(({ step }) => step !== 'settle'),
  ];
}

async function unknownDevice(
  device: string,
  board: string,
  nodes: ReadonlyMap<string, string>,
  runner: Runner,
): Promise<InputError> {
  const what = `there is no device ${device} on the ${board} board`;
  // The tree of a .dtb may be in a kernel that is not there.
  for (const other of boardNames().filter((name) => resolveBoard(name).kind === 'standin')) {
    if (other !== board && devicesOf(await runner.board({ board: other, kernel: '', linkage: 'builtin' })).has(device))
      return new InputError(
        `${what}; the ${other} board has it`,
        `give --board ${other}, and a kernel with its driver`,
      );
  }
  const names = [...nodes.keys()];
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return new InputError(
    `${what}${didYouMean(device, names)}`,
    `its devices are ${names.slice(0, LISTED).join(', ')}${more}`,
  );
}

/**
 * Modules of the plan that match the device's node.
 * @throws InputError when nothing in the kernel, or nothing that the plan loads, does
 */
async function driverModules(
  device: string,
  tree: DeviceTree,
  nodes: ReadonlyMap<string, string>,
  { kernel, drivers, loaded }: { kernel: KernelArtefact; drivers: Drivers; loaded: readonly string[] },
): Promise<readonly string[]> {
  const node = nodeAt(tree.root, nodes.get(device) ?? '/');
  const compatible = stringsOf(node, 'compatible');
  const match = drivers.find(compatible);
  const what = `${device} (compatible ${compatible.join(', ')})`;
  if (match.kind === 'none') {
    const withIt = await modulesWithText(withTheirs(loaded, kernel), kernel.modules, compatible);
    if (withIt.length > 0) return withIt.filter((module) => loaded.includes(module));
    throw new InputError(
      `kernel ${kernel.recipe} has no driver for ${what}, so that it is never probed`,
      'name a kernel that has it (the -full recipes have those of the full board), or leave the device out',
    );
  }
  if (match.kind !== 'modules') return [];
  if (match.modules.some((module) => withTheirs(loaded, kernel).includes(module)))
    return match.modules.filter((module) => loaded.includes(module));
  throw new InputError(
    `the driver of ${what} is the module ${match.modules.join(' or ')}, which is not loaded`,
    'load it in a plan (--plan FILE)',
  );
}

/** Modules that a plan loads, with those that they need. */
function withTheirs(loaded: readonly string[], kernel: KernelArtefact): string[] {
  return [...new Set(loaded.flatMap((name) => [name, ...(kernel.modules.get(name)?.depends ?? [])]))];
}

/** What `--modules` says. */
type Named =
  | { readonly modules: readonly string[]; readonly oneByOne: boolean }
  | { readonly modules: 'auto'; readonly oneByOne: false };

/** What `--modules` names; null where it is not given. Looked at before a kernel is built. */
async function modulesNamed({ modules, board }: ExploreOptions): Promise<Named | null> {
  if (modules === undefined) return null;
  const [first = '', ...more] = modules;
  if (first === 'auto' && more.length === 0) {
    if (resolveBoard(board).kind === 'dtb') return { modules: 'auto', oneByOne: false };
    throw new InputError('--modules auto needs a real board (--board NAME.dtb)', 'name the modules');
  }
  const isFile = more.length === 0 && (first.includes('/') || existsSync(first));
  return isFile ? { modules: await readModulesLoad(first), oneByOne: false } : { modules, oneByOne: true };
}

/** The modules that are asked for, in the order in which they are loaded, each after what it needs. */
async function modulesAsked(
  runner: Runner,
  options: ExploreOptions,
  names: readonly string[] | 'auto',
  kernel: KernelArtefact,
  shared: string,
): Promise<readonly string[]> {
  const { board, kernel: recipe, append } = options;
  if (names === 'auto') {
    const request = { board, kernel: recipe, append, modules: null, cpus: 1 };
    const { modules, leftOut } = await modulesOfBoard(runner, request, shared);
    for (const line of tellLeftOut(leftOut)) tell(`${line}\n`);
    return modules;
  }
  const unknown = names.find((name) => !kernel.modules.has(name));
  if (unknown !== undefined)
    throw new InputError(
      `the kernel ${kernel.recipe} ${kernel.linkage} has no module ${unknown}` +
        didYouMean(unknown, kernel.modules.keys()),
      'modules are named as in lsmod; what is built in is not one',
    );
  return loadOrder(names, kernel, await moduleIndex(cacheRoot(), kernel));
}

/** The devices of a search that names none. */
function subjectsOf(board: string): string[] {
  const devices = resolveBoard(board).subjects.map(({ device }) => device);
  if (devices.length === 0) throw new InputError(`the board ${board} names no subjects`, 'name devices with --devices');
  return devices;
}

/** The cell that every boot is a variation of: nothing asked for, modules in the order that their symbols need. */
function baseCell(
  { kernel, linkage, board, append, force }: ExploreOptions,
  devices: readonly string[],
  edits: readonly TreeEdit[],
  plan: readonly PlanStep[] | null,
): Cell {
  const plain = plainCell(`explore-${kernel.replaceAll(/[^A-Za-z0-9._+=-]/g, '_')}`, kernel, { linkage, board });
  return {
    ...plain,
    tree: edits,
    bootargs: append,
    gates: force ?? [],
    watch: devices,
    plan: plan ?? plain.plan,
  };
}
