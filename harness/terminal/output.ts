import { wantsColour } from '../report/paint.ts';
import type { ReportOutput } from '../report/reporters.ts';

/** Columns of a terminal that does not say how many it has. */
const COLUMNS = 120;

/** Where a verb prints reports that have no file. */
export function standardOutput(): ReportOutput {
  return {
    columns: process.stdout.columns ?? COLUMNS,
    colour: wantsColour(process.stdout.isTTY, process.env),
    write: (text) => process.stdout.write(text),
  };
}
