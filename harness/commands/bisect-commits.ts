import { writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { EXIT, InputError } from '../errors.ts';
import { commandLine, commandLineAnywhere } from '../invocation.ts';
import { cacheRoot } from '../kernel/cache.ts';
import { repositoryAt, resolveCommit } from '../kernel/git.ts';
import { toolchainIdentity } from '../kernel/make.ts';
import { loadRecipe } from '../kernel/recipe.ts';
import { countCommits, describeCommit, GitBisection, revertOn, treeName } from '../kernel/worktree.ts';
import { loadCell } from '../matrix/matrix-file.ts';
import type { Cell } from '../model/cell.ts';
import { printableJson } from '../printable.ts';
import { renderProgress } from '../report/progress.ts';
import { formatDuration } from '../report/text.ts';
import { harnessVersion } from '../run/about.ts';
import type { Claim, Ends, Observation } from '../search/commits.ts';
import { type CommitReport, formatCommitReport, isVerified } from '../search/commits-report.ts';
import { type CommitBisection, searchCommits } from '../search/commits-search.ts';
import { contentKey } from '../search/remembered-boots.ts';
import { BisectState } from '../session/bisect-state.ts';
import { cellOfCommit, observeCommit } from '../session/observe.ts';
import { runSearch } from '../session/search.ts';
import { print, printAsItIs, tell } from '../terminal/output.ts';
import { requireTools } from '../terminal/install-tools.ts';
import type { BisectCommitsOptions } from './bisect-commits.options.ts';

/** `bisect commits`: the commit from which on a cell fails; returns the exit code. */
export async function bisectCommits(options: BisectCommitsOptions, signal: AbortSignal): Promise<number> {
  const name = options.order ?? options.cell;
  if (name === undefined) throw new InputError('no cell was given', 'name one with --cell ID or --order FILE');
  const cell = await loadCell(name, options.matrix);
  const repository = await repositoryAt(options.tree);
  const [good, bad] = await Promise.all([
    resolveCommit(repository, options.good),
    resolveCommit(repository, options.bad),
  ]);
  const ends: Ends = { good: { name: options.good, commit: good }, bad: { name: options.bad, commit: bad } };
  if (good === bad) throw new InputError(`good and bad are the same commit ${good}`);
  const commits = await countCommits(repository, good, bad);
  if (commits === 0)
    throw new InputError(`there are no commits in ${options.good}..${options.bad}`, 'give the older one with --good');
  await requireTools();
  const wanted = options.shows ?? [];
  const progress = renderProgress(process.stderr);
  const wait = () => progress.note('waiting for another bisection of the same range');
  const state = await BisectState.open(await identityOf(cell, repository, ends, options), wait, signal);
  try {
    if (state.observed.length > 0) progress.note(`resuming: ${state.observed.length} commits are known already`);
    progress.note(`bisecting ${commits} commits from ${options.good} to ${options.bad} with cell ${cell.id}`);
    const found = await runSearch(
      'bisect-commits',
      // Commits are looked at one after the other.
      { signal, listen: progress.listen, results: options.results, workers: 1 },
      async ({ runner, keepCell, folder }) => {
        const observe = async (commit: string, claim: Claim | null): Promise<Observation> => {
          const known = state.of(commit);
          if (known !== null) return known;
          const seen = await observeCommit(
            runner,
            cellOfCommit(cell, repository, commit),
            commit,
            options.interleavings,
            claim,
          );
          await state.add(seen);
          return seen;
        };
        const bisection = await searchCommits({
          ends,
          wanted,
          observe,
          history: {
            start: (from, to) =>
              GitBisection.start(join(state.folder, 'git'), repository, { good: from, bad: to }, signal),
            parents: async (commit) => (await describeCommit(repository, commit)).parents,
            revert: (tip, culprit) => revertOn(cacheRoot(), repository, tip, culprit),
          },
          onEnds: (claim) => progress.note(`looking for ${claim.bad.join(' or ')}`),
          onStep: async ({ tested, left, log }) => {
            await state.keepLog(log);
            const { subject } = await describeCommit(repository, tested.commit);
            const what = `${tested.commit.slice(0, SHORT_HASH)} ${tested.answer}: ${tested.shown} (${subject})`;
            progress.note(left === null ? what : `${what}; ${leftText(left, state.observed)}`);
          },
        });
        const report = await reportOf(bisection, { cell, repository, ends, commits, options, state });
        const replay = async (file: string, commit: string) =>
          commandLine(['cell', relative(process.cwd(), await keepCell(file, cellOfCommit(cell, repository, commit)))]);
        const complete: CommitReport = {
          ...report,
          reproduce: [
            await replay('bad.yaml', bisection.result.found === 'culprit' ? bisection.result.culprit : bad),
            ...report.reproduce,
          ],
        };
        const text = formatCommitReport(complete);
        await Promise.all([
          writeFile(join(folder.path, 'report.txt'), text),
          writeFile(join(folder.path, 'report.json'), toJson(complete)),
          writeFile(join(folder.path, 'bisect.log'), bisection.log),
        ]);
        return { text, report: complete, where: folder.final };
      },
    );
    await state.finish();
    progress.close();
    if (options.json === true) printAsItIs(toJson(found.report));
    else print(found.text);
    tell(`\nreport in ${relative(process.cwd(), found.where)}\n`);
    return found.report.bisection.result.found === 'culprit' ? EXIT.expected : EXIT.noVerdict;
  } catch (error) {
    // Nothing to go on with: other ends are another bisection.
    if (error instanceof InputError) await state.finish();
    throw error;
  } finally {
    progress.close();
    await state.release();
  }
}

const SHORT_HASH = 12;
const MS = 1000;

function leftText(
  left: { readonly commits: number; readonly steps: number },
  observed: readonly Observation[],
): string {
  // The first one compiles everything: the median is what a step takes.
  const sorted = observed.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const seconds = sorted[Math.floor(sorted.length / 2)] ?? 0;
  // Git counts the steps after the one that comes next; the revert check is one more.
  const time = formatDuration(seconds * (left.steps + 2) * MS);
  return `${left.commits} commits left, about ${left.steps + 1} steps, ${time}`;
}

/** Everything that decides what is seen of a commit, and which are looked at. */
async function identityOf(cell: Cell, repository: string, ends: Ends, options: BisectCommitsOptions): Promise<unknown> {
  const recipe = await loadRecipe(cellOfCommit(cell, repository, ends.bad.commit).kernel);
  const texts = [...recipe.fragments, ...recipe.patches].map(({ text }) => text);
  return [
    repository,
    ends.good.commit,
    ends.bad.commit,
    contentKey(cell),
    texts,
    options.shows ?? [],
    options.interleavings,
    await toolchainIdentity(),
    await harnessVersion(),
  ];
}

interface ReportParts {
  readonly cell: Cell;
  readonly repository: string;
  readonly ends: Ends;
  readonly commits: number;
  readonly options: BisectCommitsOptions;
  readonly state: BisectState;
}

async function reportOf(
  bisection: CommitBisection,
  { cell, repository, ends, commits, options, state }: ReportParts,
): Promise<CommitReport> {
  const { result, claim } = bisection;
  const name = options.order ?? options.cell ?? cell.id;
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
    isFile(name) ? resolve(name) : name,
    ...(options.matrix === undefined ? [] : ['--matrix', resolve(options.matrix)]),
    ...(options.interleavings === 1 ? [] : ['--interleavings', String(options.interleavings)]),
    ...claim.bad.flatMap((word) => ['--shows', word]),
  ];
  return {
    tree: await treeName(repository),
    cell: cell.id,
    ends,
    commits,
    boots: sightings.filter(({ booted }) => booted).length,
    interleavings: options.interleavings,
    bisection,
    described: await Promise.all([...new Set(shown)].map((commit) => describeCommit(repository, commit))),
    notes: [...new Set(sightings.flatMap(({ notes }) => notes))],
    reproduce: [
      `git bisect start ${ends.bad.commit} ${ends.good.commit}`,
      // Typed in the tree, where no package of ours is.
      `git bisect run ${commandLineAnywhere(['check', ...words])}`,
    ],
  };
}

/** A cell file; git runs the check from the top of the tree, so that its path must not be relative. */
function isFile(name: string): boolean {
  return /\.ya?ml$/.test(name);
}

function toJson(report: CommitReport): string {
  return printableJson({ ...report, verified: isVerified(report.bisection.result) });
}
