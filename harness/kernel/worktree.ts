import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { readIfPresent, removeFolder, withTemporary } from './cache.ts';
import { type GitOptions, git, resolveCommit, runGit } from './git.ts';
import { borrowingClone } from './source/given.ts';

/**
 * A git tree of the user's, read and never written to: its bisection runs in a bare repository of its own that borrows
 * its objects, so that no ref, no index, no `.git/worktrees` entry and no object of ours ever lands in it.
 */

export interface CommitInfo {
  readonly hash: string;
  readonly parents: readonly string[];
  readonly subject: string;
  /** `A U Thor <author@example.com>` */
  readonly author: string;
  /** RFC 2822. */
  readonly date: string;
  /** The whole message. */
  readonly message: string;
  /** `git diff --stat` against the first parent. */
  readonly stat: string;
}

/** What git's bisection wants next. */
export type BisectStep =
  | {
      readonly step: 'test';
      readonly commit: string;
      /** Commits left after this one, and steps as git estimates them; null while git tests a merge base. */
      readonly left: { readonly commits: number; readonly steps: number } | null;
    }
  | { readonly step: 'found'; readonly commit: string }
  /** Only commits that cannot be told apart are left. */
  | { readonly step: 'skipped'; readonly commits: readonly string[] };

const FOUND = /^([0-9a-f]{40,64}) is the first bad commit$/m;
const LEFT = /^Bisecting: (\d+) revisions? left to test after this \(roughly (\d+) steps?\)$/m;
const MERGE_BASE = /^Bisecting: a merge base must be tested$/m;
const ONLY_SKIPPED = /^There are only 'skip'ped commits left to test\.$/m;
const HASH_LINE = /^[0-9a-f]{40,64}$/gm;
/** git-bisect(1): the bisection ended without a first bad commit. */
const EXIT_ONLY_SKIPPED = 2;

/**
 * One `git bisect`, from its start. What is already known of commits is told to it again, so that nothing of it has to
 * outlive a kill.
 */
export class GitBisection {
  readonly #folder: string;
  readonly #options: GitOptions;

