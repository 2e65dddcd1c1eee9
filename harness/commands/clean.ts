import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EXIT } from '../errors.ts';
import { cacheRoot } from '../kernel/cache.ts';

interface CleanOptions {
  /** Folder of runs, or true for the default one. */
  readonly results?: string | true;
}

/** `bootrace clean`: removes the cache, and the records of runs where asked. */
export async function clean({ results }: CleanOptions): Promise<number> {
  const folders = [cacheRoot(), ...(results === undefined ? [] : [resolve(results === true ? 'results' : results)])];
  for (const folder of folders) {
    await rm(folder, { recursive: true, force: true });
    process.stdout.write(`removed ${folder}\n`);
  }
  return EXIT.expected;
}
