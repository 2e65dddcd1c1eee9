import type { CellRecord, RunRecord } from '../run/record.ts';
import { consoleLocation, crashExcerpt } from './problems.ts';
import { describeExpectation, describeMissing, describeOutcome, kernelOf, standingOf } from './standing.ts';
import { groupBy } from './text.ts';
import { element, escapeXml } from './xml.ts';

const SECOND = 1000;

interface Case {
  readonly xml: string;
  readonly seconds: number;
  readonly outcome: 'passed' | 'failure' | 'error';
}

function seconds(ms: number): string {
  return (ms / SECOND).toFixed(3);
}

/** What a person looking at a CI's test page needs: what happened, the log, the command. */
function details(cell: CellRecord, folder: string): string {
  const place = consoleLocation(cell, folder);
  return [
    describeOutcome(cell),
    `expected: ${describeExpectation(cell.expected)}`,
    ...(cell.crash === null ? [] : crashExcerpt(cell.crash)),
    ...(place === null ? [] : [`console: ${place}`]),
    `replay: ${cell.replay}`,
  ].join('\n');
}

function cellCase(cell: CellRecord, suite: string, file: string, folder: string): Case {
  const outcome = { expected: 'passed', unexpected: 'failure', 'no-verdict': 'error' } as const;
  const result = outcome[standingOf(cell)];
  const message = `${cell.verdict}: ${describeOutcome(cell)} (expected ${describeExpectation(cell.expected)})`;
  // A test's history hangs on its name, so a cell that gets or loses a row keeps it.
  const name = cell.id;
  const row = cell.row === null ? '' : `row ${cell.row}\n`;
  const children =
    result === 'passed'
      ? [element('system-out', {}, [escapeXml(`${row}${cell.verdict}: ${describeOutcome(cell)}\n`)])]
      : [element(result, { type: cell.verdict, message }, [escapeXml(`${row}${details(cell, folder)}`)])];
  return {
    xml: element('testcase', { name, classname: suite, file, time: seconds(cell.wallMs) }, children),
    seconds: cell.wallMs,
    outcome: result,
  };
}

function missingCase(what: string): Case {
  const error = element('error', { type: 'missing', message: what }, []);
  const xml = element('testcase', { name: 'all shards', classname: 'completeness', time: seconds(0) }, [error]);
  return { xml, seconds: 0, outcome: 'error' };
}

function flakeCases(run: RunRecord, suite: string): Case[] {
  return [...groupBy(run.flakes, (flake) => flake.id)].map(([id, flakes]) => {
    const what = flakes.map((flake) => `${flake.what} differed in repetition ${flake.repetition}`).join('\n');
    const failure = element('failure', { type: 'flake', message: 'repetitions of the same boot differed' }, [
      escapeXml(what),
    ]);
    return {
      xml: element('testcase', { name: id, classname: suite, time: seconds(0) }, [failure]),
      seconds: 0,
      outcome: 'failure',
    };
  });
}

function counts(cases: readonly Case[]): Record<string, string | number> {
  return {
    tests: cases.length,
    failures: cases.filter((one) => one.outcome === 'failure').length,
    errors: cases.filter((one) => one.outcome === 'error').length,
    time: seconds(cases.reduce((sum, one) => sum + one.seconds, 0)),
  };
}

/**
 * JUnit XML in the form that Jenkins, GitLab and GitHub actions read: a suite for each kernel and linkage, a test case
 * for each cell. A cell that is not as expected is a `failure`, one without a verdict an `error`; a flake is a failure
 * in a suite of its own.
 */
export function formatJunit(run: RunRecord, folder: string): string {
  const groups = [...groupBy(run.cells, (cell) => `${kernelOf(cell)}.${cell.kernel.linkage}`)];
  const suites: [string, Case[]][] = groups.map(([suite, cells]) => [
    suite,
    cells.map((cell) => cellCase(cell, suite, run.matrix.file, folder)),
  ]);
  const missing = describeMissing(run);
  if (missing !== null) suites.push(['completeness', [missingCase(missing)]]);
  if (run.flakes.length > 0) suites.push(['repetitions', flakeCases(run, 'repetitions')]);
  const all = suites.flatMap(([, cases]) => cases);
  const body = suites.map(([name, cases]) =>
    element(
      'testsuite',
      // JUnit's XSDs want local time without a zone; UTC is what the record has.
      { name, ...counts(cases), skipped: 0, timestamp: run.startedAt.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length) },
      cases.map((one) => `\n${one.xml}`),
    ),
  );
  const root = element('testsuites', { name: `bootrace ${run.run}`, ...counts(all) }, [`\n${body.join('\n')}\n`]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
}
