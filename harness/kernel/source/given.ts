import { createHash } from 'node:crypto';
import { constants, copyFile, lstat, mkdir, readdir, readlink, realpath, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import {
  ensureFolder,
  errorCode,
  fileSystemError,
  publish,
  readIfPresent,
  removeFolder,
  requireFreeSpace,
  withTemporary,
  writeAtomic,
} from '../cache.ts';
import { git, resolveCommit, runGit } from '../git.ts';
import { type OnProgress, uncounted } from '../progress.ts';
import { hashFile } from '../published.ts';
import { unpackTarball } from '../unpack.ts';
import {
  ABSENT,
  exists,
  OUTPUT_PREFIX,
  pristineFolder,
  SOURCE_MIB,
  type SourceTree,
  sourceFolder,
} from './source-tree.ts';

/** Sources that the user gives. None of them is written to. */

const SHORT_HASH = 16;

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, SHORT_HASH);
}

async function resolveGiven(path: string, what: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorCode(error) === null) throw error;
    throw new InputError(`there is no ${what} ${path} (${errorCode(error)})`, undefined, { cause: error });
  }
}

async function requireKernelSource(folder: string, given: string): Promise<void> {
  if (!(await exists(join(folder, 'scripts', 'kconfig', 'merge_config.sh'))))
    throw new InputError(`${given} is not a Linux source: it has no scripts/kconfig/merge_config.sh`);
}

/** A source tarball, unpacked once per content. */
export async function tarballSource(
  root: string,
  path: string,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<SourceTree> {
  const file = await resolveGiven(path, 'tarball');
  const hash = await hashFile(file);
  const tree: SourceTree = {
    id: `tarball ${hash}`,
    name: `tarball ${hash}`,
    folder: join(await ensureFolder(join(root, 'work')), `tarball-${hash.slice(0, SHORT_HASH)}`),
    prepare: async () => {},
  };
  if (await exists(sourceFolder(tree))) return tree;
  await requireFreeSpace(root, SOURCE_MIB, `unpacking ${path}`);
  await withTemporary(root, async (temporary) => {
    onProgress(uncounted('unpacking', path));
    const unpacked = join(temporary, 'tree');
    await unpackTarball(file, join(unpacked, 'src'), signal);
    await requireKernelSource(join(unpacked, 'src'), path);
    await publish(unpacked, tree.folder);
  });
  return tree;
}

/** The folder of the cache in which the commits of a repository are checked out and built. */
async function gitFolder(root: string, repository: string): Promise<string> {
  return join(await ensureFolder(join(root, 'work')), `git-${shortHash(repository)}`);
}

/**
 * The clone, made if need be, that borrows the objects of the git repository at `path`: what is written there stays out
 * of the user's.
 */
export async function borrowingClone(root: string, path: string): Promise<string> {
  const repository = await resolveGiven(path, 'git repository');
  const folder = await gitFolder(root, repository);
  const source = sourceFolder({ folder });
  if (await exists(source)) return source;
  await ensureFolder(folder);
  await requireFreeSpace(root, SOURCE_MIB, `checking out ${path}`);
  await withTemporary(root, async (temporary) => {
    const clone = join(temporary, 'clone');
    await git(repository, ['clone', '--quiet', '--shared', '--no-checkout', repository, clone]);
    await publish(clone, source);
  });
  return source;
}

const FULL_HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Commit and tree of a revision of the repository, or of a commit that the harness has put into its clone. */
async function resolveRevision(repository: string, clone: string, revision: string) {
  const isIn = async (folder: string) =>
    (await runGit(folder, ['cat-file', '-e', `${revision}^{commit}`])).exitCode === 0;
  const isOurs = FULL_HASH.test(revision) && !(await isIn(repository)) && (await exists(clone)) && (await isIn(clone));
  const folder = isOurs ? clone : repository;
  const commit = await resolveCommit(folder, revision);
  const tree = (await git(folder, ['rev-parse', '--verify', `${commit}^{tree}`])).trim();
  return { commit, tree };
}

/**
 * A revision of a git repository, checked out in a clone that borrows the repository's objects. All revisions share one
 * tree and its build folders, so that going from one to the next compiles what changed between them. It counts by its
 * tree: a commit and the one that reverts its only child are the same source.
 */
export async function gitSource(root: string, path: string, revision: string): Promise<SourceTree> {
  const repository = await resolveGiven(path, 'git repository');
  const folder = await gitFolder(root, repository);
  const { commit, tree } = await resolveRevision(repository, sourceFolder({ folder }), revision);
  const prepare = async () => {
    const source = sourceFolder({ folder });
    const mark = join(folder, 'commit');
    if ((await readIfPresent(mark)) === commit) return;
    await borrowingClone(root, repository);
    // The mark is gone while the tree is in between: a killed checkout is done again.
    await rm(mark, { force: true });
    await removeFolder(pristineFolder({ folder }));
    await git(source, ['checkout', '--quiet', '--force', '--detach', commit]);
    await git(source, ['clean', '--quiet', '--force', '-d', '-x', `--exclude=/${OUTPUT_PREFIX}*`]);
    await requireKernelSource(source, `${path} at ${revision}`);
    await writeAtomic(mark, commit);
  };
  return { id: `git ${tree}`, name: `git ${commit}`, folder, prepare };
}

/** Size and time stamp of each file of a tree, by relative path; a symbolic link by its target. */
type Listing = Readonly<Record<string, string>>;

const listingSchema = z.record(z.string(), z.string());

/**
 * A tree of the user's, mirrored into the cache. It counts by names, sizes and time stamps. In a git checkout the files
 * that git ignores, build products that is, are left out; any other tree must not have been built in (kbuild's own
 * condition for `O=`).
 */
export async function treeSource(root: string, path: string): Promise<SourceTree> {
  const given = await resolveGiven(path, 'source tree');
  await requireKernelSource(given, path);
  const listing = await list(given);
  const id = `tree ${createHash('sha256').update(JSON.stringify(listing)).digest('hex')}`;
  const folder = join(await ensureFolder(join(root, 'work')), `tree-${shortHash(given)}`);
  const prepare = async () => {
    await ensureFolder(folder);
    await mirror(given, listing, folder).catch((error: unknown) => {
      throw fileSystemError(error, root, SOURCE_MIB);
    });
  };
  return { id, name: id, folder, prepare };
}

async function filesOf(tree: string): Promise<string[]> {
  if (await exists(join(tree, '.git'))) {
    const names = await git(tree, ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
    return names.split('\0').filter((name) => name !== '');
  }
  for (const product of ['.config', join('include', 'config'), join('include', 'generated')])
    if (await exists(join(tree, product)))
      throw new InputError(`the source tree ${tree} has been built in: it has ${product}`, 'run make mrproper in it');
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(tree, join(entry.parentPath, entry.name)));
}

/** File operations under way at a time: enough to hide their latency, far from any limit of descriptors. */
const AT_A_TIME = 64;

async function forEachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += AT_A_TIME)
    await Promise.all(items.slice(from, from + AT_A_TIME).map(act));
}

