import { CHECK_BROKEN, InputError } from '../errors.ts';
import { cacheRoot, withTemporary } from '../kernel/cache.ts';
import { repositoryAt } from '../kernel/git.ts';
import { badOfUsersBisection, cleanHead } from '../kernel/worktree.ts';
import { loadCell } from '../matrix/matrix-file.ts';
import type { Cell } from '../model/cell.ts';
import { withProgress } from '../report/progress.ts';
import type { Runner } from '../run/runner.ts';
import { type Claim, failureOf, type Judgement, judgeCommit, judgeExpected, sightingKey } from '../search/commits.ts';
import { cellOfCommit, cellOfSource, observeCell } from '../session/observe.ts';
import { runSearch } from '../session/search.ts';
import { printError } from '../terminal/failure.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print, printJson } from '../terminal/output.ts';
import type { CheckOptions } from './check.options.ts';

/** Exit codes as `git bisect run` takes them: 125 skips the commit, 128 and above end the bisection. */
const ANSWER = { good: 0, bad: 1, unsure: 125 } as const;

/**
 * `bootrace check`: builds the checkout and boots a cell. Nothing that goes wrong in the harness itself may look like a
 * bad commit.
 */
export async function check(options: CheckOptions, signal: AbortSignal): Promise<number> {
  try {
    const { answer, shown } = await judgeTree(options, signal);
    if (options.json === true) printJson({ answer, shown });
    else print(`${answer === 'unsure' ? 'cannot tell' : answer}: ${shown}\n`);
    return ANSWER[answer];
  } catch (error) {
    const code = printError(error);
    return signal.aborted ? code : CHECK_BROKEN;
  }
}

async function judgeTree(options: CheckOptions, signal: AbortSignal): Promise<Judgement> {
  const name = options.order ?? options.cell;
  if (name === undefined) throw new InputError('no cell was given', 'name one with --cell ID or --order FILE');
  const cell = await loadCell(name, options.matrix);
  const tree = await repositoryAt(options.tree);
  await requireTools();
  const head = await cleanHead(tree);
  return withProgress((progress) =>
    withTemporary(cacheRoot(), (results) =>
      runSearch('check', { signal, listen: progress.listen, results, workers: 1 }, async ({ runner }) => {
        const claim = await claimOf(runner, cell, tree, options);
        const checkout = head === null ? cellOfSource(cell, `tree:${tree}`, 'tree') : cellOfCommit(cell, tree, head);
        const sightings = await observeCell(runner, checkout, options.interleavings, claim);
        return claim === null ? judgeExpected(sightings, cell.expect.verdicts) : judgeCommit(sightings, claim);
      }),
    ),
  );
}

/**
 * What counts as bad: what the user says; else what the bad end of the bisection under way shows, which costs nothing
 * from the second time on; null where there is none.
 */
async function claimOf(
  runner: Runner,
  cell: Cell,
  tree: string,
  { shows = [], interleavings }: CheckOptions,
): Promise<Claim | null> {
  if (shows.length > 0) return { bad: shows, good: [] };
  const bad = await badOfUsersBisection(tree);
  if (bad === null) return null;
  const failure = failureOf(await observeCell(runner, cellOfCommit(cell, tree, bad), interleavings, null));
  if (failure === null)
    throw new InputError(
      `the bad end ${bad} of the bisection under way does not fail with cell ${cell.id}`,
      'say with --shows what counts as bad',
    );
  return { bad: [sightingKey(failure)], good: [] };
}
