import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyBytes } from '../../harness/verdict/classify.ts';
import { checkLog, eventsOf, linesOf, mutatedLog, recordedLogs } from './mutate.ts';

/** `FUZZ_LOGS=1000000 npm run fuzz`; a few thousand are enough to notice a break. */
const COUNT = Number(process.env.FUZZ_LOGS ?? 1500);
const FIRST = Number(process.env.FUZZ_SEED ?? 1);

describe('the kernel log parser', () => {
  it('invents nothing and does not care how the log is cut, whatever the log', { timeout: 24 * 3600 * 1000 }, () => {
    const logs = linesOf(recordedLogs());
    for (let seed = FIRST; seed < FIRST + COUNT; seed++) checkLog(mutatedLog(logs, seed), seed);
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 0, max: 2000 }), (bytes, cut) => {
        expect(eventsOf(bytes, [Math.min(cut, bytes.length)])).toEqual(eventsOf(bytes));
      }),
    );
  });

  it('gives the same for every single cut of a crash', () => {
    const [log] = recordedLogs();
    if (log === undefined) throw new Error('no recorded log');
    const whole = eventsOf(log);
    for (let cut = 0; cut <= log.length; cut += 7) expect(eventsOf(log, [cut])).toEqual(whole);
  });

  it('does not depend on line ends, prefixes of other tools and the last line feed', () => {
    const options = { knownIssues: [], today: '2026-01-01' };
    for (const log of recordedLogs()) {
      const titles = (text: string): string[] =>
        classifyBytes('log', Buffer.from(text), options).crashes.map((crash) => crash.title);
      const text = log.toString('utf8');
      const expected = titles(text);
      expect(titles(text.replaceAll('\n', '\r\n'))).toEqual(expected);
      expect(titles(text.replaceAll('\n', '\r\r\n'))).toEqual(expected);
      expect(titles(text.trimEnd())).toEqual(expected);
      if (!text.startsWith('[')) continue;
      const prefixed = (prefix: string): string => text.replace(/^(?=.)/gm, prefix);
      for (const prefix of [
        '2023-04-27T14:17:58.487410Z ',
        '2023-04-27 14:17:58,487 ',
        '[2023-04-27T14:17:58.487Z] ',
        '2023-04-27T14:17:58.487410  <6>',
        '00:01:02 ',
        'Oct 30 12:00:00 host kernel: ',
        '2020-10-30T12:00:00+0100 host kernel: ',
        'kern  :alert : ',
        '<4>',
        '> ',
        '> > ',
        '\t',
        '    ',
        '\u001b[0m',
        '10-30 12:00:00.123     0     0 W kernel  : ',
      ]) {
        expect(titles(prefixed(prefix)), prefix).toEqual(expected);
      }
    }
  });

  it('reads a log without time stamps, as dmesg -t prints it', () => {
    const options = { knownIssues: [], today: '2026-01-01' };
    for (const log of recordedLogs()) {
      const text = log.toString('utf8');
      // A mail program's line breaks can only be told by the time stamps that the other lines have, and
      // interleaved reports only by their callers.
      if (text.split('\n').some((line) => line !== '' && !/^\[ *\d+\.\d+\] /.test(line))) continue;
      const bare = text.replace(/^\[ *\d+\.\d+\]( ?\[ *[TC]\d+\])? /gm, '');
      const kinds = (of: string): string[] =>
        classifyBytes('log', Buffer.from(of), options).crashes.map((crash) => crash.title);
      expect(kinds(bare)).toEqual(kinds(text));
    }
  });

  it('reads UTF-16 with and without a byte order mark as it reads UTF-8, however it is cut', () => {
    const [log] = recordedLogs();
    if (log === undefined) throw new Error('no recorded log');
    const text = log.toString('latin1').replace(/[^\n\x20-\x7e]/g, '');
    const expected = eventsOf(Buffer.from(text));
    const little = Buffer.from(`\ufeff${text}`, 'utf16le');
    const big = Buffer.from(little).swap16();
    for (const coded of [little, big, little.subarray(2), big.subarray(2)]) {
      for (const cuts of [[], [1], [2, 3], [7, 1001, 1002]]) expect(eventsOf(coded, cuts)).toEqual(expected);
    }
  });
});
