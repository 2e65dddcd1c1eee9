import type { CellRecord, RunRecord } from '../run/record.ts';
import { type Colours, mark, paintVerdict } from './paint.ts';
import { describeClockRaces } from './standing.ts';

/** A cell's verdict, what was noted of it, and where its files are; of a repeated one, whether its boots agree. */
export function formatCell(
  record: CellRecord,
  run: Pick<RunRecord, 'repeat' | 'flakes' | 'clockRaces'>,
  folder: string,
  paint: Colours,
): string {
  const expected = record.asExpected ? 'as expected' : `expected ${record.expected.verdicts.join(' or ')}`;
  const verdict = paintVerdict(record, record.verdict, paint);
  const lines = [
    `${mark(record, paint)} ${record.id}: ${verdict} (${expected}): ${record.reason}`,
    ...record.notes.map((note) => `  ${note}`),
    ...(run.repeat === 1 || record.consoleHash === null ? [] : [`  ${describeRepetition(run)}`]),
    `  files in ${folder}`,
  ];
  return `\n${lines.join('\n')}\n`;
}

function describeRepetition(run: Pick<RunRecord, 'repeat' | 'flakes' | 'clockRaces'>): string {
  const races = run.clockRaces.length === 0 ? '' : `; ${describeClockRaces(run)}`;
  const same = 'the same console, byte for byte,';
  if (run.flakes.length === 0) return `${run.repeat} boots: ${same} in all of them${races}`;
  const others = run.flakes.map(({ repetition, what }) => `boot ${repetition} in its ${what}`);
  return `${run.repeat} boots: ${run.flakes.length} of them differ from the others: ${others.join(', ')}${races}`;
}
