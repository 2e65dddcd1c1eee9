import { availableParallelism } from 'node:os';
import PQueue from 'p-queue';
import { KnownError } from '../errors.ts';
import type { KernelArtefact, KernelResult } from '../kernel/artefact.ts';
import { buildKernel } from '../kernel/build.ts';
import { cacheRoot } from '../kernel/cache.ts';
import type { Cell } from '../matrix/cell.ts';
import type { KnownIssue } from '../verdict/knownissues.ts';
import { boot } from './boot.ts';
import type { LifecycleListener } from './lifecycle.ts';
import { type Bench, openBench, prepareCell } from './prepare.ts';
import { type CellRecord, RUN_SCHEMA_VERSION, type RunRecord } from './record.ts';
import { recordBoot, recordWithoutBoot } from './record-cell.ts';
import { openRunFolder, type RunFolder, writeCell } from './results.ts';

export interface RunOptions {
  readonly cells: readonly Cell[];
  /** Guests at a time; one a core by default, as each QEMU in virtual time is one thread. */
  readonly workers: number | null;
  /** Boots of each cell; more than one also proves that they agree. */
  readonly repeat: number;
  /** Folder of all runs. */
  readonly results: string;
  readonly signal: AbortSignal;
  readonly listen: LifecycleListener;
  readonly knownIssues: readonly KnownIssue[];
  /** Gets a guest's console as it comes; for a run of one cell. */
  readonly onConsole?: (bytes: Uint8Array) => void;
  /** Whether `latest` shall point to this run. */
  readonly becomesLatest: boolean;
  /** Facts about the run that are only recorded. */
  readonly about: Pick<RunRecord, 'harness' | 'qemu' | 'matrix'>;
}

export interface FinishedRun {
  readonly run: RunRecord;
  /** Absolute path of the run's folder. */
  readonly folder: string;
}

type Kernels = ReadonlyMap<string, KernelResult>;

function kernelName(cell: Pick<Cell, 'kernel' | 'linkage'>): string {
  return `${cell.kernel} ${cell.linkage}`;
}

/**
 * Builds the kernels that the cells need, boots every cell, and leaves the records in a new folder under `results`.
 * A cell that cannot be booted is `infra-error` and does not stop the others; a kernel that does not build does,
 * as nothing sensible can be said without it. When `signal` aborts, nothing is left behind.
 */
export async function runCells(options: RunOptions): Promise<FinishedRun> {
  const startedAt = new Date();
  const started = performance.now();
  const workers = options.workers ?? availableParallelism();
  const wanted = [...new Map(options.cells.map((cell) => [kernelName(cell), cell])).values()];
  options.listen({ event: 'run-started', cells: options.cells.length, workers, kernels: wanted.length });

  const folder = await openRunFolder(options.results, startedAt);
  try {
    const bench = await openBench(folder.shared, cacheRoot());
    const { kernels, records } = await buildKernels(wanted, options);
    const built = performance.now();
    const { cells, flakes } = await bootAll(options, workers, folder, bench, kernels);
    const finished = performance.now();
    const run: RunRecord = {
      schema: RUN_SCHEMA_VERSION,
      run: folder.name,
      startedAt: startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      ...options.about,
      host: { platform: `${process.platform} ${process.arch}`, cores: availableParallelism(), node: process.version },
      workers,
      repeat: options.repeat,
      shard: null,
      wallMs: {
        kernels: Math.round(built - started),
        boots: Math.round(finished - built),
        total: Math.round(finished - started),
      },
      kernels: records,
      cells,
      flakes,
    };
    const path = await folder.finish(run, options.becomesLatest);
    options.listen({ event: 'run-finished' });
    return { run, folder: path };
  } catch (error) {
    await folder.discard();
    throw error;
  }
}

