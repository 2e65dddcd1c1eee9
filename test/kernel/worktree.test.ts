import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryAt, resolveCommit } from '../../harness/kernel/git.ts';
import {
  badOfUsersBisection,
  cleanHead,
  countCommits,
  describeCommit,
  GitBisection,
  revertOn,
  treeName,
} from '../../harness/kernel/worktree.ts';

const signal = new AbortController().signal;
let folder: Awaited<ReturnType<typeof dir>>;
let tree: string;
/** Commits in order, each with a line of its own in `log` and a file of its own. */
let commits: string[];

const git = async (...words: string[]) =>
  (await execa('git', ['-C', tree, '-c', 'user.name=A U Thor', '-c', 'user.email=a@b', ...words])).stdout;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  tree = join(folder.path, 'linux');
  await mkdir(tree);
  await git('init', '--quiet');
  commits = [];
  for (let n = 0; n < 20; n++) {
    await writeFile(join(tree, `file-${n}`), `${n}\n`);
    await writeFile(join(tree, 'value'), `${n < 12 ? 'works' : 'fails'}\n${n < 15 ? '' : 'and more\n'}`);
    await git('add', '.');
    await git('commit', '--quiet', '-m', `change ${n}\n\nBecause of ${n}.`);
    commits.push(await git('rev-parse', 'HEAD'));
  }
});

afterAll(() => folder.cleanup());

const at = (n: number) => commits[n] ?? '';

async function bisect(answer: (n: number) => 'good' | 'bad' | 'skip') {
  const ends = { good: at(0), bad: at(19) };
  const { bisection, first } = await GitBisection.start(join(folder.path, 'bisection'), tree, ends, signal);
  let step = first;
  while (step.step === 'test') step = await bisection.mark(step.commit, answer(commits.indexOf(step.commit)));
  return { step, log: await bisection.log() };
}

describe("git's bisection beside the repository", () => {
  it('finds the commit, past skipped ones, and leaves the repository as it was', async () => {
    const before = await git('for-each-ref');
    const entries = await readdir(join(tree, '.git'));
    const { step, log } = await bisect((n) => (n === 9 || n === 10 ? 'skip' : n < 12 ? 'good' : 'bad'));
    expect(step).toEqual({ step: 'found', commit: at(12) });
    expect(log).toContain(`# first bad commit: [${at(12)}] change 12`);
    expect(await git('for-each-ref')).toBe(before);
    expect(await readdir(join(tree, '.git'))).toEqual(entries);
    expect(await git('status', '--porcelain')).toBe('');
  });

  it('names the commits that could not be told', async () => {
    const { step } = await bisect((n) => (n >= 11 && n <= 13 ? 'skip' : n < 12 ? 'good' : 'bad'));
    expect(step.step).toBe('skipped');
    expect(step.step === 'skipped' && [...step.commits].sort()).toEqual([at(11), at(12), at(13), at(14)].sort());
  });

  it('says when the ends are the wrong way round', async () => {
    const ends = { good: at(19), bad: at(0) };
    await expect(
      GitBisection.start(join(folder.path, 'wrong'), tree, ends, signal).then(({ bisection, first }) =>
        first.step === 'test' ? bisection.mark(first.commit, 'bad') : first,
      ),
    ).rejects.toThrow('git bisect cannot go on');
  });
});

describe('a revert', () => {
  it('is the tip without the change, the same each time, and not in the repository', async () => {
    const cache = join(folder.path, 'cache');
    const reverted = await revertOn(cache, tree, at(14), at(12));
    expect(reverted).toMatch(/^[0-9a-f]{40}$/);
    // Commits have a date of whole seconds.
    await setTimeout(1100);
    expect(await revertOn(cache, tree, at(14), at(12))).toBe(reverted);
    const [work = ''] = await readdir(join(cache, 'work'));
    const { stdout } = await execa('git', ['-C', join(cache, 'work', work, 'src'), 'show', `${reverted}:value`]);
    expect(stdout.trim()).toBe('works');
    await expect(git('cat-file', '-e', `${reverted}`)).rejects.toThrow();
  });

  it('that does not apply is none', async () => {
    await writeFile(join(tree, 'value'), 'something else\n');
    await git('commit', '--quiet', '-a', '-m', 'rewrite');
    expect(await revertOn(join(folder.path, 'cache'), tree, await git('rev-parse', 'HEAD'), at(12))).toBeNull();
    await git('reset', '--quiet', '--hard', at(19));
  });
});

describe('a tree', () => {
  it('is described by its commits', async () => {
    expect(await countCommits(tree, at(3), at(19))).toBe(16);
    const found = await describeCommit(tree, at(12));
    expect(found).toMatchObject({ hash: at(12), parents: [at(11)], subject: 'change 12', author: 'A U Thor <a@b>' });
    expect(found.message).toBe('change 12\n\nBecause of 12.');
    expect(found.stat).toContain('value');
    expect((await describeCommit(tree, at(0))).parents).toEqual([]);
  });

  it('has a name without a password', async () => {
    expect(await treeName(tree)).toBe(tree);
    await git('remote', 'add', 'origin', 'https://me:secret@example.com/linux.git');
    expect(await treeName(tree)).toBe('https://example.com/linux.git');
  });

  it('is its commit as long as no tracked file has changed; a look leaves the index alone', async () => {
    expect(await cleanHead(tree)).toBe(at(19));
    await writeFile(join(tree, 'notes'), 'mine\n');
    const index = await readFile(join(tree, '.git', 'index'));
    expect(await cleanHead(tree)).toBe(at(19));
    await writeFile(join(tree, 'value'), 'edited\n');
    expect(await cleanHead(tree)).toBeNull();
    expect(await readFile(join(tree, '.git', 'index'))).toEqual(index);
    expect(await cleanHead(folder.path)).toBeNull();
  });

  it('is refused in a sentence where it is none, or has not the commit that was named', async () => {
    expect(await resolveCommit(tree, 'HEAD~1')).toBe(at(18));
    await expect(resolveCommit(tree, 'v0.0')).rejects.toThrow(`${tree} has no commit v0.0`);
    await expect(resolveCommit(tree, '--all')).rejects.toThrow(`${tree} has no commit --all`);
    expect(await repositoryAt(tree)).toBe(tree);
    await expect(repositoryAt(folder.path)).rejects.toThrow(`${folder.path} is no git repository`);
    await expect(repositoryAt(join(tree, 'value'))).rejects.toThrow(`${join(tree, 'value')} is no git repository`);
    await expect(repositoryAt(join(tree, 'absent'))).rejects.toThrow(`there is no tree ${join(tree, 'absent')}`);
  });

  it("knows the bad end of the user's own bisection", async () => {
    expect(await badOfUsersBisection(tree)).toBeNull();
    await git('update-ref', 'refs/bisect/bad', at(7));
    expect(await badOfUsersBisection(tree)).toBe(at(7));
  });
});