const LINK = '-> ';

async function list(tree: string): Promise<Listing> {
  const found = new Map<string, string>();
  const names = (await filesOf(tree)).sort();
  await forEachOf(names, async (name) => {
    const path = join(tree, name);
    try {
      const stat = await lstat(path);
      found.set(name, stat.isSymbolicLink() ? LINK + (await readlink(path)) : `${stat.size} ${stat.mtimeMs}`);
    } catch (error) {
      // Deleted, but still in git's index.
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  });
  return Object.fromEntries(names.flatMap((name) => (found.has(name) ? [[name, found.get(name) ?? '']] : [])));
}

/**
 * Copies what has changed since the last time. A copy gets a new time stamp, as make wants it, even when its text is an
 * older one.
 */
async function mirror(given: string, listing: Listing, folder: string): Promise<void> {
  const record = join(folder, 'mirrored.json');
  const source = sourceFolder({ folder });
  const text = await readIfPresent(record);
  const pristine = pristineFolder({ folder });
  // Without a record what is there is a part of a first copy.
  if (text === null) for (const part of [source, pristine]) await removeFolder(part);
  const before: Listing = text === null ? {} : listingSchema.parse(JSON.parse(text));
  const changed = Object.entries(listing).filter(([name, stat]) => before[name] !== stat);
  await forEachOf([...new Set(changed.map(([name]) => dirname(name)))], async (path) => {
    await mkdir(join(source, path), { recursive: true });
  });
  await forEachOf(changed, async ([name, stat]) => {
    const target = join(source, name);
    if (text !== null)
      for (const old of [join(pristine, name), join(pristine, name + ABSENT), target]) await rm(old, { force: true });
    if (stat.startsWith(LINK)) await symlink(stat.slice(LINK.length), target);
    else await copyFile(join(given, name), target, constants.COPYFILE_FICLONE);
  });
  const removed = Object.keys(before).filter((name) => listing[name] === undefined);
  await forEachOf(removed, (name) => rm(join(source, name), { force: true }));
  await writeAtomic(record, JSON.stringify(listing));
}
