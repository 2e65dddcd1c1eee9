import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { LINKAGE_FORM } from '../axes/linkage.ts';
import { InputError } from '../errors.ts';
import { readNamed } from '../files.ts';
import { nearest } from '../suggest.ts';
import { parseYaml, strictMap } from '../yaml.ts';
import { type AskedOption, parseFragment } from './kconfig.ts';

/** The folder of recipes, fragments and patches that comes with bootrace. */
export const KERNEL_CONFIGS = fileURLToPath(new URL('../../kernel-configs', import.meta.url));

export type KernelSource =
  /** `debian:6.1`: the newest linux-source-6.1 of the suites that carry it. */
  | { readonly from: 'debian'; readonly series: string }
  /** `debian-stock:6.1`, `debian-stock:trixie`, `debian-stock:sid/16k`: the distribution's own arm64 kernel. */
  | { readonly from: 'debian-stock'; readonly series: string; readonly flavour: StockFlavour }
  | { readonly from: 'tree'; readonly path: string }
  | { readonly from: 'git'; readonly path: string; readonly revision: string }
  | { readonly from: 'tarball'; readonly path: string }
  /**
   * `image:PATH[,modules=FOLDER][,map=FILE]`: a ready Image, the folder of its modules, and its System.map or vmlinux.
   */
  | { readonly from: 'image'; readonly path: string; readonly modules: string | null; readonly map: string | null };

/** A named text file whose content belongs to the build's key. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

export interface Recipe {
  readonly name: string;
  readonly source: KernelSource;
  /** A whole .config that the fragments are merged on; null for tinyconfig. */
  readonly config: TextFile | null;
  readonly fragments: readonly TextFile[];
  readonly patches: readonly TextFile[];
  /** Linkages that Kconfig may refuse: the verdict is then `unbuildable`, not an error. */
  readonly mayBeRefused: readonly string[];
  /** The source is not the one that the recipe was written for: options that it does not have are left out. */
  readonly followsSource: boolean;
}

/**
 * A recipe and a source that do not go together: a patch does not apply, Kconfig refuses an option. Another commit may
 * be fine.
 */
export class RecipeMisfit extends InputError {}

const SERIES = /^\d+\.\d+$/;
/** A series or the name of a suite, and a flavour. */
const STOCK = /^(?<series>\d+\.\d+|[a-z][a-z-]*)(?:\/(?<flavour>[a-z0-9]+))?$/;

/** Which of Debian's arm64 kernels: the generic one, with 16 KiB pages, for real time, or for virtual machines. */
const STOCK_FLAVOURS = ['generic', '16k', 'rt', 'cloud'] as const;
export type StockFlavour = (typeof STOCK_FLAVOURS)[number];

function parseStock(text: string): KernelSource | null {
  const { series, flavour = 'generic' } = STOCK.exec(text)?.groups ?? {};
  const known = STOCK_FLAVOURS.find((one) => one === flavour);
  return series === undefined || known === undefined ? null : { from: 'debian-stock', series, flavour: known };
}

/**
 * Reads `debian:6.1`, `debian-stock:6.1`, `tree:PATH`, `git:PATH@REV`, `tarball:PATH`, `image:PATH`; null when it is
 * none of them. A relative PATH starts at `folder`.
 */
export function parseSource(text: string, folder: string): KernelSource | null {
  const colon = text.indexOf(':');
  const from = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  if (rest === '') return null;
  const path = (relative: string) => (relative.startsWith('/') ? relative : join(folder, relative));
  switch (from) {
    case 'debian':
      return SERIES.test(rest) ? { from, series: rest } : null;
    case 'debian-stock':
      return parseStock(rest);
    case 'tree':
    case 'tarball':
      return { from, path: path(rest) };
    case 'image':
      return parseImageSource(rest, path);
    case 'git': {
      const at = rest.lastIndexOf('@');
      const revision = rest.slice(at + 1);
      return at < 1 || revision === '' || revision.startsWith('-')
        ? null
        : { from, path: path(rest.slice(0, at)), revision };
    }
    default:
      return null;
  }
}

function parseImageSource(text: string, path: (relative: string) => string): KernelSource | null {
  const [image = '', ...options] = text.split(',');
  let modules: string | null = null;
  let map: string | null = null;
  for (const option of options) {
    const equals = option.indexOf('=');
    const value = option.slice(equals + 1);
    if (equals < 0 || value === '') return null;
    const name = option.slice(0, equals);
    if (name === 'modules') modules = path(value);
    else if (name === 'map') map = path(value);
    else return null;
  }
  return image === '' ? null : { from: 'image', path: path(image), modules, map };
}

