import { createHash } from 'node:crypto';
import { copyFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { linkageName, modulesOf } from '../axes/linkage.ts';
import { InfraError, InputError } from '../errors.ts';
import { readRegularFile } from '../files.ts';
import type { Subject } from '../model/board.ts';
import { downloadPackage } from './apt.ts';
import type { KernelArtefact } from './artefact.ts';
import { ensureFolder, errorCode, readIfPresent, requireFreeSpace, withTemporary, writeAtomic } from './cache.ts';
import { EM_AARCH64, readElf, symbolLines, withFile } from './elf.ts';
import { imageRelease, LARGEST_IMAGE, openImage } from './image.ts';
import { takeLock } from './lock.ts';
import { readDepends } from './modules.ts';
import type { OnProgress } from './progress.ts';
import { publishKernel, readPublished } from './published.ts';
import type { KernelSource } from './recipe.ts';
import { parseSymbols } from './symbols.ts';
import { decompressModules, extractDeb } from './unpack.ts';

/** Kernels that need no build: the distribution's own, and a given Image. */

interface ReadyRequest {
  readonly root: string;
  readonly recipe: string;
  readonly linkage: string;
  readonly subjects: readonly Subject[];
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal;
}

/** Raise it when what is published of the same package or Image changes. */
const READY_VERSION = 1;
/** A Debian arm64 kernel: its package, unpacked twice for a moment. */
const STOCK_MIB = 900;

function keyOf(...parts: readonly unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify([READY_VERSION, ...parts]))
    .digest('hex');
}

/**
 * Debian's own arm64 kernel of a series, with its modules. The version that was found first stays until the cache is cleaned.
 * Its package has a System.map of one line, which names the package of debug symbols instead: `systemMap` is null.
 */
export async function stockKernel(request: ReadyRequest, series: string): Promise<KernelArtefact> {
  const { root, onProgress, signal } = request;
  const record = join(await ensureFolder(join(root, 'sources')), `debian-stock-${series}`);
  const recorded = async () => {
    const version = (await readIfPresent(record))?.trim();
    return version === undefined ? null : readReady(request, keyOf('debian-stock', version));
  };
  const known = await recorded();
  if (known !== null) return known;
  const wait = () =>
    onProgress({ phase: 'waiting', subject: request.recipe, done: null, total: null, secondsLeft: null });
  const lock = await takeLock(`${record}.lock`, wait, signal);
  try {
    const meanwhile = await recorded();
    if (meanwhile !== null) return meanwhile;
    const prefix = `linux-image-${series}.`;
    const wanted = { root, series, architecture: 'arm64', prefix, pick: pickStock } as const;
    await requireFreeSpace(root, STOCK_MIB, `unpacking ${request.recipe}`);
    await withTemporary(root, async (temporary) => {
      const { package: found, path: deb } = await downloadPackage(wanted, temporary, onProgress, signal);
      const version = `${found.name} ${found.version}`;
      onProgress({ phase: 'unpacking', subject: found.name, done: null, total: null, secondsLeft: null });
      const unpacked = join(temporary, 'deb');
      await extractDeb(deb, unpacked, signal);
      const release = (await readdir(join(unpacked, 'lib', 'modules')))[0];
      if (release === undefined) throw new InfraError(`${version} holds no modules`);
      const image = await readImage(join(unpacked, 'boot', `vmlinuz-${release}`));
      const modules = join(unpacked, 'lib', 'modules', release);
      await decompressModules(modules, signal);
      const index = await scanModules(modules);
      await publishKernel(
        root,
        keyOf('debian-stock', version),
        { kind: 'ready', release, imageHash: hash(image), imageSize: image.length, modules: index, files: [] },
        async (folder) => {
          await writeFile(join(folder, 'Image'), image);
          await copyFile(join(unpacked, 'boot', `config-${release}`), join(folder, 'config'));
          await rename(modules, join(folder, 'modules'));
        },
      );
      await writeAtomic(record, `${version}\n`);
    });
  } finally {
    await lock.release();
  }
  return requireReady(await recorded(), request);
}

/** How many packages are tried before a series is given up: the two of the newest version, and two older ones. */
const STOCK_CANDIDATES = 6;

/**
 * The generic kernels, not those for real time, clouds or 16 KiB pages: highest version number first, and of one version
 * the one signed for Secure Boot first. What runs is the same.
 */
function pickStock(names: readonly string[]): string[] {
  const byNumber = new Intl.Collator('en', { numeric: true });
  return names
    .filter((name) => /\d[^-]*(?:-\d+)?-arm64(?:-unsigned)?$/.test(name))
    .sort((a, b) => byNumber.compare(b.replace('-unsigned', ''), a.replace('-unsigned', '')) || a.length - b.length)
    .slice(0, STOCK_CANDIDATES);
}

function hash(image: Buffer): string {
  return createHash('sha256').update(image).digest('hex');
}

/** Reads a kernel file and gives the plain arm64 Image in it. Throws {@link InputError} that says what the file is instead. */
async function readImage(path: string): Promise<Buffer> {
  let file: Buffer;
  try {
    file = await readRegularFile(path, LARGEST_IMAGE);
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    const problem = code === 'ENOENT' ? 'there is no kernel image' : `${code}: cannot read the kernel image`;
    throw new InputError(`${problem} ${path}`, 'give the path of arch/arm64/boot/Image', { cause: error });
  }
  const result = openImage(file);
  if (!result.ok) throw new InputError(`${path} ${result.problem}`, 'give the path of arch/arm64/boot/Image');
  return result.image;
}

