import { createHash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { InfraError } from '../errors.ts';
import type { KernelArtefact, KernelResult } from './artefact.ts';
import {
  bestEffort,
  ensureFolder,
  errorCode,
  fileSystemError,
  publish,
  readIfPresent,
  removeFolder,
  withTemporary,
  writeAtomic,
} from './cache.ts';
import { SourceError } from './make.ts';
import { indexModules } from './modules.ts';

/** Free space that a kernel needs beside its source: objects, the published files and the compiler cache's growth. */
export const KERNEL_MIB = 1200;

const recordSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unbuildable'), reason: z.string() }),
  /** The source does not compile. */
  z.object({ kind: z.literal('broken'), reason: z.string() }),
  z.object({
    kind: z.literal('ready'),
    release: z.string(),
    imageHash: z.string(),
    imageSize: z.number(),
    /** Relative to the folder `modules`, unless they stay where the user has them. */
    modules: z.array(z.object({ file: z.string(), depends: z.array(z.string()).readonly() })).readonly(),
    /** Which of the optional files are there. */
    files: z.array(z.enum(['System.map', 'vmlinux', 'build.log'])).readonly(),
    /** Options of the fragments that the source does not have. */
    dropped: z.array(z.string()).readonly().default([]),
  }),
]);
export type KernelRecord = z.input<typeof recordSchema>;

const RECORD = 'kernel.json';
/** What a distribution's kernel has beside its Image and modules. */
export const DEVICE_TREES = 'dtbs';
/** Written by scripts/Makefile.modinst since Linux 5.2. */
export const BUILTIN_INFO = 'modules.builtin.modinfo';

/** Where the kernel of `key` is, or will be. */
async function publishedFolder(root: string, key: string): Promise<string> {
  const parent = join(root, 'kernels');
  await bestEffort(() => ensureFolder(parent));
  return join(parent, key);
}

function parseRecord(text: string): z.infer<typeof recordSchema> | null {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

/**
 * The kernel that was published under `key`, or null. One that something has damaged since is removed, to be made anew:
 * the record is written last and is never changed, so that it cannot be the harness's own half work. Throws {@link
 * SourceError} for a source that is known not to compile.
 */
export async function readPublished(
  root: string,
  key: string,
  cell: { readonly recipe: string; readonly linkage: string; readonly source: string | null },
): Promise<KernelResult | null> {
  const folder = await publishedFolder(root, key);
  const text = await readIfPresent(join(folder, RECORD));
  if (text === null) return null;
  const record = parseRecord(text);
  const { recipe, linkage, source } = cell;
  if (record?.kind === 'unbuildable') return { ...record, recipe, linkage };
  if (record?.kind === 'broken') throw new SourceError(record.reason);
  const image = join(folder, 'Image');
  const hashes = record === null ? null : await soundHashes(folder, record);
  if (record === null || hashes === null) {
    try {
      await removeFolder(folder);
    } catch (error) {
      throw fileSystemError(error, folder, KERNEL_MIB);
    }
    return null;
  }
  const optional = (name: (typeof record.files)[number]) => (record.files.includes(name) ? join(folder, name) : null);
  const modules = record.modules.map(({ file, depends }) => ({
    path: isAbsolute(file) ? file : join(folder, 'modules', file),
    depends,
  }));
  return {
    kind: 'ready',
    recipe,
    linkage,
    key,
    source,
    release: record.release,
    image,
    imageHash: record.imageHash,
    modules: indexModules(modules),
    hashes,
    systemMap: optional('System.map'),
    vmlinux: optional('vmlinux'),
    deviceTrees: await ifPresent(join(folder, DEVICE_TREES)),
    builtinInfo: await ifPresent(join(folder, BUILTIN_INFO)),
    log: optional('build.log'),
    dropped: record.dropped,
  };
}

async function ifPresent(path: string): Promise<string | null> {
  return (await sizeOf(path)) === null ? null : path;
}

/** SHA-256 of the files of a kernel by their absolute path, as they were when it was published. */
const HASHES = 'hashes.json';
const hashesSchema = z.record(z.string(), z.string());

/**
 * Files whose content this process has seen, with what it was: each is read once a run, unless size or time stamps
 * change.
 */
const seen = new Map<string, string>();

/** Hash of a file, or null where there is none. */
async function hashOnce(path: string): Promise<string | null> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  if (found === null) return null;
  const key = `${path} ${found.size} ${found.mtimeNs} ${found.ctimeNs} ${found.ino}`;
  const hash = seen.get(key) ?? (await hashFile(path));
  seen.set(key, hash);
  return hash;
}

