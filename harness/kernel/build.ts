import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import type { Linkage } from '../matrix/cell.ts';
import type { KernelResult } from './artefact.ts';
import {
  cacheRoot,
  ensureFolder,
  errorCode,
  fileSystemError,
  publish,
  readIfPresent,
  requireFreeSpace,
  withTemporary,
  writeAtomic,
} from './cache.ts';
import { type ConfigDifference, differences, parseConfig } from './kconfig.ts';
import { takeLock } from './lock.ts';
import { BuildFailure, type MakeContext, make, mergeConfig, toolchainIdentity } from './make.ts';
import { indexModules, readDepends } from './modules.ts';
import { type OnProgress, StepCounter } from './progress.ts';
import { askedOptions, linkageFragment, loadRecipe, type Recipe, type TextFile } from './recipe.ts';
import { explainDifference, type KconfigEntry, parseKconfig } from './refusal.ts';
import { debianSource, type SourceTree, sourceFolder } from './source.ts';
import { applyPatches, openBuildFolder } from './workshop.ts';

export interface KernelRequest {
  /** A recipe in kernel-configs/, `debian-stock:SERIES` or `image:PATH`. */
  readonly recipe: string;
  readonly linkage: Linkage;
  /** Folder of recipes; by default the one that comes with bootrace. */
  readonly recipeFolder?: string;
  /** Cache folder; by default {@link cacheRoot}. */
  readonly root?: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** Part of every key: raise it when the way of building changes what comes out. */
const BUILD_VERSION = 1;

/** Free space that a build needs beside its source: objects, the published files and the compiler cache's growth. */
const BUILD_MIB = 1200;

/** Files that make's output names in a first build of Linux 6.1 with base.config; the next builds count for themselves. */
const FIRST_BUILD_STEPS = 1000;

/**
 * Gives the kernel of a recipe and linkage: from the cache, or built. Two runs that want the same kernel build it once;
 * what a killed run leaves is never mistaken for a kernel.
 * Throws {@link InputError} for a recipe, patch or fragment that is wrong, `InfraError` when the machine fails.
 */
export async function buildKernel(request: KernelRequest): Promise<KernelResult> {
  const recipe = await loadRecipe(request.recipe, request.recipeFolder);
  const root = await ensureFolder(request.root ?? cacheRoot());
  const onProgress = request.onProgress ?? (() => {});
  const tree = await sourceTree(root, recipe, onProgress);
  const linkage = await linkageFragment(request.linkage);
  const key = buildKey(tree.id, recipe, linkage, await toolchainIdentity());
  const published = join(await ensureFolder(join(root, 'kernels')), key);
  const ready = await readPublished(published, request, key);
  if (ready !== null) return ready;

  const subject = `${recipe.name} ${request.linkage}`;
  const say = (phase: 'waiting' | 'configuring' | 'packing') =>
    onProgress({ phase, subject, done: null, total: null, secondsLeft: null });
  const lock = await takeLock(`${tree.folder}.lock`, () => say('waiting'), request.signal);
  try {
    const meanwhile = await readPublished(published, request, key);
    if (meanwhile !== null) return meanwhile;
    await requireFreeSpace(root, BUILD_MIB, `building ${subject}`);
    await applyPatches(tree, recipe.patches);
    const folder = await openBuildFolder(tree, digest(recipe.fragments.map(({ text }) => text)).slice(0, SHORT_KEY));
    const ccache = process.env.CCACHE_DIR ?? (await ensureFolder(join(root, 'ccache')));
    const logs = await ensureFolder(join(root, 'logs'));
    const context: MakeContext = {
      source: sourceFolder(tree),
      output: folder.path,
      ccache: { folder: ccache },
      log: join(logs, `${key.slice(0, SHORT_KEY)}.log`),
      lockFile: lock.file,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    };
    await writeFile(context.log, '');
    try {
      say('configuring');
      const refused = await configure(context, [...recipe.fragments, linkage]);
      if (refused.length > 0) {
        const reason = await explainRefusal(refused, context);
        if (!recipe.mayBeRefused.includes(request.linkage))
          throw new InputError(
            `kernel ${subject}: ${reason}`,
            'change the fragment, or list the linkage in mayBeRefused',
          );
        await publishRecord(root, published, { kind: 'unbuildable', reason });
        await folder.settled();
        return { kind: 'unbuildable', recipe: recipe.name, linkage: request.linkage, reason };
      }
      await compile(context, tree, folder.warm, subject, onProgress);
    } catch (error) {
      // Make has ended by itself: what it leaves is consistent. After any other end the mark stays.
      if (error instanceof BuildFailure || error instanceof InputError) await folder.settled();
      throw error;
    }
    say('packing');
    await pack(root, context, published);
    await folder.settled();
  } finally {
    await lock.release();
  }
  const built = await readPublished(published, request, key);
  if (built === null) throw new Error(`the kernel that was just published is not in ${published}`);
  return built;
}

const SHORT_KEY = 16;

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** Content key of a build: equal keys mean that make would write the same bytes. */
export function buildKey(
  sourceId: string,
  recipe: Pick<Recipe, 'fragments' | 'patches'>,
  linkage: TextFile,
  toolchain: string,
): string {
  const texts = (files: readonly TextFile[]) => files.map(({ text }) => text);
  return digest([BUILD_VERSION, sourceId, texts(recipe.patches), texts([...recipe.fragments, linkage]), toolchain]);
}

async function sourceTree(root: string, recipe: Recipe, onProgress: OnProgress): Promise<SourceTree> {
  switch (recipe.source.from) {
    case 'debian':
      return debianSource(root, recipe.source.series, onProgress);
    default:
      throw new InputError(`kernel ${recipe.name}: sources of type ${recipe.source.from} are not supported yet`);
  }
}

/** Resolves the fragments on tinyconfig and returns what Kconfig made otherwise. */
async function configure(context: MakeContext, fragments: readonly TextFile[]): Promise<ConfigDifference[]> {
  const asked = askedOptions(fragments);
  await make(context, ['tinyconfig'], () => {});
  const files = await Promise.all(
    fragments.map(async ({ text }, index) => {
      const file = join(context.output, `fragment-${index}.config`);
      await writeFile(file, text);
      return file;
    }),
  );
  await mergeConfig(context, files);
  await make(context, ['olddefconfig'], () => {});
  return differences(asked, parseConfig(await readFile(join(context.output, '.config'), 'utf8')));
}

async function explainRefusal(refused: readonly ConfigDifference[], context: MakeContext): Promise<string> {
  const entries = await readKconfig(context.source);
  const resolved = parseConfig(await readFile(join(context.output, '.config'), 'utf8'));
  return refused
    .map((difference) => {
      const { fragment, line } = difference.asked;
      return `${explainDifference(difference, entries, resolved)} (asked in ${basename(fragment)}:${line})`;
    })
    .join('; ');
}

async function readKconfig(source: string): Promise<KconfigEntry[]> {
  // Options of other architectures select things too, and are not part of this configuration.
  const foreign = ['-path', join(source, 'arch', '*', '*'), '-not', '-path', join(source, 'arch', 'arm64', '*')];
  const { stdout } = await execa('find', [
    source,
    ...foreign,
    '-prune',
    '-o',
    '-type',
    'f',
    '-name',
    'Kconfig*',
    '-print',
  ]);
  const texts = await Promise.all(stdout.split('\n').map((path) => readFile(path, 'utf8')));
  return texts.flatMap(parseKconfig);
}

/** Compiles, counting steps against what the last such build of this tree took. */
async function compile(
  context: MakeContext,
  tree: SourceTree,
  warm: boolean,
  subject: string,
  onProgress: OnProgress,
): Promise<void> {
  const record = join(tree.folder, warm ? 'steps-warm' : 'steps-cold');
  const recorded = Number((await readIfPresent(record)) ?? (warm ? 0 : FIRST_BUILD_STEPS));
  const counter = new StepCounter({ phase: 'compiling', subject, total: recorded > 0 ? recorded : null }, onProgress);
  await make(context, ['Image', 'modules'], () => counter.advance());
  await writeAtomic(record, String(counter.done));
}

const recordSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unbuildable'), reason: z.string() }),
  z.object({
    kind: z.literal('ready'),
    release: z.string(),
    imageHash: z.string(),
    imageSize: z.number(),
    modules: z.array(z.object({ file: z.string(), depends: z.array(z.string()) })),
  }),
]);
type KernelRecord = z.infer<typeof recordSchema>;

