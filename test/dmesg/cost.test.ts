import { describe, expect, it } from 'vitest';
import { isHalf } from '../../harness/dmesg/halves.ts';
import { parseRecords } from '../../harness/dmesg/prefix.ts';

const MEGABYTE = 1e6;
/** CPU seconds: far more than is needed, and less than a fourth of what going over a line again and again costs. */
const BOUND = 1;

/** What reading a megabyte of copies of a line costs. */
function secondsFor(line: string, read: (line: string) => unknown): number {
  const before = process.cpuUsage();
  for (let bytes = 0; bytes < MEGABYTE; bytes += line.length) read(line);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

describe('a line that was made to be looked at again and again', () => {
  it.each([
    ['line feeds of a bytes object that does not end', `b'${'\\n'.repeat(4000)}`, parseRecords],
    ['errors in a message that does not end', `gadget 1.dev: probe${': fail'.repeat(160)}`, isHalf],
  ])('is read in one go: %s', (_, line, read) => {
    expect(secondsFor(line, read)).toBeLessThan(BOUND);
  });
});