/**
 * The hashes of a published kernel's files, or null where its Image or its System.map is not what was published.
 * Modules are looked at when they are loaded (run/prepare.ts), as a distribution's kernel has thousands. Kernels of
 * earlier versions have no list: it is made of what is there.
 */
async function soundHashes(
  folder: string,
  record: { readonly imageHash: string; readonly imageSize: number },
): Promise<ReadonlyMap<string, string> | null> {
  if ((await sizeOf(join(folder, 'Image'))) !== record.imageSize) return null;
  const text = await readIfPresent(join(folder, HASHES));
  const listed = text === null ? await listHashes(folder) : parseHashes(text);
  if (listed === null || listed.Image !== record.imageHash) return null;
  if (text === null) await bestEffort(() => writeAtomic(join(folder, HASHES), JSON.stringify(listed)));
  for (const name of ['Image', 'System.map']) {
    const hash = listed[name];
    if (hash !== undefined && (await hashOnce(join(folder, name))) !== hash) return null;
  }
  return new Map(Object.entries(listed).map(([name, hash]) => [join(folder, name), hash]));
}

function parseHashes(text: string): Record<string, string> | null {
  try {
    return hashesSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

async function listHashes(folder: string): Promise<Record<string, string>> {
  const modules = await readdir(join(folder, 'modules'), { recursive: true }).catch(() => []);
  const names = [
    'Image',
    'System.map',
    ...modules.filter((name) => name.endsWith('.ko')).map((name) => join('modules', name)),
  ];
  const listed: Record<string, string> = {};
  for (const name of names) {
    const hash = await hashOnce(join(folder, name));
    if (hash !== null) listed[name] = hash;
  }
  return listed;
}

/**
 * Refuses a file of a published kernel that is not what was published, and removes the kernel, so that the next run
 * makes it anew. Throws {@link InfraError}: what it says would be blamed on the kernel.
 */
export function requireSound(kernel: Pick<KernelArtefact, 'image' | 'hashes'>, path: string, bytes: Uint8Array): void {
  const hash = kernel.hashes.get(path);
  if (hash === undefined || createHash('sha256').update(bytes).digest('hex') === hash) return;
  try {
    rmSync(dirname(kernel.image), { recursive: true, force: true });
  } catch {
    // Not ours to remove; it is refused by every run.
  }
  throw new InfraError(`${path} in the cache is damaged`, 'run again: the kernel is made anew');
}

async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  );
}

/** Publishes a record and the files that `fill` puts beside it, at once. */
export async function publishKernel(
  root: string,
  key: string,
  record: KernelRecord,
  fill: (folder: string) => Promise<void> = async () => {},
): Promise<void> {
  const published = await publishedFolder(root, key);
  await withTemporary(root, async (temporary) => {
    const folder = join(temporary, 'kernel');
    try {
      await mkdir(join(folder, 'modules'), { recursive: true });
      await fill(folder);
      if (record.kind === 'ready')
        await writeFile(join(folder, HASHES), JSON.stringify(await listHashes(folder)), { flush: true });
      await writeFile(join(folder, RECORD), JSON.stringify(record), { flush: true });
    } catch (error) {
      throw fileSystemError(error, root, KERNEL_MIB);
    }
    await publish(folder, published);
  });
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Puts a file at `target` as a hard link to the one copy that the cache keeps of its content. */
export async function storeOnce(root: string, file: string, target: string): Promise<void> {
  const stored = join(await ensureFolder(join(root, 'objects')), await hashFile(file));
  const size = await sizeOf(stored);
  // Damage in place is in all links: such a copy is not used again.
  if (size !== null && size === (await sizeOf(file)) && (await hashFile(stored)) === basename(stored)) {
    await link(stored, target);
    return;
  }
  if (size !== null) await rm(stored, { force: true });
  await copyFile(file, target);
  // Linked rather than renamed: of two runs the first wins, and neither sees a part of a file.
  await link(target, stored).catch(async (error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
    await rm(target);
    await link(stored, target);
  });
}