/** Modules below `folder`, by relative path, with what each one needs. */
async function scanModules(folder: string): Promise<{ file: string; depends: string[] }[]> {
  const files = (await readdir(folder, { recursive: true })).sort();
  const compressed = files.find((file) => /\.ko\.(?:xz|gz|zst)$/.test(file));
  if (compressed !== undefined)
    throw new InputError(
      `${join(folder, compressed)} is compressed`,
      'unpack the modules: the guest loads plain .ko files',
    );
  const found: { file: string; depends: string[] }[] = [];
  for (const file of files)
    if (file.endsWith('.ko')) found.push({ file, depends: await readDepends(join(folder, file)) });
  return found;
}

/** A given Image, copied into the cache; its modules stay where they are, and count by name, size and time stamp. */
export async function imageKernel(
  request: ReadyRequest,
  source: Extract<KernelSource, { from: 'image' }>,
): Promise<KernelArtefact> {
  const image = await readImage(source.path);
  const imageHash = hash(image);
  const modules = source.modules === null ? [] : await userModules(source.modules);
  const map = source.map === null ? null : await readMap(source.map, image);
  const stats = await Promise.all(modules.map(async ({ file }) => [file, (await stat(file)).mtimeMs]));
  const key = keyOf('image', imageHash, stats, map);
  const known = await readReady(request, key);
  if (known !== null) return known;
  const release = imageRelease(image);
  if (release === null) throw new InputError(`${source.path} has no "Linux version" banner`, 'give a Linux kernel');
  await publishKernel(
    request.root,
    key,
    {
      kind: 'ready',
      release,
      imageHash,
      imageSize: image.length,
      modules,
      files: map === null ? [] : ['System.map'],
    },
    async (folder) => {
      await writeFile(join(folder, 'Image'), image);
      if (map !== null) await writeFile(join(folder, 'System.map'), map);
    },
  );
  return requireReady(await readReady(request, key), request);
}

async function userModules(folder: string): Promise<{ file: string; depends: string[] }[]> {
  try {
    return (await scanModules(folder)).map(({ file, depends }) => ({ file: join(folder, file), depends }));
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    throw new InputError(`the folder of modules ${folder} cannot be read (${code})`, undefined, { cause: error });
  }
}

/** The given System.map, or one made of the symbols of the given vmlinux. A map's lines are address, type and name (nm(1)); Debian's stub has one that is none. */
async function readMap(path: string, image: Buffer): Promise<string> {
  const text = (await readVmlinux(path)) ?? (await readMapFile(path));
  if (text === null) throw new InputError(`there is no System.map ${path}`);
  if (!/^[0-9a-f]{16} \w _?text$/im.test(text))
    throw new InputError(`${path} is not a System.map or vmlinux of an arm64 kernel: it does not name _text`);
  const addresses = parseSymbols(text, new Set(['_text', 'linux_banner']));
  const [start, banner] = [addresses.get('_text'), addresses.get('linux_banner')];
  if (start === undefined || banner === undefined) return text;
  // The Image begins at _text (arch/arm64/kernel/vmlinux.lds.S); init/version.c has the banner.
  const at = Number(banner - start);
  if (image.toString('latin1', at, at + BANNER.length) !== BANNER)
    throw new InputError(
      `${path} is of another kernel: where it has linux_banner, the image has something else`,
      'give the System.map or vmlinux of the same build',
    );
  return text;
}

/** Those of the largest kernels have 20 MiB. */
const LARGEST_MAP = 256 * 1024 * 1024;

async function readMapFile(path: string): Promise<string | null> {
  try {
    return (await readRegularFile(path, LARGEST_MAP)).toString('utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

const BANNER = 'Linux version ';

/** Null where the file is no ELF file, or not there. */
async function readVmlinux(path: string): Promise<string | null> {
  try {
    return await withFile(path, async (read) => {
      const elf = await readElf(read);
      if (elf === null) return null;
      if (elf.machine !== EM_AARCH64) throw new InputError(`${path} is a vmlinux of another architecture than arm64`);
      const lines = await symbolLines(read, elf);
      if (lines === null)
        throw new InputError(
          `${path} is stripped of its symbols`,
          'give the vmlinux of the build folder, or System.map',
        );
      return lines;
    });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    if (errorCode(error) === null) throw error;
    throw new InputError(`${path} cannot be read (${errorCode(error)})`, undefined, { cause: error });
  }
}

async function readReady(request: ReadyRequest, key: string): Promise<KernelArtefact | null> {
  const found = await readPublished(request.root, key, request);
  if (found?.kind !== 'ready') return null;
  requireLinkage(found, request.subjects);
  return found;
}

function requireReady(found: KernelArtefact | null, request: ReadyRequest): KernelArtefact {
  if (found === null) throw new Error(`the kernel ${request.recipe} was published and is not there`);
  return found;
}

/** A ready kernel has one linkage, its own. */
function requireLinkage(kernel: KernelArtefact, subjects: readonly Subject[]): void {
  const modules = subjects.filter(({ module }) => kernel.modules.has(module));
  const asked = modulesOf({ subjects }, kernel.linkage) ?? [];
  if (asked.length === modules.length && asked.every((subject) => modules.includes(subject))) return;
  const own = linkageName({ subjects }, modules);
  throw new InputError(
    `kernel ${kernel.recipe} has linkage ${own}, not ${kernel.linkage}, and cannot be built otherwise`,
    `ask for linkage ${own}`,
  );
}