/** How ready kernels are written, by what their names begin with. */
const FORMS: ReadonlyMap<string, string> = new Map([
  [
    'debian-stock',
    `debian-stock:SERIES or debian-stock:SUITE, of Debian's other kernels with ${STOCK_FLAVOURS.slice(1)
      .map((flavour) => `/${flavour}`)
      .join(', ')} behind it`,
  ],
  ['image', 'image:PATH[,modules=FOLDER][,map=FILE]'],
]);

const SOURCES =
  'debian:6.1, debian-stock:6.1, tree:PATH, git:PATH@REVISION, tarball:PATH or image:PATH[,modules=FOLDER][,map=FILE]';

const recipeSchema = strictMap({
  source: z.string({ error: `expected ${SOURCES}` }),
  config: z.string().optional(),
  fragments: z.array(z.string(), { error: 'expected a list of file names' }).default([]),
  patches: z.array(z.string(), { error: 'expected a list of file names' }).default([]),
  mayBeRefused: z
    .array(z.string().regex(LINKAGE_FORM, { error: 'expected builtin, modules or NAME-module' }))
    .default([]),
});

/** A hint for error messages: the one of `known` that is nearest to `name`, and all of them. */
export function hintOfNames(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  const list = `known are ${known.join(', ')}`;
  return near === null ? list : `did you mean ${near}? (${list})`;
}

