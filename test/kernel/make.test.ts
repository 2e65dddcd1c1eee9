import { existsSync } from 'node:fs';
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

/** Where sessions have shares of their own, priorities count within one alone (sched(7), The autogroup feature). */
const SHARE = '/proc/self/autogroup';
const SHARE_OF = existsSync(SHARE) ? `sed 's/.* nice //' ${SHARE}` : 'nice';

/** Each target notes its priority and its session's, and how many are being made by all makes. */
const makefile = (jobs: string) => `
${TARGETS.join(' ')}:
\t@[ "$$TMPDIR" -ef . ] && mkdir ${jobs}/$$$$ && ls ${jobs} | wc -l >> seen && nice >> priority && ${SHARE_OF} >> share && sleep 0.1 && rmdir ${jobs}/$$$$
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
            const all = { source: folder, output: folder, temporary: folder };
            const context = { ...all, ccache: null, log, lockFile: lock.file, turn };
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
      const kinds = async (name: string) => (await numbers(name)).map((all) => [...new Set(all)]);
      return { most, priorities: await kinds('priority'), shares: await kinds('share') };
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
  expect(three.shares[0]).not.toEqual([LOWEST]);
  expect(three.shares.slice(1)).toEqual([[LOWEST], [LOWEST]]);
  // The turn and all slots were given back.
  const again = await jobsOf(1);
  expect(again.most).toBeGreaterThanOrEqual(Math.min(CORES, 2));
  expect(again.priorities).toEqual([own]);
});
