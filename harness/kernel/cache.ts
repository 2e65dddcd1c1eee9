import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { InfraError } from '../errors.ts';
import { replaceFile } from '../files.ts';
import { isAbandoned, ownerPid, ownerToken } from '../owner.ts';

/**
 * The cache folder: `$XDG_CACHE_HOME/bootrace`, by default `~/.cache/bootrace`.
 * A relative `XDG_CACHE_HOME` is ignored (XDG Base Directory Specification 0.8, section 2).
 */
export function cacheRoot(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment.XDG_CACHE_HOME;
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'), 'bootrace');
}

/** The `code` of a Node.js system error, or null for any other value. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

const MIB = 1024 * 1024;

/**
 * Turns what the file system said about `path` into a sentence; any other error comes back unchanged.
 * `needMib` is what the step that failed needs in all.
 */
export function fileSystemError(error: unknown, path: string, needMib: number): unknown {
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new InfraError(
        `the disk of ${path} is full`,
        `free ${needMib} MiB there, or set XDG_CACHE_HOME to a folder on a larger disk`,
        { cause: error },
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
      return notWritable(error, path);
    default:
      return error;
  }
}

function notWritable(error: unknown, path: string): InfraError {
  return new InfraError(
    `the cache folder ${path} is not writable (${errorCode(error)})`,
    'make it writable, or set XDG_CACHE_HOME to a folder of your own',
    { cause: error },
  );
}

/** Throws {@link InfraError} when fewer than `needMib` MiB are free on the disk of `path`, which must exist. */
export async function requireFreeSpace(path: string, needMib: number, purpose: string): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const freeMib = Math.floor((bavail * bsize) / MIB);
  if (freeMib < needMib) {
    throw new InfraError(
      `${purpose} needs ${needMib} MiB in ${path}, where ${freeMib} MiB are free`,
      'free some space, or set XDG_CACHE_HOME to a folder on a larger disk',
    );
  }
}

/**
 * As mkdir with `recursive`, which never returns where a file system refuses with ENOENT, as /proc does (Node.js 20).
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path).catch((again: unknown) => {
      // Another run may have been faster.
      if (errorCode(again) !== 'EEXIST') throw again;
    });
  }
}

/** Creates `path` and its parents. Throws {@link InfraError} when the cache cannot be written. */
export async function ensureFolder(path: string): Promise<string> {
  try {
    await makeFolder(path);
  } catch (error) {
    // What /proc says, and the recursive mkdir() of Node.js 20 on a read-only file system.
    if (errorCode(error) === 'ENOENT') throw notWritable(error, path);
    throw fileSystemError(error, path, 1);
  }
  return path;
}

/** Removes what killed runs have left in `parent` under names of `prefix` and an owner. */
async function removeAbandoned(parent: string, prefix: string, isOurs = async (_path: string) => true): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const path = join(parent, name);
    if (!name.startsWith(prefix) || !(await isAbandoned(name.slice(prefix.length), path))) continue;
    if (await isOurs(path)) await removeFolder(path);
  }
}

/** A new temporary folder inside the cache, and none of those that killed runs have left: their owners are gone. */
async function openTemporary(root: string): Promise<string> {
  const parent = await ensureFolder(join(root, 'tmp'));
  await removeAbandoned(parent, '');
  return mkdtemp(join(parent, `${await ownerToken()}-`));
}

/**
 * The same in the system's temporary folder, where everybody may write: of what is left there only what belongs to this
 * user, or to `other`, is removed.
 */
export async function openSystemTemporary(prefix: string, other?: number): Promise<string> {
  const users = [process.getuid?.(), other];
  await removeAbandoned(tmpdir(), prefix, async (path) => users.includes((await lstat(path).catch(() => null))?.uid));
  return mkdtemp(join(tmpdir(), `${prefix}${await ownerToken()}-`));
}

async function andRemove<T>(folder: string, fill: (folder: string) => Promise<T>): Promise<T> {
  try {
    return await fill(folder);
  } finally {
    await removeFolder(folder);
  }
}

