import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { openBuildFolder } from '../../harness/kernel/build-folder.ts';
import { applyPatches } from '../../harness/kernel/patched-tree.ts';
import { gitSource, tarballSource, treeSource } from '../../harness/kernel/source/given.ts';
import { OUTPUT_PREFIX, sourceFolder } from '../../harness/kernel/source/source-tree.ts';

const inFolder = (test: (path: string) => Promise<void>) => () =>
  withDir(({ path }) => test(path), { unsafeCleanup: true });

async function write(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** As little of a kernel source as is taken for one. */
const KERNEL = { 'scripts/kconfig/merge_config.sh': '', 'init/main.c': 'one\ntwo\nthree\n', 'lib/sort.c': 'sort\n' };
const PATCH = {
  path: 'p.patch',
  text: '--- a/init/main.c\n+++ b/init/main.c\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n',
};
const NEW_FILE = { path: 'n.patch', text: '--- /dev/null\n+++ b/init/new.c\n@@ -0,0 +1 @@\n+new\n' };

async function timesOf(folder: string): Promise<Record<string, number>> {
  const names = Object.keys(KERNEL);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).mtimeMs])),
  );
}

describe('a tree of the user', () => {
  it(
    'is mirrored, and only what changes is copied again',
    inFolder(async (root) => {
      const given = join(root, 'linux');
      await write(given, KERNEL);
      const first = await treeSource(join(root, 'cache'), given);
      await first.prepare();
      const source = sourceFolder(first);
      expect(await readFile(join(source, 'init/main.c'), 'utf8')).toBe(KERNEL['init/main.c']);
      const before = await timesOf(source);
      // Older than the copy: make must see a change nevertheless.
      await writeFile(join(given, 'lib/sort.c'), 'sort differently\n');
      await utimes(join(given, 'lib/sort.c'), new Date(0), new Date(0));
      await rm(join(given, 'init/main.c'));
      const second = await treeSource(join(root, 'cache'), given);
      expect(second.id).not.toBe(first.id);
      await second.prepare();
      expect(await readFile(join(source, 'lib/sort.c'), 'utf8')).toBe('sort differently\n');
      expect((await stat(join(source, 'lib/sort.c'))).mtimeMs).toBeGreaterThanOrEqual(before['lib/sort.c'] ?? 0);
      expect((await stat(join(source, 'scripts/kconfig/merge_config.sh'))).mtimeMs).toBe(
        before['scripts/kconfig/merge_config.sh'],
      );
      expect(await readdir(join(source, 'init'))).toEqual([]);
    }),
  );

  it(
    'that is no kernel, or was built in, or is not there, is refused',
    inFolder(async (root) => {
      const cache = join(root, 'cache');
      await expect(treeSource(cache, join(root, 'none'))).rejects.toThrow('there is no source tree');
      await write(join(root, 'other'), { README: '' });
      await expect(treeSource(cache, join(root, 'other'))).rejects.toThrow('is not a Linux source');
      await write(join(root, 'built'), { ...KERNEL, '.config': '' });
      await expect(treeSource(cache, join(root, 'built'))).rejects.toThrow('has been built in: it has .config');
    }),
  );
});

describe('patches of a tree', () => {
  it(
    'are put in and taken out again, touching nothing else',
    inFolder(async (root) => {
      const given = join(root, 'linux');
      await write(given, KERNEL);
      const tree = await treeSource(join(root, 'cache'), given);
      await tree.prepare();
      const source = sourceFolder(tree);
      const pristine = await timesOf(source);
      await applyPatches(tree, [PATCH, NEW_FILE]);
      expect(await readFile(join(source, 'init/main.c'), 'utf8')).toBe('one\nTWO\nthree\n');
      expect(await readFile(join(source, 'init/new.c'), 'utf8')).toBe('new\n');
      const patched = await timesOf(source);
      expect(patched['lib/sort.c']).toBe(pristine['lib/sort.c']);
      await applyPatches(tree, [PATCH, NEW_FILE]);
      expect(await timesOf(source)).toEqual(patched);
      await applyPatches(tree, [PATCH]);
      expect(await readdir(join(source, 'init'))).toEqual(['main.c']);
      expect(await timesOf(source)).toEqual(patched);
      await applyPatches(tree, []);
      expect(await readFile(join(source, 'init/main.c'), 'utf8')).toBe(KERNEL['init/main.c']);
      expect(await readFile(join(given, 'init/main.c'), 'utf8')).toBe(KERNEL['init/main.c']);
    }),
  );

  it(
    'follow a change of the tree below them',
    inFolder(async (root) => {
      const given = join(root, 'linux');
      await write(given, KERNEL);
      const before = await treeSource(join(root, 'cache'), given);
      await before.prepare();
      await applyPatches(before, [PATCH]);
      await writeFile(join(given, 'init/main.c'), 'zero\none\ntwo\nthree\n');
      const after = await treeSource(join(root, 'cache'), given);
      await after.prepare();
      await applyPatches(after, [PATCH]);
      expect(await readFile(join(sourceFolder(after), 'init/main.c'), 'utf8')).toBe('zero\none\nTWO\nthree\n');
      await applyPatches(after, []);
      expect(await readFile(join(sourceFolder(after), 'init/main.c'), 'utf8')).toBe('zero\none\ntwo\nthree\n');
    }),
  );
});

