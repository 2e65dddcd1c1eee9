import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DmesgEvent } from '../../harness/dmesg/events.ts';
import { decodeLine, LineSplitter } from '../../harness/dmesg/lines.ts';
import { DmesgParser } from '../../harness/dmesg/parser.ts';

const LOGS = join(import.meta.dirname, '../logs');
/** A log of a few hundred lines is parsed in well under a millisecond a line; more is a hang. */
const PATIENCE_MS = 5000;
/** Lines of a recorded log that a mutated one begins with: the end of a boot is as likely as its start. */
const WINDOW = 120;

/** A generator of the 32-bit numbers of mulberry32: the seed decides everything. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

export function recordedLogs(): Buffer[] {
  return readdirSync(LOGS)
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(join(LOGS, name)));
}

/** The lines of logs, one character a byte. */
export function linesOf(logs: readonly Buffer[]): string[][] {
  return logs.map((log) => log.toString('latin1').split('\n'));
}

export function eventsOf(log: Uint8Array, cuts: readonly number[] = []): DmesgEvent[] {
  const parser = new DmesgParser();
  const events: DmesgEvent[] = [];
  let from = 0;
  for (const cut of [...cuts, log.length]) {
    events.push(...parser.push(log.subarray(from, cut)));
    from = cut;
  }
  events.push(...parser.end());
  return events;
}

const JUNK: readonly string[] = [
  '\u001b[0;1;31m',
  '\r',
  '\0',
  '[ OK ] Started something.',
  '[    1.000000] ',
  '<4>',
  '\u00e9\u4e2d',
  'x'.repeat(9000),
  '** 12 printk messages dropped **\n',
  '------------[ cut here ]------------\n',
  'Call trace:\n',
  '[#',
  '+0x',
];

/** A log made of recorded ones: lines dropped, doubled, swapped, interleaved with another log's, bytes changed, cut short. */
export function mutatedLog(logs: readonly (readonly string[])[], seed: number): Buffer {
  const next = numbers(seed);
  const pick = <T>(list: readonly T[]): T | undefined => list[next() % list.length];
  const whole = pick(logs) ?? [];
  const first = next() % Math.max(1, whole.length - WINDOW);
  const lines = whole.slice(first, first + WINDOW);
  const changes = next() % 12;
  for (let change = 0; change < changes; change++) {
    const at = next() % Math.max(1, lines.length);
    const line = lines[at] ?? '';
    switch (next() % 9) {
      case 0:
        lines.splice(at, 1 + (next() % 4));
        break;
      case 1:
        lines.splice(at, 0, line);
        break;
      case 2:
        lines[at] = lines[next() % Math.max(1, lines.length)] ?? '';
        break;
      case 3: {
        const other = pick(logs) ?? [];
        const start = next() % Math.max(1, other.length);
        lines.splice(at, 0, ...other.slice(start, start + (next() % 20)));
        break;
      }
      case 4:
        lines[at] = line.slice(next() % Math.max(1, line.length)) + (pick(JUNK) ?? '');
        break;
      case 5: {
        const where = next() % Math.max(1, line.length);
        lines[at] = line.slice(0, where) + (pick(JUNK) ?? '') + line.slice(where);
        break;
      }
      case 6: {
        const where = next() % Math.max(1, line.length);
        lines[at] = line.slice(0, where) + String.fromCharCode(next() % 256) + line.slice(where + 1);
        break;
      }
      case 7:
        lines.length = at;
        break;
      case 8:
        lines[at] = `${line}${lines[at + 1] ?? ''}`;
        break;
    }
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}

/** What holds of every input: chunks do not matter, nothing is invented, and it takes no time. */
export function checkLog(log: Buffer, seed: number): void {
  const started = performance.now();
  const events = eventsOf(log);
  const next = numbers(seed ^ 0x5bd1e995);
  const cuts = Array.from({ length: next() % 6 }, () => next() % (log.length + 1)).sort((a, b) => a - b);
  const inPieces = eventsOf(log, cuts);
  // A million deep comparisons take longer than what they compare.
  if (JSON.stringify(inPieces) !== JSON.stringify(events)) {
    expect(inPieces, `seed ${seed}: events differ when the log comes in chunks cut at ${cuts.join(', ')}`).toEqual(
      events,
    );
  }
  const text = plainText(log);
  for (const event of events) expectInText(event, text, seed);
  expect(performance.now() - started, `seed ${seed}: the log took too long`).toBeLessThan(PATIENCE_MS);
}

function expectInText(event: DmesgEvent, plain: string, seed: number): void {
  const names: (string | null)[] = [];
  switch (event.event) {
    case 'crash':
      names.push(event.function, event.module, event.code, ...event.trace.slice(0, 8).map((frame) => frame.function));
      if (event.lastLine < event.line) throw new Error(`seed ${seed}: a crash ends before it begins`);
      if (event.function !== null && event.title.includes(' in ')) expect(event.signature).toContain(event.title);
      break;
    case 'initcall-entered':
    case 'initcall-returned':
      names.push(event.function);
      break;
    case 'agent':
      names.push(event.verb, ...event.words);
      break;
    case 'banner':
      names.push(event.release);
      break;
    default:
      if ('device' in event) names.push(event.device, event.driver);
  }
  for (const name of names) {
    if (name === null || plain.includes(name)) continue;
    throw new Error(`seed ${seed}: ${event.event} names ${JSON.stringify(name)}, which the log does not`);
  }
}

/** The text that events come from: UTF-16 read, escape sequences, control bytes and entities taken out. */
function plainText(log: Buffer): string {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(decodeLine(line)));
  splitter.push(log);
  splitter.end();
  return lines.join('\n');
}
