import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EXIT } from '../errors.ts';
import { cacheRoot } from '../kernel/cache.ts';
import { isOfRuns } from '../run/results.ts';
import { print } from '../terminal/output.ts';
import type { CleanOptions } from './clean.options.ts';

/**
 * `bootrace clean`: removes the cache, and the records of runs where asked; nothing else that may lie in that folder.
 */
export async function clean({ results }: CleanOptions): Promise<number> {
  const folders = [cacheRoot()];
  if (results !== undefined) {
    const root = resolve(results === true ? 'results' : results);
    const entries = await readdir(root).catch(() => []);
    folders.push(...entries.filter(isOfRuns).map((entry) => join(root, entry)));
  }
  for (const folder of folders) {
    await rm(folder, { recursive: true, force: true });
    print(`removed ${folder}\n`);
  }
  return EXIT.expected;
}
