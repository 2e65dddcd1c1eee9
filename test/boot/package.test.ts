import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGES = join(ROOT, 'node_modules');
const NULL_DEREF = fileURLToPath(new URL('../logs/boot-6.1-builtin-null.log', import.meta.url));

/** An empty folder outside of any checkout, in which the package and what it depends on are installed. */
let folder: Awaited<ReturnType<typeof dir>>;
let installed: string;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  installed = join(folder.path, 'node_modules', 'bootrace');
  await execa('npm', ['pack', '--silent', '--pack-destination', folder.path], { cwd: ROOT });
  const tarball = (await readdir(folder.path)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm packed nothing');
  await mkdir(join(folder.path, 'node_modules', '.bin'), { recursive: true });
  await execa('tar', ['-xzf', tarball, '-C', 'node_modules'], { cwd: folder.path });
  await cp(join(folder.path, 'node_modules', 'package'), installed, { recursive: true });
  await symlink(join(installed, 'bootrace.js'), join(folder.path, 'node_modules', '.bin', 'bootrace'));
  // What npm would install for a user, from what it has installed here: nothing that only the tests need.
  const { stdout } = await execa('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: ROOT });
  for (const path of stdout.split('\n').filter((line) => line.startsWith(PACKAGES))) {
    const target = join(folder.path, 'node_modules', relative(PACKAGES, path));
    await mkdir(dirname(target), { recursive: true });
    if (!existsSync(target)) await symlink(path, target);
  }
});

afterAll(() => folder.cleanup());

/** Runs `npx bootrace WORDS...` as a user of the package would. */
function bootrace(...words: string[]) {
  return execa(join(folder.path, 'node_modules', '.bin', 'bootrace'), words, {
    cwd: folder.path,
    reject: false,
    stdin: 'ignore',
    env: { NO_COLOR: '1', FORCE_COLOR: undefined },
  });
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((one) => one.isFile()).map((one) => relative(path, join(one.parentPath, one.name)));
}

test('has what a user needs, and no tests', async () => {
  const { stdout } = await execa('git', ['ls-files', 'harness', 'boards', 'docs', 'kernel-configs', 'zoo', 'ci'], {
    cwd: ROOT,
  });
  const files = await filesBelow(installed);
  expect(stdout.split('\n').filter((file) => !files.includes(file))).toEqual([]);
  expect(files.filter((file) => /^(?:test|scripts|node_modules|results)\/|\.test\.ts$/.test(file))).toEqual([]);
});

test('the links of its documents lead somewhere', async () => {
  const documents = (await filesBelow(installed)).filter((file) => file.endsWith('.md'));
  expect(documents).toContain('README.md');
  for (const file of documents) {
    const text = await readFile(join(installed, file), 'utf8');
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g))
      expect(existsSync(join(installed, dirname(file), link)), `${link} in ${file}`).toBe(true);
  }
});

test('says its version, lists the matrix and finds its tools', async () => {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(`${ROOT}/package.json`, 'utf8')));
  expect((await bootrace('--version')).stdout).toBe(version);
  const listing = await bootrace('matrix', '--list');
  expect(listing).toMatchObject({ exitCode: 0, stderr: '' });
  expect(listing.stdout).toContain('null-deref');
  expect(await bootrace('doctor')).toMatchObject({ exitCode: 0, stderr: '' });
});

test('classifies a log', async () => {
  await cp(NULL_DEREF, join(folder.path, 'console.log'));
  const { stdout, exitCode } = await bootrace('classify', 'console.log');
  expect(stdout).toContain('null-deref');
  expect(exitCode).toBe(1);
});

test('boots a row of the matrix, reports it, and says how it is called', async () => {
  const { stdout, exitCode } = await bootrace('matrix', '--only', 'row=T8');
  expect(stdout).toContain('all as expected');
  expect(exitCode).toBe(0);
  expect((await bootrace('report', '--reporter', 'html')).exitCode).toBe(0);
  expect(existsSync(join(folder.path, 'results', 'latest', 'report.html'))).toBe(true);
  const wrong = await bootrace('report', 'nonesuch');
  expect(wrong.exitCode).toBe(2);
  const merged = await bootrace('merge', 'results/latest');
  expect(merged.stderr).toContain('npx bootrace matrix --shard I/N');
});
