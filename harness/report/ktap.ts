import { printable } from '../printable.ts';
import type { CellRecord, RunRecord } from '../run/record.ts';
import { crashExcerpt } from './problems.ts';
import { describeExpectation, describeMissing, describeOutcome, kernelOf, standingOf } from './standing.ts';
import { groupBy } from './text.ts';

/** Documentation/dev-tools/ktap.rst: one level of indentation. */
const INDENT = '  ';

/**
 * Texts at which `kunit_parser.py` stops reading wherever they stand in a line (KTAP_END, Linux 6.1): a crash's own
 * words could end the report. A second space keeps them readable and unlike.
 */
const END_MARKS = [
  /(List of all )(partitions:)/g,
  /(Kernel panic - not )(syncing: VFS:)/g,
  /(reboot: )(System halted)/g,
];

/** Text from a log or a record for any line. */
function harmless(text: string): string {
  return END_MARKS.reduce((line, mark) => line.replace(mark, '$1 $2'), printable(text)).trim();
}

/** A text for a diagnostic line. */
function diagnostic(text: string): string {
  return `# ${harmless(text)}`;
}

/** A text for a result line, in which a hash sign would begin a directive. */
function description(text: string): string {
  return harmless(text.replaceAll('#', ''));
}

function cellLines(cell: CellRecord, number: number): string[] {
  const name = description(cell.id);
  const outcome = standingOf(cell);
  if (outcome === 'expected') return [`ok ${number} ${name} # ${cell.verdict}`];
  const lines = [
    diagnostic(`${cell.id}: ${cell.verdict}, expected ${describeExpectation(cell.expected)}`),
    diagnostic(describeOutcome(cell)),
    ...(cell.crash === null ? [] : crashExcerpt(cell.crash).map(diagnostic)),
    diagnostic(`replay: ${cell.replay}`),
  ];
  // ERROR is KTAP's word for a test that could not be executed.
  const directive = outcome === 'no-verdict' ? `ERROR ${description(cell.reason)}` : cell.verdict;
  return [...lines, `not ok ${number} ${name} # ${directive}`];
}

/**
 * A suite's name, which no test in it may have: a parser takes the first result line of that name for the suite's own
 * (kunit_parser.py, peek_test_name_match()). The default cell of a kernel has the kernel's name.
 */
function suiteName(kernel: string, cells: readonly CellRecord[]): string {
  const tests = new Set(cells.map((cell) => description(cell.id)));
  let name = `kernel ${description(kernel)}`;
  while (tests.has(name)) name += '_';
  return name;
}

interface Suite {
  readonly name: string;
  readonly ok: boolean;
  readonly tests: readonly (readonly string[])[];
}

/**
 * KTAP version 1 (Documentation/dev-tools/ktap.rst), for `kunit.py parse` and other TAP readers: a test for each kernel
 * and linkage, a subtest for each cell. `ok` means as expected.
 */
export function formatKtap(run: RunRecord): string {
  const suites: Suite[] = [...groupBy(run.cells, (cell) => `${kernelOf(cell)}.${cell.kernel.linkage}`)].map(
    ([name, cells]) => ({
      name: suiteName(name, cells),
      ok: cells.every((cell) => standingOf(cell) === 'expected'),
      tests: cells.map((cell, index) => cellLines(cell, index + 1)),
    }),
  );
  const missing = describeMissing(run);
  if (missing !== null)
    suites.push({ name: 'completeness', ok: false, tests: [[`not ok 1 all-shards # ERROR ${missing}`]] });
  if (run.flakes.length > 0) {
    const tests = [...groupBy(run.flakes, (flake) => flake.id)].map(([id, flakes], index) => [
      ...flakes.map((flake) => diagnostic(`${id}: ${flake.what} differed in repetition ${flake.repetition}`)),
      `not ok ${index + 1} ${description(id)} # flake`,
    ]);
    suites.push({ name: 'repetitions', ok: false, tests });
  }
  const lines = ['KTAP version 1', `1..${suites.length}`];
  for (const [index, suite] of suites.entries()) {
    const inner = ['KTAP version 1', `# Subtest: ${suite.name}`, `1..${suite.tests.length}`, ...suite.tests.flat()];
    lines.push(...inner.map((line) => `${INDENT}${line}`), `${suite.ok ? 'ok' : 'not ok'} ${index + 1} ${suite.name}`);
  }
  return `${lines.join('\n')}\n`;
}
