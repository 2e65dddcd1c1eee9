import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { expect, it } from 'vitest';
import { takeLock } from '../../harness/kernel/lock.ts';
import { make } from '../../harness/kernel/make.ts';

const CORES = availableParallelism();
const TARGETS = Array.from({ length: 4 * CORES }, (_, n) => `target-${n}`);

/** Each target notes how many are being made, by all makes. */
const makefile = (jobs: string) => `
${TARGETS.join(' ')}:
\t@mkdir ${jobs}/$$$$ && ls ${jobs} | wc -l >> seen && sleep 0.1 && rmdir ${jobs}/$$$$
`;

const mostJobs = (makes: number) =>
  withDir(
    async ({ path }) => {
      const jobs = join(path, 'jobs');
      await mkdir(jobs);
      const folders = Array.from({ length: makes }, (_, n) => join(path, `${n}`));
      await Promise.all(
        folders.map(async (folder) => {
          await mkdir(folder);
          await writeFile(join(folder, 'Makefile'), makefile(jobs));
          const lock = await takeLock(join(folder, 'lock'), () => {});
          const log = join(folder, 'log');
          try {
            await make({ source: folder, output: folder, ccache: null, log, lockFile: lock.file }, TARGETS, () => {});
          } finally {
            await lock.release();
          }
        }),
      );
      const seen = await Promise.all(folders.map((folder) => readFile(join(folder, 'seen'), 'utf8')));
      return Math.max(...seen.join('').trim().split('\n').map(Number));
    },
    { unsafeCleanup: true },
  );

it('makes at the same time have no more than one job each beside those of one', async () => {
  const alone = await mostJobs(1);
  expect(alone).toBeLessThanOrEqual(CORES);
  expect(alone).toBeGreaterThanOrEqual(Math.min(CORES, 2));
  expect(await mostJobs(3)).toBeLessThanOrEqual(CORES + 2);
  // All slots were given back.
  expect(await mostJobs(1)).toBeGreaterThanOrEqual(Math.min(CORES, 2));
});
