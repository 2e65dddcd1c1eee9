import { printableLines } from '../printable.ts';
import type { CellRecord, RunRecord } from '../run/record.ts';
import { crashExcerpt } from './problems.ts';
import {
  describeExpectation,
  describeMissing,
  describeOutcome,
  problemOf,
  standingOf,
  summariseOutcome,
  summariseVerdicts,
} from './standing.ts';
import { count, groupBy } from './text.ts';

/** GitHub shows ten annotations of a kind for a step and drops the rest (docs.github.com, workflow commands). */
const MOST_ANNOTATIONS = 10;

/**
 * The runner's own escapes (actions/toolkit, `command.ts`): a line feed would end the command and could begin another
 * one.
 */
function data(text: string): string {
  return printableLines(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function command(level: 'error' | 'warning' | 'notice', title: string, message: string): string {
  return `::${level} title=${property(title)}::${data(message)}`;
}

function problem(level: 'error' | 'warning', same: readonly CellRecord[]): string[] {
  const [first, ...others] = same;
  if (first === undefined) return [];
  const message = [
    `${describeOutcome(first)} (expected ${describeExpectation(first.expected)})`,
    ...(first.crash === null ? [] : crashExcerpt(first.crash)),
    ...(others.length === 0 ? [] : [`and ${count(others.length, 'cell')} with the same problem`]),
    `replay: ${first.replay}`,
  ].join('\n');
  return [command(level, `${first.verdict}: ${first.id}`, message)];
}

/**
 * GitHub workflow commands, for standard output of a step: an annotation for each problem and a notice with the
 * summary.
 */
export function formatAnnotations(run: RunRecord): string {
  const problems = (outcome: 'unexpected' | 'no-verdict') => [
    ...groupBy(
      run.cells.filter((cell) => standingOf(cell) === outcome),
      problemOf,
    ).values(),
  ];
  const flakes = [...new Set(run.flakes.map((flake) => flake.id))].map((id) =>
    command('error', `flake: ${id}`, 'repetitions of the same boot differed: a defect of the harness'),
  );
  const missing = describeMissing(run);
  const incomplete = missing === null ? [] : [command('error', 'incomplete', missing)];
  const errors = [...incomplete, ...flakes, ...problems('unexpected').flatMap((same) => problem('error', same))];
  const warnings = problems('no-verdict').flatMap((same) => problem('warning', same));
  const lines = [
    ...errors.slice(0, MOST_ANNOTATIONS),
    ...warnings.slice(0, MOST_ANNOTATIONS),
    command('notice', `bootrace: ${summariseOutcome(run)}`, summariseVerdicts(run.cells)),
  ];
  return `${lines.join('\n')}\n`;
}
