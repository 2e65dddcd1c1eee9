import { wantsColour } from '../report/paint.ts';
import { parseReporter, type ReportOutput, writeReports } from '../report/reporters.ts';
import { loadRun } from '../report/run-folder.ts';
import { exitCodeOf } from '../run/record.ts';

interface ReportOptions {
  /** `NAME[=FILE]`, each; the table when none is given. */
  readonly reporter?: readonly string[];
}

/** Where a verb prints reports that have no file. */
export function standardOutput(): ReportOutput {
  return {
    columns: process.stdout.columns ?? 120,
    colour: wantsColour(process.stdout.isTTY, process.env),
    write: (text) => process.stdout.write(text),
  };
}

/** `bootrace report [RUN]`: writes reports of a finished run; returns the exit code that the run itself had. */
export async function report(path: string, options: ReportOptions): Promise<number> {
  const requests = (options.reporter ?? ['table']).map(parseReporter);
  const loaded = await loadRun(path);
  for (const file of await writeReports(requests, loaded, standardOutput())) process.stderr.write(`wrote ${file}\n`);
  return exitCodeOf(loaded.run);
}
