import { createReadStream, existsSync } from 'node:fs';
import { reportsIn } from '../board/census.ts';
import { devicesOf } from '../devicetree/devices.ts';
import { editTree } from '../devicetree/edit.ts';
import { type DeviceTree, nodeAt, walk } from '../devicetree/tree.ts';
import { readStrings, stringProperty } from '../devicetree/values.ts';
import { DmesgParser } from '../dmesg/parser.ts';
import { type LogSummary, Summary } from '../dmesg/summary.ts';
import { EXIT, InputError } from '../errors.ts';
import { cacheRoot } from '../kernel/cache.ts';
import { type Drivers, driversOf } from '../kernel/matches.ts';
import { ModuleMatcher, moduleIndex } from '../kernel/modalias.ts';
import { loadCell } from '../matrix/matrix-file.ts';
import type { Cell } from '../model/cell.ts';
import { withProgress } from '../report/progress.ts';
import { formatWhy } from '../report/why.ts';
import { readBoardTree } from '../run/board-tree.ts';
import { type Boot, hasVerdict, type Outcome } from '../search/outcome.ts';
import { type LeastTimeout, leastTimeout } from '../search/timeout.ts';
import { runSearch } from '../session/search.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print, printJson } from '../terminal/output.ts';
import { type Root, type Why, whyUnbound } from '../verdict/why.ts';
import {
  type Lacking,
  lackingIn,
  loadedIn,
  loadingAfter,
  type Suspect,
  suspectsIn,
  type Tried,
  triedIn,
  withSuspects,
} from '../verdict/why-cell.ts';
import { guessByTree, type TreeGuesses } from '../verdict/why-tree.ts';
import type { WhyOptions } from './why.options.ts';

/**
 * `bootrace why CELL|LOG`: exit code 0 where everything is bound, 1 where something is not, 3 where the input is no
 * kernel's log.
 * @throws InputError for what is neither a readable file nor a cell
 */
export async function why(what: string | undefined, options: WhyOptions, signal: AbortSignal): Promise<number> {
  const isLog = what === undefined || what === '-' || (existsSync(what) && !/\.ya?ml$/.test(what));
  const { found, byTree, tried, timeout } = isLog
    ? await whyLog(what ?? '-', options)
    : await whyCell(what, options, signal);
  if (options.json === true) printJson({ ...found, byTree, tried, timeout });
  else print(formatWhy(found, { byTree, tried, timeout }));
  return found.unbound === 0 && found.rootDevice === null ? EXIT.expected : EXIT.unexpected;
}

interface Answer {
  readonly found: Why;
  /** Null without a tree to guess by. */
  readonly byTree: TreeGuesses | null;
  /** Null where no module is missing that could be tried. */
  readonly tried: Tried | null;
  readonly timeout: LeastTimeout | null;
}

async function whyLog(file: string, options: WhyOptions): Promise<Answer> {
  if (options.timeout === true)
    throw new InputError('a log has no time-out to look for', 'name a cell, or leave --timeout out');
  const tree = options.tree === undefined ? null : (await readBoardTree(options.tree, null)).tree;
  const parser = new DmesgParser();
  const summary = new Summary();
  const input = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 });
  try {
    for await (const chunk of input)
      for (const event of parser.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)))) summary.add(event);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new InputError(`${file} cannot be read (${String(error.code)})`, 'name a file with a kernel log', {
      cause: error,
    });
  }
  for (const event of parser.end()) summary.add(event);
  const said: LogSummary = summary.finish(parser);
  if (!said.kernel) throw new InputError(`${file} holds no line of a kernel`, 'name a file with a kernel log');
  const found = whyUnbound(said);
  return { found, byTree: tree === null ? null : guessByTree(found, said, tree), tried: null, timeout: null };
}

async function whyCell(name: string, options: WhyOptions, signal: AbortSignal): Promise<Answer> {
  if (options.tree !== undefined)
    throw new InputError('a cell has its own device tree', 'leave --tree out, or name a log');
  const cell = await loadCell(name, options.matrix, 'file or cell');
  await requireTools();
  return withProgress((progress) =>
    runSearch(
      'why',
      { signal, listen: progress.listen, results: options.results, workers: null },
      async ({ runner, boot }) => {
        await runner.check(cell);
        const kernel = await runner.kernel(cell);
        if (kernel.kind === 'unbuildable') throw new InputError(`kernel ${cell.kernel}: ${kernel.reason}`);
        const tree = editTree(await runner.board(cell), cell.tree);
        const drivers = await driversOf(cacheRoot(), kernel);
        const matcher = new ModuleMatcher(await moduleIndex(cacheRoot(), kernel));
        const { found, tried } = await whyBooted(cell, { boot, tree, drivers, matcher });
        const timeout = options.timeout === true ? await leastTimeout(cell, boot) : null;
        return { found, byTree: null, tried, timeout };
      },
    ),
  );
}

/** Boots with modules that each add what the one before has shown to be missing. */
const MOST_BOOTS = 4;
/** Modules that are tried where the tree links none of them to what waits. */
const UNLINKED = 16;

interface Known {
  readonly boot: Boot;
  readonly tree: DeviceTree;
  readonly drivers: Drivers;
  readonly matcher: ModuleMatcher;
}

