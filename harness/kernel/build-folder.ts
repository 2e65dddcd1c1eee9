import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { withDescendants } from '../launch.ts';
import { fileSystemError, removeFolder } from './cache.ts';
import { cancelled } from './cancel.ts';
import { exists, OUTPUT_PREFIX, type SourceTree, sourceFolder } from './source/source-tree.ts';

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
export async function openBuildFolder(
  tree: Pick<SourceTree, 'folder'>,
  name: string,
  signal?: AbortSignal,
): Promise<BuildFolder> {
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
    if (!(await exists(path)) && !(await copyFirstFinished(tree, others, path, signal))) await mkdir(path);
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
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (const folder of folders) {
    if ((await exists(markOf(tree, folder))) || !(await exists(join(folder, 'vmlinux')))) continue;
    // cp keeps the time stamps to the nanosecond, which make compares.
    await execa(...withDescendants('cp', ['--archive', '--reflink=auto', folder, target]), cancelled(signal));
    return true;
  }
  return false;
}
