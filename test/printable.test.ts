import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../harness/errors.ts';
import { PrintableStream, printable, printableJson, printableLines, printablePainted } from '../harness/printable.ts';
import { OWN_SUBMISSION } from '../harness/report/kcidb.ts';
import { REPORTERS } from '../harness/report/reporters.ts';
import { printError } from '../harness/terminal/failure.ts';
import { aCell, aCrash, aRun } from './report/builders.ts';

const ESC = '\u001b';
/** What no text that is printed may hold, but for the colours of paint.ts and what ends a line. */
const UNSAFE = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
const COLOUR = new RegExp(`${ESC}\\[[\\d;]*m`, 'g');
const COMMAND = /##\w*\[|(?:^|\s)::[A-Za-z]/;
const HOSTILE = [
  `${ESC}]52;c;ZXZpbA==\u0007`,
  `${ESC}[2J`,
  `${ESC}]0;title`,
  '\u009b31m',
  '::error::pwned%0A',
  '  ::set-output name=x::y',
  '##[error]x',
  '###[group]',
  '##vso[task.setvariable]',
  '##teamcity[x]',
  'a\u202eb\u2066c\u200bd',
  'one\rtwo',
  '\u2028',
  'a\nb',
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' })), { maxLength: 5 })
  .map((parts) => parts.join(''));

describe('what may be printed', () => {
  it('is one line without escapes, overrides and commands', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(printable(text)).not.toMatch(UNSAFE);
        expect(printable(text)).not.toMatch(COMMAND);
        expect(printableLines(text).replaceAll(/[\t\n]|\r\n/g, '')).not.toMatch(UNSAFE);
        expect(printableLines(text)).not.toMatch(COMMAND);
        expect(
          printablePainted(text)
            .replaceAll(COLOUR, '')
            .replaceAll(/[\t\n]|\r\n/g, ''),
        ).not.toMatch(UNSAFE);
      }),
    );
  });

  it('is what it was where that was safe', () => {
    const console = '[    0.1] a::b ::1 fe80::1 ### #[x] \tx\r\n  é漢\n';
    expect(printableLines(console)).toBe(console);
    expect(printable(' ünï::cödé #1 [x]')).toBe(' ünï::cödé #1 [x]');
  });

  it('as JSON is the same value', () => {
    fc.assert(
      fc.property(hostile, hostile, (key, text) => {
        const value = { [key]: [text, { text }] };
        const json = printableJson(value);
        expect(JSON.parse(json)).toEqual(value);
        expect(json.replaceAll('\n', '')).not.toMatch(UNSAFE);
        expect(json).not.toMatch(/##\w*\[/);
      }),
    );
  });

  it('of a stream does not depend on how it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(hostile, fc.constant('\n'))), fc.nat(9), (parts, step) => {
        const bytes = Buffer.from(parts.join(''));
        const stream = new PrintableStream();
        let said = '';
        for (let at = 0; at < bytes.length; at += step + 1) said += stream.push(bytes.subarray(at, at + step + 1));
        said += stream.end();
        const whole = new PrintableStream();
        expect(said).toBe(whole.push(bytes) + whole.end());
        expect(said).not.toMatch(COMMAND);
        expect(said.replaceAll(/[\t\n]|\r\n/g, '')).not.toMatch(UNSAFE);
      }),
    );
  });
});

describe('every way out', () => {
  const word = HOSTILE.join(' ');
  const crash = aCrash({
    title: word,
    function: word,
    comm: word,
    device: word,
    text: [word, `[    1.0] ${word}`],
    trace: [word],
  });
  const cells = ['null-deref', 'infra-error', 'bound'] as const;
  const run = aRun(
    cells.map((verdict, index) => {
      const texts = { claim: word, reason: word, replay: word, notes: [word], row: index === 0 ? word : null };
      return aCell({
        id: `${word}${index}`,
        verdict,
        asExpected: false,
        crash: verdict === 'bound' ? null : crash,
        ...texts,
      });
    }),
    { flakes: [{ id: word, what: 'console', repetition: 2 }] },
  );

  it.each(Object.keys(REPORTERS).filter((name) => name !== 'html'))('%s', async (name) => {
    const context = {
      folder: word,
      read: () => null,
      width: 100,
      colour: false,
      submission: OWN_SUBMISSION,
      news: null,
    };
    const text = (await REPORTERS[name]?.format(run, context)) ?? '';
    expect(text.replaceAll('\n', '')).not.toMatch(UNSAFE);
    // The reporter for GitHub writes commands, each its own line.
    const commands = name === 'github' ? /##\w*\[|\s::[A-Za-z](?<!\n::[ewn])|%0A *::/ : COMMAND;
    expect(name === 'json' || name === 'kcidb' ? text.replaceAll(/ ::[A-Za-z]/g, '') : text).not.toMatch(commands);
  });

  it('errors', () => {
    let said = '';
    const write = process.stderr.write;
    process.stderr.write = (text: string | Uint8Array) => {
      said += String(text);
      return true;
    };
    try {
      printError(new InputError(`${word} is not there`, word));
      printError(new Error(word));
    } finally {
      process.stderr.write = write;
    }
    expect(said.replaceAll(COLOUR, '').replaceAll('\n', '')).not.toMatch(UNSAFE);
    expect(said).not.toMatch(COMMAND);
  });

  it('is one of a few places', () => {
    const root = fileURLToPath(new URL('..', import.meta.url));
    const sources = ['harness', 'scripts'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name)),
    );
    const writers = sources.filter((name) =>
      /process\.std(?:out|err)\.write|\bconsole\.(?:log|error|warn|info)\(/.test(
        readFileSync(join(root, name), 'utf8'),
      ),
    );
    expect(writers).toEqual(['harness/terminal/output.ts']);
  });
});
