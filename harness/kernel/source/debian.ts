import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InfraError } from '../../errors.ts';
import { downloadFirst, findPackage } from '../apt.ts';
import { ensureFolder, publish, readIfPresent, requireFreeSpace, withTemporary, writeAtomic } from '../cache.ts';
import { takeLock } from '../lock.ts';
import type { OnProgress } from '../progress.ts';
import { extractDeb, unpackTarball } from '../unpack.ts';
import { exists, SOURCE_MIB, type SourceTree, sourceFolder } from './tree.ts';

/**
 * The tree of Debian's newest `linux-source-SERIES`. The version that was found first stays until the cache is cleaned,
 * so that a run today and one tomorrow build the same kernel.
 */
export async function debianSource(
  root: string,
  series: string,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<SourceTree> {
  const record = join(await ensureFolder(join(root, 'sources')), `debian-${series}`);
  const treeOf = (version: string): SourceTree => ({
    id: `debian ${version}`,
    folder: join(root, 'work', `debian-${version.replaceAll(/[^\w.+~-]/g, '_')}`),
    prepare: async () => {},
  });
  const recorded = async () => {
    const version = (await readIfPresent(record))?.trim();
    return version !== undefined && (await exists(sourceFolder(treeOf(version)))) ? treeOf(version) : null;
  };
  const known = await recorded();
  if (known !== null) return known;
  const prefix = `linux-source-${series}`;
  const wait = () => onProgress({ phase: 'waiting', subject: prefix, done: null, total: null, secondsLeft: null });
  const lock = await takeLock(`${record}.lock`, wait, signal);
  try {
    return (
      (await recorded()) ??
      (await fetchSource({ root, record, series, treeOf, onProgress, ...(signal === undefined ? {} : { signal }) }))
    );
  } finally {
    await lock.release();
  }
}

interface Fetch {
  readonly root: string;
  /** File that keeps the version. */
  readonly record: string;
  readonly series: string;
  readonly treeOf: (version: string) => SourceTree;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal;
}

async function fetchSource({ root, record, series, treeOf, onProgress, signal }: Fetch): Promise<SourceTree> {
  const prefix = `linux-source-${series}`;
  const pick = (names: readonly string[]) => names.filter((name) => name === prefix);
  const wanted = await findPackage({ root, series, architecture: 'amd64', prefix, pick }, onProgress, signal);
  await ensureFolder(join(root, 'work'));
  await requireFreeSpace(root, SOURCE_MIB, `unpacking ${prefix}`);
  return withTemporary(root, async (temporary) => {
    const { package: found, path: deb } = await downloadFirst(wanted, temporary, onProgress, signal);
    const tree = treeOf(found.version);
    onProgress({ phase: 'unpacking', subject: found.name, done: null, total: null, secondsLeft: null });
    await extractDeb(deb, join(temporary, 'deb'), signal);
    const shipped = join(temporary, 'deb', 'usr', 'src');
    const tarball = (await readdir(shipped)).find((name) => /^linux-source-[\d.]+\.tar\.xz$/.test(name));
    if (tarball === undefined) throw new InfraError(`${found.name} ${found.version} holds no source tarball`);
    const workshop = join(temporary, 'workshop');
    await unpackTarball(join(shipped, tarball), join(workshop, 'src'), signal);
    await publish(workshop, tree.folder);
    await writeAtomic(record, `${found.version}\n`);
    return tree;
  });
}
