import { printable } from '../printable.ts';
import type { Difference, Finding, Swept } from '../search/sweep.ts';
import { count, groupBy } from './text.ts';

/** A known bug by the function where it shows. */
export type KnownFunctions = ReadonlyMap<string, string>;

/** Innermost frames that are looked up among known bugs. */
const SUSPECTED_FRAMES = 5;
/** Frames of a trace that a report shows. */
const SHOWN_FRAMES = 12;

/**
 * A sweep as Markdown: how much was searched, then each finding with its boards. The same crash, and the same end of a
 * device of the same driver, is one finding.
 */
export function formatSweep(swept: readonly Swept[], known: KnownFunctions): string {
  const findings = swept.flatMap((one) => one.findings);
  const groups = groupBy(findings, groupOf);
  const boots = swept.reduce((sum, one) => sum + one.boots, 0);
  const rows = swept.map((one) =>
    one.problem === null
      ? `| ${[one.board, one.release ?? one.kernel, one.devices, one.bound, one.boots].join(' | ')} | ` +
        `${one.usualCrashes.length} | ${one.findings.length} |`
      : `| ${one.board} | ${one.kernel} | no answer: ${one.problem} ||||| |`,
  );
  return [
    `${count(swept.length, 'pair')} of board and kernel, ${count(boots, 'boot')}, ${count(groups.size, 'finding')}. ` +
      "A crash or a device's end is a finding only",
    'where no boot in the usual order, at three interleavings, shows it.',
    '',
    '| board | kernel | devices | bound | boots | crashes in the usual order | findings |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(printable),
    ...swept.flatMap(({ board, unbooted }) =>
      unbooted.map((why) => printable(`\nA boot of ${board} says nothing: ${why}`)),
    ),
    ...swept.flatMap(({ board, leftOut }) => leftOut.map((why) => printable(`\nNot swept on ${board}: ${why}`))),
    ...[...groups.values()].flatMap((group, place) => formatGroup(group, place + 1, known)),
    '',
  ].join('\n');
}

function groupOf({ difference }: Finding): string {
  switch (difference.kind) {
    case 'crash':
      return difference.key;
    case 'end': {
      const [driver] = / by \S+$/.exec(difference.usual) ?? / by \S+$/.exec(difference.now) ?? [''];
      return `${difference.usual.replace(/ by \S+$/, '')} / ${difference.now.replace(/ by \S+$/, '')}${driver}`;
    }
    case 'incomplete':
      return difference.key;
  }
}

function formatGroup(group: readonly Finding[], number: number, known: KnownFunctions): string[] {
  const [first] = group;
  if (first === undefined) return [];
  const { difference } = first;
  return [
    '',
    `## ${number}. ${printable(titleOf(difference))}`,
    '',
    ...group.map((one) => printable(`- ${one.board} on ${one.release}: ${sentenceOf(one)}; \`${one.file}\``)),
    ...(difference.kind === 'crash' ? crashLines(difference.crash, known) : []),
  ];
}

function titleOf(difference: Difference): string {
  switch (difference.kind) {
    case 'crash':
      return difference.crash.title;
    case 'end':
      return `${difference.device} is ${difference.usual} in the usual order, and ${difference.now} in another`;
    case 'incomplete':
      return difference.key;
  }
}

function sentenceOf({ difference, what, times, needs, isMinimal }: Finding): string {
  const device = difference.kind === 'end' ? endText(difference) : '';
  const probing =
    difference.kind === 'crash' && difference.crash.probing !== null
      ? `${difference.crash.probing.driver ?? 'a driver'} probing ${difference.crash.probing.device}; `
      : '';
  const how = `${what}, in ${count(times, 'boot')}`;
  if (needs === null) return `${device}${probing}${how}`;
  return `${device}${probing}${isMinimal ? 'needs' : 'needs no more than'} ${needs} (${how})`;
}

/** What became of a device, with what tells whether the stand-in may have had a part in it. */
function endText({ device, usual, now, reason, answers }: Extract<Difference, { kind: 'end' }>): string {
  const why = reason === null ? '' : ` (${reason})`;
  const registers = answers === null || answers === 'none' ? 'it has no registers of its own' : `registers: ${answers}`;
  return `${device} ${usual} -> ${now}${why}, ${registers}; `;
}

function crashLines(
  { function: symbol, trace }: Extract<Difference, { kind: 'crash' }>['crash'],
  known: KnownFunctions,
): string[] {
  const suspects = [...(symbol === null ? [] : [symbol]), ...trace.slice(0, SUSPECTED_FRAMES)];
  const fix = suspects.map((name) => known.get(name)).find((one) => one !== undefined);
  const frames = trace.slice(0, SHOWN_FRAMES).map((frame) => `    ${printable(frame)}`);
  return [
    ...(fix === undefined ? [] : ['', `A bug is known there: ${printable(fix)}.`]),
    ...(frames.length === 0 ? [] : ['', ...frames]),
  ];
}
