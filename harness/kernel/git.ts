import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { InfraError, InputError } from '../errors.ts';
import { shellQuote } from '../invocation.ts';
import { cancelled } from './cancel.ts';

/**
 * What a user's settings must not do in repositories that are the harness's own, nor in the user's while it only reads
 * there.
 */
const SETTINGS = ['core.fsmonitor=false', 'gc.auto=0', 'maintenance.auto=false', 'core.hooksPath=/dev/null'];

export interface GitOptions {
  /** Standard input. */
  readonly input?: string;
  /** The index that is used instead of the repository's own. */
  readonly index?: string;
  /** Date of a commit that is made, as `git log --format=%cI` prints one; the clock's without it. */
  readonly date?: string;
  readonly signal?: AbortSignal;
}

interface GitAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs git in `folder` and returns how it ended. Variables of the environment by which a git that calls us names its
 * own repository and index (git(1), ENVIRONMENT VARIABLES) are left out. Throws {@link InfraError} when git cannot be
 * run, and the reason of `signal` when that was aborted.
 */
export async function runGit(folder: string, args: readonly string[], options: GitOptions = {}): Promise<GitAnswer> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  const result = await execa('git', ['-C', folder, ...SETTINGS.flatMap((setting) => ['-c', setting]), ...args], {
    reject: false,
    stripFinalNewline: false,
    extendEnv: false,
    env: {
      ...Object.fromEntries(inherited),
      // Messages of `git bisect` are read.
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      // A status of the user's checkout must not refresh its index.
      GIT_OPTIONAL_LOCKS: '0',
      ...(options.index === undefined ? {} : { GIT_INDEX_FILE: options.index }),
      ...(options.date === undefined ? {} : { GIT_AUTHOR_DATE: options.date, GIT_COMMITTER_DATE: options.date }),
    },
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...cancelled(options.signal),
  });
  options.signal?.throwIfAborted();
  const { exitCode, stdout, stderr } = result;
  if (exitCode === undefined)
    throw new InfraError(`git ${args[0]} cannot be run: ${result.shortMessage ?? 'no exit code'}`, undefined, {
      cause: result,
    });
  return { exitCode, stdout: stdout ?? '', stderr: stderr ?? '' };
}

/** What git prints, for a command that must succeed. Throws {@link InputError} with git's own last words. */
export async function git(folder: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runGit(folder, args, options);
  if (exitCode === 0) return stdout;
  throw failure(args[0] ?? '', folder, stderr);
}

function failure(command: string, folder: string, stderr: string): InputError {
  return new InputError(`git ${command} in ${folder} failed: ${stderr.trim().split('\n').at(-1)}`);
}

/** The commit that `revision` names. Throws {@link InputError} when there is none. */
export async function resolveCommit(repository: string, revision: string): Promise<string> {
  const args = ['rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`];
  const { exitCode, stdout, stderr } = await runGit(repository, args);
  if (exitCode === 0) return stdout.trim();
  // object-name.c, get_short_oid().
  if (/short (?:object ID|SHA1) \S+ is ambiguous/.test(stderr))
    throw new InputError(`${revision} is the beginning of several commits of ${repository}`, 'give more of it');
  // builtin/rev-parse.c, die_no_single_rev(): all that it says of a name that it does not know.
  if (!stderr.includes('Needed a single revision')) throw failure('rev-parse', repository, stderr);
  throw new InputError(
    `${repository} has no commit ${revision}`,
    `fetch it, or see what there is with ${['git', '-C', repository, 'tag'].map(shellQuote).join(' ')}`,
  );
}

const NEEDS_TREE = 'give a git checkout of Linux with --tree DIR';

/** The git repository at `path`, without symbolic links. Throws {@link InputError} when there is none. */
export async function repositoryAt(path: string): Promise<string> {
  const folder = await realpath(path).catch((error: unknown) => {
    throw new InputError(`there is no tree ${path}`, NEEDS_TREE, { cause: error });
  });
  const { exitCode, stdout, stderr } = await runGit(folder, ['rev-parse', '--show-cdup']);
  if (exitCode === 0) return join(folder, stdout.trim());
  // setup.c, setup_git_directory_gently(). What else is wrong with a repository, such as its owner, git says itself.
  if (/not a git repository|cannot change to/.test(stderr))
    throw new InputError(`${path} is no git repository`, NEEDS_TREE);
  throw failure('rev-parse', folder, stderr);
}