/**
 * Runs `fill` with a new temporary folder inside the cache, so that a rename out of it is atomic. The folder is removed
 * afterwards in any case; what a killed run left is removed by the next one.
 */
export async function withTemporary<T>(root: string, fill: (folder: string) => Promise<T>): Promise<T> {
  return andRemove(await openTemporary(root), fill);
}

/**
 * The same for what is not moved into the cache: where that cannot be written, or is full, the system's temporary
 * folder does.
 */
export async function withScratch<T>(root: string, fill: (folder: string) => Promise<T>): Promise<T> {
  const made = await bestEffort(async () => ({ value: await withTemporary(root, fill) }));
  return made === null ? andRemove(await openSystemTemporary('bootrace-scratch-'), fill) : made.value;
}

/**
 * Says that this process goes on using what it has found in the cache, until the function that comes back is called. A
 * cache that cannot be written has no such marks.
 */
export async function useCache(root: string): Promise<() => Promise<void>> {
  const mark = await bestEffort(() => openTemporary(root));
  return async () => {
    if (mark !== null) await removeFolder(mark);
  };
}

/** Who uses the cache or is writing to it: `process 12`, or somebody whose end cannot be seen from here. */
export async function usersOfCache(root: string): Promise<string[]> {
  const parent = join(root, 'tmp');
  const users = new Set<string>();
  for (const name of await readdir(parent).catch(() => [])) {
    if (await isAbandoned(name, join(parent, name))) continue;
    const pid = await ownerPid(name);
    users.add(pid === null ? 'a run of another machine or container, or from before a restart' : `process ${pid}`);
  }
  return [...users].sort();
}

/**
 * Removes the whole cache at `root`, also while runs go on that write there: it is put aside first, so that they begin
 * one anew. What a killed removal left goes, too. Throws {@link InfraError} where it may not be removed.
 */
export async function removeCache(root: string): Promise<void> {
  const prefix = `${basename(root)}.removed-`;
  try {
    await removeAbandoned(dirname(root), prefix);
    const aside = join(dirname(root), prefix + (await ownerToken()));
    if (await isRenamed(root, aside)) await removeFolder(aside);
    else for (const name of await readdir(root)) await removeFolder(join(root, name));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw fileSystemError(error, root, 1);
  }
}

/** Renames a folder, unless it can only be emptied (rename(2)): a container's volume, a layer of an overlay. */
async function isRenamed(folder: string, to: string): Promise<boolean> {
  try {
    await rename(folder, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EBUSY' || errorCode(error) === 'EXDEV') return false;
    throw error;
  }
}

/** Removes a folder that another run may be removing at the same time. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * Moves a finished folder to its final name. When another run has published the same content first, that one stays:
 * both are equal, and it may be in use. The parent of `target` must exist.
 */
export async function publish(finished: string, target: string): Promise<void> {
  try {
    await rename(finished, target);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw fileSystemError(error, target, 1);
    await removeFolder(finished);
  }
}

/**
 * Carries out what only spares later runs some work: on a cache that is read-only, full, of another user, or removed in
 * the meantime, all that is in it can still be used. Null where it could not be written; any other error is thrown.
 */
export async function bestEffort<T>(write: () => Promise<T>): Promise<T | null> {
  try {
    return await write();
  } catch (error) {
    const known = fileSystemError(error, '', 1);
    if (known instanceof InfraError || errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Writes a small file so that a reader sees the old content or the new one, never a part, also after a power cut.
 * `synced` is false where content that does not survive one is noticed and cheap to make anew.
 */
export async function writeAtomic(path: string, text: string | Uint8Array, synced = true): Promise<void> {
  try {
    await replaceFile(path, text, synced);
  } catch (error) {
    throw fileSystemError(error, path, 1);
  }
}

/** Content of a file, or null when there is none. */
export async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** What a JSON file of the cache holds; null where it is not there or damaged, and is to be made anew. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readIfPresent(path);
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** Keeps for later runs what {@link readJson} reads back, where the cache can be written. */
export async function keepJson(path: string, value: unknown): Promise<void> {
  await bestEffort(async () => {
    await ensureFolder(dirname(path));
    await writeAtomic(path, JSON.stringify(value));
  });
}
