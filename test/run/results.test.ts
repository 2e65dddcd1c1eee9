import { lstat, mkdir, readdir, readlink, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { withDir } from 'tmp-promise';
import { expect, test } from 'vitest';
import { ownerToken } from '../../harness/owner.ts';
import { difference, exitCodeOf } from '../../harness/run/record.ts';
import { cellFolder, openRunFolder } from '../../harness/run/results.ts';
import { aCell, aRun } from '../report/builders.ts';

const NOW = new Date('2020-10-30T12:00:00.123Z');

test('no cell id leaves the folder of cells', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (id) => {
      const name = cellFolder(id);
      expect(name).toMatch(/^[A-Za-z0-9._+=-]*$/);
      expect(['.', '..']).not.toContain(name);
    }),
  );
});

test('a run gets its name, and latest, only when its record is whole', () =>
  withDir(
    async ({ path }) => {
      const folder = await openRunFolder(path, NOW);
      expect(await readdir(path)).toEqual([`2020-10-30T12-00-00Z.unfinished.pid${await ownerToken()}`]);
      const final = await folder.finish(aRun([]), true);
      expect(final).toBe(join(path, '2020-10-30T12-00-00Z'));
      expect((await readdir(path)).sort()).toEqual(['2020-10-30T12-00-00Z', 'latest']);
      expect(await readlink(join(path, 'latest'))).toBe('2020-10-30T12-00-00Z');
      const second = await openRunFolder(path, NOW);
      expect(second.name).toBe('2020-10-30T12-00-00Z-2');
      await second.finish(aRun([]), false);
      expect(await readlink(join(path, 'latest'))).toBe('2020-10-30T12-00-00Z');
    },
    { unsafeCleanup: true },
  ));

test('a run whose record cannot be written has no name, and is not latest', () =>
  withDir(
    async ({ path }) => {
      const folder = await openRunFolder(path, NOW);
      const whole = await openRunFolder(path, NOW);
      await whole.finish(aRun([]), true);
      await mkdir(join(folder.path, 'run.json'));
      await expect(folder.finish(aRun([]), true)).rejects.toThrow('run.json');
      expect((await readdir(path)).sort()).toEqual([
        `2020-10-30T12-00-00Z-2`,
        `2020-10-30T12-00-00Z.unfinished.pid${await ownerToken()}`,
        'latest',
      ]);
      expect(await readlink(join(path, 'latest'))).toBe(whole.name);
    },
    { unsafeCleanup: true },
  ));

test('what a killed run left is removed by the next one, and a run that goes on is not', () =>
  withDir(
    async ({ path }) => {
      const [, start, space] = (await ownerToken()).split('-');
      const folderOf = (pid: number, of: string | undefined) =>
        join(path, `2020-01-01T00-00-00Z.unfinished.pid${pid}-${start}-${of}`);
      // Larger than any pid (proc(5), pid_max is at most 2^22).
      const gone = folderOf(99_999_999, space);
      await mkdir(gone);
      // Of another machine or container, whose processes have other numbers.
      const elsewhere = folderOf(99_999_999, '0123456789ab');
      const longGone = folderOf(99_999_998, '0123456789ab');
      for (const foreign of [elsewhere, longGone]) await mkdir(foreign);
      await utimes(longGone, 0, 0);
      await writeFile(join(gone, 'x'), '');
      // Where it was about to point `latest` to its run.
      await symlink('x', join(path, `.latest.unfinished.pid99999999-${start}-${space}`));
      const alive = await openRunFolder(path, NOW);
      await openRunFolder(path, NOW);
      await expect(lstat(gone)).rejects.toThrow('ENOENT');
      await expect(lstat(longGone)).rejects.toThrow('ENOENT');
      await lstat(elsewhere);
      await lstat(alive.path);
      expect((await readdir(path)).filter((name) => name.startsWith('.latest'))).toEqual([]);
    },
    { unsafeCleanup: true },
  ));

test('the exit code is that of the worst cell', () => {
  const good = aCell({});
  const surprise = aCell({ asExpected: false });
  const none = aCell({ verdict: 'infra-error', asExpected: false });
  expect(exitCodeOf({ cells: [good], flakes: [], missing: null })).toBe(0);
  expect(exitCodeOf({ cells: [good, surprise, none], flakes: [], missing: null })).toBe(1);
  expect(exitCodeOf({ cells: [good, none], flakes: [], missing: null })).toBe(3);
  expect(exitCodeOf({ cells: [good], flakes: [], missing: { shards: [2], of: 3 } })).toBe(3);
  expect(exitCodeOf({ cells: [surprise], flakes: [], missing: { shards: [2], of: 3 } })).toBe(1);
  expect(exitCodeOf({ cells: [good], flakes: [{ id: good.id, what: 'console', repetition: 2 }], missing: null })).toBe(
    1,
  );
});

test('two boots of a gated cell have to agree in every byte', () => {
  const gates = [{ time: 1, verb: 'delayed', subject: 'firmware:scm', detail: '' }];
  const boot = aCell({ gates, consoleHash: 'a'.repeat(64) });
  expect(difference(boot, { ...boot })).toBeNull();
  expect(difference(boot, { ...boot, consoleHash: 'b'.repeat(64) })).toBe('console');
});

test('no id of a cell leads out of the folder of cells', () => {
  for (const id of ['.', '..', '...', '../x', '/etc', 'a/b'])
    expect(join('/cells', cellFolder(id))).toMatch(/^\/cells\/[^/]+$/);
  expect(['.', '..'].map(cellFolder)).toEqual(['_.', '_..']);
});
