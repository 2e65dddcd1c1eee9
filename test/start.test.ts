import {
  appendFile,
  cp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A checkout of its own, whose sources may be changed. */
async function checkout(): Promise<{ path: string; cache: string; remove: () => Promise<void> }> {
  const { path, cleanup } = await dir({ unsafeCleanup: true });
  for (const name of ['bootrace.js', 'package.json', 'matrix.yaml', 'harness', 'boards', 'kernel-configs'])
    await cp(join(ROOT, name), join(path, name), { recursive: true });
  const packages = join(path, 'node_modules');
  await mkdir(packages);
  for (const name of await readdir(join(ROOT, 'node_modules')))
    if (!name.startsWith('.')) await symlink(join(ROOT, 'node_modules', name), join(packages, name));
  return { path, cache: join(packages, '.cache', 'bootrace'), remove: cleanup };
}

function start(root: string, ...words: string[]) {
  return execa('node', [join(root, 'bootrace.js'), ...words], { cwd: '/', reject: false, env: { NO_COLOR: '1' } });
}

test('the harness starts from a bundle of its sources, and from another one after a change', async () => {
  const { path, cache, remove } = await checkout();
  try {
    const listing = join(path, 'harness/matrix/select.ts');
    await appendFile(listing, `\nprocess.stdout.write('one');\n`);
    const [first, ...others] = await Promise.all(Array.from({ length: 3 }, () => start(path, 'matrix', '--list')));
    expect(first?.stderr).toBe('');
    expect(first?.stdout).toMatch(/^one[\s\S]*null-deref/);
    for (const other of others) expect(other.stdout).toBe(first?.stdout);
    expect(await readdir(cache)).toHaveLength(1);

    const again = await start(path, 'matrix', '--list');
    expect(again.stdout).toBe(first?.stdout);
    expect(await readdir(cache)).toHaveLength(1);

    // Neither the size nor the time stamp tells.
    const { atime, mtime } = await stat(listing);
    await writeFile(listing, (await readFile(listing, 'utf8')).replace("write('one')", "write('two')"));
    await utimes(listing, atime, mtime);
    expect((await start(path, 'matrix', '--list')).stdout).toBe(first?.stdout.replace('one', 'two'));
    expect(await readdir(cache)).toHaveLength(2);
  } finally {
    await remove();
  }
});

test('a stack names the sources', async () => {
  const { path, remove } = await checkout();
  try {
    await writeFile(
      join(path, 'harness/commands/clean.ts'),
      `export async function clean(): Promise<number> {\n  throw new Error('a defect');\n}\n`,
    );
    for (const _ of ['made', 'there']) {
      const { stderr, exitCode } = await start(path, 'clean');
      expect(stderr).toMatch(/a defect\n +at (?:async )?\S*clean \(\S*harness\/commands\/clean\.ts:2:/);
      expect(exitCode).toBe(3);
    }
  } finally {
    await remove();
  }
});

test('without its packages it says what to run', async () => {
  const { path, remove } = await checkout();
  try {
    await rm(join(path, 'node_modules'), { recursive: true });
    const { stderr, exitCode } = await start(path, 'doctor');
    expect(stderr).toBe(`bootrace cannot be started: its package tsx is not installed: run npm ci in ${path}`);
    expect(exitCode).toBe(3);
  } finally {
    await remove();
  }
});

test('where no bundle can be written the sources are run', async () => {
  const { path, cache, remove } = await checkout();
  try {
    await mkdir(join(cache, '..'));
    await writeFile(cache, 'not a folder');
    const { stdout, stderr } = await start(path, 'matrix', '--list');
    expect(stderr).toBe('');
    expect(stdout).toContain('null-deref');
    await rm(cache);
    expect((await start(path, 'matrix', '--list')).stdout).toBe(stdout);
    expect(await readdir(cache)).toHaveLength(1);
  } finally {
    await remove();
  }
});

test('a damaged bundle is made anew', async () => {
  const { path, cache, remove } = await checkout();
  try {
    const sound = await start(path, 'matrix', '--list');
    const [key = ''] = await readdir(cache);
    const bundle = join(cache, key);
    const modules = async () => (await readdir(bundle)).filter((name) => name.endsWith('.mjs'));
    const damages = [
      async () => truncate(join(bundle, 'cli.mjs')),
      async () => Promise.all((await modules()).map((name) => truncate(join(bundle, name), 100))),
      async () => Promise.all((await modules()).map((name) => name === 'cli.mjs' || rm(join(bundle, name)))),
      async () => Promise.all((await readdir(bundle)).map((name) => rm(join(bundle, name)))),
      async () => writeFile(join(bundle, 'files.json'), '{}'),
    ];
    for (const damage of damages) {
      await damage();
      const { stdout, exitCode } = await start(path, 'matrix', '--list');
      expect(stdout).toBe(sound.stdout);
      expect(exitCode).toBe(0);
    }
  } finally {
    await remove();
  }
});

test('what does not say how it ended has failed', async () => {
  const { path, remove } = await checkout();
  try {
    await writeFile(join(path, 'harness/cli.ts'), '');
    expect((await start(path, 'matrix', '--list')).exitCode).toBe(3);
    expect((await start(path, 'check')).exitCode).toBe(128);
  } finally {
    await remove();
  }
});
