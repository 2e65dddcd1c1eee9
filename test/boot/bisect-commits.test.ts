import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import { seededRandom } from '../random.ts';
import { bootrace, ENTRY } from './cli.ts';
import { COUNT, CULPRIT, GUARDED_CELL, HISTORY } from './guard-history.ts';
import { kernelHistory } from './kernel-history.ts';

const answerSchema = z.object({
  commits: z.number(),
  boots: z.number(),
  verified: z.boolean(),
  bisection: z.object({
    claim: z.object({ bad: z.array(z.string()) }),
    result: z.object({
      found: z.literal('culprit'),
      culprit: z.string(),
      revert: z.object({ revert: z.string(), answer: z.string() }),
    }),
    tested: z.array(z.object({ commit: z.string(), answer: z.enum(['good', 'bad', 'unsure']) })),
  }),
});

let folder: Awaited<ReturnType<typeof dir>>;
/** The user's checkout. At the same place each time: the cache knows its build folder by it. */
let tree: string;
let cell: string;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  const history = await kernelHistory(HISTORY);
  const parent = join(cacheRoot(), 'test-trees');
  tree = join(parent, basename(history, '.git'));
  await mkdir(parent, { recursive: true });
  await rm(tree, { recursive: true, force: true });
  await execa('git', ['clone', '--quiet', '--shared', history, tree]);
  cell = join(folder.path, 'guarded.yaml');
  await writeFile(cell, GUARDED_CELL);
});

afterAll(() => folder.cleanup());

const git = (...words: string[]) => execa('git', ['-C', tree, ...words]).then(({ stdout }) => stdout);
const hashOf = (name: string) => git('rev-parse', `${name}^{commit}`);
const bisectWords = (good: string, bad: string) => [
  ...['bisect', 'commits', '--tree', tree, '--good', good, '--bad', bad, '--cell', cell],
  ...['--results', join(folder.path, 'results'), '--json'],
];

/** Every file of the checkout with the time of its last change of any kind; what is in .git by its content as well. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  const visit = async (path: string): Promise<void> => {
    for (const entry of (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = join(path, entry.name);
      const name = relative(tree, file);
      const { mode, size, ino, ctimeMs } = await lstat(file);
      hash.update(JSON.stringify([name, mode, size, ino, ctimeMs]));
      if (entry.isDirectory()) await visit(file);
      else if (name.startsWith('.git/')) hash.update(await readFile(file));
    }
  };
  await visit(tree);
  return hash.digest('hex');
}

async function bisectToEnd() {
  const { exitCode, stdout, stderr } = await bootrace(bisectWords('base', 'c36'));
  expect(exitCode, stderr).toBe(0);
  return { answer: answerSchema.parse(JSON.parse(stdout)), stderr };
}

describe('bisect commits', () => {
  test('names and verifies the commit that removed the guard, past commits that do not build and ones that crash elsewhere', {
    timeout: 1_800_000,
  }, async () => {
    await writeFile(join(tree, 'CREDITS'), 'being edited\n');
    await writeFile(join(tree, 'README'), 'staged\n');
    await git('add', 'README');
    const before = await fingerprint();
    const { answer } = await bisectToEnd();
    expect(await fingerprint()).toBe(before);
    const { result, tested, claim } = answer.bisection;
    expect(result.culprit).toBe(await hashOf(CULPRIT));
    expect(answer.verified).toBe(true);
    expect(result.revert).toMatchObject({ revert: 'tested', answer: 'good' });
    expect(claim.bad).toEqual([expect.stringContaining('qcom_scm_qsmmu500_wait_safe_toggle')]);
    const skipped = tested.filter((one) => one.answer === 'unsure').length;
    expect(skipped).toBeGreaterThan(0);
    expect(answer.commits).toBe(COUNT);
    // Each commit that was looked at is booted once at most, and not at all where its image is another's.
    expect(tested.length).toBeLessThanOrEqual(Math.ceil(Math.log2(answer.commits)) + skipped + 4);
    expect(answer.boots).toBeLessThanOrEqual(tested.length);
  });

  test('refuses a good end that is bad and a bad end that is good', async () => {
    const [badGood, goodBad] = [
      await bootrace(bisectWords(CULPRIT, 'c36')),
      await bootrace(bisectWords('base', 'c26')),
    ];
    expect(badGood.exitCode).toBe(2);
    expect(badGood.stderr).toContain(`the good end ${CULPRIT} is bad: it shows null-deref`);
    expect(goodBad.exitCode).toBe(2);
    expect(goodBad.stderr).toContain('the bad end c26 is good: it shows deferred-then-bound');
  });

  test('killed at any of ten moments and started again, it names the same commit', { timeout: 1_800_000 }, async () => {
    const before = await fingerprint();
    const culprit = await hashOf(CULPRIT);
    const started = performance.now();
    await bisectToEnd();
    const whole = performance.now() - started;
    const random = seededRandom('moments of the kills');
    let resumed = 0;
    for (let kill = 0; kill < 10; kill++) {
      const moment = whole * random();
      // A group of its own, so that its children are killed with it, as when a machine goes down.
      const child = execa('node', [ENTRY, ...bisectWords('base', 'c36')], { reject: false, detached: true });
      await sleep(moment);
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      await child;
      const { answer, stderr } = await bisectToEnd();
      expect(answer.bisection.result.culprit, `killed after ${moment} ms of ${whole}`).toBe(culprit);
      expect(answer.verified).toBe(true);
      if (stderr.includes('resuming: ')) resumed++;
    }
    expect(resumed).toBeGreaterThan(0);
    expect(await fingerprint()).toBe(before);
  });
});

describe('check', () => {
  test('under git bisect run it names the same commit', { timeout: 1_800_000 }, async () => {
    await git('reset', '--quiet', '--hard');
    await git('bisect', 'start', await hashOf('c36'), await hashOf('base'));
    const said = await git('bisect', 'run', 'node', ENTRY, 'check', '--cell', cell);
    expect(said).toContain(`${await hashOf(CULPRIT)} is the first bad commit`);
    await git('bisect', 'reset');
  });

  test('exits 0, 1 and 125 for a good commit, a bad one and one that does not build', {
    timeout: 1_800_000,
  }, async () => {
    await git('checkout', '--quiet', 'c26');
    expect((await bootrace(['check', '--tree', tree, '--cell', cell])).exitCode).toBe(0);
    await git('checkout', '--quiet', CULPRIT);
    expect((await bootrace(['check', '--tree', tree, '--cell', cell])).exitCode).toBe(1);
    await git('checkout', '--quiet', 'c18');
    expect((await bootrace(['check', '--tree', tree, '--cell', cell])).exitCode).toBe(125);
  });

  test.each([
    ['a wrong option', ['check', '--no-such-option']],
    ['no cell', ['check']],
    ['no tree', ['check', '--tree', '/nowhere', '--cell', 'T8']],
    ['a cell that there is not', ['check', '--cell', 'none']],
  ])('stops git bisect run at %s', async (_, words) => {
    expect((await bootrace(words)).exitCode).toBe(128);
  });
});
