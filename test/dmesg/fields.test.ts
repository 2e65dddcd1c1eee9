import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventsOf } from './mutate.ts';

interface Stamped {
  readonly seconds: string;
  readonly micros: string;
  readonly text: string;
}

/** The records of a recorded boot that have the kernel's own stamp. */
function stampedRecords(): Stamped[] {
  const log = readFileSync(join(import.meta.dirname, '../logs/boot-6.1-builtin-null.log'), 'utf8');
  return [...log.matchAll(/^\[ *(\d+)\.(\d{6})\] (.*?)\r?$/gm)].map(([, seconds = '', micros = '', text = '']) => ({
    seconds,
    micros,
    text,
  }));
}

/** Crashes and the devices that bound, with their times; lines differ with the form. */
function told(log: string) {
  return eventsOf(Buffer.from(log)).flatMap((event) => {
    if (event.event === 'crash') return [{ what: event.title, time: event.time }];
    return event.event === 'bound' ? [{ what: event.device, time: event.time }] : [];
  });
}

describe('records whose fields are lines of their own', () => {
  const records = stampedRecords();
  const expected = told(records.map(({ seconds, micros, text }) => `[${seconds}.${micros}] ${text}\n`).join(''));

  it('have the time and the text of dmesg -J', () => {
    const entries = records.map(
      ({ seconds, micros, text }) =>
        `{\n         "pri": 6,\n         "time": ${seconds.padStart(5)}.${micros},\n         "msg": ${JSON.stringify(text)}\n      }`,
    );
    expect(expected.length).toBeGreaterThan(0);
    expect(told(`{\n   "dmesg": [\n      ${entries.join(',')}\n   ]\n}\n`)).toEqual(expected);
  });

  it('have those of journalctl -o export and verbose', () => {
    const fields = ({ seconds, micros, text }: Stamped) => [
      `_SOURCE_MONOTONIC_TIMESTAMP=${Number(seconds) * 1e6 + Number(micros)}`,
      '_TRANSPORT=kernel',
      'SYSLOG_IDENTIFIER=kernel',
      'PRIORITY=6',
      '_HOSTNAME=wobble',
      `MESSAGE=${text}`,
      '_KERNEL_SUBSYSTEM=platform',
    ];
    const exported = records.map((record, n) => `__CURSOR=s=0;i=${n}\n${fields(record).join('\n')}\n`).join('\n');
    expect(told(exported)).toEqual(expected);
    const verbose = records.map(
      (record, n) =>
        `Mon 2026-01-05 10:11:12.345678 UTC [s=0a1b;i=${n};b=0c;m=1;t=2;x=3]\n    ${fields(record).join('\n    ')}\n`,
    );
    expect(told(verbose.join(''))).toEqual(expected);
  });

  it('have no time of another record', () => {
    const log =
      '__CURSOR=s=0\n_SOURCE_MONOTONIC_TIMESTAMP=5\nMESSAGE=a\n\n__CURSOR=s=1\nMESSAGE=Kernel panic - not syncing: b\n';
    expect(told(log)).toEqual([{ what: 'kernel panic: b', time: null }]);
  });
});