  private constructor(folder: string, options: GitOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Starts a bisection of `repository` in `folder`, which is emptied. `good` and `bad` are full hashes. */
  static async start(
    folder: string,
    repository: string,
    ends: { readonly good: string; readonly bad: string },
    signal: AbortSignal,
  ): Promise<{ bisection: GitBisection; first: BisectStep }> {
    const options = { signal };
    await removeFolder(folder);
    await mkdir(folder, { recursive: true });
    const ask = async (...words: string[]) => (await git(repository, ['rev-parse', ...words], options)).trim();
    const format = await ask('--show-object-format');
    await git(folder, ['init', '--quiet', '--bare', `--object-format=${format}`, '.'], options);
    const objects = await ask('--path-format=absolute', '--git-path', 'objects');
    await writeFile(join(folder, 'objects', 'info', 'alternates'), `${objects}\n`);
    const shallow = await readIfPresent(await ask('--path-format=absolute', '--git-path', 'shallow'));
    if (shallow !== null) await writeFile(join(folder, 'shallow'), shallow);
    await git(folder, ['update-ref', '--no-deref', 'HEAD', ends.bad], options);
    const bisection = new GitBisection(folder, options);
    return { bisection, first: await bisection.#tell('start', '--no-checkout', ends.bad, ends.good) };
  }

  mark(commit: string, term: 'good' | 'bad' | 'skip'): Promise<BisectStep> {
    return this.#tell(term, commit);
  }

  /** `git bisect log`. */
  log(): Promise<string> {
    return git(this.#folder, ['bisect', 'log'], this.#options);
  }

  async #tell(...words: string[]): Promise<BisectStep> {
    const { exitCode, stdout, stderr } = await runGit(this.#folder, ['bisect', ...words], this.#options);
    const found = FOUND.exec(stdout)?.[1];
    if (exitCode === 0 && found !== undefined) return { step: 'found', commit: found };
    if (exitCode === EXIT_ONLY_SKIPPED && ONLY_SKIPPED.test(stdout))
      return { step: 'skipped', commits: stdout.match(HASH_LINE) ?? [] };
    const [, commits, steps] = LEFT.exec(stdout) ?? [];
    const left =
      commits === undefined || steps === undefined ? null : { commits: Number(commits), steps: Number(steps) };
    if (exitCode === 0 && (left !== null || MERGE_BASE.test(stdout)))
      return { step: 'test', commit: await resolveCommit(this.#folder, 'BISECT_HEAD'), left };
    const said = (stderr.trim() || stdout.trim()).replaceAll('\n', ' ');
    throw new InputError(`git bisect cannot go on: ${said}`, 'name a good commit that the bad one descends from');
  }
}

/** How many commits `bad` has that `good` has not. */
export async function countCommits(repository: string, good: string, bad: string): Promise<number> {
  return Number(await git(repository, ['rev-list', '--count', bad, `^${good}`]));
}

/** Parts of a commit's description, one behind the other: no message holds this byte. */
const PART = '%x00';
const FIELDS = ['%H', '%P', '%s', '%an <%ae>', '%aD', '%B'];

export async function describeCommit(repository: string, commit: string): Promise<CommitInfo> {
  const text = await git(repository, [
    'show',
    '--no-patch',
    '--no-color',
    `--format=${FIELDS.join(PART)}`,
    commit,
    '--',
  ]);
  const [hash = '', parents = '', subject = '', author = '', date = '', message = ''] = text.split('\0');
  const words = parents.split(' ').filter((word) => word !== '');
  const stat =
    words[0] === undefined
      ? ''
      : await git(repository, ['diff', '--stat', '--no-color', '--no-ext-diff', words[0], hash, '--']);
  return { hash, parents: words, subject, author, date, message: message.trim(), stat: stat.trimEnd() };
}

/**
 * What people call the tree: the address that it was cloned from, or its path. Without a password that the address may
 * hold.
 */
export async function treeName(repository: string): Promise<string> {
  const { exitCode, stdout } = await runGit(repository, ['remote', 'get-url', 'origin']);
  return exitCode === 0 ? stdout.trim().replace(/\/\/[^/@]*@/, '//') : repository;
}

/** The commit that is checked out, or null where files that git tracks have been changed since. */
export async function cleanHead(repository: string): Promise<string | null> {
  const { exitCode } = await runGit(repository, ['rev-parse', '--git-dir']);
  if (exitCode !== 0) return null;
  // kbuild compiles only what a file that git tracks names, so that other files do not count.
  const status = await git(repository, ['status', '--porcelain', '--untracked-files=no', '--ignore-submodules=all']);
  return status === '' ? resolveCommit(repository, 'HEAD') : null;
}

/** `refs/bisect/bad` of a bisection that the user runs, or null. */
export async function badOfUsersBisection(repository: string): Promise<string | null> {
  const { exitCode, stdout } = await runGit(repository, [
    'rev-parse',
    '--verify',
    '--quiet',
    'refs/bisect/bad^{commit}',
  ]);
  return exitCode === 0 ? stdout.trim() : null;
}

/** The same revert is the same commit, whenever it is made: its kernel is then known from the first time. */
const BY_NOBODY = ['-c', 'user.name=bootrace', '-c', 'user.email=bootrace@localhost'];

/**
 * Makes a commit: `tip` without what `culprit` changed against its first parent. It lies in the cache's own clone, from
 * which the harness builds. Returns null when the change cannot be taken out of `tip`.
 */
export async function revertOn(root: string, repository: string, tip: string, culprit: string): Promise<string | null> {
  const clone = await borrowingClone(root, repository);
  return withTemporary(root, async (folder) => {
    const index = join(folder, 'index');
    const change = ['diff-tree', '-p', '--binary', '--full-index', '--no-color', '--no-ext-diff', '--no-textconv'];
    const patch = await git(clone, [...change, culprit, `${culprit}^1`]);
    if (patch === '') return null;
    await git(clone, ['read-tree', tip], { index });
    const apply = await runGit(clone, ['apply', '--cached', '--3way', '--whitespace=nowarn', '-'], {
      index,
      input: patch,
    });
    if (apply.exitCode !== 0) return null;
    const tree = (await git(clone, ['write-tree'], { index })).trim();
    await rm(index, { force: true });
    const words = ['commit-tree', '-p', tip, '-m', `Revert ${culprit}`, tree];
    const date = (await git(clone, ['show', '--no-patch', '--format=%cI', tip])).trim();
    return (await git(clone, [...BY_NOBODY, ...words], { date })).trim();
  });
}
