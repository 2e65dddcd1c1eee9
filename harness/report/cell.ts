import type { CellRecord, RunRecord } from '../run/record.ts';
import { type Colours, mark, paintVerdict } from './paint.ts';

/** A cell's verdict, what was noted of it, and where its files are; of a repeated one, whether its boots agree. */
export function formatCell(
  record: CellRecord,
  { repeat, flakes }: Pick<RunRecord, 'repeat' | 'flakes'>,
  folder: string,
  paint: Colours,
): string {
  const expected = record.asExpected ? 'as expected' : `expected ${record.expected.verdicts.join(' or ')}`;
  const verdict = paintVerdict(record, record.verdict, paint);
  const lines = [
    `${mark(record, paint)} ${record.id}: ${verdict} (${expected}): ${record.reason}`,
    ...record.notes.map((note) => `  ${note}`),
    ...(repeat === 1 || record.consoleHash === null ? [] : [`  ${describeRepetition(repeat, flakes)}`]),
    `  files in ${folder}`,
  ];
  return `\n${lines.join('\n')}\n`;
}

function describeRepetition(repeat: number, flakes: RunRecord['flakes']): string {
  const same = 'the same console, byte for byte,';
  if (flakes.length === 0) return `${repeat} boots: ${same} in all of them`;
  const others = flakes.map(({ repetition, what }) => `boot ${repetition} in its ${what}`);
  return `${repeat} boots: ${flakes.length} of them differ from the first: ${others.join(', ')}`;
}
