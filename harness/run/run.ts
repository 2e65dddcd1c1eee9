import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { KnownError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { kernelsOf } from './kernels.ts';
import type { LifecycleEvent } from './lifecycle.ts';
import { type CellRecord, difference, RUN_SCHEMA_VERSION, type RunRecord } from './record.ts';
import { openRunFolder, type RunFolder } from './results.ts';
import { Runner, type RunnerOptions } from './runner.ts';

export interface RunOptions
  extends Pick<
    RunnerOptions,
    'signal' | 'listen' | 'knownIssues' | 'onConsole' | 'useCache' | 'useSnapshots' | 'replay'
  > {
  /** Or what finds out in the runner which cells these are. */
  readonly cells: readonly Cell[] | ((runner: Runner, shared: string) => Promise<readonly Cell[]>);
  /** Guests at a time; one a core by default, as each QEMU in virtual time is one thread. */
  readonly workers: number | null;
  /** Boots of each cell; more than one also proves that they agree. */
  readonly repeat: number;
  /**
   * A cell that is no part of the run: booted while the first kernel is compiled, so that there is something to see.
   */
  readonly preview?: Cell | null;
  /** Folder of all runs. */
  readonly results: string;
  /** Whether `latest` shall point to this run. */
  readonly becomesLatest: boolean;
  /** Facts about the run that are only recorded. */
  readonly about: Pick<RunRecord, 'harness' | 'qemu' | 'matrix' | 'shard'>;
}

export interface FinishedRun {
  readonly run: RunRecord;
  /** Absolute path of the run's folder. */
  readonly folder: string;
}

/**
 * Builds the kernels that the cells need, boots every cell, and leaves the records in a new folder under `results`.
 * A cell that cannot be booted is `infra-error` and does not stop the others; a kernel that does not build does, as
 * nothing sensible can be said without it. When `signal` aborts, nothing is left behind.
 */
export async function runCells(options: RunOptions): Promise<FinishedRun> {
  const { listen, repeat, about } = options;
  const startedAt = new Date();
  const started = performance.now();
  const workers = options.workers ?? availableParallelism();
  const folder = await openRunFolder(options.results, startedAt);
  const preview = new Preview(options, folder);
  let runner: Runner | null = null;
  try {
    // Boots that are to be compared with each other must be boots.
    const isCompared = repeat > 1;
    const opened = await Runner.open({
      ...options,
      listen: (event) => {
        listen(event);
        preview.listen(event);
      },
      useCache: options.useCache && !isCompared,
      useSnapshots: options.useSnapshots && !isCompared,
      workers,
      folder,
    });
    runner = opened;
    const cells = typeof options.cells === 'function' ? await options.cells(opened, folder.shared) : options.cells;
    const kernels = kernelsOf(cells);
    listen({ event: 'run-started', cells: cells.length, repeat, workers, kernels: kernels.length });
    for (const cell of cells) await opened.check(cell);
    const ready = Promise.all(inOrderOfUse(cells).map((kernel) => opened.kernel(kernel))).then(() => performance.now());
    const [built, { records, flakes }] = await Promise.all([ready, bootAll(cells, repeat, runner, folder, listen)]);
    await Promise.all([runner.close(), preview.close()]);
    const finished = performance.now();
    const run: RunRecord = {
      schema: RUN_SCHEMA_VERSION,
      run: folder.name,
      startedAt: startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      ...about,
      host: { platform: `${process.platform} ${process.arch}`, cores: availableParallelism(), node: process.version },
      workers,
      repeat,
      missing: null,
      wallMs: {
        kernels: Math.round(built - started),
        boots: Math.round(finished - built),
        total: Math.round(finished - started),
      },
      kernels: runner.kernels,
      cells: records,
      flakes,
    };
    const path = await folder.finish(run, options.becomesLatest);
    listen({ event: 'run-finished' });
    return { run, folder: path };
  } catch (error) {
    await Promise.all([runner?.close(), preview.close()]);
    await folder.discard();
    throw error;
  }
}

/** The kernels of most rows first: a reader waits for those. */
function inOrderOfUse(cells: readonly Cell[]): ReturnType<typeof kernelsOf> {
  const rows = (wanted: Pick<Cell, 'kernel' | 'linkage'>) =>
    cells.filter(({ kernel, linkage, row }) => row !== null && kernel === wanted.kernel && linkage === wanted.linkage)
      .length;
  return kernelsOf(cells).sort((a, b) => rows(b) - rows(a));
}

/** The boot that answers before the run's own kernels are there. What keeps it from doing so keeps nothing else. */
class Preview {
  readonly #options: RunOptions;
  readonly #folder: RunFolder;
  readonly #ended = new AbortController();
  #boot: Promise<void> | null = null;

  constructor(options: RunOptions, folder: RunFolder) {
    this.#options = options;
    this.#folder = folder;
  }

  /** Begins at the first sign that a kernel is not in the cache. */
  listen(event: LifecycleEvent): void {
    const { preview = null } = this.#options;
    if (event.event !== 'kernel-progress' || preview === null || this.#boot !== null) return;
    this.#boot = this.#ask(preview);
    // Told by close(), not before.
    this.#boot.catch(() => {});
  }

  async #ask(cell: Cell): Promise<void> {
    const signal = AbortSignal.any([this.#options.signal, this.#ended.signal]);
    // Files that its guest reads are not to be written by the run's own runner meanwhile.
    const folder = { ...this.#folder, shared: join(this.#folder.shared, 'preview') };
    try {
      const runner = await Runner.open({ ...this.#options, workers: 1, folder, signal, listen: () => {} });
      try {
        const { record } = await runner.boot(cell, join(folder.shared, 'cell'));
        // Without the package, or with another one than it was written for, it has nothing to say.
        if (record.asExpected) this.#options.listen({ event: 'preview-finished', cell: record });
      } finally {
        await runner.close();
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof KnownError)) throw error;
    }
  }

  /** Ends the boot where it still goes on: by then there are better answers. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#boot;
  }
}

async function bootAll(
  cells: readonly Cell[],
  repeat: number,
  runner: Runner,
  folder: RunFolder,
  listen: RunOptions['listen'],
): Promise<{ records: CellRecord[]; flakes: RunRecord['flakes'] }> {
  const flakes: RunRecord['flakes'][number][] = [];
  runner.expect(cells);
  const records = await Promise.all(
    cells.map(async (cell) => {
      // A cell takes a worker only when its kernel is there.
      await runner.kernel(cell);
      const boots = Array.from({ length: repeat }, (_, n) =>
        runner.boot(cell, n === 0 ? folder.cell(cell.id) : `${folder.cell(cell.id)}/repeat-${n + 1}`),
      );
      const [first, ...others] = await Promise.all(boots);
      if (first === undefined) throw new Error(`cell ${cell.id} was booted ${repeat} times`);
      for (const [n, { record }] of others.entries()) {
        const what = difference(first.record, record);
        if (what !== null) flakes.push({ id: cell.id, what, repetition: n + 2 });
      }
      listen({ event: 'cell-finished', cell: first.record });
      return first.record;
    }),
  );
  return { records, flakes };
}
