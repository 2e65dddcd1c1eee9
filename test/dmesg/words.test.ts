import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLine, LineSplitter } from '../../harness/dmesg/lines.ts';
import { Words } from '../../harness/dmesg/words.ts';

/** Few letters, so that words overlap and stand in each other. */
const letters = fc.constantFrom('a', 'b', 'c', '\xe2', '[');
const text = (minLength: number, maxLength: number) =>
  fc.array(letters, { minLength, maxLength }).map((characters) => characters.join(''));

describe('the search for words', () => {
  it('finds the words that stand in a text, and no others', () => {
    fc.assert(
      fc.property(fc.array(text(2, 6), { minLength: 1, maxLength: 8 }), text(0, 40), (words, where) => {
        const search = new Words(words);
        const there = words.flatMap((word, index) => (where.includes(word) ? [index] : []));
        expect(search.found(where) ?? []).toEqual(there);
        expect(search.isIn(where)).toBe(there.length > 0);
      }),
    );
  });

  it('finds them in bytes between two places', () => {
    fc.assert(
      fc.property(
        fc.array(text(2, 6), { minLength: 1, maxLength: 8 }),
        text(0, 40),
        fc.nat(40),
        fc.nat(40),
        (words, where, a, b) => {
          const from = Math.min(a, b, where.length);
          const to = Math.min(Math.max(a, b), where.length);
          const found = new Words(words).next(Buffer.from(where, 'latin1'), from, to);
          const part = where.slice(from, to);
          expect(found < to).toBe(words.some((word) => part.includes(word)));
        },
      ),
    );
  });

  it('refuses a word of one character', () => {
    expect(() => new Words(['a'])).toThrow('too short');
  });
});

describe('the splitter of lines', () => {
  it('gives a line without an end in pieces of a bounded length, all with its number', () => {
    const given: [length: number, number: number][] = [];
    const splitter = new LineSplitter((line, number) => given.push([line.length, number]));
    splitter.push(Buffer.from(`first\n${'x'.repeat(20_000)}`));
    splitter.push(Buffer.from(`${'x'.repeat(5000)}\nlast`));
    splitter.end();
    expect(given).toEqual([
      [5, 1],
      [8192, 2],
      [8192, 2],
      [8192, 2],
      [424, 2],
      [4, 3],
    ]);
  });
});

describe('a character that a web page writes by its number', () => {
  const written = (code: number): string[] =>
    [`&#${code};`, `&#x${code.toString(16)};`].map((entity) => decodeLine(`a${entity}b`));

  it('is what a line keeps of the character itself: no control character, no mark of no width', () => {
    for (const code of [...Array(0x3100).keys(), 0xfeff, 0xfffd, 0x10ffff]) {
      const plain = decodeLine(Buffer.from(`a${String.fromCodePoint(code)}b`).toString('latin1'));
      expect(written(code)).toEqual([plain, plain]);
    }
    expect(written(0x2b)).toEqual(['a+b', 'a+b']);
    expect(written(0xa0)).toEqual(['a b', 'a b']);
    for (const code of [0x00, 0x0a, 0x1b, 0x7f, 0x85, 0x9b, 0x200b]) expect(written(code)).toEqual(['ab', 'ab']);
  });

  it('stays as it stands where there is no such character', () => {
    for (const code of [0xd800, 0xdfff, 0x110000])
      expect(written(code)).toEqual([`a&#${code};b`, `a&#x${code.toString(16)};b`]);
  });
});
