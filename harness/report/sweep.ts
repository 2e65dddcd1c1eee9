import { printable } from '../printable.ts';
import type { Difference, Finding, Swept } from '../search/sweep.ts';
import { count, groupBy } from './text.ts';

/** A known bug of the zoo by the function that its crash is blamed on. */
export type KnownFunctions = ReadonlyMap<string, string>;

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
    `${count(swept.length, 'board')} and kernel, ${count(boots, 'boot')}, ${count(groups.size, 'finding')}. ` +
      "A crash or a device's end is a finding only",
    'where no boot in the usual order, at three interleavings, shows it.',
    '',
    '| board | kernel | devices | bound | boots | crashes in the usual order | findings |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(printable),
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

function sentenceOf({ difference, what, times, driver }: Finding): string {
  const device = difference.kind === 'end' ? `${difference.device} ${difference.usual} -> ${difference.now}; ` : '';
  const probing =
    difference.kind === 'crash' && difference.crash.probing !== null
      ? `${difference.crash.probing.driver ?? 'a driver'} probing ${difference.crash.probing.device}; `
      : '';
  const how = driver === null ? `${what}, in ${count(times, 'boot')}` : `${driver} asynchronous alone`;
  return `${device}${probing}${how}`;
}

function crashLines(
  { function: symbol, trace }: Extract<Difference, { kind: 'crash' }>['crash'],
  known: KnownFunctions,
): string[] {
  const fix = symbol === null ? undefined : known.get(symbol);
  const frames = trace.slice(0, SHOWN_FRAMES).map((frame) => `    ${printable(frame)}`);
  return [
    ...(fix === undefined ? [] : ['', `The zoo has a bug in this function: ${printable(fix)}.`]),
    ...(frames.length === 0 ? [] : ['', ...frames]),
  ];
}
