import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EXIT, InputError } from '../errors.ts';
import { cacheRoot, removeCache, usersOfCache } from '../kernel/cache.ts';
import { isOfRuns } from '../run/results.ts';
import { print } from '../terminal/output.ts';
import type { CleanOptions } from './clean.options.ts';

/**
 * `bootrace clean`: removes the cache, and the records of runs where asked; nothing else that may lie in that folder.
 * Throws {@link InputError} while a run uses the cache: its kernels would be gone under it.
 */
export async function clean({ results, force }: CleanOptions): Promise<number> {
  const root = cacheRoot();
  const users = force === true ? [] : await usersOfCache(root);
  if (users.length > 0)
    throw new InputError(
      `${root} is in use by ${users.join(', ')}`,
      'wait for the end of what runs there or stop it; --force removes the cache all the same',
    );
  await removeCache(root);
  print(`removed ${root}\n`);
  const folders: string[] = [];
  if (results !== undefined) {
    const kept = resolve(results === true ? 'results' : results);
    const entries = await readdir(kept).catch(() => []);
    folders.push(...entries.filter(isOfRuns).map((entry) => join(kept, entry)));
  }
  for (const folder of folders) {
    await rm(folder, { recursive: true, force: true });
    print(`removed ${folder}\n`);
  }
  return EXIT.expected;
}
