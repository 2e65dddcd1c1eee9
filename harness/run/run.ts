import { availableParallelism } from 'node:os';
import type { Cell } from '../model/cell.ts';
import { kernelsOf } from './kernels.ts';
import { Lab, type LabOptions } from './lab.ts';
import { type CellRecord, difference, RUN_SCHEMA_VERSION, type RunRecord } from './record.ts';
import { openRunFolder, type RunFolder } from './results.ts';

export interface RunOptions
  extends Pick<LabOptions, 'signal' | 'listen' | 'knownIssues' | 'onConsole' | 'useCache' | 'useForks' | 'replay'> {
  /** Or what finds out in the lab which cells these are. */
  readonly cells: readonly Cell[] | ((lab: Lab, shared: string) => Promise<readonly Cell[]>);
  /** Guests at a time; one a core by default, as each QEMU in virtual time is one thread. */
  readonly workers: number | null;
  /** Boots of each cell; more than one also proves that they agree. */
  readonly repeat: number;
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
  let lab: Lab | null = null;
  try {
    // Boots that are to be compared with each other must be boots.
    const isCompared = repeat > 1;
    const opened = await Lab.open({
      ...options,
      useCache: options.useCache && !isCompared,
      useForks: options.useForks && !isCompared,
      workers,
      folder,
    });
    lab = opened;
    const cells = typeof options.cells === 'function' ? await options.cells(opened, folder.shared) : options.cells;
    const kernels = kernelsOf(cells);
    listen({ event: 'run-started', cells: cells.length, repeat, workers, kernels: kernels.length });
    for (const cell of cells) await opened.check(cell);
    await Promise.all(kernels.map((kernel) => opened.kernel(kernel)));
    const built = performance.now();
    const { records, flakes } = await bootAll(cells, repeat, lab, folder, listen);
    await lab.close();
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
      kernels: lab.kernels,
      cells: records,
      flakes,
    };
    const path = await folder.finish(run, options.becomesLatest);
    listen({ event: 'run-finished' });
    return { run, folder: path };
  } catch (error) {
    await lab?.close();
    await folder.discard();
    throw error;
  }
}

async function bootAll(
  cells: readonly Cell[],
  repeat: number,
  lab: Lab,
  folder: RunFolder,
  listen: RunOptions['listen'],
): Promise<{ records: CellRecord[]; flakes: RunRecord['flakes'] }> {
  const flakes: RunRecord['flakes'][number][] = [];
  lab.expect(cells);
  const records = await Promise.all(
    cells.map(async (cell) => {
      const boots = Array.from({ length: repeat }, (_, n) =>
        lab.boot(cell, n === 0 ? folder.cell(cell.id) : `${folder.cell(cell.id)}/repeat-${n + 1}`),
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
