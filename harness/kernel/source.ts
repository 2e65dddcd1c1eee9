import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InfraError } from '../errors.ts';
import { downloadFirst, findPackage } from './apt.ts';
import { ensureFolder, publish, readIfPresent, requireFreeSpace, withTemporary, writeAtomic } from './cache.ts';
import type { OnProgress } from './progress.ts';
import { extractDeb, unpackTarball } from './unpack.ts';

/** Room for an unpacked kernel source (1.4 GB), its package (0.14 GB) and one build folder, with some to spare. */
const SOURCE_MIB = 2600;

/** A source tree that the cache owns, so that it may be patched. */
export interface SourceTree {
  /** Names the exact content: equal ids mean equal trees. */
  readonly id: string;
  /** `work/NAME`: holds `src/` and what the build keeps beside it. */
  readonly folder: string;
}

export function sourceFolder(tree: SourceTree): string {
  return join(tree.folder, 'src');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * The tree of Debian's newest `linux-source-SERIES`. The version that was found first stays until the cache is cleaned,
 * so that a run today and one tomorrow build the same kernel.
 */
export async function debianSource(root: string, series: string, onProgress: OnProgress): Promise<SourceTree> {
  const record = join(await ensureFolder(join(root, 'sources')), `debian-${series}`);
  const treeOf = (version: string): SourceTree => ({
    id: `debian ${version}`,
    folder: join(root, 'work', `debian-${version.replaceAll(/[^\w.+~-]/g, '_')}`),
  });
  const known = (await readIfPresent(record))?.trim();
  if (known !== undefined && (await exists(sourceFolder(treeOf(known))))) return treeOf(known);

  const prefix = `linux-source-${series}`;
  const pick = (names: readonly string[]) => names.filter((name) => name === prefix);
  const wanted = await findPackage({ root, series, architecture: 'amd64', prefix, pick }, onProgress);
  await ensureFolder(join(root, 'work'));
  await requireFreeSpace(root, SOURCE_MIB, `unpacking ${prefix}`);
  return withTemporary(root, async (temporary) => {
    const { package: found, path: deb } = await downloadFirst(wanted, temporary, onProgress);
    const tree = treeOf(found.version);
    onProgress({ phase: 'unpacking', subject: found.name, done: null, total: null, secondsLeft: null });
    await extractDeb(deb, join(temporary, 'deb'));
    const shipped = join(temporary, 'deb', 'usr', 'src');
    const tarball = (await readdir(shipped)).find((name) => /^linux-source-[\d.]+\.tar\.xz$/.test(name));
    if (tarball === undefined) throw new InfraError(`${found.name} ${found.version} holds no source tarball`);
    const workshop = join(temporary, 'workshop');
    await unpackTarball(join(shipped, tarball), join(workshop, 'src'));
    await publish(workshop, tree.folder);
    await writeAtomic(record, `${found.version}\n`);
    return tree;
  });
}
