import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { resolveBoard } from '../boards/boards.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import type { DmesgEvent } from '../dmesg/events.ts';
import { InfraError, InputError, KnownError } from '../errors.ts';
import { type GateEvent, parseGateLog } from '../firmware/gate-log.ts';
import type { KernelArtefact, KernelResult } from '../kernel/artefact.ts';
import { cacheRoot, useCache } from '../kernel/cache.ts';
import type { Cell } from '../model/cell.ts';
import { isMissing } from '../model/verdict.ts';
import type { GuestEnd } from '../qemu/process.ts';
import { qemuIdentity } from '../qemu/version.ts';
import type { KnownIssue } from '../verdict/knownissues.ts';
import { type BootResult, boot, bootFromSnapshot, replayBoot } from './boot.ts';
import { type CommonFiles, openCommonFiles } from './common-files.ts';
import { Kernels } from './kernels.ts';
import type { LifecycleListener } from './lifecycle.ts';
import { checkDeviceNames } from './names.ts';
import { type PreparedCell, prepareCell } from './prepare.ts';
import type { CellRecord, RunRecord } from './record.ts';
import { recordBoot, recordWithoutBoot } from './record-cell.ts';
import { type Boot, holdAgainstReset } from './repetitions.ts';
import { ResultCache } from './result-cache.ts';
import { type RunFolder, writeCell } from './results.ts';
import { Snapshots } from './snapshots.ts';
import { findSymbols, placeIn, symbolsOf } from './symbols.ts';

export interface RunnerOptions {
  readonly folder: RunFolder;
  /** Guests at a time. */
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly listen: LifecycleListener;
  readonly knownIssues: readonly KnownIssue[];
  /** Whether a boot of an earlier run will do; every boot is kept for later ones in any case. */
  readonly useCache: boolean;
  /** Whether cells may be booted from a snapshot of where they begin to differ. */
  readonly useSnapshots: boolean;
  /** Words behind `bootrace cell` that boot a cell again; its id alone where it is one of the default matrix. */
  readonly replay?: (cell: Cell) => readonly string[];
  /** Gets a guest's console as it comes; for a run of one cell. */
  readonly onConsole?: (bytes: Uint8Array) => void;
}

/** Of so many boots from snapshots one is repeated from reset; the first of every run among them. */
const BOOTS_TO_A_CHECK = 32;

/** One boot as the search and the run see it. */
export interface BootedCell {
  readonly record: CellRecord;
  /** How the guest ended; null where none was booted. */
  readonly end: GuestEnd | null;
  readonly events: readonly DmesgEvent[];
  readonly gates: readonly GateEvent[];
}

