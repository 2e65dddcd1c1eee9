import { access, constants, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { cacheRoot, errorCode } from './cache.ts';
import { checkTools, type ToolReport } from './tools.ts';

interface Resource {
  readonly name: string;
  readonly value: string;
  readonly ok: boolean;
  /** What to do, where it is not. */
  readonly hint: string | null;
}

/** What bootrace needs of this machine, and how it stands. */
export interface HostReport {
  readonly tools: readonly ToolReport[];
  readonly resources: readonly Resource[];
}

const KIB = 1024;
const GIB = KIB ** 3;
/** One kernel series with its source, build folder and results; the default matrix has three. */
const GIB_FOR_CACHE = 10;

/** Looks for the tools, those of the tests with `tests`, and for room in the cache. */
export async function examineHost(tests: boolean): Promise<HostReport> {
  const [checked, resources] = await Promise.all([
    checkTools({ versions: true, tests }),
    Promise.all([cacheResource(), diskResource()]),
  ]);
  const cores = { name: 'cores', value: String(availableParallelism()), ok: true, hint: null };
  return { tools: checked, resources: [...resources, cores] };
}

/** The nearest folder above `path`, or itself, that exists. */
async function existing(path: string): Promise<string> {
  try {
    await access(path);
    return path;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) return path;
    return existing(dirname(path));
  }
}

async function cacheResource(): Promise<Resource> {
  const root = cacheRoot();
  const ok = await access(await existing(root), constants.W_OK).then(
    () => true,
    () => false,
  );
  const hint = ok ? null : 'make it writable, or set XDG_CACHE_HOME to a folder of your own';
  return { name: 'cache', value: ok ? root : `${root} is not writable`, ok, hint };
}

/** What the cache holds already needs no more room; it is only counted where what is free is not enough. */
async function diskResource(): Promise<Resource> {
  const root = cacheRoot();
  const free = await freeGib(await existing(root));
  if (free !== null && free >= GIB_FOR_CACHE)
    return { name: 'disk', value: `${free.toFixed(1)} GiB free`, ok: true, hint: null };
  const held = await heldGib(root);
  const ok = free !== null && free + held >= GIB_FOR_CACHE;
  const hint = ok ? null : `kernel sources and builds take up to ${GIB_FOR_CACHE} GiB`;
  const value = free === null ? 'unknown' : `${free.toFixed(1)} GiB free, ${held.toFixed(1)} GiB in the cache`;
  return { name: 'disk', value, ok, hint };
}

/** What the cache takes on the disk, as far as it can be read; 0 where there is none. */
async function heldGib(root: string): Promise<number> {
  const { stdout } = await execa('du', ['-sk', root], { reject: false });
  const kib = Number.parseInt(stdout ?? '', 10);
  return Number.isNaN(kib) ? 0 : (kib * KIB) / GIB;
}

async function freeGib(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path);
    return (bavail * bsize) / GIB;
  } catch (error) {
    if (errorCode(error) === null) throw error;
    return null;
  }
}

/** Whether nothing is missing. */
export function isReady({ tools, resources }: HostReport): boolean {
  return tools.every(({ state }) => state === 'ok') && resources.every(({ ok }) => ok);
}
