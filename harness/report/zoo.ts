import { commandLine } from '../invocation.ts';
import { printable } from '../printable.ts';
import { type EntryResult, judgeEntry } from '../zoo/result.ts';
import { count } from './text.ts';

/** What became of one entry, for the console. */
export function formatEntry(result: EntryResult): string {
  const { entry, problem, found, clean, sentence } = result;
  const lines = [`${entry.name}: ${mendedBy(entry)}`];
  if (problem !== null) lines.push(`  no answer: ${problem}`);
  if (found !== null) lines.push(`  ${entry.buggy}: ${foundText(result)}`);
  if (clean !== null) lines.push(`  ${entry.fixed}: ${cleanText(result)}`);
  if (result.atRandom !== null) lines.push(`  at random: ${boots(result.atRandom)}`);
  if (sentence !== null) lines.push(`  ${sentence.sentence}`, `  replay  ${commandLine(['cell', sentence.file])}`);
  if (entry.outOfReach !== null) lines.push(`  out of reach: ${entry.outOfReach}`);
  if (judgeEntry(result) === 'unexpected') lines.push('  NOT AS EXPECTED');
  return `${lines.map(printable).join('\n')}\n`;
}

function mendedBy({ commit, subject }: EntryResult['entry']): string {
  return commit === null ? subject : `${commit} ${subject}`;
}

function foundText({ found }: EntryResult): string {
  if (found === null) return '';
  if (found.found === null) return `not found in ${count(found.boots, 'boot')}${besides(found)}`;
  return `found by boot ${found.found.boot} (${found.found.part})`;
}

function cleanText({ clean }: EntryResult): string {
  if (clean === null) return '';
  if (clean.found !== null) return `shows it too, in boot ${clean.found.boot} (${clean.found.part})`;
  return `clean in ${count(clean.boots, 'boot')}${besides(clean)}`;
}

/** Outcomes that are named; others are counted. */
const NAMED = 3;

/** What a search without the symptom shows instead: a board that crashes in every boot hides the bug. */
function besides({ outcomes }: NonNullable<EntryResult['found']>): string {
  if (outcomes.length === 0) return '';
  const named = outcomes.slice(0, NAMED).map(({ verdict, signature }) => signature ?? verdict);
  const rest = outcomes.length - named.length;
  return `, which show something else: ${named.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}

function boots(search: NonNullable<EntryResult['found']>): string {
  return search.found === null ? `not in ${search.boots}` : String(search.found.boot);
}

/** The last line: how many entries were found, how many are not as expected, and the folder that has all boots. */
export function formatZooSummary(results: readonly EntryResult[], folder: string): string {
  const of = (judgement: ReturnType<typeof judgeEntry>) =>
    results.filter((one) => judgeEntry(one) === judgement).length;
  const found = results.filter(({ found }) => found?.found != null).length;
  const parts = [
    `${count(results.length, 'known bug')}: ${found} found`,
    ...(of('unexpected') === 0 ? [] : [`${of('unexpected')} not as expected`]),
    ...(of('missing') === 0 ? [] : [`${of('missing')} without an answer`]),
  ];
  return `${parts.join(', ')}; records in ${printable(folder)}\n`;
}

const CELL_BREAKS = /[|\n]/g;

function cellText(text: string): string {
  return printable(text.replaceAll(CELL_BREAKS, ' '));
}

/** The table of docs/zoo.md, and below it what was said of each bug. */
function formatZooMarkdown(results: readonly EntryResult[]): string {
  const rows = results.toSorted(
    (a, b) => compare(a.entry.family, b.entry.family) || compare(a.entry.name, b.entry.name),
  );
  const table = rows.map((result) => {
    const { entry, found, clean, atRandom } = result;
    const cells = [
      entry.family,
      `[${entry.name}](../zoo/${entry.name}.yaml)`,
      mendedBy(entry),
      entry.symptom.function === null
        ? entry.symptom.verdicts.join(', ')
        : `${entry.symptom.verdicts.join(', ')} in \`${entry.symptom.function}\``,
      found === null
        ? '?'
        : found.found === null
          ? `not in ${found.boots}`
          : `${found.found.boot} (${found.found.part})`,
      clean === null ? '?' : clean.found === null ? `clean in ${clean.boots}` : `**shows it**`,
      atRandom === null ? '' : boots(atRandom),
    ];
    return `| ${cells.map(cellText).join(' | ')} |`;
  });
  const sentences = rows.flatMap(({ entry, sentence, problem }) => {
    const more = problem ?? entry.outOfReach;
    const said = sentence === null ? [] : [`Found: ${sentence.sentence}.`];
    const why = more === null ? [] : [`Not found: ${more}`];
    return [`- **${entry.name}**: ${entry.about} ${[...said, ...why].join(' ')}`.trimEnd()];
  });
  return [
    '| family | entry | mended by | shows | found by boot | without the bug | at random |',
    '|---|---|---|---|---|---|---|',
    ...table,
    '',
    ...sentences.map(printable),
    '',
  ].join('\n');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const BEGIN = '<!-- written by: npm run zoo -- --docs docs/zoo.md -->';
const END = '<!-- end -->';

/** `document` with its table replaced; null where it has no place for one. */
export function withZooTable(document: string, results: readonly EntryResult[]): string | null {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END, begin);
  if (begin === -1 || end === -1) return null;
  return `${document.slice(0, begin + BEGIN.length)}\n\n${formatZooMarkdown(results)}\n${document.slice(end)}`;
}
