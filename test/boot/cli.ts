import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { cacheRoot } from '../../harness/kernel/cache.ts';

/** What a user runs. */
export const ENTRY = fileURLToPath(new URL('../../bootrace.js', import.meta.url));

interface CliOptions {
  readonly cwd?: string;
  /** `XDG_CACHE_HOME`, where it is not the user's own. */
  readonly cache?: string;
}

/** Runs `bootrace WORDS...` as a user would, without a terminal. */
export function bootrace(words: readonly string[], { cwd, cache }: CliOptions = {}) {
  return execa('node', [ENTRY, ...words], {
    ...(cwd === undefined ? {} : { cwd }),
    reject: false,
    stdin: 'ignore',
    env: { NO_COLOR: '1', FORCE_COLOR: undefined, ...(cache === undefined ? {} : { XDG_CACHE_HOME: cache }) },
  });
}

/** A new cache at `path`, for `XDG_CACHE_HOME`, that has what a shard gets of the user's cache: the kernels, and of what versions they are. */
export async function cacheWithoutBoots(path: string): Promise<string> {
  const root = join(path, 'bootrace');
  await mkdir(root, { recursive: true });
  for (const name of ['kernels', 'sources']) await symlink(join(cacheRoot(), name), join(root, name));
  return path;
}