async function buildKernels(
  wanted: readonly Cell[],
  options: RunOptions,
): Promise<{ kernels: Kernels; records: RunRecord['kernels'] }> {
  const kernels = new Map<string, KernelResult>();
  const records: RunRecord['kernels'][number][] = [];
  for (const { kernel: recipe, linkage } of wanted) {
    const started = performance.now();
    let built = false;
    const result = await buildKernel({
      recipe,
      linkage,
      signal: options.signal,
      onProgress: (progress) => {
        built ||= progress.phase === 'compiling';
        options.listen({ event: 'kernel-progress', progress });
      },
    });
    options.signal.throwIfAborted();
    const wallMs = Math.round(performance.now() - started);
    const unbuildable = result.kind === 'unbuildable' ? result.reason : null;
    kernels.set(`${recipe} ${linkage}`, result);
    records.push({ recipe, linkage, built, wallMs, unbuildable, log: result.kind === 'ready' ? result.log : null });
    options.listen({ event: 'kernel-finished', subject: `${recipe} ${linkage}`, built, wallMs, unbuildable });
  }
  return { kernels, records };
}

async function bootAll(
  options: RunOptions,
  workers: number,
  folder: RunFolder,
  bench: Bench,
  kernels: Kernels,
): Promise<{ cells: CellRecord[]; flakes: RunRecord['flakes'] }> {
  const queue = new PQueue({ concurrency: workers });
  const flakes: RunRecord['flakes'][number][] = [];
  const tasks = options.cells.map((cell) =>
    queue.add(async () => {
      options.signal.throwIfAborted();
      options.listen({ event: 'cell-started', id: cell.id });
      const kernel = kernels.get(kernelName(cell));
      if (kernel === undefined) throw new Error(`no kernel was made for cell ${cell.id}`);
      const record =
        kernel.kind === 'unbuildable'
          ? recordWithoutBoot(cell, 'unbuildable', kernel.reason)
          : await bootRepeatedly(cell, kernel, bench, folder, options, flakes);
      options.listen({ event: 'cell-finished', cell: record });
      return record;
    }),
  );
  try {
    const cells = await Promise.all(tasks);
    return { cells, flakes };
  } catch (error) {
    queue.clear();
    await queue.onIdle();
    throw error;
  }
}

/** Boots a cell as often as asked; the first boot is the record, and each further one has to agree with it. */
async function bootRepeatedly(
  cell: Cell,
  kernel: KernelArtefact,
  bench: Bench,
  folder: RunFolder,
  options: RunOptions,
  flakes: RunRecord['flakes'][number][],
): Promise<CellRecord> {
  const first = await bootOnce(cell, kernel, bench, folder.cell(cell.id), options);
  for (let repetition = 2; repetition <= options.repeat; repetition++) {
    const path = `${folder.cell(cell.id)}/repeat-${repetition}`;
    const again = await bootOnce(cell, kernel, bench, path, options);
    const what = difference(first, again);
    if (what !== null) flakes.push({ id: cell.id, what, repetition });
  }
  return first;
}

/** What two boots of the same cell do not agree on. */
export function difference(a: CellRecord, b: CellRecord): RunRecord['flakes'][number]['what'] | null {
  if (a.verdict !== b.verdict || a.crash?.signature !== b.crash?.signature) return 'verdict';
  if (a.order.join('\n') !== b.order.join('\n')) return 'order';
  return a.consoleHash === b.consoleHash ? null : 'console';
}

async function bootOnce(
  cell: Cell,
  kernel: KernelArtefact,
  bench: Bench,
  path: string,
  { signal, knownIssues, onConsole }: RunOptions,
): Promise<CellRecord> {
  try {
    const prepared = await prepareCell(cell, kernel, bench, path);
    const result = await boot(prepared, signal, onConsole);
    const record = recordBoot(cell, kernel, prepared, result, { knownIssues, today: today() });
    await writeCell(path, record, result.events);
    return record;
  } catch (error) {
    // What is wrong with one cell is its verdict; what the harness does not know keeps its stack and ends the run.
    if (!(error instanceof KnownError) || signal.aborted) throw error;
    return recordWithoutBoot(
      cell,
      'infra-error',
      error.hint === undefined ? error.message : `${error.message}; ${error.hint}`,
    );
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
}