const RECORD = 'kernel.json';

async function readPublished(folder: string, request: KernelRequest, key: string): Promise<KernelResult | null> {
  const text = await readIfPresent(join(folder, RECORD));
  if (text === null) return null;
  const record = recordSchema.parse(JSON.parse(text));
  const { recipe, linkage } = request;
  if (record.kind === 'unbuildable') return { ...record, recipe, linkage };
  const image = join(folder, 'Image');
  // A cache that something else has damaged is built anew rather than booted.
  const { size } = await stat(image).catch(() => ({ size: -1 }));
  if (size !== record.imageSize) return null;
  return {
    kind: 'ready',
    recipe,
    linkage,
    key,
    release: record.release,
    image,
    imageHash: record.imageHash,
    modules: indexModules(
      record.modules.map(({ file, depends }) => ({ path: join(folder, 'modules', file), depends })),
    ),
    systemMap: join(folder, 'System.map'),
    vmlinux: join(folder, 'vmlinux'),
    log: join(folder, 'build.log'),
  };
}

async function publishRecord(
  root: string,
  published: string,
  record: KernelRecord,
  fill: (folder: string) => Promise<void> = async () => {},
): Promise<void> {
  await withTemporary(root, async (temporary) => {
    const folder = join(temporary, 'kernel');
    try {
      await mkdir(folder);
      await fill(folder);
      await writeFile(join(folder, RECORD), JSON.stringify(record));
    } catch (error) {
      throw fileSystemError(error, root, BUILD_MIB);
    }
    await publish(folder, published);
  });
}