describe('a file that a patch has created', () => {
  it(
    "gives way to the user's own of that name",
    inFolder(async (root) => {
      const given = join(root, 'linux');
      await write(given, KERNEL);
      const before = await treeSource(join(root, 'cache'), given);
      await before.prepare();
      await applyPatches(before, [NEW_FILE]);
      await write(given, { 'init/new.c': 'mine\n' });
      const after = await treeSource(join(root, 'cache'), given);
      await after.prepare();
      await applyPatches(after, []);
      expect(await readFile(join(sourceFolder(after), 'init/new.c'), 'utf8')).toBe('mine\n');
      await expect(applyPatches(after, [NEW_FILE])).rejects.toThrow(
        'creates init/new.c, which this kernel has already',
      );
    }),
  );
});

describe('a git revision', () => {
  const git = (folder: string, ...args: string[]) =>
    execa('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);

  it(
    'is checked out beside the repository, patches and build folders notwithstanding',
    inFolder(async (root) => {
      const given = join(root, 'linux');
      await write(given, KERNEL);
      await git(root, 'init', '--quiet', given);
      await git(given, 'add', '.');
      await git(given, 'commit', '--quiet', '-m', 'first');
      await writeFile(join(given, 'lib/sort.c'), 'sort faster\n');
      await git(given, 'commit', '--quiet', '-a', '-m', 'second');
      const cache = join(root, 'cache');
      const first = await gitSource(cache, given, 'HEAD~1');
      await first.prepare();
      const source = sourceFolder(first);
      expect(await readFile(join(source, 'lib/sort.c'), 'utf8')).toBe('sort\n');
      const main = (await timesOf(source))['init/main.c'];
      await mkdir(join(source, `${OUTPUT_PREFIX}x`));
      await applyPatches(first, [NEW_FILE]);
      const second = await gitSource(cache, given, 'HEAD');
      await second.prepare();
      expect(second.folder).toBe(first.folder);
      expect(await readFile(join(source, 'lib/sort.c'), 'utf8')).toBe('sort faster\n');
      expect((await timesOf(source))['init/main.c']).toBe(main);
      expect(await readdir(join(source, 'init'))).toEqual(['main.c']);
      expect(await readdir(source)).toContain(`${OUTPUT_PREFIX}x`);
      await expect(gitSource(cache, given, 'v0.0')).rejects.toThrow(/ has no commit v0\.0$/);
    }),
  );
});

describe('a tarball', () => {
  it(
    'is unpacked without its top folder, once',
    inFolder(async (root) => {
      await write(join(root, 'linux-6.1'), KERNEL);
      const tarball = join(root, 'linux.tar.gz');
      await execa('tar', ['-C', root, '-czf', tarball, 'linux-6.1']);
      const phases: string[] = [];
      const unpack = () => tarballSource(join(root, 'cache'), tarball, ({ phase }) => phases.push(phase));
      const tree = await unpack();
      expect(await readFile(join(sourceFolder(tree), 'init/main.c'), 'utf8')).toBe(KERNEL['init/main.c']);
      expect(await unpack()).toMatchObject({ id: tree.id });
      expect(phases).toEqual(['unpacking']);
    }),
  );

  it(
    'that is none, or no kernel, is refused and leaves nothing',
    inFolder(async (root) => {
      const cache = join(root, 'cache');
      await writeFile(join(root, 'broken.tar.xz'), 'not a tarball');
      await expect(tarballSource(cache, join(root, 'broken.tar.xz'), () => {})).rejects.toThrow('cannot be unpacked');
      await write(join(root, 'other'), { README: '' });
      await execa('tar', ['-C', root, '-cf', join(root, 'other.tar'), 'other']);
      await expect(tarballSource(cache, join(root, 'other.tar'), () => {})).rejects.toThrow('is not a Linux source');
      expect(await readdir(join(cache, 'work'))).toEqual([]);
      expect(await readdir(join(cache, 'tmp'))).toEqual([]);
    }),
  );
});

describe('a build folder', () => {
  it(
    'begins as a copy of the newest finished one, and anew after a kill',
    inFolder(async (root) => {
      const tree = { folder: root };
      await mkdir(sourceFolder(tree));
      const first = await openBuildFolder(tree, 'a');
      expect(first.warm).toBe(false);
      await writeFile(join(first.path, 'vmlinux'), 'a');
      await first.settled();
      const second = await openBuildFolder(tree, 'b');
      expect(second.warm).toBe(true);
      expect(await readFile(join(second.path, 'vmlinux'), 'utf8')).toBe('a');
      // Not settled: the run that had it was killed. Neither is it used again, nor copied.
      await writeFile(join(second.path, 'vmlinux'), 'half');
      await rm(first.path, { recursive: true });
      expect((await openBuildFolder(tree, 'c')).warm).toBe(false);
      expect((await openBuildFolder(tree, 'b')).warm).toBe(false);
    }),
  );

  it(
    'makes room for itself by removing those used longest ago',
    inFolder(async (root) => {
      const tree = { folder: root };
      await mkdir(sourceFolder(tree));
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      for (const [index, name] of names.entries()) {
        const folder = await openBuildFolder(tree, name);
        await utimes(folder.path, index, index);
      }
      expect((await readdir(sourceFolder(tree))).sort()).toEqual(names.slice(2).map((name) => OUTPUT_PREFIX + name));
      expect((await readdir(root)).filter((name) => name.endsWith('.building'))).toHaveLength(6);
    }),
  );
});
