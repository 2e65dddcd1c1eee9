import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { expect, it } from 'vitest';
import { takeLock } from '../../harness/kernel/lock.ts';
import { make, takeTurn } from '../../harness/kernel/make.ts';

const CORES = availableParallelism();
const TARGETS = Array.from({ length: 4 * CORES }, (_, n) => `target-${n}`);

/** nice(1). */
const LOWEST = 19;

/** Each target notes its priority, and how many are being made by all makes. */
const makefile = (jobs: string) => `
${TARGETS.join(' ')}:
\t@mkdir ${jobs}/$$$$ && ls ${jobs} | wc -l >> seen && nice >> priority && sleep 0.1 && rmdir ${jobs}/$$$$
`;

/** The most jobs seen at once, and the priorities of each make's jobs. */
const jobsOf = (makes: number) =>
  withDir(
    async ({ path }) => {
      const jobs = join(path, 'jobs');
      await mkdir(jobs);
      const folders = Array.from({ length: makes }, (_, n) => join(path, `${n}`));
      await Promise.all(
        folders.map(async (folder) => {
          // Before anything is waited for: the first folder is in front.
          const turn = takeTurn();
          await mkdir(folder);
          await writeFile(join(folder, 'Makefile'), makefile(jobs));
          const lock = await takeLock(join(folder, 'lock'), () => {});
          const log = join(folder, 'log');
          try {
            const context = { source: folder, output: folder, ccache: null, log, lockFile: lock.file, turn };
            await make(context, TARGETS, () => {});
          } finally {
            turn.end();
            await lock.release();
          }
        }),
      );
      const numbers = async (name: string) => {
        const texts = await Promise.all(folders.map((folder) => readFile(join(folder, name), 'utf8')));
        return texts.map((text) => text.trim().split('\n').map(Number));
      };
      const most = Math.max(...(await numbers('seen')).flat());
      return { most, priorities: (await numbers('priority')).map((all) => [...new Set(all)]) };
    },
    { unsafeCleanup: true },
  );

it('of makes at the same time one has a job for each core, the others share as many at the lowest priority', async () => {
  const { most: alone, priorities } = await jobsOf(1);
  const [own = []] = priorities;
  expect(alone).toBeLessThanOrEqual(CORES);
  expect(alone).toBeGreaterThanOrEqual(Math.min(CORES, 2));
  const three = await jobsOf(3);
  expect(three.most).toBeLessThanOrEqual(2 * CORES + 1);
  expect(three.priorities).toEqual([own, [LOWEST], [LOWEST]]);
  // The turn and all slots were given back.
  const again = await jobsOf(1);
  expect(again.most).toBeGreaterThanOrEqual(Math.min(CORES, 2));
  expect(again.priorities).toEqual([own]);
});
