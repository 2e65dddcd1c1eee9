import { newsSince } from '../report/compare.ts';
import { parseReporter, writeReports } from '../report/reporters.ts';
import { loadRun } from '../report/run-folder.ts';
import { exitCodeOf } from '../run/record.ts';
import { standardOutput, tell } from '../terminal/output.ts';
import type { ReportOptions } from './report.options.ts';

/** `bootrace report [RUN]`: writes reports of a finished run; returns the exit code that the run itself had. */
export async function report(path: string, options: ReportOptions): Promise<number> {
  const requests = (options.reporter ?? ['table']).map(parseReporter);
  const loaded = await loadRun(path);
  const submission = { origin: options.origin, filesUrl: options.filesUrl ?? null };
  const news = options.since === undefined ? null : newsSince((await loadRun(options.since)).run, loaded.run);
  for (const file of await writeReports(requests, loaded, standardOutput(), { submission, news }))
    tell(`wrote ${file}\n`);
  return exitCodeOf(loaded.run);
}
