import { createHash } from 'node:crypto';
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { linkageFragment } from '../axes/linkage.ts';
import { resolveBoard } from '../boards/boards.ts';
import { InputError } from '../errors.ts';
import { DEFAULT_BOARD, type Subject } from '../model/board.ts';
import type { KernelResult } from './artefact.ts';
import { openBuildFolder } from './build-folder.ts';
import {
  cacheRoot,
  ensureFolder,
  readIfPresent,
  removeFolder,
  requireFreeSpace,
  useCache,
  writeAtomic,
} from './cache.ts';
import { configure, explainRefusal } from './configure.ts';
import { takeLock } from './lock.ts';
import { BuildFailure, type MakeContext, make, SourceError, takeTurn, toolchainIdentity } from './make.ts';
import { readDepends } from './modules.ts';
import { applyPatches } from './patched-tree.ts';
import { type OnProgress, StepCounter, uncounted } from './progress.ts';
import { hashFile, KERNEL_MIB, type KernelRecord, publishKernel, readPublished, storeOnce } from './published.ts';
import { imageKernel, stockKernel } from './ready.ts';
import { type KernelSource, kernelTitle, loadRecipe, type Recipe, RecipeMisfit, type TextFile } from './recipe.ts';
import { debianSource } from './source/debian.ts';
import { gitSource, tarballSource, treeSource } from './source/given.ts';
import { type SourceTree, sourceFolder } from './source/source-tree.ts';

