import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { plainCell } from '../axes/plain-cell.ts';
import { type Census, censusOf } from '../board/census.ts';
import { compatiblesOf } from '../board/interrupts.ts';
import { type LeftOut, moduleToLeaveOut } from '../board/left-out.ts';
import { transplant, WITHOUT_KERNEL } from '../board/transplant.ts';
import { modelBoard } from '../devices/board-models.ts';
import { isEnabled, registersOf } from '../devicetree/addresses.ts';
import { serializeFdt } from '../devicetree/serialize.ts';
import { type DeviceTree, joinPath, nodeAt, type TreeNode } from '../devicetree/tree.ts';
import { InputError } from '../errors.ts';
import { readNamed } from '../files.ts';
import type { ConsoleWay } from '../firmware/gate-table.ts';
import { consoleLookup, gateSymbols } from '../firmware/gates.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { cacheRoot, keepJson, readJson } from '../kernel/cache.ts';
import { withFile } from '../kernel/elf.ts';
import { loadOrder, type ModuleIndex, ModuleMatcher, moduleIndex } from '../kernel/modalias.ts';
import { moduleName, readModinfo } from '../kernel/modules.ts';
import { kernelWord } from '../kernel/recipe.ts';
import type { Cell } from '../model/cell.ts';
import type { PlanStep } from '../model/plan.ts';
import { isOfBoot, VERDICTS, type Verdict } from '../model/verdict.ts';
import { readConsole } from './boot.ts';
import { boardConsole } from './console.ts';
import type { Runner } from './runner.ts';
import { findSymbols } from './symbols.ts';

/** Boots a board until its modules are all there, and counts what became of its devices. */

/** Rounds of looking for modules: new ones bring new devices. Real boards need two or three. */
const MOST_ROUNDS = 5;
/** Modules that a board is counted without: with more of them it says too little of the board. */
const MOST_LEFT_OUT = 3;
/**
 * Longer than the deferred probe timeout of 10 s (drivers/base/dd.c, with modules), after which drivers go without some
 * suppliers.
 */
export const SETTLE_MS = 15_000;

export interface CountRequest {
  readonly board: string;
  readonly kernel: string;
  readonly append: readonly string[];
  /** The user's own choice, in that order; null for what udev would load. */
  readonly modules: readonly string[] | null;
  /** CPUs that are started. */
  readonly cpus: number;
}

/** The cell that counts a board, and what it does not load although a device asks for it. */
export interface CountingCell {
  readonly cell: Cell;
  readonly leftOut: readonly LeftOut[];
}

export interface CountedBoard {
  readonly cell: Cell;
  readonly kernel: KernelArtefact;
  readonly tree: DeviceTree;
  readonly index: ModuleIndex;
  readonly console: ConsoleWay;
}

/** The kernel and the tree that a request names. Throws {@link InputError} for either. */
export async function openBoard(runner: Runner, request: CountRequest): Promise<CountedBoard> {
  const cell = cellOf(request, []);
  const kernel = await runner.kernel(cell);
  if (kernel.kind === 'unbuildable') throw new InputError(`kernel ${request.kernel}: ${kernel.reason}`);
  const console = await boardConsole(kernel, consoleLookup(await findSymbols(kernel, gateSymbols([])), true));
  await refuseForeignModules(kernel);
  const tree = await runner.board(cell);
  refuseTree(tree, request);
  return { cell, kernel, tree, index: await moduleIndex(cacheRoot(), kernel), console };
}

/** Throws {@link InputError} for a tree that cannot be laid down, before anything is booted with it. */
function refuseTree(tree: DeviceTree, { board: name, cpus }: CountRequest): void {
  transplant(tree, serializeFdt(tree).length, { ...WITHOUT_KERNEL, name, cpus });
}

/** Throws {@link InputError} for modules that the kernel would refuse to load. */
async function refuseForeignModules(kernel: KernelArtefact): Promise<void> {
  const [first] = kernel.modules.values();
  if (first === undefined) return;
  const info = (await withFile(first.path, readModinfo)) ?? [];
  const magic = info.find(([key]) => key === 'vermagic')?.[1].split(' ')[0];
  if (magic !== undefined && magic !== kernel.release)
    throw new InputError(
      `the modules are of Linux ${magic}, and the kernel ${kernel.recipe} is ${kernel.release}`,
      'give the modules of the same build',
    );
}

