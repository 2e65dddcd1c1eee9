import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { expect, test, vi } from 'vitest';
import { NOT_FOUND, withDescendants } from '../harness/launch.ts';
import { processesIn } from './processes.ts';

/** make, its make and what that one runs: none of them is a child of whoever started the first. */
const MAKEFILE = 'all:\n\t@$(MAKE) -f Makefile inner\ninner:\n\t@sleep 60; true\n';

async function inMake(go: (folder: string) => Promise<void>): Promise<void> {
  await withDir(
    async ({ path }) => {
      await writeFile(join(path, 'Makefile'), MAKEFILE);
      await go(path);
    },
    { unsafeCleanup: true },
  );
}

const sleeps = async (folder: string) => (await processesIn(folder)).filter((words) => words.startsWith('sleep'));

test('what a program has started ends when its parent is killed', async () => {
  await inMake(async (folder) => {
    const [file, words] = withDescendants('make', ['-C', folder], 0);
    // The shell between is the parent, whose number the words name.
    const script = 'for w; do shift; [ "$w" = 0 ] && w=$$; set -- "$@" "$w"; done; "$@" & wait';
    const between = spawn('sh', ['-c', script, 'sh', file, ...words], { stdio: 'ignore' });
    await vi.waitUntil(async () => (await sleeps(folder)).length === 1, 5000);
    between.kill('SIGKILL');
    await vi.waitUntil(async () => (await processesIn(folder)).length === 0, 2000);
  });
});

test('and when it is cancelled', async () => {
  await inMake(async (folder) => {
    const controller = new AbortController();
    const child = execa(...withDescendants('make', ['-C', folder]), {
      cancelSignal: controller.signal,
      reject: false,
    });
    await vi.waitUntil(async () => (await sleeps(folder)).length === 1, 5000);
    controller.abort();
    expect((await child).isCanceled).toBe(true);
    await vi.waitUntil(async () => (await processesIn(folder)).length === 0, 2000);
  });
});

test('it is given its input, its words and descriptors, and ends as it does', async () => {
  const run = (program: string, words: string[]) =>
    execa(...withDescendants(program, words), { input: 'in', reject: false });
  expect((await run('cat', [])).stdout).toBe('in');
  expect((await run('printf', ['%s|', 'a b', "'", '$x', ''])).stdout).toBe("a b|'|$x||");
  expect((await run('sh', ['-c', 'exit 5'])).exitCode).toBe(5);
  for (const signal of ['KILL', 'SEGV', 'TERM'])
    expect((await run('sh', ['-c', `kill -${signal} $$`])).signal).toBe(`SIG${signal}`);
  expect((await run('nonesuch-program', [])).exitCode).toBe(NOT_FOUND);
});
