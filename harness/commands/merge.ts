import { cp } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { InputError } from '../errors.ts';
import { describeMissing } from '../report/standing.ts';
import { mergeRuns } from '../report/merge.ts';
import { loadRun } from '../report/run-folder.ts';
import { formatTable } from '../report/table.ts';
import { exitCodeOf, type RunRecord } from '../run/record.ts';
import { openRunFolder } from '../run/results.ts';
import { print, printJson, standardOutput, tell } from '../terminal/output.ts';
import type { MergeOptions } from './merge.options.ts';

/**
 * `bootrace merge DIR...`: joins shards into one run; returns its exit code, 3 when shards are missing and nothing else
 * failed.
 */
export async function merge(paths: readonly string[], options: MergeOptions): Promise<number> {
  const loaded = await Promise.all(paths.map(async (path) => ({ from: path, ...(await loadRun(path)) })));
  // Refuses what does not belong together before anything is written.
  mergeRuns(loaded, '');
  const target = await openRunFolder(options.results, new Date());
  try {
    const run = mergeRuns(loaded, target.name);
    for (const part of loaded) await copyCells(part.run, part.folder, target.path);
    const folder = await target.finish(run, true);
    const { columns, colour } = standardOutput();
    const shown = relative(process.cwd(), folder);
    if (options.json === true) printJson(run);
    else print(formatTable(run, { width: columns, colour, folder: shown }));
    const missing = describeMissing(run);
    if (missing !== null) tell(`bootrace: ${missing}\n`);
    return exitCodeOf(run);
  } catch (error) {
    await target.discard();
    throw error;
  }
}

/** The files of a shard's cells, and what its cells share, as run/results.ts lays them out. */
async function copyCells(run: RunRecord, from: string, to: string): Promise<void> {
  const folders = run.cells.flatMap((cell) => (cell.folder === null ? [] : [cell.folder]));
  for (const folder of ['shared', ...folders]) {
    const source = resolve(from, folder);
    if (!source.startsWith(`${from}${sep}`))
      throw new InputError(`${from} has a cell in ${folder}, outside of the run`);
    await cp(source, join(to, folder), { recursive: true }).catch((error: unknown) => {
      // A shard may have been brought here without the files of its cells: the record alone can be merged.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    });
  }
}
