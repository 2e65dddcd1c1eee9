import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { InputError } from '../errors.ts';
import { errorCode, readIfPresent, writeAtomic } from './cache.ts';
import { applyHunks, parsePatch } from './patch.ts';
import { RecipeMisfit, type TextFile } from './recipe.ts';
import { ABSENT, pristineFolder, type SourceTree, sourceFolder } from './source/source-tree.ts';

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
