import { describe, expect, it } from 'vitest';
import { buildKey } from '../../harness/kernel/build.ts';

describe("a build's key", () => {
  const file = (text: string, path = 'x') => ({ path, text });
  const recipe = { config: null, fragments: [file('CONFIG_A=y\n')], patches: [file('--- a\n')] };
  const key = buildKey('debian 6.1', recipe, file('CONFIG_B=m\n'), 'gcc 12');

  it('does not depend on where its files are', () => {
    const moved = { config: null, fragments: [file('CONFIG_A=y\n', '/y')], patches: [file('--- a\n', '/z')] };
    expect(buildKey('debian 6.1', moved, file('CONFIG_B=m\n', '/w'), 'gcc 12')).toBe(key);
  });

  it.each([
    ['the source', buildKey('debian 6.2', recipe, file('CONFIG_B=m\n'), 'gcc 12')],
    [
      'a fragment',
      buildKey('debian 6.1', { ...recipe, fragments: [file('CONFIG_A=n\n')] }, file('CONFIG_B=m\n'), 'gcc 12'),
    ],
    ['a patch', buildKey('debian 6.1', { ...recipe, patches: [] }, file('CONFIG_B=m\n'), 'gcc 12')],
    ['a whole configuration', buildKey('debian 6.1', { ...recipe, config: file('') }, file('CONFIG_B=m\n'), 'gcc 12')],
    ['the linkage', buildKey('debian 6.1', recipe, file('CONFIG_B=y\n'), 'gcc 12')],
    ['the compiler', buildKey('debian 6.1', recipe, file('CONFIG_B=m\n'), 'gcc 13')],
    [
      'the order of fragments',
      buildKey('debian 6.1', { ...recipe, fragments: [file('CONFIG_B=m\n')] }, file('CONFIG_A=y\n'), 'gcc 12'),
    ],
  ])('depends on %s', (_, other) => {
    expect(other).not.toBe(key);
  });
});