/** Recipe names in `folder`, sorted. */
export async function recipeNames(folder: string = KERNEL_CONFIGS): Promise<string[]> {
  return (await readdir(folder))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/** At the end of a recipe's name: the same kernel with the debug options of `eyes.config`. */
const EYES = '+eyes';
const EYES_FRAGMENT = join(KERNEL_CONFIGS, 'eyes.config');

/**
 * The name of `kernel` with eyes: KASAN, lockdep, debug objects, late releases, removal at every probe. A ready kernel
 * has no such variant, which {@link loadRecipe} says.
 */
export function withEyes(kernel: string): string {
  return kernel.endsWith(EYES) ? kernel : kernel + EYES;
}

const RECIPE_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;

/**
 * The recipe of a kernel as a cell names it: a file in `folder`, or a source that needs no build and so no file
 * (`debian-stock:6.1`, `image:PATH`; PATH is then relative to the working directory), or `RECIPE@SOURCE`: that recipe
 * for another source. A name that ends in `.yaml` is the path of a recipe; with `+eyes` at its end a recipe has debug
 * options beside its own. Throws {@link InputError} that names file, line and what was expected.
 */
export async function loadRecipe(name: string, folder: string = KERNEL_CONFIGS): Promise<Recipe> {
  if (name.endsWith(EYES)) return loadWithEyes(name, name.slice(0, -EYES.length), folder);
  const source = parseSource(name, process.cwd());
  if (source !== null && (source.from === 'debian-stock' || source.from === 'image'))
    return { name, source, config: null, fragments: [], patches: [], mayBeRefused: [], followsSource: false };
  const at = name.indexOf('@');
  const hasSource = at > 0 && parseSource(name.slice(at + 1), process.cwd()) !== null;
  const form = source === null && !hasSource ? FORMS.get(name.slice(0, name.indexOf(':'))) : undefined;
  if (form !== undefined) throw new InputError(`${name} is not a kernel: expected ${form}`);
  if (source === null && at > 0) return withSource(name, name.slice(0, at), name.slice(at + 1), folder);
  const isFile = name.endsWith('.yaml');
  const path = isFile ? resolve(name) : join(folder, `${name}.yaml`);
  if (!isFile && !RECIPE_NAME.test(name))
    throw new InputError(`${name} is not a kernel`, await hintOfRecipes(name, folder));
  let text: string;
  try {
    text = String(await readNamed(path, 'recipe'));
  } catch (error) {
    if (existsSync(path)) throw error;
    throw new InputError(`there is no kernel recipe ${name} (${path})`, await hintOfRecipes(name, folder));
  }
  return parseRecipe(name, path, text);
}

const OF_COMMIT = /^([^@]+)@git:.*@([0-9a-f]{12})[0-9a-f]*$/;

/**
 * A kernel's name for a line of progress: of a commit, the recipe and the hash's first digits; of a recipe's path, the
 * file.
 */
export function kernelTitle(name: string): string {
  if (name.endsWith('.yaml')) return basename(name, '.yaml');
  const [, recipe, commit] = OF_COMMIT.exec(name) ?? [];
  return recipe === undefined || commit === undefined ? name : `${recipe}@${commit}`;
}

/** What the name of a cell calls a kernel: an image by its file, each of Debian's by its series and flavour. */
export function kernelWord(name: string): string {
  const source = parseSource(name, '.');
  if (source?.from === 'image') return basename(source.path);
  return source?.from === 'debian-stock' ? name.replace('/', '-') : basename(name, '.yaml');
}

/** `6.1@git:PATH@REVISION`: the recipe 6.1 for another source, whose PATH is relative to the working directory. */
async function withSource(name: string, recipeName: string, given: string, folder: string): Promise<Recipe> {
  const source = parseSource(given, process.cwd());
  if (source === null || source.from === 'debian-stock' || source.from === 'image')
    throw new InputError(
      `${name}: ${given} is not a source that can be built`,
      'give RECIPE@git:PATH@REVISION or RECIPE@tree:PATH',
    );
  const recipe = await loadRecipe(recipeName, folder);
  if (recipe.source.from === 'debian-stock' || recipe.source.from === 'image')
    throw new InputError(`${name}: ${recipeName} is a ready kernel and not built from a source`);
  return { ...recipe, name, source, followsSource: true };
}

async function loadWithEyes(name: string, recipeName: string, folder: string): Promise<Recipe> {
  const recipe = await loadRecipe(recipeName, folder);
  if (recipe.source.from === 'debian-stock' || recipe.source.from === 'image')
    throw new InputError(
      `${name}: ${recipeName} is a ready kernel, whose options are what they are`,
      'name a recipe that is built',
    );
  return { ...recipe, name, fragments: [...recipe.fragments, await readText(EYES_FRAGMENT, name)] };
}

async function hintOfRecipes(name: string, folder: string): Promise<string> {
  const near = hintOfNames(name, await recipeNames(folder));
  return `${near}; or give debian-stock:SERIES, debian-stock:SUITE or image:PATH`;
}

async function parseRecipe(name: string, path: string, text: string): Promise<Recipe> {
  const { value, at } = parseYaml(text, path, recipeSchema);
  const folder = dirname(path);
  const source = parseSource(value.source, folder);
  if (source === null) throw new InputError(`${at(['source'])}: source: ${value.source}: expected ${SOURCES}`);
  const { config } = value;
  const load = (key: 'fragments' | 'patches') =>
    Promise.all(value[key].map((file, index) => readText(resolve(folder, file), at([key, index]))));
  return {
    name,
    source,
    config: config === undefined ? null : await readText(resolve(folder, config), at(['config'])),
    fragments: await load('fragments'),
    patches: await load('patches'),
    mayBeRefused: value.mayBeRefused,
    followsSource: false,
  };
}

async function readText(path: string, asked: string): Promise<TextFile> {
  try {
    return { path, text: String(await readNamed(path, 'file')) };
  } catch (error) {
    if (existsSync(path)) throw error;
    const present = await readdir(dirname(path)).catch(() => []);
    throw new InputError(`${asked}: there is no file ${path}`, hintOfNames(basename(path), present.sort()));
  }
}

/** Everything that the fragments of a recipe ask for. Throws {@link InputError} at a line that asks for nothing. */
export function askedOptions(fragments: readonly TextFile[]): AskedOption[] {
  return fragments.flatMap(({ path, text }) =>
    parseFragment(text, path).map((line) => {
      if (line.kind === 'option') return line.option;
      throw new InputError(
        `${path}:${line.line}: expected CONFIG_NAME=value or "# CONFIG_NAME is not set", got "${line.text}"`,
      );
    }),
  );
}

/** A source as a recipe names it, with its path as it stands. parseSource() reads it back. */
export function formatSource(source: KernelSource): string {
  switch (source.from) {
    case 'debian':
      return `debian:${source.series}`;
    case 'debian-stock':
      return `debian-stock:${source.series}${source.flavour === 'generic' ? '' : `/${source.flavour}`}`;
    case 'git':
      return `git:${source.path}@${source.revision}`;
    case 'tree':
    case 'tarball':
      return `${source.from}:${source.path}`;
    case 'image':
      return [
        `image:${source.path}`,
        ...(source.modules === null ? [] : [`modules=${source.modules}`]),
        ...(source.map === null ? [] : [`map=${source.map}`]),
      ].join(',');
  }
}
