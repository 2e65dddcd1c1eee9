import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { KernelResult } from './artefact.ts';
import {
  ensureFolder,
  errorCode,
  fileSystemError,
  publish,
  readIfPresent,
  removeFolder,
  withTemporary,
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
  return join(await ensureFolder(join(root, 'kernels')), key);
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
 * the record is written last and is never changed, so that it cannot be the harness's own half work. Throws {@link SourceError} for a source that is
 * known not to compile.
 */
export async function readPublished(
  root: string,
  key: string,
  cell: { readonly recipe: string; readonly linkage: string },
): Promise<KernelResult | null> {
  const folder = await publishedFolder(root, key);
  const text = await readIfPresent(join(folder, RECORD));
  if (text === null) return null;
  const record = parseRecord(text);
  const { recipe, linkage } = cell;
  if (record?.kind === 'unbuildable') return { ...record, recipe, linkage };
  if (record?.kind === 'broken') throw new SourceError(record.reason);
  const image = join(folder, 'Image');
  if (record === null || (await sizeOf(image)) !== record.imageSize) {
    await removeFolder(folder);
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
    release: record.release,
    image,
    imageHash: record.imageHash,
    modules: indexModules(modules),
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
      await writeFile(join(folder, RECORD), JSON.stringify(record));
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
  if (size !== null && size === (await sizeOf(file))) {
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
