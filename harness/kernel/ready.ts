import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { linkageName, modulesOf } from '../axes/linkage.ts';
import { InfraError, InputError } from '../errors.ts';
import { readRegularFile } from '../files.ts';
import type { Subject } from '../model/board.ts';
import { downloadPackage } from './apt.ts';
import type { KernelArtefact } from './artefact.ts';
import {
  bestEffort,
  ensureFolder,
  errorCode,
  readIfPresent,
  requireFreeSpace,
  withTemporary,
  writeAtomic,
} from './cache.ts';
import { EM_AARCH64, readElf, symbolLines, withFile } from './elf.ts';
import { imageRelease, LARGEST_IMAGE, openImage } from './image.ts';
import { takeLock } from './lock.ts';
import { readDepends } from './modules.ts';
import { type OnProgress, uncounted } from './progress.ts';
import { BUILTIN_INFO, DEVICE_TREES, publishKernel, readPublished } from './published.ts';
import type { KernelSource, StockFlavour } from './recipe.ts';
import { exists } from './source/source-tree.ts';
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
 * Debian's own arm64 kernel of a series or a suite, with its modules and device trees. The version that was found first
 * stays until the cache is cleaned. Its package has a System.map of one line, which names the package of debug symbols
 * instead: `systemMap` is null.
 */
export async function stockKernel(request: ReadyRequest, source: StockSource): Promise<KernelArtefact> {
  const { root, onProgress, signal } = request;
  const { series, flavour } = source;
  const name = flavour === 'generic' ? series : `${series}-${flavour}`;
  const sources = join(root, 'sources');
  await bestEffort(() => ensureFolder(sources));
  const record = join(sources, `debian-stock-${name}`);
  const recorded = async () => {
    const version = (await readIfPresent(record))?.trim();
    return version === undefined ? null : readReady(request, keyOf(STOCK, version), `debian ${version}`);
  };
  const known = await recorded();
  if (known !== null) return known;
  const wait = () => onProgress(uncounted('waiting', request.recipe));
  const lock = await takeLock(`${record}.lock`, wait, signal);
  try {
    const meanwhile = await recorded();
    if (meanwhile !== null) return meanwhile;
    const wanted = {
      root,
      series,
      architecture: 'arm64',
      prefix: /^\d/.test(series) ? `linux-image-${series}.` : 'linux-image-',
      pick: (names: readonly string[]) => pickStock(names, flavour),
      parts: STOCK_PARTS,
    } as const;
    await requireFreeSpace(root, STOCK_MIB, `unpacking ${request.recipe}`);
    await withTemporary(root, async (temporary) => {
      const { package: found, path, parts } = await downloadPackage(wanted, temporary, onProgress, signal);
      const version = `${found.name} ${found.version}`;
      onProgress(uncounted('unpacking', found.name));
      const unpacked = join(temporary, 'deb');
      for (const deb of [path, ...parts]) await extractDeb(deb, unpacked, { signal });
      await publishStock(root, version, unpacked, signal);
      await writeAtomic(record, `${version}\n`);
    });
  } finally {
    await lock.release();
  }
  return requireReady(await recorded(), request);
}

type StockSource = Extract<KernelSource, { from: 'debian-stock' }>;

/** Part of the content key: the packages' device trees are published since. */
const STOCK = 'debian-stock with device trees';
/**
 * Since Linux 7.2, Debian's kernel, its modules and its device trees are packages of their own, which the old one
 * depends on.
 */
const STOCK_PARTS = /^linux-(?:binary|modules|base)-\d/;

/** The first of `paths` below `folder` that is there. */
async function firstOf(folder: string, paths: readonly string[]): Promise<string | null> {
  for (const path of paths) if (await exists(join(folder, path))) return join(folder, path);
  return null;
}

/**
 * Publishes what packages of Debian's kernel hold. Where things lie changed with the merged /usr (6.12) and with the
 * split (7.2).
 */
async function publishStock(root: string, version: string, unpacked: string, signal?: AbortSignal): Promise<void> {
  const folder = await firstOf(unpacked, ['usr/lib/modules', 'lib/modules']);
  const release = folder === null ? undefined : (await readdir(folder))[0];
  if (folder === null || release === undefined) throw new InfraError(`${version} holds no modules`);
  const modules = join(folder, release);
  const find = async (what: string, paths: readonly string[]) => {
    const found = await firstOf(unpacked, paths);
    if (found === null) throw new InfraError(`${version} holds no ${what}`);
    return found;
  };
  const image = await readImage(
    await find('kernel', [`boot/vmlinuz-${release}`, `usr/lib/modules/${release}/vmlinuz`]),
  );
  const config = await find('configuration', [`boot/config-${release}`, `usr/lib/modules/${release}/config`]);
  const trees = await firstOf(unpacked, [`usr/lib/modules/${release}/dtb`, `usr/lib/linux-image-${release}`]);
  const builtin = await firstOf(modules, [BUILTIN_INFO]);
  await decompressModules(modules, signal);
  const index = await scanModules(modules);
  await publishKernel(
    root,
    keyOf(STOCK, version),
    { kind: 'ready', release, imageHash: hash(image), imageSize: image.length, modules: index, files: [] },
    async (kernel) => {
      await writeFile(join(kernel, 'Image'), image);
      await copyFile(config, join(kernel, 'config'));
      if (builtin !== null) await copyFile(builtin, join(kernel, BUILTIN_INFO));
      if (trees !== null) await rename(trees, join(kernel, DEVICE_TREES));
      await rename(modules, join(kernel, 'modules'));
    },
  );
}

