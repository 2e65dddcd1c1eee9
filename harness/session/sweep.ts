import { compatiblesOf } from '../board/interrupts.ts';
import { tellLeftOut } from '../board/left-out.ts';
import { suppliersOf } from '../board/suppliers.ts';
import { devicesOf } from '../devicetree/devices.ts';
import { type DeviceTree, nodeAt } from '../devicetree/tree.ts';
import { InfraError, InputError, KnownError } from '../errors.ts';
import { ModuleMatcher } from '../kernel/modalias.ts';
import type { Cell } from '../model/cell.ts';
import { type CountedBoard, type CountRequest, countingCell, openBoard, readCensus } from '../run/count.ts';
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
import { cellWithParts, leastParts, type Part, partsOf, partsText } from '../search/sweep-parts.ts';
import type { SearchSession } from './search.ts';

export interface SweepOptions {
  readonly boards: readonly string[];
  readonly kernels: readonly string[];
  readonly sweeps: readonly Sweep[];
  readonly most: number;
  readonly seed: number;
  /** Most boots by which one finding is reduced to what it needs; 0 for none. */
  readonly reduce: number;
  /** Which of the boards and kernels are booted; the others may be in the cache by now. */
  readonly shard: { readonly index: number; readonly of: number };
  readonly note: (line: string) => void;
}

/**
 * Sweeps each board with each kernel of the shard, one after the other. What keeps one of them from an answer is part
 * of the result. Throws {@link InputError} where all that was asked for is wrong.
 */
export async function sweepBoards(session: SearchSession, options: SweepOptions): Promise<Swept[]> {
  const { boards, kernels, shard } = options;
  const all = boards.flatMap((board) => kernels.map((kernel) => ({ board, kernel })));
  const mine = all.filter((_, place) => place % shard.of === shard.index - 1);
  const swept: Swept[] = [];
  const problems: KnownError[] = [];
  for (const [place, { board, kernel }] of mine.entries()) {
    const note = (line: string) => options.note(`${place + 1} of ${mine.length}: ${line}`);
    try {
      swept.push(await sweepBoard(session, board, kernel, { ...options, note }));
    } catch (error) {
      if (!(error instanceof KnownError)) throw error;
      problems.push(error);
      const counts = { devices: 0, bound: 0, boots: 0, unbooted: [], leftOut: [], usualCrashes: [], findings: [] };
      swept.push({ board, kernel, release: null, ...counts, problem: error.whole });
    }
  }
  const [first] = problems;
  const isAllWrong = problems.length === mine.length && problems.every((problem) => problem instanceof InputError);
  if (first !== undefined && isAllWrong) throw first;
  return swept;
}

/** Throws {@link KnownError} for what keeps it from an answer. */
async function sweepBoard(
  session: SearchSession,
  board: string,
  kernel: string,
  options: SweepOptions,
): Promise<Swept> {
  const request: CountRequest = { board, kernel, append: [], modules: null, cpus: 1 };
  const opened = await openBoard(session.runner, request);
  const { cell, leftOut } = await countingCell(session.runner, request, session.folder.shared);
  const swept = await new BoardSweep(session, opened, cell, options).run();
  return { ...swept, leftOut: [...tellLeftOut(leftOut), ...swept.leftOut] };
}

/** What is left of a boot that still shows a difference. */
interface Minimal {
  readonly cell: Cell;
  /** Null where nothing was left out. */
  readonly parts: readonly Part[] | null;
  readonly isMinimal: boolean;
}

/** A difference, the first boot that showed it, and how many did. */
interface Found {
  readonly difference: Difference;
  readonly by: SweepCell;
  times: number;
}

class BoardSweep {
  readonly #session: SearchSession;
  readonly #board: CountedBoard;
  readonly #base: Cell;
  readonly #options: SweepOptions;
  readonly #matcher: ModuleMatcher;
  readonly #minimals = new Map<string, Minimal[]>();
  #bound: readonly BoundDevice[] = [];
  #boots = 0;
  /** Why boots could not be had. */
  readonly #unbooted = new Set<string>();