/**
 * The cell that counts the board's devices with the modules that belong to it. `shared`: where the boots on the way
 * leave their files.
 */
export async function countingCell(runner: Runner, request: CountRequest, shared: string): Promise<CountingCell> {
  const board = await openBoard(runner, request);
  const { kernel, index } = board;
  if (request.modules !== null) {
    const unknown = request.modules.find((name) => !kernel.modules.has(name));
    if (unknown !== undefined)
      throw new InputError(`the kernel ${kernel.recipe} has no module ${unknown}`, 'modules are named as in lsmod');
    return { cell: countingCellOf(board, request, loadOrder(request.modules, kernel, index)), leftOut: [] };
  }
  // Devices ask for the same modules however many CPUs there are.
  const { modules, leftOut } = await modulesByAlias(runner, { ...request, cpus: 1 }, board, shared);
  return { cell: countingCellOf(board, request, modules), leftOut };
}

/**
 * Functions that execute instructions which the CPU of QEMU does not have, and what they are made to return: registers
 * of Kryo's L2 cache (drivers/soc/qcom/kryo-l2-accessors.c, 6.12), which only MSM8996 has.
 */
const WITHOUT_INSTRUCTIONS: readonly { readonly soc: RegExp; readonly symbols: readonly string[] }[] = [
  { soc: /^qcom,(?:msm|apq)8096|^qcom,msm8996/, symbols: ['kryo_l2_get_indirect_reg', 'kryo_l2_set_indirect_reg'] },
];

/** The functions that are forced to return 0 on a board, because they could not be executed. */
export function forcedOn({ tree }: Pick<CountedBoard, 'tree'>): string[] {
  const names = compatiblesOf({ node: tree.root });
  return WITHOUT_INSTRUCTIONS.flatMap(({ soc, symbols }) => (names.some((name) => soc.test(name)) ? symbols : []));
}

function countingCellOf(board: CountedBoard, request: CountRequest, modules: readonly string[]): Cell {
  const gates = forcedOn(board).map((symbol) => ({ gate: 'force', symbol, value: 0 }) as const);
  return { ...cellOf(request, modules), gates };
}

/** The modules that {@link countingCell} loads, in their order, and those that it leaves out. */
export async function modulesOfBoard(runner: Runner, request: CountRequest, shared: string): Promise<ModulesOfBoard> {
  return modulesByAlias(runner, request, await openBoard(runner, request), shared);
}

