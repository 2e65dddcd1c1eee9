import { writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { InputError } from '../errors.ts';
import { commandLine, commandLineAnywhere, shellQuote } from '../invocation.ts';
import { cacheRoot } from '../kernel/cache.ts';
import { repositoryAt, resolveCommit } from '../kernel/git.ts';
import { toolchainIdentity } from '../kernel/make.ts';
import { loadRecipe } from '../kernel/recipe.ts';
import { countCommits, describeCommit, GitBisection, revertOn, treeName } from '../kernel/worktree.ts';
import type { Cell } from '../model/cell.ts';
import { harnessVersion } from '../run/about.ts';
import type { LifecycleListener } from '../run/lifecycle.ts';
import type { Claim, Ends, Observation } from '../search/commits.ts';
import { type CommitReport, commitReportJson, formatCommitReport } from '../search/commits-report.ts';
import { type CommitBisection, searchCommits, type Tested } from '../search/commits-search.ts';
import { contentKey } from '../search/remembered-boots.ts';
import { BisectState } from './bisect-state.ts';
import { cellOfCommit, observeCommit } from './observe.ts';
import { runSearch, type SearchSession } from './search.ts';

/** The part of a history that is bisected. */
export interface CommitRange {
  readonly repository: string;
  readonly ends: Ends;
  /** Commits between the ends, the bad one among them. */
  readonly commits: number;
}

export interface CommitRequest {
  readonly range: CommitRange;
  readonly cell: Cell;
  /** The cell as `bootrace check` takes it, a name or the path of a file, and the matrix that the name is of. */
  readonly named: { readonly cell: string; readonly matrix: string | undefined };
  /** Signatures or verdicts that count as bad; none for what the bad end shows. */
  readonly shows: readonly string[];
  /** Boots of each commit, at as many icount shifts. */
  readonly interleavings: number;
  readonly results: string;
  readonly signal: AbortSignal;
  readonly listen: LifecycleListener;
  readonly note: (line: string) => void;
  readonly onStep: (step: CommitStep) => void;
}

/** What a commit came to, and what is left to do. */
export interface CommitStep extends Tested {
  /** First line of its message. */
  readonly subject: string;
  /** Null after the last one. */
  readonly left: { readonly commits: number; readonly steps: number; readonly seconds: number } | null;
}

export interface BisectedCommits {
  readonly report: CommitReport;
  /** The folder that has the report and the boots. */
  readonly folder: string;
}

/** Looks the ends up in a git checkout. @throws InputError where they are no commits, or none are between them */
export async function commitRange(tree: string, good: string, bad: string): Promise<CommitRange> {
  const repository = await repositoryAt(tree);
  const [goodCommit, badCommit] = await Promise.all([resolveCommit(repository, good), resolveCommit(repository, bad)]);
  if (goodCommit === badCommit) throw new InputError(`good and bad are the same commit ${goodCommit}`);
  const commits = await countCommits(repository, goodCommit, badCommit);
  if (commits === 0) throw new InputError(`there are no commits in ${good}..${bad}`, 'give the older one with --good');
  const ends = { good: { name: good, commit: goodCommit }, bad: { name: bad, commit: badCommit } };
  return { repository, ends, commits };
}

/**
 * Finds the commit from which on a cell fails, one build and boot after the other, and verifies it. What was seen is
 * kept in the cache until the bisection has ended, so that one that was killed resumes. Throws {@link InputError} for
 * ends that do not differ in what they show.
 */
export async function bisectCommits(request: CommitRequest): Promise<BisectedCommits> {
  const { cell, range, results, signal, listen, note } = request;
  const { ends, commits } = range;
  const wait = () => note('waiting for another bisection of the same range');
  const state = await BisectState.open(await identityOf(request), wait, signal);
  try {
    if (state.observed.length > 0) note(`resuming: ${state.observed.length} commits are known already`);
    note(`bisecting ${commits} commits from ${ends.good.name} to ${ends.bad.name} with cell ${cell.id}`);
    // Commits are looked at one after the other.
    const found = await runSearch('bisect-commits', { signal, listen, results, workers: 1 }, (session) =>
      searchAndReport(request, session, state),
    );
    await state.finish();
    return found;
  } catch (error) {
    // Nothing to go on with: other ends are another bisection.
    if (error instanceof InputError) await state.finish();
    throw error;
  } finally {
    await state.release();
  }
}

async function searchAndReport(
  request: CommitRequest,
  session: SearchSession,
  state: BisectState,
): Promise<BisectedCommits> {
  const { repository, ends } = request.range;
  const { folder } = session;
  const bisection = await search(request, session, state);
  const replay = async (file: string, commit: string) => {
    const path = await session.keepCell(file, cellOfCommit(request.cell, repository, commit));
    return commandLine(['cell', relative(process.cwd(), path)]);
  };
  const shown = bisection.result.found === 'culprit' ? bisection.result.culprit : ends.bad.commit;
  const report = await reportOf(bisection, request, state, await replay('bad.yaml', shown));
  await Promise.all([
    writeFile(join(folder.path, 'report.txt'), formatCommitReport(report)),
    writeFile(join(folder.path, 'report.json'), commitReportJson(report)),
    writeFile(join(folder.path, 'bisect.log'), bisection.log),
  ]);
  return { report, folder: folder.final };
}

function search(request: CommitRequest, { runner }: SearchSession, state: BisectState): Promise<CommitBisection> {
  const { cell, range, shows, interleavings, signal, note, onStep } = request;
  const { repository, ends } = range;
  const observe = async (commit: string, claim: Claim | null): Promise<Observation> => {
    const known = state.of(commit);
    if (known !== null) return known;
    const seen = await observeCommit(runner, cellOfCommit(cell, repository, commit), commit, interleavings, claim);
    await state.add(seen);
    return seen;
  };
  return searchCommits({
    ends,
    wanted: shows,
    observe,
    history: {
      start: (good, bad) => GitBisection.start(join(state.folder, 'git'), repository, { good, bad }, signal),
      parents: async (commit) => (await describeCommit(repository, commit)).parents,
      revert: (tip, culprit) => revertOn(cacheRoot(), repository, tip, culprit),
    },
    onEnds: (claim) => note(`looking for ${claim.bad.join(' or ')}`),
    onStep: async ({ tested, left, log }) => {
      await state.keepLog(log);
      const { subject } = await describeCommit(repository, tested.commit);
      onStep({ ...tested, subject, left: left === null ? null : workLeft(left, state.observed) });
    },
  });
}

function workLeft(
  left: { readonly commits: number; readonly steps: number },
  observed: readonly Observation[],
): CommitStep['left'] {
  // The first one compiles everything: the median is what a step takes.
  const sorted = observed.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const seconds = sorted[Math.floor(sorted.length / 2)] ?? 0;
  // Git counts the steps after the one that comes next; the revert check is one more.
  return { commits: left.commits, steps: left.steps + 1, seconds: seconds * (left.steps + 2) };
}

/** Everything that decides what is seen of a commit, and which are looked at. */
async function identityOf({ cell, range, shows, interleavings }: CommitRequest): Promise<unknown> {
  const { repository, ends } = range;
  const recipe = await loadRecipe(cellOfCommit(cell, repository, ends.bad.commit).kernel);
  const texts = [...recipe.fragments, ...recipe.patches].map(({ text }) => text);
  return [
    repository,
    ends.good.commit,
    ends.bad.commit,
    contentKey(cell),
    texts,
    shows,
    interleavings,
    await toolchainIdentity(),
    await harnessVersion(),
  ];
}

async function reportOf(
  bisection: CommitBisection,
  { cell, named, range, interleavings }: CommitRequest,
  state: BisectState,
  replay: string,
): Promise<CommitReport> {
  const { repository, ends, commits } = range;
  const { result, claim } = bisection;
  const shown = [
    ...(result.found === 'culprit' ? [result.culprit] : result.suspects),
    ends.good.commit,
    ends.bad.commit,
  ];
  const sightings = state.observed.flatMap((one) =>
    one.sightings.flatMap((seen) => (seen.saw === 'boot' ? [seen] : [])),
  );
  const words = [
    '--cell',
    isFile(named.cell) ? resolve(named.cell) : named.cell,
    ...(named.matrix === undefined ? [] : ['--matrix', resolve(named.matrix)]),
    ...(interleavings === 1 ? [] : ['--interleavings', String(interleavings)]),
    ...claim.bad.flatMap((word) => ['--shows', word]),
  ];
  return {
    tree: await treeName(repository),
    cell: cell.id,
    ends,
    commits,
    boots: sightings.filter(({ booted }) => booted).length,
    interleavings,
    bisection,
    described: await Promise.all([...new Set(shown)].map((commit) => describeCommit(repository, commit))),
    notes: [...new Set(sightings.flatMap(({ notes }) => notes))],
    reproduce: [
      replay,
      `cd ${shellQuote(repository)}`,
      `git bisect start ${ends.bad.commit} ${ends.good.commit}`,
      // No package of ours is in the tree.
      `git bisect run ${commandLineAnywhere(['check', ...words])}`,
    ],
  };
}

/** A cell file; git runs the check from the top of the tree, so that its path must not be relative. */
function isFile(name: string): boolean {
  return /\.ya?ml$/.test(name);
}