/** Publishes what make left in the build folder. */
async function pack(root: string, context: MakeContext, published: string): Promise<void> {
  const from = (...path: string[]) => join(context.output, ...path);
  const image = from('arch', 'arm64', 'boot', 'Image');
  const imageHash = await hashFile(image);
  const paths = (await readFile(from('modules.order'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    // Linux 6.2 and later list the object, not the module (scripts/Makefile.modfinal).
    .map((line) => from(line.replace(/\.o$/, '.ko')));
  const modules = await Promise.all(
    paths.map(async (path) => ({ file: basename(path), depends: await readDepends(path) })),
  );
  const record: KernelRecord = {
    kind: 'ready',
    release: (await readFile(from('include', 'config', 'kernel.release'), 'utf8')).trim(),
    imageHash,
    imageSize: (await stat(image)).size,
    modules,
  };
  await publishRecord(root, published, record, async (folder) => {
    await mkdir(join(folder, 'modules'));
    await storeOnce(root, image, imageHash, join(folder, 'Image'));
    for (const name of ['System.map', 'vmlinux'])
      await storeOnce(root, from(name), await hashFile(from(name)), join(folder, name));
    for (const path of paths) await copyFile(path, join(folder, 'modules', basename(path)));
    await copyFile(from('.config'), join(folder, 'config'));
    await copyFile(context.log, join(folder, 'build.log'));
  });
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Puts a file at `target` as a hard link to the one copy that the cache keeps of its content. */
async function storeOnce(root: string, file: string, hash: string, target: string): Promise<void> {
  const stored = join(await ensureFolder(join(root, 'objects')), hash);
  try {
    await link(stored, target);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await copyFile(file, target);
    // Linked rather than renamed, so that of two runs the first wins and neither sees a part of a file.
    await link(target, stored).catch((linkError: unknown) => {
      if (errorCode(linkError) !== 'EEXIST') throw linkError;
    });
  }
}
