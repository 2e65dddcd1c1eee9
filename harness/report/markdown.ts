import { isOfBoot } from '../model/verdict.ts';
import { printable } from '../printable.ts';
import type { CellRecord, RunRecord } from '../run/record.ts';
import { consoleLocation, crashExcerpt } from './problems.ts';
import {
  describeClockRaces,
  describeExpectation,
  describeOutcome,
  describePlace,
  kernelOf,
  problemOf,
  standingOf,
  summariseOutcome,
  summariseVerdicts,
} from './standing.ts';
import { count, formatDuration, groupBy, truncate } from './text.ts';

/** GitHub refuses a step summary of more than 1 MiB; half of it is more than anybody reads. */
const MOST_PROBLEMS = 50;
const MOST_SUITES = 200;
const MOST_NAMED = 100;
const LONGEST_TEXT = 500;

const SIGN = { expected: '✅', unexpected: '❌', 'no-verdict': '❔' } as const;

/**
 * Text as Markdown that shows as it is: every character that could be markup becomes a character reference, which
 * CommonMark (section 2.5) never takes for structure.
 */
function md(text: string): string {
  return truncate(printable(text), LONGEST_TEXT).replace(
    /[^\p{L}\p{N} .,;/=+-]/gu,
    (character) => `&#${character.codePointAt(0)};`,
  );
}

function code(text: string): string {
  return `<code>${md(text)}</code>`;
}

/** A fenced block whose fence is longer than any in the text. */
function fenced(lines: readonly string[]): string[] {
  const longest = Math.max(2, ...lines.flatMap((line) => [...line.matchAll(/`+/g)].map((run) => run[0].length)));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...lines.map(printable), fence];
}

function row(columns: readonly string[]): string {
  return `| ${columns.join(' | ')} |`;
}

function claims(cells: readonly CellRecord[]): string[] {
  const answers = cells
    .filter((cell) => cell.row !== null)
    .sort((a, b) => (a.row ?? '').localeCompare(b.row ?? '', 'en', { numeric: true }));
  if (answers.length === 0) return [];
  return [
    '',
    row(['', 'Row', 'Claim', 'Kernel', 'Verdict', '']),
    row(['---', '---', '---', '---', '---', '---']),
    ...answers.map((cell) =>
      row([
        SIGN[standingOf(cell)],
        md(cell.row ?? ''),
        md(cell.claim ?? ''),
        md(kernelOf(cell)),
        cell.verdict,
        cell.crash === null && cell.asExpected && isOfBoot(cell.verdict) ? '' : md(describePlace(cell)),
      ]),
    ),
  ];
}

function problem(same: readonly CellRecord[], folder: string): string[] {
  const [first, ...others] = same;
  if (first === undefined) return [];
  const place = consoleLocation(first, folder);
  const also = others.slice(0, MOST_NAMED).map((cell) => code(cell.id));
  const expected = md(describeExpectation(first.expected));
  return [
    '',
    '<details>',
    `<summary>${SIGN[standingOf(first)]} ${code(first.id)}: ${first.verdict}, expected ${expected}</summary>`,
    '',
    `${md(describeOutcome(first))}`,
    ...(first.crash === null ? [] : ['', ...fenced(crashExcerpt(first.crash))]),
    '',
    `Replay: ${code(first.replay)}`,
    ...(place === null ? [] : ['', `Console: ${code(place)}`]),
    ...(others.length === 0 ? [] : ['', `The same problem in ${count(others.length, 'cell')}: ${also.join(', ')}`]),
    '',
    '</details>',
  ];
}

function suites(run: RunRecord): string[] {
  const groups = [...groupBy(run.cells, (cell) => `${kernelOf(cell)} ${cell.kernel.linkage}`)].slice(0, MOST_SUITES);
  return [
    '',
    row(['', 'Kernel', 'Linkage', 'Verdicts']),
    row(['---', '---', '---', '---']),
    ...groups.map(([, cells]) => {
      const first = cells[0];
      const sign = cells.every((cell) => standingOf(cell) === 'expected')
        ? SIGN.expected
        : cells.some((cell) => standingOf(cell) === 'unexpected')
          ? SIGN.unexpected
          : SIGN['no-verdict'];
      const kernel = first === undefined ? '' : md(kernelOf(first));
      return row([sign, kernel, first?.kernel.linkage ?? '', md(summariseVerdicts(cells))]);
    }),
  ];
}

/** Markdown for a GitHub step summary: the answer, the claims, the problems folded, a line for each kernel. */
export function formatMarkdown(run: RunRecord, folder: string): string {
  const problems = [
    ...groupBy(
      run.cells.filter((cell) => standingOf(cell) !== 'expected'),
      problemOf,
    ).values(),
  ];
  const left = problems.slice(MOST_PROBLEMS).flat().length;
  const flaky = [...groupBy(run.flakes, (flake) => flake.id)].slice(0, MOST_NAMED);
  const races = run.clockRaces.length === 0 ? '' : `, ${describeClockRaces(run)}`;
  const lines = [
    `## bootrace: ${summariseOutcome(run)}`,
    '',
    `${md(summariseVerdicts(run.cells))}, in ${formatDuration(run.wallMs.total)}${races}`,
    ...claims(run.cells),
    ...problems.slice(0, MOST_PROBLEMS).flatMap((same) => problem(same, folder)),
    ...(left === 0 ? [] : ['', `and ${count(left, 'cell')} with other problems`]),
    ...(flaky.length === 0 ? [] : ['', 'Differed when repeated, which is a defect of the harness:', '']),
    ...flaky.map(([id, flakes]) => `- ${code(id)}: ${md(flakes.map((flake) => flake.what).join(', '))}`),
    ...suites(run),
  ];
  return `${lines.join('\n')}\n`;
}
