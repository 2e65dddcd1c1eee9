import { relative } from 'node:path';
import { EXIT, InputError } from '../errors.ts';
import { loadCell } from '../matrix/matrix-file.ts';
import { formatCommitStep } from '../report/bisection.ts';
import { withProgress } from '../report/progress.ts';
import { commitReportJson, formatCommitReport } from '../search/commits-report.ts';
import { bisectCommits as bisectRange, commitRange } from '../session/bisect-commits.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print, printAsItIs, tell } from '../terminal/output.ts';
import type { BisectCommitsOptions } from './bisect-commits.options.ts';

/** `bisect commits`: the commit from which on a cell fails; returns the exit code. */
export async function bisectCommits(options: BisectCommitsOptions, signal: AbortSignal): Promise<number> {
  const { matrix, tree, good, bad, shows = [], interleavings, results } = options;
  const name = options.order ?? options.cell;
  if (name === undefined) throw new InputError('no cell was given', 'name one with --cell ID or --order FILE');
  const cell = await loadCell(name, matrix);
  const range = await commitRange(tree, good, bad);
  await requireTools();
  const { report, folder } = await withProgress((progress) =>
    bisectRange({
      range,
      cell,
      named: { cell: name, matrix },
      shows,
      interleavings,
      results,
      signal,
      listen: progress.listen,
      note: progress.note,
      onStep: (step) => progress.note(formatCommitStep(step)),
    }),
  );
  if (options.json === true) printAsItIs(commitReportJson(report));
  else print(formatCommitReport(report));
  tell(`\nreport in ${relative(process.cwd(), folder)}\n`);
  return report.bisection.result.found === 'culprit' ? EXIT.expected : EXIT.noVerdict;
}
