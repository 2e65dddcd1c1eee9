import { availableParallelism } from 'node:os';
import type { Cell } from '../model/cell.ts';
import { bootAll } from './boot-all.ts';
import { kernelsOf } from './kernels.ts';
import { Preview } from './preview.ts';
import { RUN_SCHEMA_VERSION, type RunRecord } from './record.ts';
import { openRunFolder, type RunFolder } from './results.ts';
import { Runner, type RunnerOptions } from './runner.ts';

export interface RunOptions
  extends Pick<
    RunnerOptions,
    'signal' | 'listen' | 'knownIssues' | 'onConsole' | 'useCache' | 'useSnapshots' | 'replay'
  > {
  /** Or what finds out in the runner, whose folder is given, which cells these are. */
  readonly cells: readonly Cell[] | ((runner: Runner, folder: RunFolder) => Promise<readonly Cell[]>);
  /** Guests at a time; one a core by default, as each QEMU in virtual time is one thread. */
  readonly workers: number | null;
  /** Boots of each cell; more than one also proves that they agree. */
  readonly repeat: number;
  /** A cell that is no part of the run (run/preview.ts). */
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
 * nothing sensible can be said without it. Throws {@link InputError} where wrong input keeps every cell from being
 * booted. When `signal` aborts, nothing is left behind.
 */
export async function runCells(options: RunOptions): Promise<FinishedRun> {
  const { listen, repeat, about } = options;
  const startedAt = new Date();
  const started = performance.now();
  const workers = options.workers ?? availableParallelism();
  const folder = await openRunFolder(options.results, startedAt);
  const preview = new Preview(options.preview ?? null, options, folder);
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
    const cells = typeof options.cells === 'function' ? await options.cells(opened, folder) : options.cells;
    const kernels = kernelsOf(cells);
    listen({ event: 'run-started', cells: cells.length, repeat, workers, kernels: kernels.length });
    for (const cell of cells) await opened.check(cell);
    const { records, flakes, clockRaces, kernelsReady } = await bootAll(cells, repeat, opened, folder, listen);
    const [refused] = opened.refused;
    if (refused !== undefined && opened.refused.length === cells.length * repeat) throw refused;
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
        kernels: Math.round(kernelsReady - started),
        boots: Math.round(finished - kernelsReady),
        total: Math.round(finished - started),
      },
      kernels: runner.kernels,
      cells: records,
      flakes,
      clockRaces: [...clockRaces, ...runner.clockRaces],
    };
    const path = await folder.finish(run, options.becomesLatest);
    listen({ event: 'run-finished' });
    return { run, folder: path };
  } catch (error) {
    // What goes wrong here must not hide what went wrong before; the next run removes what is left.
    await Promise.allSettled([runner?.close(), preview.close()]);
    await folder.discard().catch(() => {});
    throw error;
  }
}
