import { basename, join } from 'node:path';
import { withDir } from 'tmp-promise';
import { beforeEach, expect, test, vi } from 'vitest';
import { writeAtomic } from '../../harness/kernel/cache.ts';
import { openRunFolder } from '../../harness/run/results.ts';
import { threadRun } from '../report/builders.ts';

/** What has to survive a power cut is on the disk before it gets its name. */

const calls = vi.hoisted(() => [] as string[]);

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const short = (path: unknown) => basename(String(path)).replace(/\.\d+-.*\.part$|\.pid.*$/, '');
  return {
    ...real,
    async writeFile(...given: Parameters<typeof real.writeFile>) {
      await real.writeFile(...given);
      const [path, , options] = given;
      const isSynced = typeof options === 'object' && options?.flush === true;
      calls.push(`${isSynced ? 'synced' : 'written'} ${short(path)}`);
    },
    async rename(...given: Parameters<typeof real.rename>) {
      await real.rename(...given);
      calls.push(`named ${short(given[1])}`);
    },
  };
});

beforeEach(() => {
  calls.length = 0;
});

test('the record of a run, before its folder is that of a run', () =>
  withDir(
    async ({ path }) => {
      const folder = await openRunFolder(join(path, 'results'), new Date(0));
      await folder.finish(threadRun(), false);
      expect(calls).toEqual(['synced run.json', 'named run.json', 'named 1970-01-01T00-00-00Z']);
    },
    { unsafeCleanup: true },
  ));

test('what the cache is trusted for; what is noticed and cheap to make anew is not waited for', () =>
  withDir(
    async ({ path }) => {
      await writeAtomic(join(path, 'record'), 'a');
      await writeAtomic(join(path, 'boot'), 'b', false);
      expect(calls).toEqual(['synced record', 'named record', 'written boot', 'named boot']);
    },
    { unsafeCleanup: true },
  ));