/** How many packages are tried before a series is given up: the two of the newest version, and two older ones. */
const STOCK_CANDIDATES = 6;

/** What each flavour's package ends in. */
const STOCK_NAMES: Readonly<Record<StockFlavour, RegExp>> = {
  generic: /\d[^-]*(?:-\d+)?-arm64(?:-unsigned)?$/,
  '16k': /-arm64-16k(?:-unsigned)?$/,
  rt: /-rt-arm64(?:-unsigned)?$/,
  cloud: /-cloud-arm64(?:-unsigned)?$/,
};

/**
 * The kernels of one flavour: highest version number first, and of one version the one signed for Secure Boot first.
 * What runs is the same.
 */
function pickStock(names: readonly string[], flavour: StockFlavour): string[] {
  const byNumber = new Intl.Collator('en', { numeric: true });
  return names
    .filter((name) => /^linux-image-\d/.test(name) && STOCK_NAMES[flavour].test(name))
    .sort((a, b) => byNumber.compare(b.replace('-unsigned', ''), a.replace('-unsigned', '')) || a.length - b.length)
    .slice(0, STOCK_CANDIDATES);
}

function hash(image: Buffer): string {
  return createHash('sha256').update(image).digest('hex');
}

/**
 * Reads a kernel file and gives the plain arm64 Image in it. Throws {@link InputError} that says what the file is
 * instead.
 */
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
  const found: { file: string; depends: string[] }[] = [];
  for (const file of (await readdir(folder, { recursive: true })).sort())
    if (file.endsWith('.ko')) found.push({ file, depends: await readDepends(join(folder, file)) });
  return found;
}

/**
 * A given Image, copied into the cache; its modules stay where they are, and count by name, size and time stamp.
 * Compressed ones are unpacked into the cache.
 */
export async function imageKernel(
  request: ReadyRequest,
  source: Extract<KernelSource, { from: 'image' }>,
): Promise<KernelArtefact> {
  const image = await readImage(source.path);
  const imageHash = hash(image);
  const given = source.modules === null ? [] : await moduleFiles(source.modules);
  const map = source.map === null ? null : await readMap(source.map, image);
  const stats = await Promise.all(given.map(async (file) => [file, (await stat(file)).mtimeMs]));
  const key = keyOf('image', imageHash, stats, map);
  const known = await readReady(request, key, null);
  if (known !== null) return known;
  const release = imageRelease(image);
  if (release === null) throw new InputError(`${source.path} has no "Linux version" banner`, 'give a Linux kernel');
  const builtin = source.modules === null ? null : await firstOf(source.modules, [BUILTIN_INFO]);
  await withTemporary(request.root, async (temporary) => {
    const unpacked = join(temporary, 'modules');
    const isCompressed = given.some((file) => !file.endsWith('.ko'));
    const modules = isCompressed
      ? await unpackModules(source.modules ?? '', given, unpacked, request.signal)
      : await Promise.all(given.map(async (file) => ({ file, depends: await readDepends(file) })));
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
        if (builtin !== null) await copyFile(builtin, join(folder, BUILTIN_INFO));
        if (isCompressed) await cp(unpacked, join(folder, 'modules'), { recursive: true });
      },
    );
  });
  return requireReady(await readReady(request, key, null), request);
}

/** Absolute paths of the modules below a folder, compressed ones among them. Throws {@link InputError} for none. */
async function moduleFiles(folder: string): Promise<string[]> {
  let files: string[];
  try {
    files = await readdir(folder, { recursive: true });
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    throw new InputError(`the folder of modules ${folder} cannot be read (${code})`, undefined, { cause: error });
  }
  const modules = files.filter((file) => /\.ko(?:\.(?:xz|gz|zst))?$/.test(file)).sort();
  if (modules.length === 0)
    throw new InputError(
      `there are no modules in the folder ${folder}`,
      'give the folder that `make modules_install` makes, or leave modules= out',
    );
  return modules.map((file) => join(folder, file));
}

/**
 * Copies modules into `folder`, a folder for each as names may repeat, and unpacks them there. `given`: the folder that
 * they are in.
 */
async function unpackModules(given: string, files: readonly string[], folder: string, signal?: AbortSignal) {
  for (const [index, file] of files.entries()) {
    await mkdir(join(folder, String(index)), { recursive: true });
    await copyFile(file, join(folder, String(index), basename(file)));
  }
  try {
    await decompressModules(folder, signal);
    return await scanModules(folder);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // What is wrong is wrong with the file that was given; the copy is gone by the time that this is read.
    const said = files.reduce(
      (text, file, index) => text.replaceAll(join(folder, String(index), '/'), join(dirname(file), '/')),
      error.message,
    );
    throw new InputError(said.replaceAll(folder, given), error.hint, { cause: error });
  }
}

/**
 * The given System.map, or one made of the symbols of the given vmlinux. A map's lines are address, type and name
 * (nm(1)); Debian's stub has one that is none.
 */
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

async function readReady(request: ReadyRequest, key: string, source: string | null): Promise<KernelArtefact | null> {
  const found = await readPublished(request.root, key, { ...request, source });
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
