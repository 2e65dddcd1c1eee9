import { compareRuns, exitCodeOfComparison, formatComparison } from '../report/compare.ts';
import { loadRun } from '../report/run-folder.ts';
import { print, printJson, standardOutput } from '../terminal/output.ts';
import type { CompareOptions } from './compare.options.ts';

/**
 * `bootrace compare OLD NEW`: prints what became of each cell; returns 1 only for failures that the old run did not
 * have.
 */
export async function compare(before: string, after: string, options: CompareOptions): Promise<number> {
  const comparison = compareRuns((await loadRun(before)).run, (await loadRun(after)).run);
  const { columns, colour } = standardOutput();
  if (options.json === true) printJson(comparison);
  else print(formatComparison(comparison, { width: columns, colour }));
  return exitCodeOfComparison(comparison);
}
