import { DmesgParser } from '../../harness/dmesg/parser.ts';
import { type LogSummary, Summary } from '../../harness/dmesg/summary.ts';

/** What is read from the lines of a log, drivers' errors included. */
export function summaryOf(lines: readonly string[]): LogSummary {
  const parser = new DmesgParser(null, 'complaints');
  const summary = new Summary();
  for (const event of [...parser.push(Buffer.from(`${lines.join('\n')}\n`)), ...parser.end()]) summary.add(event);
  return summary.finish(parser);
}
