import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { formatCellFile } from '../matrix/cell-file.ts';
import type { Cell } from '../model/cell.ts';
import { openRunFolder, type RunFolder } from '../run/results.ts';
import { Runner, type RunnerOptions } from '../run/runner.ts';
import type { Pause } from '../search/covering.ts';
import type { Boot, Outcome } from '../search/outcome.ts';

/** What a search such as `explore` works with while it runs. */
export interface SearchSession {
  readonly runner: Runner;
  readonly boot: Boot;
  /** Lets the process see to its signals; throws where one of them ends the search. */
  readonly pause: Pause;
  readonly folder: RunFolder;
  /** Writes a cell that `bootrace cell FILE` replays; returns its path in the finished folder. */
  readonly keepCell: (name: string, cell: Cell) => Promise<string>;
  /** Does so for each, with the id PREFIX-N; returns the paths from the current folder. */
  readonly keepCells: (prefix: string, cells: readonly Cell[]) => Promise<string[]>;
}

interface SearchOptions extends Pick<RunnerOptions, 'signal' | 'listen'> {
  readonly results: string;
  readonly workers: number | null;
  /** The most boots that the search may use, where it is bounded. */
  readonly budget?: number;
}

/**
 * Opens a runner in a new folder under `results`, runs `search`, and keeps the folder with every booted cell in it,
 * under a name that starts with `verb`. When `signal` aborts or the search fails, nothing is left behind.
 */
export async function runSearch<T>(
  verb: string,
  options: SearchOptions,
  search: (session: SearchSession) => Promise<T>,
): Promise<T> {
  const folder = await openRunFolder(options.results, new Date(), `${verb}-`);
  let runner: Runner | null = null;
  try {
    const workers = options.workers ?? availableParallelism();
    options.listen({ event: 'search-started', workers, mostBoots: options.budget ?? null });
    const opened = await Runner.open({
      ...options,
      workers,
      folder,
      knownIssues: [],
      useCache: true,
      useSnapshots: true,
    });
    runner = opened;
    const boot = async (cell: Cell): Promise<Outcome> => {
      const { record, events, gates } = await opened.boot(cell);
      return {
        verdict: record.verdict,
        reason: record.reason,
        signature: record.crash?.signature ?? null,
        events,
        gates,
      };
    };
    const pause = async () => {
      await setImmediate();
      options.signal.throwIfAborted();
    };
    const keepCell = async (name: string, cell: Cell) => {
      await writeFile(join(folder.path, name), formatCellFile(cell));
      return join(folder.final, name);
    };
    const keepCells = (prefix: string, cells: readonly Cell[]) =>
      Promise.all(
        cells.map(async (cell, place) => {
          const id = `${prefix}-${place + 1}`;
          return relative(process.cwd(), await keepCell(`${id}.yaml`, { ...cell, id }));
        }),
      );
    const found = await search({ runner, boot, pause, folder, keepCell, keepCells });
    await opened.close();
    await folder.keep();
    return found;
  } catch (error) {
    // A boot that another part of the search asks for meanwhile may get in the way. It must not hide what went wrong,
    // and the next run removes what is left.
    await runner?.close().catch(() => {});
    await folder.discard().catch(() => {});
    throw error;
  }
}
