import { printableJson, printablePainted } from '../printable.ts';
import { wantsColour } from '../report/paint.ts';
import type { ReportOutput } from '../report/reporters.ts';

/**
 * The one way to standard output and standard error, but for what redraws itself (report/progress.ts): nobody else
 * writes there.
 */

/** An answer, for standard output. */
export function print(text: string): void {
  process.stdout.write(printablePainted(text));
}

export function printJson(value: unknown): void {
  process.stdout.write(printableJson(value));
}

/** How things go, for standard error. */
export function tell(text: string): void {
  process.stderr.write(printablePainted(text));
}

/** A report that is its own safe form, for whatever reads it: XML, JSON, commands for a CI. */
export function printAsItIs(text: string): void {
  process.stdout.write(text);
}

/** Columns of a terminal that does not say how many it has. */
const COLUMNS = 120;

/** Where a verb prints reports that have no file. */
export function standardOutput(): ReportOutput {
  return {
    columns: process.stdout.columns ?? COLUMNS,
    colour: wantsColour(process.stdout.isTTY, process.env),
    write: printAsItIs,
  };
}