/** Boots a cell, and again with the modules loaded that are missing by the first boot. */
async function whyBooted(
  cell: Cell,
  { boot, tree, drivers, matcher }: Known,
): Promise<Pick<Answer, 'found' | 'tried'>> {
  const bootWith = async (modules: readonly string[]): Promise<Outcome> =>
    boot({
      ...cell,
      id: modules.length === 0 ? cell.id : `${cell.id}.loading-${modules.length}`,
      plan: loadingAfter(cell.plan, modules),
    });
  const saidOf = (outcome: Outcome) => {
    const summary = new Summary();
    for (const event of outcome.events) summary.add(event);
    const said = whyUnbound(summary.finish({ lines: 0, lastLine: '', kernel: true }));
    const reports = reportsIn(outcome.events);
    const missing = lackingIn(reports, loadedIn(outcome.events), (modalias) => matcher.forModalias(modalias));
    const unloaded = new Map(missing.map(({ device, modules }) => [device, modules]));
    const found = { ...said, roots: said.roots.map((root) => refined(root, { cell, tree, drivers, unloaded })) };
    return { found, missing, linked: suspectsIn(found, { reports, lacking: missing, tree }) };
  };
  const first = await bootWith([]);
  if (!hasVerdict(first)) throw new InputError(`cell ${cell.id} was not booted: ${first.reason}`);
  let said = saidOf(first);
  const { found, missing } = said;
  const unbound = [...new Set([...devicesOfRoots(found.roots), ...found.unexplained])];
  const lacking = new Map<string, Lacking>();
  const suspects: Suspect[] = [];
  const modules = new Set<string>();
  let tried: Tried | null = null;
  for (let round = 1; round <= MOST_BOOTS; round++) {
    for (const one of said.missing) if (!lacking.has(one.device)) lacking.set(one.device, one);
    suspects.push(...said.linked);
    const before = modules.size;
    for (const { cause } of said.found.roots)
      if (cause.cause === 'module-not-loaded') for (const module of cause.modules) modules.add(module);
    for (const one of said.linked) for (const module of one.lacking.modules) modules.add(module);
    if (modules.size === 0 && unbound.length > 0)
      for (const module of missing.flatMap((one) => one.modules).slice(0, UNLINKED)) modules.add(module);
    if (modules.size === before) break;
    const loads = [...modules];
    const outcome = await bootWith(loads);
    const failed = reportsIn(outcome.events).length === 0 ? `${outcome.verdict}: ${outcome.reason}` : null;
    tried = { ...triedIn(outcome.events, loads, unbound), failed };
    if (failed !== null || tried.left.length === 0) break;
    said = saidOf(outcome);
  }
  return { found: tried === null ? found : withSuspects(found, suspects, [...lacking.values()], tried), tried };
}

function devicesOfRoots(roots: readonly Root[]): string[] {
  return roots.flatMap(({ name, waiting }) => [name, ...waiting.map(({ device }) => device)]);
}

interface Refining extends Pick<Known, 'tree' | 'drivers'> {
  readonly cell: Cell;
  /** Devices without a driver, by name, with the modules for them that were not loaded. */
  readonly unloaded: ReadonlyMap<string, readonly string[]>;
}

/** What the device tree and the kernel know of a root that nothing probed. */
function refined(root: Root, { cell, tree, drivers, unloaded }: Refining): Root {
  if (root.cause.cause !== 'never-probed' && root.cause.cause !== 'no-bus') return root;
  // A driver that is built in may only name what a module drives, as Rockchip's pin controller does its GPIO banks.
  const modules = unloaded.get(root.name);
  if (modules !== undefined) return { ...root, cause: { cause: 'module-not-loaded', modules } };
  const path = nodePathOf(root.name, tree);
  if (path === null)
    return { ...root, cause: { cause: 'half-merged-tree', what: `it has no node called ${root.name}` } };
  const node = nodeAt(tree.root, path);
  const status = node === undefined ? null : stringProperty(node, 'status');
  if (status !== null && status !== 'okay' && status !== 'ok') return { ...root, cause: { cause: 'node-disabled' } };
  const compatible = readStrings(node?.properties.get('compatible') ?? new Uint8Array()) ?? [];
  if (compatible.length === 0)
    return {
      ...root,
      cause: { cause: 'half-merged-tree', what: `${path} has no compatible, so that no device is made of it` },
    };
  const match = drivers.find(compatible);
  if (match.kind === 'none') return { ...root, cause: { cause: 'no-driver', compatible } };
  const loaded = cell.plan.flatMap((step) => (step.step === 'load' ? [step.module] : []));
  if (match.kind === 'modules' && !match.modules.some((module) => loaded.includes(module)))
    return { ...root, cause: { cause: 'module-not-loaded', modules: match.modules } };
  return root;
}

/** The node of a device, or of what the driver core calls a supplier: a path or a node's name. */
function nodePathOf(name: string, tree: DeviceTree): string | null {
  const device = devicesOf(tree).get(name);
  if (device !== undefined) return device;
  const found = [...walk(tree.root)].find(({ path, node }) => path === name || node.name === name.split('/').at(-1));
  return found?.path ?? null;
}
