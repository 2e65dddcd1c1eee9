import { printableJson } from '../printable.ts';
import type { Ends, Sighting } from './commits.ts';
import type { CommitBisection, Found, Tested } from './commits-search.ts';

/** A commit as the report shows it. */
interface ReportedCommit {
  readonly hash: string;
  readonly subject: string;
  readonly author: string;
  readonly date: string;
  readonly message: string;
  readonly stat: string;
}

export interface CommitReport {
  /** Address or path of the tree. */
  readonly tree: string;
  readonly cell: string;
  readonly ends: Ends;
  /** Commits between the ends. */
  readonly commits: number;
  /** Guests that ran, in this run and in those that it goes on from. */
  readonly boots: number;
  readonly interleavings: number;
  readonly bisection: CommitBisection;
  /** The culprit, or the suspects; and both ends. */
  readonly described: readonly ReportedCommit[];
  /** Options that some commit did not have. */
  readonly notes: readonly string[];
  /** Commands for a shell. */
  readonly reproduce: readonly string[];
}

const SHORT_HASH = 12;
const CRASH_LINES = 30;
/** General-purpose registers, as arm64's __show_regs() prints them: a reader of the mail looks for the trace. */
const REGISTERS = /^\s*x\d{1,2}\s*:/;

function short(hash: string): string {
  return hash.slice(0, SHORT_HASH);
}

/**
 * The report as a mail to the people of the tree: what broke, where, what was checked, the culprit's own header, and
 * how to see it again. Its order is that of the bisection mails of KernelCI, which those people know.
 */
export function formatCommitReport(report: CommitReport): string {
  const { bisection, described, ends } = report;
  const { result, failure, claim } = bisection;
  const subjectOf = (hash: string) => described.find((one) => one.hash === hash)?.subject ?? '';
  const named = (end: Ends['good']) =>
    [short(end.commit), end.name.startsWith(short(end.commit)) ? '' : end.name, subjectOf(end.commit)]
      .filter((word) => word !== '')
      .join('  ');
  const shown = claim.bad.join(' or ');
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => (line === '' ? '' : `  ${line}`))];
  return [
    headline(result, subjectOf, shown),
    ...section('Summary', [
      `Tree:   ${report.tree}`,
      `Good:   ${named(ends.good)}`,
      `Bad:    ${named(ends.bad)}`,
      `Cell:   ${report.cell}`,
      `Shows:  ${shown}`,
      `Range:  ${report.commits} commits, ${bisection.tested.length} looked at, ${report.boots} boots${
        report.interleavings === 1 ? '' : ` (${report.interleavings} interleavings a commit)`
      }`,
    ]),
    ...section('Crash', crashLines(failure)),
    ...section('Checks', checkLines(result)),
    ...section('Notes', report.notes),
    ...described
      .filter(({ hash }) => (result.found === 'culprit' ? hash === result.culprit : result.suspects.includes(hash)))
      .flatMap((commit) => section(result.found === 'culprit' ? 'Culprit' : 'Suspect', commitLines(commit))),
    ...section('To see it again', report.reproduce),
    ...section('Git bisection log', bisection.log.trimEnd().split('\n')),
    '',
  ].join('\n');
}

function headline(result: Found, subjectOf: (hash: string) => string, shown: string): string {
  if (result.found === 'suspects')
    return `${result.suspects.length} commits are left, one of which brought ${shown}: the others could not be told`;
  const { culprit } = result;
  const found = isVerified(result) ? 'Found' : 'Found, but not verified';
  return `${found}: ${short(culprit)} ("${subjectOf(culprit)}") brought ${shown}`;
}

/**
 * The culprit shows it, no parent does, and without its change the bad end does not (or its change cannot be taken
 * out).
 */
export function isVerified(result: Found): boolean {
  if (result.found === 'suspects' || result.itself.answer !== 'bad') return false;
  if (result.parents.some(({ answer }) => answer !== 'good')) return false;
  return result.revert.revert === 'does-not-apply' || result.revert.answer === 'good';
}

function crashLines(failure: Sighting | null): readonly string[] {
  if (failure === null || failure.saw === 'nothing') return [];
  const crash = failure.crash.filter((line) => !REGISTERS.test(line));
  return crash.length > 0 ? crash.slice(0, CRASH_LINES) : [`${failure.verdict}: ${failure.reason}`];
}

function checkLines(result: Found): string[] {
  if (result.found === 'suspects') return [];
  const { itself, parents, revert } = result;
  const line = (what: string, wanted: Tested['answer'], { answer, shown }: Pick<Tested, 'answer' | 'shown'>) =>
    `${answer === wanted ? 'PASS' : 'FAIL'}  ${what}: ${answer}, it shows ${shown}`;
  return [
    line(`first bad commit ${short(itself.commit)}`, 'bad', itself),
    ...parents.map((parent) => line(`its parent ${short(parent.commit)}`, 'good', parent)),
    revert.revert === 'does-not-apply'
      ? 'SKIP  reverted on the bad end: the revert does not apply'
      : line('reverted on the bad end', 'good', revert),
  ];
}

function commitLines(commit: ReportedCommit): string[] {
  return [
    `commit ${commit.hash}`,
    `Author: ${commit.author}`,
    `Date:   ${commit.date}`,
    '',
    ...commit.message.split('\n').map((line) => (line === '' ? '' : `    ${line}`)),
    '',
    ...commit.stat.split('\n'),
  ];
}

/** The report for scripts. */
export function commitReportJson(report: CommitReport): string {
  return printableJson({ ...report, verified: isVerified(report.bisection.result) });
}
