import { relative } from 'node:path';
import { mergeRuns } from '../report/merge.ts';
import { loadRun } from '../report/run-folder.ts';
import { describeMissing } from '../report/standing.ts';
import { formatTable } from '../report/table.ts';
import { exitCodeOf } from '../run/record.ts';
import { copyCellFiles, openRunFolder } from '../run/results.ts';
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
    for (const part of loaded) await copyCellFiles(part.run, part.folder, target.path);
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
