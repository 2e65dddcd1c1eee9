import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { InfraError, InputError } from '../errors.ts';
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
  throw new InputError(`git ${args[0]} in ${folder} failed: ${stderr.trim().split('\n').at(-1)}`);
}

/** The commit that `revision` names. Throws {@link InputError} when there is none. */
export async function resolveCommit(repository: string, revision: string): Promise<string> {
  return (await git(repository, ['rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`])).trim();
}

/** The git repository at `path`, without symbolic links. Throws {@link InputError} when there is none. */
export async function repositoryAt(path: string): Promise<string> {
  const folder = await realpath(path).catch((error: unknown) => {
    throw new InputError(`there is no tree ${path}`, 'give a git checkout of Linux with --tree DIR', { cause: error });
  });
  const top = (await git(folder, ['rev-parse', '--show-cdup'])).trim();
  return join(folder, top);
}
