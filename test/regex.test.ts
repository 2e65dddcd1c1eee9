import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../harness/regex.ts';

describe('matchesGlob', () => {
  it.each([
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*c', 'abcd', false],
    ['*', '', true],
    ['ab', 'ab', true],
    ['ab', 'abc', false],
    ['a*a', 'a', false],
    ['*b*', 'abc', true],
  ])('%s and %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  it('agrees with a regular expression', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(word, text, (pattern, subject) => {
        expect(matchesGlob(pattern, subject)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(subject));
      }),
    );
  });
});
