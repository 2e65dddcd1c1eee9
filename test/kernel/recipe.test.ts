import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../harness/errors.ts';
import { parsePatch } from '../../harness/kernel/patch.ts';
import {
  askedOptions,
  hintOfNames,
  kernelWord,
  loadRecipe,
  parseSource,
  recipeNames,
  withEyes,
} from '../../harness/kernel/recipe.ts';

async function recipeError(yaml: string, files: Record<string, string> = {}): Promise<string> {
  return withDir(
    async ({ path }) => {
      await writeFile(join(path, 'mine.yaml'), yaml);
      await mkdir(join(path, 'patches'));
      for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
      const error = await loadRecipe('mine', path).catch((reason: unknown) => reason);
      if (!(error instanceof InputError)) throw new Error(`expected an InputError, got ${error}`);
      return `${error.message.replace(path, 'DIR').replace(path, 'DIR')} | ${error.hint ?? ''}`;
    },
    { unsafeCleanup: true },
  );
}

describe('the recipes that come with bootrace', () => {
  it('load, and their fragments and patches can be read', async () => {
    const names = await recipeNames();
    expect(names).toEqual(
      expect.arrayContaining(['5.10', '5.10-unfixed', '6.1', '6.1-unfixed', '6.12', '6.12-unfixed']),
    );
    for (const name of names) {
      const recipe = await loadRecipe(name);
      expect(askedOptions(recipe.fragments).length).toBeGreaterThan(10);
      for (const patch of recipe.patches) expect(parsePatch(patch.text), patch.path).toMatchObject({ ok: true });
    }
  });
});

describe('a kernel with eyes', () => {
  it('is its recipe with debug options at the end', async () => {
    const [plain, eyes] = await Promise.all([loadRecipe('6.1-unfixed'), loadRecipe('6.1-unfixed+eyes')]);
    expect(eyes).toMatchObject({ name: '6.1-unfixed+eyes', source: plain.source, patches: plain.patches });
    expect(eyes.fragments.slice(0, -1)).toEqual(plain.fragments);
    const options = askedOptions(eyes.fragments.slice(-1)).map(({ name }) => name);
    expect(options).toEqual(
      expect.arrayContaining(['CONFIG_KASAN', 'CONFIG_PROVE_LOCKING', 'CONFIG_DEBUG_KOBJECT_RELEASE']),
    );
    expect(withEyes(withEyes('6.1'))).toBe('6.1+eyes');
  });

  it('is not to be had of a ready one', async () => {
    await expect(loadRecipe('debian-stock:6.1+eyes')).rejects.toThrow('is a ready kernel, whose options');
  });
});

describe('a source', () => {
  it.each([
    ['debian:6.1', { from: 'debian', series: '6.1' }],
    ['debian-stock:5.10', { from: 'debian-stock', series: '5.10', flavour: 'generic' }],
    ['debian-stock:sid', { from: 'debian-stock', series: 'sid', flavour: 'generic' }],
    ['debian-stock:6.12/16k', { from: 'debian-stock', series: '6.12', flavour: '16k' }],
    ['debian-stock:6.12/64k', null],
    ['tree:linux', { from: 'tree', path: '/recipes/linux' }],
    ['tarball:/a/linux.tar.xz', { from: 'tarball', path: '/a/linux.tar.xz' }],
    ['git:/a@b/linux@v6.1', { from: 'git', path: '/a@b/linux', revision: 'v6.1' }],
    ['image:Image', { from: 'image', path: '/recipes/Image', modules: null, map: null }],
    ['image:/I,modules=lib,map=/S', { from: 'image', path: '/I', modules: '/recipes/lib', map: '/S' }],
  ])('%s is read', (text, expected) => {
    expect(parseSource(text, '/recipes')).toEqual(expected);
  });

  it.each([
    'debian:',
    'debian:six',
    'debian:6.1; rm',
    'git:/a',
    'git:/a@',
    'git:/a@--upload-pack=x',
    'image:',
    'image:I,mod=x',
    'ftp:x',
    '',
  ])('%j is refused', (text) => {
    expect(parseSource(text, '/recipes')).toBeNull();
  });
});

describe('a recipe that is wrong', () => {
  it('is named with file, line and what was expected', async () => {
    expect(await recipeError('source: debian:6.1\nfragments: base.config\n')).toContain(
      'DIR/mine.yaml:2:12: fragments: expected a list of file names',
    );
    expect(await recipeError('# one\n\nsource: debian-6.1\n')).toContain(
      'DIR/mine.yaml:3:9: source: debian-6.1: expected debian:6.1',
    );
    expect(await recipeError('source: debian:6.1\nmayBeRefused: [builtin, moduls]\n')).toContain(
      'DIR/mine.yaml:2:25: mayBeRefused.1: expected builtin, modules or NAME-module',
    );
    expect(await recipeError('source: debian:6.1\npatchs: []\n')).toContain(
      'DIR/mine.yaml:2:1: unknown key patchs, did you mean patches?',
    );
    expect(await recipeError('source: [\n')).toMatch(/DIR\/mine\.yaml:\d:\d: /);
  });

  it('says which file is missing and what is there', async () => {
    expect(await recipeError('source: debian:6.1\nfragments: [bse.config]\n', { 'base.config': '' })).toContain(
      'did you mean base.config?',
    );
  });

  it('that does not exist brings a suggestion', async () => {
    await expect(loadRecipe('6.1-unfixd')).rejects.toMatchObject({
      message: expect.stringContaining('there is no kernel recipe 6.1-unfixd'),
      hint: expect.stringContaining('did you mean 6.1-unfixed?'),
    });
    await expect(loadRecipe('../package')).rejects.toThrow('../package is not a kernel');
  });

  it.each([
    ['debian-stock:6.12/64k', 'with /16k, /rt, /cloud behind it'],
    ['debian-stock:', 'expected debian-stock:SERIES or debian-stock:SUITE'],
    ['image:Image,module=x', 'expected image:PATH[,modules=FOLDER][,map=FILE]'],
  ])('a ready kernel that is written wrong, %s, is told how it is written', async (name, form) => {
    await expect(loadRecipe(name)).rejects.toThrow(`${name} is not a kernel`);
    await expect(loadRecipe(name)).rejects.toThrow(form);
  });

  it.each([
    ['6.1', '6.1'],
    ['debian-stock:6.12', 'debian-stock:6.12'],
    ['debian-stock:sid/16k', 'debian-stock:sid-16k'],
    ['./mine/k64.yaml', 'k64'],
    ['image:/a/Image-6.9,modules=/lib/modules', 'Image-6.9'],
  ])('%s is %s in the names of cells', (name, word) => {
    expect(kernelWord(name)).toBe(word);
  });

  it('names the line of a fragment that asks for nothing', () => {
    expect(() => askedOptions([{ path: 'f.config', text: 'CONFIG_A=y\nSMP=y\n' }])).toThrow(
      'f.config:2: expected CONFIG_NAME=value',
    );
  });
});

describe('hintOfNames', () => {
  it('suggests what is near and only lists what is not', () => {
    expect(hintOfNames('6.2', ['5.10', '6.1'])).toContain('did you mean 6.1?');
    expect(hintOfNames('mainline', ['5.10', '6.1'])).toBe('known are 5.10, 6.1');
  });
});
