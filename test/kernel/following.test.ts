import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { explainRefusal } from '../../harness/kernel/configure.ts';
import { formatSource, kernelTitle, loadRecipe, parseSource } from '../../harness/kernel/recipe.ts';

describe('a recipe for another source', () => {
  it('keeps its fragments and patches', async () => {
    const own = await loadRecipe('6.1-unfixed');
    const other = await loadRecipe('6.1-unfixed@git:/home/a@b/linux@v6.6');
    expect(other.source).toEqual({ from: 'git', path: '/home/a@b/linux', revision: 'v6.6' });
    expect(other.patches).toEqual(own.patches);
    expect(other.fragments).toEqual(own.fragments);
    expect([own.followsSource, other.followsSource]).toEqual([false, true]);
  });

  it.each([
    ['6.1@debian-stock:6.1', 'is not a source that can be built'],
    ['6.1@v6.6', 'is not a source that can be built'],
    ['5.99@tree:/linux', 'there is no kernel recipe 5.99'],
    ['debian-stock:6.1@tree:/linux', 'debian-stock:6.1 is a ready kernel'],
  ])('is not %s', async (name, message) => {
    await expect(loadRecipe(name)).rejects.toThrow(message);
  });

  it('has a short name where it is about a commit', () => {
    expect(kernelTitle(`6.1@git:/home/me/linux@${'0123456789ab'.padEnd(40, 'c')}`)).toBe('6.1@0123456789ab');
    expect(kernelTitle('6.1@tree:/home/me/linux')).toBe('6.1@tree:/home/me/linux');
  });
});

it.each([
  'debian:6.1',
  'git:/a@b/linux@v6.6',
  'tree:/linux',
  'tarball:/linux.tar.xz',
  'image:/Image,modules=/m,map=/s',
])('source %s is written as it is read', (text) => {
  const source = parseSource(text, '/');
  expect(source && formatSource(source)).toBe(text);
});

describe('what Kconfig made otherwise', () => {
  const option = (name: string) => ({ asked: { name, value: 'y', fragment: 'base.config', line: 1 }, got: 'n' });
  const explain = (mayLack: boolean, ...names: string[]) =>
    withDir(
      async ({ path: source }) => {
        const output = join(source, 'out');
        await mkdir(output);
        await writeFile(join(source, 'Kconfig'), 'config HAS\n\tbool "it is there"\n\tdepends on OTHER\n');
        await writeFile(join(output, '.config'), '');
        const context = { source, output };
        return explainRefusal(names.map(option), context, mayLack);
      },
      { unsafeCleanup: true },
    );

  it('is no refusal where an older source has no such option', async () => {
    expect(await explain(true, 'CONFIG_NEW')).toEqual({ unknown: ['CONFIG_NEW'], reason: null });
  });

  it("is one where the source has it, or is the recipe's own", async () => {
    const both = await explain(true, 'CONFIG_NEW', 'CONFIG_HAS');
    expect(both.unknown).toEqual(['CONFIG_NEW']);
    expect(both.reason).toContain('it depends on OTHER');
    const own = await explain(false, 'CONFIG_NEW');
    expect(own.unknown).toEqual([]);
    expect(own.reason).toContain('this kernel has no such option');
  });
});
