import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InfraError } from '../../errors.ts';
import { downloadPackage } from '../apt.ts';
import {
  bestEffort,
  ensureFolder,
  publish,
  readIfPresent,
  requireFreeSpace,
  withTemporary,
  writeAtomic,
} from '../cache.ts';
import { takeLock } from '../lock.ts';
import { type OnProgress, uncounted } from '../progress.ts';
import { extractDeb, unpackTarball } from '../unpack.ts';
import { exists, SOURCE_MIB, type SourceTree, sourceFolder } from './source-tree.ts';

/**
 * The tree of Debian's newest `linux-source-SERIES`. The version that was found first stays until the cache is cleaned,
 * so that a run today and one tomorrow build the same kernel. It is unpacked when something is to be built in it: a
 * machine that got its kernels from another one's cache needs the version alone.
 */
export async function debianSource(
  root: string,
  series: string,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<SourceTree> {
  // A cache that cannot be written may have all that is needed.
  const sources = join(root, 'sources');
  await bestEffort(() => ensureFolder(join(root, 'work')));
  await bestEffort(() => ensureFolder(sources));
  const record = join(sources, `debian-${series}`);
  const fetch = () => fetchSource({ root, record, series, onProgress, ...(signal === undefined ? {} : { signal }) });
  const treeOf = (version: string): SourceTree => ({
    id: `debian ${version}`,
    name: `debian ${version}`,
    folder: folderOf(root, version),
    prepare: async () => {
      if (await exists(sourceFolder({ folder: folderOf(root, version) }))) return;
      const found = await fetch();
      if (found !== version)
        throw new InfraError(
          `Debian has linux-source-${series} in version ${found} now; the cache knows ${version}, which is gone there`,
          'run again to build the kernels of the new version',
        );
    },
  });
  const recorded = async () => (await readIfPresent(record))?.trim() ?? null;
  const known = await recorded();
  if (known !== null) return treeOf(known);
  const prefix = `linux-source-${series}`;
  const wait = () => onProgress(uncounted('waiting', prefix));
  const lock = await takeLock(`${record}.lock`, wait, signal);
  try {
    return treeOf((await recorded()) ?? (await fetch()));
  } finally {
    await lock.release();
  }
}

function folderOf(root: string, version: string): string {
  return join(root, 'work', `debian-${version.replaceAll(/[^\w.+~-]/g, '_')}`);
}

interface Fetch {
  readonly root: string;
  /** File that keeps the version. */
  readonly record: string;
  readonly series: string;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal;
}

/** Downloads and unpacks the newest version, and returns it. */
async function fetchSource({ root, record, series, onProgress, signal }: Fetch): Promise<string> {
  const prefix = `linux-source-${series}`;
  const pick = (names: readonly string[]) => names.filter((name) => name === prefix);
  const wanted = { root, series, architecture: 'amd64', prefix, pick } as const;
  await requireFreeSpace(root, SOURCE_MIB, `unpacking ${prefix}`);
  return withTemporary(root, async (temporary) => {
    const { package: found, path: deb } = await downloadPackage(wanted, temporary, onProgress, signal);
    onProgress(uncounted('unpacking', found.name));
    await extractDeb(deb, join(temporary, 'deb'), { signal, isBehind: true });
    const shipped = join(temporary, 'deb', 'usr', 'src');
    const tarball = (await readdir(shipped)).find((name) => /^linux-source-[\d.]+\.tar\.xz$/.test(name));
    if (tarball === undefined) throw new InfraError(`${found.name} ${found.version} holds no source tarball`);
    const unpacked = join(temporary, 'tree');
    await unpackTarball(join(shipped, tarball), join(unpacked, 'src'), signal);
    await publish(unpacked, folderOf(root, found.version));
    await writeAtomic(record, `${found.version}\n`);
    return found.version;
  });
}