interface ModulesOfBoard {
  readonly modules: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

const keptSchema = z.object({
  modules: z.array(z.string()),
  leftOut: z.array(z.object({ module: z.string(), why: z.string() })).readonly(),
});

/**
 * What udev would load, looked for boot after boot until no device asks for more; kept in the cache. A module that ends
 * a boot before its devices can be counted, or the retries of deferred probes, is left out of the next ones.
 */
async function modulesByAlias(
  runner: Runner,
  request: CountRequest,
  board: CountedBoard,
  shared: string,
): Promise<ModulesOfBoard> {
  const { kernel, tree, index } = board;
  // Models decide which devices appear, and so which modules are asked for.
  const identity = createHash('sha256')
    .update(`asked-for-first left-out ${kernel.key} ${request.append.join(' ')} `)
    .update(JSON.stringify(modelBoard(tree).models))
    .update(serializeFdt(tree));
  const file = join(cacheRoot(), 'board-modules', `${identity.digest('hex')}.json`);
  const kept = keptSchema.safeParse(await readJson(file));
  if (kept.success) return { modules: loadOrder(kept.data.modules, kernel, index), leftOut: kept.data.leftOut };
  const matcher = new ModuleMatcher(index);
  // What a driver asked request_module() for by its name would have been there when the call returned: it comes first.
  const asked = new Set<string>();
  const wanted = new Set(modulesOfTree(tree, matcher));
  const leftOut: LeftOut[] = [];
  const all = () => {
    const names = new Set([...asked, ...wanted]);
    for (const { module } of leftOut) names.delete(module);
    return names;
  };
  let complete = false;
  for (let round = 1; round <= MOST_ROUNDS + leftOut.length; round++) {
    const before = all().size;
    const cell = countingCellOf(board, request, loadOrder(all(), kernel, index));
    const folder = join(shared, `modules-${round}`);
    await runner.boot({ ...cell, id: `${cell.id}-modules-${round}` }, folder);
    const census = readCensus(folder, tree, matcher);
    for (const modalias of census.modaliases) {
      for (const name of matcher.forModalias(modalias)) if (kernel.modules.has(name)) wanted.add(name);
      if (kernel.modules.has(moduleName(modalias))) asked.add(moduleName(modalias));
    }
    complete = census.complete;
    const modulesFor = (device: string) => {
      const path = census.devices.find(({ name }) => name === device)?.node ?? '';
      const node = nodeAt(tree.root, path);
      return node === undefined ? [] : compatiblesOf({ node }).flatMap((name) => matcher.forCompatible(name));
    };
    const deadly = leftOut.length < MOST_LEFT_OUT ? moduleToLeaveOut(census, all(), modulesFor) : null;
    if (deadly !== null) leftOut.push(deadly);
    else if (!complete || all().size === before) break;
  }
  // A boot that ended early has not asked for all of them.
  if (complete) await keepJson(file, { modules: [...all()], leftOut } satisfies z.infer<typeof keptSchema>);
  return { modules: loadOrder(all(), kernel, index), leftOut };
}

/** Modules for the compatibles of enabled nodes, in the tree's order. */
function modulesOfTree(tree: DeviceTree, matcher: ModuleMatcher): string[] {
  const found = new Set<string>();
  const visit = (node: TreeNode, path: string): void => {
    if (!isEnabled(node)) return;
    for (const compatible of compatiblesOf({ node }))
      for (const name of matcher.forCompatible(compatible)) found.add(name);
    for (const child of node.children) visit(child, joinPath(path, child.name));
  };
  visit(tree.root, '/');
  return [...found];
}

function planOf(modules: readonly string[]): PlanStep[] {
  return [
    { step: 'apart' },
    ...modules.map((module) => ({ step: 'load', module, params: '' }) as const),
    { step: 'settle', ms: SETTLE_MS },
    { step: 'census' },
  ];
}

function cellOf({ board, kernel, append, cpus }: CountRequest, modules: readonly string[]): Cell {
  const plain = (text: string) =>
    text
      .slice(text.lastIndexOf('/') + 1)
      .replace(/\.dtb$/, '')
      .toLowerCase()
      .replaceAll(/[^a-z0-9._+=-]/g, '-');
  return {
    ...plainCell(`${plain(board)}-${plain(kernelWord(kernel))}${cpus === 1 ? '' : `.cpus=${cpus}`}`, kernel, {
      linkage: 'builtin',
      board,
    }),
    cpus,
    bootargs: append,
    plan: planOf(modules),
    watch: [],
    // It counts what it finds; only a guest that does not get so far is not as it should be.
    expect: { verdicts: VERDICTS.filter((verdict) => isOfBoot(verdict) && !ENDED_EARLY.includes(verdict)) },
  };
}

/** Boots that do not get to the census at the end of the plan. */
const ENDED_EARLY: readonly Verdict[] = ['hang', 'panic'];

/** What a boot that counted left in its folder. */
export function readCensus(
  folder: string,
  tree: DeviceTree,
  matcher: ModuleMatcher,
  leftOut: readonly LeftOut[] = [],
): Census {
  const read = (name: string) => {
    try {
      return readFileSync(join(folder, name));
    } catch {
      return Buffer.alloc(0); // The guest was not booted: nothing is counted.
    }
  };
  const { events, summary } = readConsole(read('console.log'));
  return censusOf({
    events,
    summary,
    firmwareLog: read('firmware.log').toString('utf8'),
    registers: registersOf(tree),
    modelled: new Set(modelBoard(tree).nodes.map(({ path }) => path)),
    modulesFor: (modalias) => matcher.forModalias(modalias),
    isBuiltin: (modalias) => matcher.isBuiltin(modalias),
    leftOut,
  });
}

/** Names in a `modules.load`: a path or name a line, comments with `#` (Android's and dracut's format). */
export async function readModulesLoad(path: string): Promise<string[]> {
  const text = String(await readNamed(path, 'list of modules'));
  return text.split('\n').flatMap((line) => {
    const name = line.replace(/#.*/, '').trim();
    return name === '' ? [] : [moduleName(name)];
  });
}