/** Boots cells: kernels are built once and one at a time, guests run on the workers. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #common: CommonFiles;
  /** Cells in hand: one more than there are workers is made ready, so that no worker waits for its next guest. */
  readonly #cells: PQueue;
  readonly #guests: PQueue;
  readonly #kernels: Kernels;
  readonly #kept: ResultCache;
  readonly #snapshots: Snapshots | null;
  readonly #leaveCache: () => Promise<void>;
  #fromSnapshot = 0;
  /** Entries of the result cache that came from this run's snapshots. */
  readonly #keptFromSnapshots: string[] = [];
  readonly #clockRaces: RunRecord['clockRaces'][number][] = [];
  readonly #refused: InputError[] = [];
  #checked = 0;

  private constructor(options: RunnerOptions, common: CommonFiles, kept: ResultCache, leaveCache: () => Promise<void>) {
    this.#options = options;
    this.#common = common;
    this.#kept = kept;
    this.#leaveCache = leaveCache;
    this.#cells = new PQueue({ concurrency: options.workers + 1 });
    this.#guests = new PQueue({ concurrency: options.workers });
    this.#kernels = new Kernels(options);
    const { folder, workers, signal } = options;
    this.#snapshots = options.useSnapshots ? new Snapshots({ folder: folder.shared, guests: workers, signal }) : null;
  }

  /** Compiles what all cells share and lays it down in the run's folder. */
  static async open(options: RunnerOptions): Promise<Runner> {
    const { shared } = options.folder;
    const cache = cacheRoot();
    const [common, kept] = await Promise.all([
      openCommonFiles(shared, cache),
      ResultCache.open(cache, await qemuIdentity()),
    ]);
    return new Runner(options, common, kept, await useCache(cache));
  }

  /**
   * The device tree of a cell's board, before the cell's edits; that of a .dtb may come with the cell's kernel, which
   * is then waited for. Throws {@link InputError} for an unknown board.
   */
  async board(cell: Pick<Cell, 'board' | 'kernel' | 'linkage'>): Promise<DeviceTree> {
    const kernel = resolveBoard(cell.board).kind === 'dtb' ? await this.kernel(cell) : null;
    return (await this.#common.board(cell.board, kernel?.kind === 'ready' ? kernel : null)).tree;
  }

  /**
   * Says what is wrong with a cell before it is booted: its names, and a plan that would not end.
   * @throws InputError
   */
  async check(cell: Cell): Promise<void> {
    if (cell.plan.some(({ step }) => step === 'shell'))
      throw new InputError(
        `cell ${cell.id}: its plan stops at a shell, and nobody is there to use it`,
        'leave the step out; `cell --interactive` opens a shell after the plan',
      );
    checkDeviceNames(cell, await this.board(cell));
  }

  /**
   * The same, and what its kernel lacks of what the cell names; returns that kernel, built if need be.
   * @throws InputError also for a kernel that cannot be built
   */
  async checkWithKernel(cell: Cell): Promise<KernelArtefact> {
    await this.check(cell);
    const kernel = await this.kernel(cell);
    if (kernel.kind === 'unbuildable') throw new InputError(`kernel ${cell.kernel} ${cell.linkage}: ${kernel.reason}`);
    const folder = join(this.#options.folder.shared, `check-${this.#checked++}`);
    await prepareCell(cell, kernel, await symbolsOf(cell, kernel), this.#common, folder);
    await rm(folder, { recursive: true, force: true });
    return kernel;
  }

  /** Kernels that were asked for so far, in the order in which they were ready. */
  get kernels(): RunRecord['kernels'] {
    return this.#kernels.finished;
  }

  /** Boots from reset that were made once more to check one from a snapshot. */
  get clockRaces(): RunRecord['clockRaces'] {
    return this.#clockRaces;
  }

  /** What is wrong with the cells that wrong input kept from being booted, one for each attempt. */
  get refused(): readonly InputError[] {
    return this.#refused;
  }

  /** The kernel of a cell, built if need be. Throws what buildKernel() throws. */
  kernel(cell: Pick<Cell, 'kernel' | 'linkage' | 'board'>): Promise<KernelResult> {
    return this.#kernels.get(cell);
  }

  /** Those of `names` at which a gate can stand: functions of the kernel image that it has once. */
  async gateable(kernel: KernelArtefact, names: readonly string[]): Promise<string[]> {
    const found = await findSymbols(kernel, new Set(names));
    return names.filter((name) => found.has(name));
  }

  /** Says which cells are going to be booted, so that those that can share a boot do. */
  expect(cells: readonly Cell[]): void {
    this.#snapshots?.expect(cells);
  }

  /**
   * Boots a cell as soon as a worker is free and leaves its files in `path`. A cell that cannot be booted is
   * `infra-error`; what the harness does not know is thrown, and so is the reason when the run was aborted.
   */
  boot(cell: Cell, path: string = this.#options.folder.cell(cell.id)): Promise<BootedCell> {
    return this.#cells.add(async () => {
      const { signal, listen } = this.#options;
      const replay = this.#replay(cell);
      signal.throwIfAborted();
      listen({ event: 'boot-started', id: cell.id });
      try {
        const kernel = await this.kernel(cell);
        if (kernel.kind === 'unbuildable')
          return withoutEvents(recordWithoutBoot(cell, 'unbuildable', kernel.reason, replay));
        return await this.#boot(cell, kernel, path);
      } catch (error) {
        if (!(error instanceof KnownError) || signal.aborted) throw error;
        if (error instanceof InputError) this.#refused.push(error);
        return withoutEvents(recordWithoutBoot(cell, 'infra-error', error.whole, replay));
      } finally {
        listen({ event: 'boot-finished', id: cell.id });
      }
    });
  }

  /**
   * The same for a kernel that is there, where whoever asks tells one error from another: what goes wrong is thrown, as
   * {@link InfraError} or InputError.
   */
  bootKernel(cell: Cell, kernel: KernelArtefact): Promise<BootedCell> {
    return this.#cells.add(async () => {
      const booted = await this.#boot(cell, kernel, this.#options.folder.cell(cell.id));
      if (booted.end?.end === 'killed') throw new InfraError(`cell ${cell.id}: ${booted.record.reason}`);
      return booted;
    });
  }

  async #boot(cell: Cell, kernel: KernelArtefact, path: string): Promise<BootedCell> {
    const { knownIssues, useCache } = this.#options;
    const symbols = await symbolsOf(cell, kernel);
    const prepared = await prepareCell(cell, kernel, symbols, this.#common, path);
    const earlier = useCache ? this.#earlierBoot(prepared) : null;
    if (earlier !== null) this.#snapshots?.spared(cell);
    const recordOf = async (booted: BootResult) =>
      recordBoot(cell, kernel, prepared, booted, {
        from: booted === earlier ? 'cache' : booted.snapshotAt === null ? 'reset' : 'snapshot',
        replay: this.#replay(cell),
        knownIssues,
        today: today(),
        spins: await placeOf(kernel, booted.end),
      });
    const toBoot = async (booted: BootResult): Promise<Boot> => ({
      record: await recordOf(booted),
      console: () => booted.console,
    });
    const bootGuest = () => this.#guests.add(() => this.#bootGuest(cell, kernel, prepared));
    const first = earlier ?? (await bootGuest());
    const isChecked = first.snapshotAt !== null && this.#fromSnapshot++ % BOOTS_TO_A_CHECK === 0;
    const result = isChecked
      ? await this.#check(cell, prepared, first, toBoot, {
          bootGuest,
          bootReset: () => this.#bootReset(cell, kernel, symbols),
        })
      : first;
    const record = await recordOf(result);
    writeCell(path, record, result.events);
    if (earlier === null && !isMissing(record.verdict)) {
      await this.#kept.write(prepared.fingerprint, result.raw);
      if (result.snapshotAt !== null) this.#keptFromSnapshots.push(prepared.fingerprint);
    }
    return { record, end: result.end, events: result.events, gates: parseGateLog(result.firmwareLog) };
  }

  /** A boot from a snapshot where there is one for the cell, else from reset. */
  async #bootGuest(cell: Cell, kernel: KernelArtefact, prepared: PreparedCell): Promise<BootResult> {
    const { signal, onConsole } = this.#options;
    const addresses = (names: ReadonlySet<string>) => findSymbols(kernel, names);
    const booted = this.#snapshots === null ? null : await bootFromSnapshot(prepared, this.#snapshots, cell, addresses);
    return booted ?? boot(prepared, { signal, onConsole });
  }

  /**
   * The boot of a cell that counts: from a snapshot, and held against one from reset. Throws {@link InfraError} where
   * they differ, and QEMU's clock does not explain it.
   */
  async #check(
    cell: Cell,
    prepared: PreparedCell,
    fromSnapshot: BootResult,
    toBoot: (booted: BootResult) => Promise<Boot>,
    { bootGuest, bootReset }: Record<'bootGuest' | 'bootReset', () => Promise<BootResult>>,
  ): Promise<BootResult> {
    const { signal, listen } = this.#options;
    let result = fromSnapshot;
    const fromReset = async () => toBoot(await bootReset());
    const again = async () => {
      result = await bootGuest();
      return toBoot(result);
    };
    const { what, isSnapshotOff, clockRaces } = await holdAgainstReset(
      { boot: await toBoot(result), again },
      result.snapshotAt ?? 0,
      { boot: await fromReset(), again: fromReset },
    );
    for (const { microseconds } of clockRaces) {
      this.#clockRaces.push({ id: cell.id, repetition: null, microseconds });
      listen({ event: 'clock-race', id: cell.id, microseconds });
    }
    if (what === null && !isSnapshotOff) return result;
    this.#snapshots?.distrust(prepared);
    await this.#kept.remove(this.#keptFromSnapshots);
    if (what === null) return this.#guests.add(() => boot(prepared, { signal }));
    throw new InfraError(
      `booted from reset and from a snapshot, this cell differs in its ${what}`,
      'that is an error of bootrace: please report it, and boot with --no-snapshots',
    );
  }

  /** The same boot from reset, which one from a snapshot must not differ from. */
  async #bootReset(cell: Cell, kernel: KernelArtefact, symbols: ReadonlyMap<string, bigint>): Promise<BootResult> {
    const { signal } = this.#options;
    const folder = join(this.#options.folder.shared, `cross-check-${this.#fromSnapshot}`);
    const prepared = await prepareCell(cell, kernel, symbols, this.#common, folder);
    const result = await this.#guests.add(() => boot(prepared, { signal }));
    await rm(folder, { recursive: true, force: true });
    return result;
  }

  #replay(cell: Cell): readonly string[] {
    return this.#options.replay?.(cell) ?? [cell.id];
  }

  #earlierBoot(prepared: PreparedCell): BootResult | null {
    const raw = this.#kept.read(prepared.fingerprint);
    return raw === null ? null : replayBoot(prepared, raw);
  }

  /** Takes no more cells, waits for the guests that are still running, and keeps the result cache within its size. */
  async close(): Promise<void> {
    this.#cells.clear();
    await Promise.all([this.#cells.onIdle(), this.#kernels.close()]);
    await this.#snapshots?.close();
    await this.#kept.trim();
    await this.#leaveCache();
  }
}

function withoutEvents(record: CellRecord): BootedCell {
  return { record, end: null, events: [], gates: [] };
}

/** Where the first CPU of a guest was that was given up, in words: one look; null for one that ended otherwise. */
async function placeOf(kernel: KernelArtefact, end: GuestEnd): Promise<string | null> {
  if (end.end !== 'stuck' || end.place === null) return null;
  const { pc, lr } = end.place;
  return `in ${await placeIn(kernel, pc)}, link register ${await placeIn(kernel, lr)}`;
}

/** The day, for entries of known issues that expire. */
function today(): string {
  return new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
}
