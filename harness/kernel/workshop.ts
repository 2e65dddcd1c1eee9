import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { InputError } from '../errors.ts';
import { errorCode, fileSystemError, readIfPresent, removeFolder, writeAtomic } from './cache.ts';
import { applyHunks, parsePatch } from './patch.ts';
import { RecipeMisfit, type TextFile } from './recipe.ts';
import { ABSENT, exists, OUTPUT_PREFIX, pristineFolder, type SourceTree, sourceFolder } from './source/tree.ts';

/** Text of a file of the tree, or null when there is no such file. */
type Content = string | null;

/**
 * What `patches` make of the files they touch, in order. `read` gives the pristine text.
 * Throws {@link RecipeMisfit} that names patch, hunk and file when one does not apply.
 */
export async function patchedFiles(
  patches: readonly TextFile[],
  read: (path: string) => Promise<Content>,
): Promise<Map<string, Content>> {
  const files = new Map<string, Content>();
  for (const patch of patches) {
    const parsed = parsePatch(patch.text);
    if (!parsed.ok) throw new InputError(`${patch.path}:${parsed.line}: ${parsed.problem}`);
    for (const { path, kind, hunks } of parsed.files) {
      const before = files.has(path) ? (files.get(path) ?? null) : await read(path);
      if (before === null && kind !== 'create')
        throw new RecipeMisfit(`${patch.path}: there is no ${path} in this kernel`, HINT);
      if (before !== null && kind === 'create')
        throw new RecipeMisfit(`${patch.path}: creates ${path}, which this kernel has already`, HINT);
      const result = applyHunks(before ?? '', hunks);
      if (!result.ok) {
        const { hunk, number } = result;
        throw new RecipeMisfit(
          `${patch.path}:${hunk.line}: hunk ${number} of ${hunks.length} does not apply to ${path}: ${hunk.header}`,
          HINT,
        );
      }
      files.set(path, kind === 'delete' ? null : result.text);
    }
  }
  return files;
}

const HINT = 'write the patch against the source that the recipe names';

/**
 * Brings the tree to "pristine plus patches", touching only files whose text changes, so that make rebuilds no more
 * than that. The pristine text of every file ever touched is kept in `pristine/` before its first change: the state is
 * found anew by content each time, so that a kill between any two steps does no harm.
 */
export async function applyPatches(tree: SourceTree, patches: readonly TextFile[]): Promise<void> {
  const source = sourceFolder(tree);
  const kept = pristineFolder(tree);
  const pristine = async (path: string): Promise<Content> => {
    const saved = await readIfPresent(join(kept, path));
    if (saved !== null) return saved;
    return (await readIfPresent(join(kept, path + ABSENT))) === null ? readIfPresent(join(source, path)) : null;
  };
  const wanted = await patchedFiles(patches, pristine);
  for (const path of await filesBelow(kept)) {
    const name = path.endsWith(ABSENT) ? path.slice(0, -ABSENT.length) : path;
    if (!wanted.has(name)) wanted.set(name, await pristine(name));
  }
  for (const [path, text] of wanted) {
    const file = join(source, path);
    const present = await readIfPresent(file);
    if (present === text) continue;
    const original = await pristine(path);
    const backup = join(kept, original === null ? path + ABSENT : path);
    await mkdir(dirname(backup), { recursive: true });
    if ((await readIfPresent(backup)) === null) await writeAtomic(backup, original ?? '');
    if (text === null) await rm(file);
    else {
      await mkdir(dirname(file), { recursive: true });
      await writeAtomic(file, text);
    }
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A build folder and how it stands. */
export interface BuildFolder {
  readonly path: string;
  /** Built before, or a copy of one that was: make has little to do. */
  readonly warm: boolean;
  /** Must be called when make has ended by itself, with success or not. */
  settled(): Promise<void>;
}

/** Build folders kept per tree, of 60 to 150 MB each: the recipes that come with bootrace use three. */
const BUILD_FOLDERS = 6;

/**
 * Opens the build folder `name` of a tree: one per set of fragments, since another linkage or patch changes few
 * objects. A new one starts as a copy of the newest that is there. While one is open a mark stands beside it; a mark
 * that is found means that make was killed and may have left a part of an object that looks finished, so that the
 * folder is begun anew.
 */
export async function openBuildFolder(tree: Pick<SourceTree, 'folder'>, name: string): Promise<BuildFolder> {
  const source = sourceFolder(tree);
  const path = join(source, OUTPUT_PREFIX + name);
  const mark = markOf(tree, path);
  if (await exists(mark)) await removeFolder(path);
  try {
    await writeFile(mark, '');
    const others = (await buildFolders(source)).filter((folder) => folder !== path);
    for (const oldest of others.slice(BUILD_FOLDERS - 1)) {
      await removeFolder(oldest);
      await rm(markOf(tree, oldest), { force: true });
    }
    if (!(await exists(path)) && !(await copyFirstFinished(tree, others, path))) await mkdir(path);
    return { path, warm: await exists(join(path, 'vmlinux')), settled: () => rm(mark) };
  } catch (error) {
    throw fileSystemError(error, tree.folder, 1000);
  }
}

function markOf(tree: Pick<SourceTree, 'folder'>, buildFolder: string): string {
  return join(tree.folder, `${basename(buildFolder)}.building`);
}

/** Build folders of a tree, the one used last first. */
async function buildFolders(source: string): Promise<string[]> {
  const names = (await readdir(source)).filter((name) => name.startsWith(OUTPUT_PREFIX));
  const folders = await Promise.all(
    names.map(async (name) => ({ path: join(source, name), used: (await stat(join(source, name))).mtimeMs })),
  );
  return folders.sort((a, b) => b.used - a.used).map(({ path }) => path);
}

async function copyFirstFinished(
  tree: Pick<SourceTree, 'folder'>,
  folders: readonly string[],
  target: string,
): Promise<boolean> {
  for (const folder of folders) {
    if ((await exists(markOf(tree, folder))) || !(await exists(join(folder, 'vmlinux')))) continue;
    // cp keeps the time stamps to the nanosecond, which make compares.
    await execa('cp', ['--archive', '--reflink=auto', folder, target]);
    return true;
  }
  return false;
}
