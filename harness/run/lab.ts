import PQueue from 'p-queue';
import type { DeviceTree } from '../devicetree/tree.ts';
import type { DmesgEvent } from '../dmesg/events.ts';
import { KnownError } from '../errors.ts';
import type { KernelArtefact, KernelResult } from '../kernel/artefact.ts';
import { buildKernel } from '../kernel/build.ts';
import { cacheRoot } from '../kernel/cache.ts';
import type { Cell } from '../matrix/cell.ts';
import { type GateEvent, gateSymbols, parseGateLog } from '../soc/gates.ts';
import type { KnownIssue } from '../verdict/knownissues.ts';
import { boot } from './boot.ts';
import type { LifecycleListener } from './lifecycle.ts';
import { openBench, prepareCell } from './prepare.ts';
import type { CellRecord, RunRecord } from './record.ts';
import { recordBoot, recordWithoutBoot } from './record-cell.ts';
import { type RunFolder, writeCell } from './results.ts';
import { findSymbols, type ScoutRoom } from './symbols.ts';

export interface LabOptions {
  readonly folder: RunFolder;
  /** Guests at a time. */
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly listen: LifecycleListener;
  readonly knownIssues: readonly KnownIssue[];
  /** Gets a guest's console as it comes; for a run of one cell. */
  readonly onConsole?: (bytes: Uint8Array) => void;
}

/** One boot as the search and the run see it. */
export interface BootedCell {
  readonly record: CellRecord;
  readonly events: readonly DmesgEvent[];
  readonly gates: readonly GateEvent[];
}

/** A place where cells are booted: kernels are built once and one at a time, guests run on the workers. */
export class Lab {
  readonly #options: LabOptions;
  readonly #room: ScoutRoom;
  readonly #guests: PQueue;
  /** Kernel builds use all cores, so one after the other is as fast and takes less memory. */
  readonly #builds = new PQueue({ concurrency: 1 });
  readonly #kernels = new Map<string, Promise<KernelResult>>();
  readonly #built: RunRecord['kernels'][number][] = [];

  private constructor(options: LabOptions, room: ScoutRoom) {
    this.#options = options;
    this.#room = room;
    this.#guests = new PQueue({ concurrency: options.workers });
  }

  /** Compiles what all cells share and lays it down in the run's folder. */
  static async open(options: LabOptions): Promise<Lab> {
    const { shared } = options.folder;
    const cache = cacheRoot();
    const bench = await openBench(shared, cache);
    return new Lab(options, { bench, folder: shared, cache, signal: options.signal });
  }

  /** The device tree of a board, before a cell's edits. */
  board(name: Cell['board']): DeviceTree {
    return this.#room.bench.boards[name].tree;
  }

  /** Kernels that were asked for so far, in the order in which they were ready. */
  get kernels(): RunRecord['kernels'] {
    return [...this.#built];
  }

  /** The kernel of a cell, built if need be. Throws what buildKernel() throws. */
  kernel({ kernel: recipe, linkage }: Pick<Cell, 'kernel' | 'linkage'>): Promise<KernelResult> {
    const name = `${recipe} ${linkage}`;
    const known = this.#kernels.get(name);
    if (known !== undefined) return known;
    const result = this.#builds.add(() => this.#build(recipe, linkage));
    this.#kernels.set(name, result);
    return result;
  }

  async #build(recipe: string, linkage: Cell['linkage']): Promise<KernelResult> {
    const { signal, listen } = this.#options;
    signal.throwIfAborted();
    const started = performance.now();
    let built = false;
    const result = await buildKernel({
      recipe,
      linkage,
      signal,
      onProgress: (progress) => {
        built ||= progress.phase === 'compiling';
        listen({ event: 'kernel-progress', progress });
      },
    });
    signal.throwIfAborted();
    const wallMs = Math.round(performance.now() - started);
    const unbuildable = result.kind === 'unbuildable' ? result.reason : null;
    const log = result.kind === 'ready' ? result.log : null;
    this.#built.push({ recipe, linkage, built, wallMs, unbuildable, log });
    listen({ event: 'kernel-finished', subject: `${recipe} ${linkage}`, built, wallMs, unbuildable });
    return result;
  }

  /**
   * Boots a cell as soon as a worker is free and leaves its files in `path`. A cell that cannot be booted is `infra-error`;
   * what the harness does not know is thrown, and so is the reason when the run was aborted.
   */
  boot(cell: Cell, path: string = this.#options.folder.cell(cell.id)): Promise<BootedCell> {
    return this.#guests.add(async () => {
      const { signal, listen } = this.#options;
      signal.throwIfAborted();
      listen({ event: 'cell-started', id: cell.id });
      try {
        const kernel = await this.kernel(cell);
        if (kernel.kind === 'unbuildable') return withoutEvents(recordWithoutBoot(cell, 'unbuildable', kernel.reason));
        return await this.#boot(cell, kernel, path);
      } catch (error) {
        if (!(error instanceof KnownError) || signal.aborted) throw error;
        const why = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
        return withoutEvents(recordWithoutBoot(cell, 'infra-error', why));
      }
    });
  }

  async #boot(cell: Cell, kernel: KernelArtefact, path: string): Promise<BootedCell> {
    const { signal, knownIssues, onConsole } = this.#options;
    const symbols = await findSymbols(kernel, gateSymbols(cell.gates), this.#room);
    const prepared = await prepareCell(cell, kernel, symbols, this.#room.bench, path);
    const result = await boot(prepared, signal, onConsole);
    const record = recordBoot(cell, kernel, prepared, result, { knownIssues, today: today() });
    await writeCell(path, record, result.events);
    return { record, events: result.events, gates: parseGateLog(result.firmwareLog, cell.gates) };
  }

  /** Takes no more cells and waits for the guests that are still running. */
  async close(): Promise<void> {
    this.#guests.clear();
    this.#builds.clear();
    await Promise.all([this.#guests.onIdle(), this.#builds.onIdle()]);
  }
}

function withoutEvents(record: CellRecord): BootedCell {
  return { record, events: [], gates: [] };
}

/** The day, for entries of known issues that expire. */
function today(): string {
  return new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
}