  readonly #needs = (module: string): readonly string[] => this.#board.kernel.modules.get(module)?.depends ?? [];

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
    const canSuspend = (await this.#session.runner.gateable(kernel, [SUSPEND_TEST])).length > 0;
    const sweeps = this.#options.sweeps.filter((sweep) => sweep !== 'suspend' || canSuspend);
    const usual = await Promise.all(usualCells(this.#base, seed).map((cell) => this.#boot(cell)));
    if (!usual.every(({ booted }) => booted))
      throw new InfraError(`a boot in the usual order says nothing: ${[...this.#unbooted].join('; ')}`);
    const leftOut =
      sweeps.length === this.#options.sweeps.length
        ? []
        : [`no symbol of ${SUSPEND_TEST} in this kernel, so suspend was left out`];
    const [first] = usual;
    const bound = first?.bound ?? [];
    this.#bound = bound;
    const request = { base: this.#base, bound, pairs: pairsOf(tree, bound), sweeps, needs: this.#needs, most, seed };
    const found = new Map<string, Found>();
    const cells = sweepCells(request);
    const reductions = this.#options.reduce === 0 ? '' : ', and what reduces the findings';
    note(
      `${this.#base.id}: ${bound.length} devices to make late, bind again and pair, ${cells.length} boots${reductions}`,
    );
    const outcomes = await Promise.all(cells.map((one) => this.#boot(one.cell)));
    for (const [place, by] of cells.entries()) {
      const outcome = outcomes[place];
      for (const difference of outcome === undefined ? [] : differencesTo(usual, outcome)) {
        const known = found.get(difference.key);
        if (known === undefined) found.set(difference.key, { difference, by, times: 1 });
        else known.times++;
      }
    }
    const findings = await this.#findings(usual, [...found.values()]);
    return {
      board: this.#base.board,
      kernel: this.#base.kernel,
      release: kernel.release,
      problem: null,
      devices: first?.ends.size ?? 0,
      bound: [...(first?.ends.values() ?? [])].filter((end) => end.startsWith('bound')).length,
      boots: this.#boots,
      unbooted: [...this.#unbooted],
      leftOut,
      usualCrashes: [...new Set(usual.flatMap(({ crashes }) => crashes.map(({ signature }) => signature)))],
      findings,
    };
  }

  /**
   * Reduces what different boots showed at the same time, and what one boot showed one after the other: what is enough
   * for one of them may do for the next.
   */
  async #findings(usual: readonly BoardOutcome[], found: readonly Found[]): Promise<Finding[]> {
    const byBoot = new Map<string, [number, Found][]>();
    for (const [place, one] of found.entries())
      byBoot.set(one.by.cell.id, [...(byBoot.get(one.by.cell.id) ?? []), [place, one]]);
    const reduced = await Promise.all(
      [...byBoot.values()].map(async (some) => {
        const findings: (readonly [number, Finding])[] = [];
        for (const [place, one] of some) findings.push([place, await this.#finding(usual, one, place + 1)]);
        return findings;
      }),
    );
    return reduced
      .flat()
      .toSorted(([a], [b]) => a - b)
      .map(([, finding]) => finding);
  }

  async #finding(usual: readonly BoardOutcome[], { difference, by, times }: Found, number: number): Promise<Finding> {
    const { cell, parts, isMinimal } = await this.#minimal(usual, difference, by);
    const id = `${this.#base.id}-finding-${number}`;
    const { board, kernel } = this.#base;
    const { release } = this.#board.kernel;
    const file = await this.#session.keepCell(`${id}.yaml`, { ...cell, id });
    const needs = parts === null ? null : partsText(parts);
    return { difference, board, kernel, release, what: by.what, times, needs, isMinimal, file };
  }

  /**
   * What of a boot a difference needs: what was enough for another difference of the same boot, what the difference
   * itself names, or what remains when parts are left out, as far as the boots go.
   */
  async #minimal(usual: readonly BoardOutcome[], difference: Difference, by: SweepCell): Promise<Minimal> {
    const all = partsOf(by, this.#base, this.#bound, this.#builtIn());
    const unreduced: Minimal = { cell: by.cell, parts: null, isMinimal: false };
    if (this.#options.reduce === 0 || all.length === 0) return unreduced;
    const before = this.#minimals.get(by.cell.id) ?? [];
    const shows = async (cell: Cell) => {
      const outcome = await this.#boot(cell);
      return outcome.booted ? showsDifference(usual, outcome, difference) : null;
    };
    // Enough for this difference, too; whether less is was not looked at.
    for (const one of before)
      if ((await shows(one.cell)) === true)
        return { ...one, isMinimal: one.isMinimal && (one.parts?.length ?? 0) <= 1 };
    const guesses = this.#guesses(difference, all);
    let tried = 0;
    const { parts, isMinimal } = await leastParts(all, guesses, this.#options.reduce, async (kept) => {
      const cell = cellWithParts(by, this.#base, kept, this.#needs);
      return cell === null
        ? null
        : shows({ ...cell, id: `${by.cell.id}-minimal-${before.length + 1}-part-${++tried}` });
    });
    const cell = parts.length === all.length ? null : cellWithParts(by, this.#base, parts, this.#needs);
    if (cell === null) return unreduced;
    const id = `${by.cell.id}-minimal-${before.length + 1}`;
    const found: Minimal = { cell: { ...cell, id }, parts, isMinimal };
    this.#minimals.set(by.cell.id, [...before, found]);
    return found;
  }

  /** Single drivers that a difference points at, with the gates of the boot. */
  #guesses(difference: Difference, all: readonly Part[]): Part[][] {
    const drivers = driversOf(difference);
    const modules = new Set([
      ...(difference.kind === 'crash' ? difference.crash.modules : []),
      ...drivers.map((driver) => driver.replaceAll(/[-,]/g, '_')),
      ...(difference.kind === 'end' ? this.#modulesFor(difference.device) : []),
    ]);
    const gates = all.filter(({ part }) => part === 'gate');
    const singles = all.filter(
      (one) =>
        (one.part === 'driver' && drivers.includes(one.driver)) || (one.part === 'module' && modules.has(one.module)),
    );
    return singles.map((one) => [...gates, one]);
  }

  #modulesFor(device: string): readonly string[] {
    const path = devicesOf(this.#board.tree).get(device.slice(device.indexOf('/') + 1));
    const node = path === undefined ? undefined : nodeAt(this.#board.tree.root, path);
    return node === undefined ? [] : compatiblesOf({ node }).flatMap((name) => this.#matcher.forCompatible(name));
  }

  /** Drivers of bound devices that are in the kernel's image: those that no module has a compatible for. */
  #builtIn(): string[] {
    const found = this.#bound.filter(({ device }) => this.#modulesFor(device).length === 0);
    return [...new Set(found.map(({ driver }) => driver))];
  }

  async #boot(cell: Cell): Promise<BoardOutcome & { readonly bound: readonly BoundDevice[] }> {
    const { runner, folder } = this.#session;
    this.#boots++;
    const path = folder.cell(cell.id);
    const { end: guest, record, gates } = await runner.boot(cell, path);
    const inVain = gates.flatMap((gate) =>
      gate.verb === 'timed-out' ? [`the hold of ${gate.device} until ${gate.detail} timed out`] : [],
    );
    // A guest that the machine did not let come to its end says nothing of the kernel.
    const isBooted = guest !== null && record.verdict !== 'infra-error';
    if (!isBooted) this.#unbooted.add(record.reason);
    for (const why of inVain) this.#unbooted.add(why);
    const census = readCensus(path, this.#board.tree, this.#matcher);
    const named = census.devices.map((one) => ({ ...one, device: `${one.bus}/${one.name}` }));
    return {
      booted: isBooted && inVain.length === 0,
      complete: census.complete,
      crashes: census.crashes.map(({ signature, title, function: symbol, probing, trace }) => ({
        signature,
        title,
        function: symbol,
        probing,
        trace: trace.map((frame) => frame.function),
        modules: [...new Set(trace.flatMap((frame) => frame.module ?? []))],
      })),
      ends: new Map(named.map(({ device, end, driver }) => [device, driver === null ? end : `${end} by ${driver}`])),
      places: new Map(named.map(({ device, bus, node }) => [device, `${bus} ${node}`])),
      answers: new Map(named.map(({ device, answeredBy }) => [device, answeredBy])),
      reasons: new Map(named.flatMap(({ device, reason }) => (reason === null ? [] : [[device, reason] as const]))),
      bound: census.devices.flatMap(({ bus, name, end, driver }) =>
        end === 'bound' && driver !== null && bus === 'platform' ? [{ device: name, driver }] : [],
      ),
    };
  }
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
  const waitsFor = needersOf(suppliersOf(tree).links, names);
  const pairs = new Map<string, readonly [string, string]>();
  for (const some of consumers.values())
    for (const [place, one] of some.entries())
      for (const other of some.slice(place + 1))
        if (one !== other && !waitsFor(one, other) && !waitsFor(other, one)) pairs.set(`${one} ${other}`, [one, other]);
  return [...pairs.values()];
}

/** Whether one device needs another, directly or through others. */
function needersOf(
  links: readonly { readonly consumer: string; readonly supplier: string }[],
  names: ReadonlyMap<string, string>,
): (device: string, other: string) => boolean {
  const direct = new Map<string, Set<string>>();
  for (const link of links) {
    const consumer = names.get(link.consumer);
    const supplier = names.get(link.supplier);
    if (consumer === undefined || supplier === undefined) continue;
    direct.set(consumer, (direct.get(consumer) ?? new Set()).add(supplier));
  }
  return (device, other) => {
    const seen = new Set([device]);
    for (const one of seen) for (const next of direct.get(one) ?? []) seen.add(next);
    return device !== other && seen.has(other);
  };
}