export interface KernelRequest {
  /** A recipe in kernel-configs/, `debian-stock:SERIES` or `image:PATH`. */
  readonly recipe: string;
  readonly linkage: string;
  /** The board whose subjects the linkage speaks of; the one of cells that name none by default. */
  readonly board?: string;
  /** Folder of recipes; by default the one that comes with bootrace. */
  readonly recipeFolder?: string;
  /** Cache folder; by default {@link cacheRoot}. */
  readonly root?: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** Part of every key: raise it when the way of building changes what comes out. */
const BUILD_VERSION = 1;

/**
 * Files that make's output names in a first build of Linux 6.1 with base.config; the next builds count for themselves.
 */
const FIRST_BUILD_STEPS = 1000;

/**
 * Gives the kernel of a recipe and linkage: from the cache, or built. Two runs that want the same kernel build it once;
 * what a killed run leaves is never mistaken for a kernel. Throws {@link InputError} for a recipe, patch or fragment
 * that is wrong, `InfraError` when the machine fails, and the reason of `signal` when that was aborted.
 */
export async function buildKernel(request: KernelRequest): Promise<KernelResult> {
  const root = await ensureFolder(request.root ?? cacheRoot());
  const leaveCache = await useCache(root);
  try {
    return await getKernel(request, root);
  } catch (error) {
    request.signal?.throwIfAborted();
    throw error;
  } finally {
    await leaveCache();
  }
}

async function getKernel(request: KernelRequest, root: string): Promise<KernelResult> {
  const recipe = await loadRecipe(request.recipe, request.recipeFolder);
  const onProgress = request.onProgress ?? (() => {});
  const { source } = recipe;
  const { linkage: name } = request;
  const { subjects } = resolveBoard(request.board ?? DEFAULT_BOARD);
  const ready = { root, recipe: request.recipe, linkage: name, subjects, onProgress, ...signalOf(request) };
  if (source.from === 'debian-stock') return stockKernel(ready, source);
  if (source.from === 'image') return imageKernel(ready, source);
  const tree = await sourceTree(root, source, onProgress, request.signal);
  const linkage = fragmentOf(name, subjects);
  const toolchain = await toolchainIdentity();
  const key = buildKey(tree.id, recipe, linkage, toolchain);
  const known = await readPublished(root, key, { ...request, source: tree.name });
  if (known !== null) return known;

  const subject = `${kernelTitle(recipe.name)} ${request.linkage}`;
  const say = (phase: 'waiting' | 'configuring' | 'packing') => onProgress(uncounted(phase, subject));
  const lock = await takeLock(`${tree.folder}.lock`, () => say('waiting'), request.signal);
  const turn = takeTurn();
  try {
    const meanwhile = await readPublished(root, key, { ...request, source: tree.name });
    if (meanwhile !== null) return meanwhile;
    await requireFreeSpace(root, KERNEL_MIB, `building ${subject}`);
    await tree.prepare();
    await applyPatches(tree, recipe.patches);
    const folder = await openBuildFolder(tree, buildFolderName(recipe), request.signal);
    const ccache = process.env.CCACHE_DIR ?? (await ensureFolder(join(root, 'ccache')));
    const logs = await ensureFolder(join(root, 'logs'));
    const temporary = join(tree.folder, 'tmp');
    await removeFolder(temporary);
    const context: MakeContext = {
      source: sourceFolder(tree),
      output: folder.path,
      temporary: await ensureFolder(temporary),
      ccache: { folder: ccache },
      log: join(logs, `${key.slice(0, SHORT_KEY)}.log`),
      lockFile: lock.file,
      turn,
      ...signalOf(request),
    };
    await writeFile(context.log, '');
    let dropped: readonly string[] = [];
    try {
      say('configuring');
      const tiny = {
        file: join(tree.folder, 'tinyconfig'),
        key: digest([tree.id, recipe.patches.map(({ text }) => text).filter(changesKconfig), toolchain]),
      };
      const refused = await configure(context, recipe.config, [...recipe.fragments, linkage], tiny);
      const { unknown, reason } = await explainRefusal(refused, context, recipe.followsSource);
      dropped = unknown;
      if (reason !== null) {
        if (!recipe.mayBeRefused.includes(request.linkage))
          throw new RecipeMisfit(
            `kernel ${subject}: ${reason}`,
            reason.includes('has no prompt')
              ? 'say in the board.yaml what selects it (`selected-by`), or list the linkage in mayBeRefused'
              : 'change the fragment, or list the linkage in mayBeRefused',
          );
        await publishKernel(root, key, { kind: 'unbuildable', reason });
        await folder.settled();
        return { kind: 'unbuildable', recipe: recipe.name, linkage: request.linkage, reason };
      }
      await compile(context, tree, folder.warm, subject, onProgress);
    } catch (error) {
      // A bisection may come by the same commit again. A recipe's own source is meant to compile: there whoever tries
      // again wants to see it tried.
      if (error instanceof SourceError && recipe.followsSource)
        await publishKernel(root, key, { kind: 'broken', reason: error.message });
      // Make has ended by itself: what it leaves is consistent. After any other end the mark stays.
      if (error instanceof BuildFailure || error instanceof InputError) await folder.settled();
      throw error;
    }
    say('packing');
    await pack(root, key, context, dropped);
    await folder.settled();
  } finally {
    turn.end();
    await lock.release();
  }
  const built = await readPublished(root, key, { ...request, source: tree.name });
  if (built === null) throw new Error(`the kernel that was just published is not there: ${key}`);
  return built;
}

/** A patch of anything else leaves what `make tinyconfig` gives as it is. */
function changesKconfig(patch: string): boolean {
  return /^(?:---|\+\+\+) \S*(?:Kconfig|\.config)/m.test(patch);
}

function signalOf({ signal }: KernelRequest): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Hexadecimal digits of a key that are enough to name a file for people. */
const SHORT_KEY = 16;

/**
 * One folder per set of fragments; whole configurations share one, as they come in series that differ by a few options.
 */
function buildFolderName({ config, fragments }: Recipe): string {
  return config === null ? digest(fragments.map(({ text }) => text)).slice(0, SHORT_KEY) : 'config';
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function fragmentOf(linkage: string, subjects: readonly Subject[]): TextFile {
  const text = linkageFragment({ subjects }, linkage);
  if (text !== null) return { path: `${linkage}.config`, text };
  const names = subjects.map(({ name }) => name).join(', ');
  throw new InputError(`there is no linkage ${linkage}`, `the subjects are ${names}`);
}

/** Content key of a build: equal keys mean that make would write the same bytes. */
export function buildKey(
  sourceId: string,
  recipe: Pick<Recipe, 'config' | 'fragments' | 'patches'>,
  linkage: TextFile,
  toolchain: string,
): string {
  const texts = (files: readonly TextFile[]) => files.map(({ text }) => text);
  const config = recipe.config === null ? [] : texts([recipe.config]);
  const fragments = texts([...recipe.fragments, linkage]);
  return digest([BUILD_VERSION, sourceId, texts(recipe.patches), fragments, toolchain, ...config]);
}

type BuiltSource = Exclude<KernelSource, { from: 'debian-stock' | 'image' }>;

async function sourceTree(
  root: string,
  source: BuiltSource,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<SourceTree> {
  switch (source.from) {
    case 'debian':
      return debianSource(root, source.series, onProgress, signal);
    case 'tarball':
      return tarballSource(root, source.path, onProgress, signal);
    case 'git':
      return gitSource(root, source.path, source.revision);
    case 'tree':
      return treeSource(root, source.path);
  }
}

/**
 * Compiles, counting steps against those of the last build that began with the same folder. In a folder with objects
 * their number hangs on what differs from the kernel before, and most of the time goes into linking.
 */
async function compile(
  context: MakeContext,
  tree: SourceTree,
  warm: boolean,
  subject: string,
  onProgress: OnProgress,
): Promise<void> {
  const record = join(tree.folder, `${basename(context.output)}.steps-${warm ? 'warm' : 'cold'}`);
  const recorded = Number(await readIfPresent(record));
  const total = recorded > 0 ? recorded : warm ? null : FIRST_BUILD_STEPS;
  const isRough = warm || total !== recorded;
  const counter = new StepCounter({ phase: 'compiling', subject, total, isRough }, onProgress);
  await make(context, ['Image', 'modules'], () => counter.advance());
  await writeAtomic(record, String(counter.done));
}

/** Publishes what make left in the build folder. */
async function pack(root: string, key: string, context: MakeContext, dropped: readonly string[]): Promise<void> {
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
    files: ['System.map', 'vmlinux', 'build.log'],
    dropped,
  };
  await publishKernel(root, key, record, async (folder) => {
    await storeOnce(root, image, join(folder, 'Image'));
    for (const name of ['System.map', 'vmlinux']) await storeOnce(root, from(name), join(folder, name));
    for (const path of paths) await copyFile(path, join(folder, 'modules', basename(path)));
    await copyFile(from('.config'), join(folder, 'config'));
    await copyFile(context.log, join(folder, 'build.log'));
  });
}
