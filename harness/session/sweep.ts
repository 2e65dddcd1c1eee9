import { suppliersOf } from '../board/suppliers.ts';
import { devicesOf } from '../devicetree/devices.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { KnownError } from '../errors.ts';
import { ModuleMatcher } from '../kernel/modalias.ts';
import type { Cell } from '../model/cell.ts';
import { type CountedBoard, type CountRequest, countingCell, openBoard, readCensus } from '../run/count.ts';
import { withAsyncDrivers } from '../search/conditions.ts';
import { type BoundDevice, SUSPEND_TEST } from '../search/disturbances.ts';
import {
  type BoardOutcome,
  type Difference,
  differencesTo,
  type Finding,
  type Sweep,
  type SweepCell,
  type Swept,
  showsDifference,
  sweepCells,
  usualCells,
} from '../search/sweep.ts';
import type { SearchSession } from './search.ts';

export interface SweepOptions {
  readonly boards: readonly string[];
  readonly kernels: readonly string[];
  readonly sweeps: readonly Sweep[];
  readonly most: number;
  readonly seed: number;
  /** Which of the boards and kernels are booted; the others may be in the cache by now. */
  readonly shard: { readonly index: number; readonly of: number };
  readonly note: (line: string) => void;
}

/** Sweeps each board with each kernel of the shard, one after the other. */
export async function sweepBoards(session: SearchSession, options: SweepOptions): Promise<Swept[]> {
  const { boards, kernels, shard } = options;
  const all = boards.flatMap((board) => kernels.map((kernel) => ({ board, kernel })));
  const mine = all.filter((_, place) => place % shard.of === shard.index - 1);
  const swept: Swept[] = [];
  for (const one of mine) swept.push(await sweepBoard(session, one.board, one.kernel, options));
  return swept;
}

async function sweepBoard(
  session: SearchSession,
  board: string,
  kernel: string,
  options: SweepOptions,
): Promise<Swept> {
  const none = { board, kernel, release: null, devices: 0, bound: 0, boots: 0, usualCrashes: [], findings: [] };
  try {
    const request: CountRequest = { board, kernel, append: [], modules: null };
    const opened = await openBoard(session.lab, request);
    const base = await countingCell(session.lab, request, session.folder.shared);
    return await new BoardSweep(session, opened, base, options).run();
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    return { ...none, problem: error.hint === undefined ? error.message : `${error.message}; ${error.hint}` };
  }
}

class BoardSweep {
  readonly #session: SearchSession;
  readonly #board: CountedBoard;
  readonly #base: Cell;
  readonly #options: SweepOptions;
  readonly #matcher: ModuleMatcher;
  #boots = 0;

  constructor(session: SearchSession, board: CountedBoard, base: Cell, options: SweepOptions) {
    this.#session = session;
    this.#board = board;
    this.#base = base;
    this.#options = options;
    this.#matcher = new ModuleMatcher(board.index);
  }

  async run(): Promise<Swept> {
    const { most, seed, note } = this.#options;
    const { tree, kernel } = this.#board;
    const canSuspend = (await this.#session.lab.gateable(kernel, [SUSPEND_TEST])).length > 0;
    const sweeps = this.#options.sweeps.filter((sweep) => sweep !== 'suspend' || canSuspend);
    const usual = await Promise.all(usualCells(this.#base, seed).map((cell) => this.#boot(cell)));
    const [first] = usual;
    const bound = first?.bound ?? [];
    const request = { base: this.#base, bound, pairs: pairsOf(tree, bound), sweeps, most, seed };
    const found = new Map<string, { difference: Difference; by: SweepCell; times: number }>();
    const cells = sweepCells(request);
    note(`${this.#base.id}: ${bound.length} devices bound, ${cells.length} boots`);
    const outcomes = await Promise.all(cells.map((one) => this.#boot(one.cell)));
    for (const [place, by] of cells.entries()) {
      const outcome = outcomes[place];
      for (const difference of outcome === undefined ? [] : differencesTo(usual, outcome)) {
        const known = found.get(difference.key);
        if (known === undefined) found.set(difference.key, { difference, by, times: 1 });
        else known.times++;
      }
    }
    const findings: Finding[] = [];
    for (const { difference, by, times } of found.values())
      findings.push(await this.#finding(usual, difference, by, times, findings.length + 1));
    return {
      board: this.#base.board,
      kernel: this.#base.kernel,
      release: kernel.release,
      problem: null,
      devices: first?.ends.size ?? 0,
      bound: bound.length,
      boots: this.#boots,
      usualCrashes: [...new Set(usual.flatMap(({ crashes }) => crashes.map(({ signature }) => signature)))],
      findings,
    };
  }

  async #finding(
    usual: readonly BoardOutcome[],
    difference: Difference,
    by: SweepCell,
    times: number,
    number: number,
  ): Promise<Finding> {
    const driver = await this.#driverAlone(usual, difference, by);
    const cell = driver === null ? by.cell : { ...this.#base, bootargs: asyncAlone(this.#base, driver) };
    const id = `${this.#base.id}-finding-${number}`;
    const { board, kernel } = this.#base;
    const { release } = this.#board.kernel;
    const file = await this.#session.keepCell(`${id}.yaml`, { ...cell, id });
    return { difference, board, kernel, release, what: by.what, times, driver, file };
  }

  /** Of a boot in which all drivers are asynchronous: whether the driver that it shows is enough. */
  async #driverAlone(
    usual: readonly BoardOutcome[],
    difference: Difference,
    { sweep, cell }: SweepCell,
  ): Promise<string | null> {
    if (sweep !== 'async') return null;
    const candidates = driversOf(difference).filter((driver) => !driver.includes(','));
    for (const driver of candidates) {
      const alone = { ...cell, bootargs: asyncAlone(this.#base, driver), id: `${cell.id}-${driver}` };
      if (showsDifference(usual, await this.#boot(alone), difference)) return driver;
    }
    return null;
  }

  async #boot(cell: Cell): Promise<BoardOutcome & { readonly bound: readonly BoundDevice[] }> {
    const { lab, folder } = this.#session;
    this.#boots++;
    const path = folder.cell(cell.id);
    await lab.boot(cell, path);
    const census = readCensus(path, this.#board.tree, this.#matcher);
    const named = census.devices.map(({ bus, name, end, driver }) => ({ device: `${bus}/${name}`, end, driver }));
    return {
      complete: census.complete,
      crashes: census.crashes.map(({ signature, title, function: symbol, probing, trace }) => ({
        signature,
        title,
        function: symbol,
        probing,
        trace: trace.map((frame) => frame.function),
      })),
      ends: new Map(named.map(({ device, end, driver }) => [device, driver === null ? end : `${end} by ${driver}`])),
      bound: census.devices.flatMap(({ bus, name, end, driver }) =>
        end === 'bound' && driver !== null && bus === 'platform' ? [{ device: name, driver }] : [],
      ),
    };
  }
}

function asyncAlone(base: Cell, driver: string): string[] {
  return withAsyncDrivers(base.bootargs, [driver]);
}

const BY = / by (\S+)$/;

/** Drivers that a difference names: whose probe crashed, or who bound the device. */
function driversOf(difference: Difference): string[] {
  switch (difference.kind) {
    case 'crash':
      return difference.crash.probing?.driver == null ? [] : [difference.crash.probing.driver];
    case 'end':
      return [...new Set([difference.usual, difference.now].flatMap((end) => BY.exec(end)?.[1] ?? []))];
    case 'incomplete':
      return [];
  }
}

/** Bound devices that need the same supplier, two at a time. */
function pairsOf(tree: DeviceTree, bound: readonly BoundDevice[]): (readonly [string, string])[] {
  const nodes = devicesOf(tree);
  const names = new Map([...nodes].map(([device, path]) => [path, device]));
  const there = new Set(bound.map(({ device }) => device));
  const consumers = new Map<string, string[]>();
  for (const { consumer, supplier } of suppliersOf(tree).links) {
    const device = names.get(consumer);
    if (device !== undefined && there.has(device))
      consumers.set(supplier, [...(consumers.get(supplier) ?? []), device]);
  }
  const pairs = new Map<string, readonly [string, string]>();
  for (const some of consumers.values())
    for (const [place, one] of some.entries())
      for (const other of some.slice(place + 1)) if (one !== other) pairs.set(`${one} ${other}`, [one, other]);
  return [...pairs.values()];
}
