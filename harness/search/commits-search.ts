import type { BisectStep } from '../kernel/worktree.ts';
import {
  type Claim,
  claimOfEnds,
  type Ends,
  type Judgement,
  judgeCommit,
  type Observation,
  type Sighting,
} from './commits.ts';

/** A commit that was asked about in the course of the bisection. */
export interface Tested extends Judgement {
  readonly commit: string;
}

/** What became of the bad end without the culprit's change. */
type RevertCheck =
  | { readonly revert: 'does-not-apply' }
  | ({ readonly revert: 'tested'; readonly commit: string } & Judgement);

export type Found =
  | {
      readonly found: 'culprit';
      readonly culprit: string;
      /** The culprit shows it, and what each parent shows. */
      readonly itself: Tested;
      readonly parents: readonly Tested[];
      readonly revert: RevertCheck;
    }
  /** The first bad commit is one of these; the others could not be told. */
  | { readonly found: 'suspects'; readonly suspects: readonly string[] };

export interface CommitBisection {
  readonly claim: Claim;
  readonly result: Found;
  /** In the order in which they were asked about, both ends first. */
  readonly tested: readonly Tested[];
  /** The bad end's boot that shows what was looked for. */
  readonly failure: Sighting | null;
  /** `git bisect log`. */
  readonly log: string;
}

/** The repository as the search sees it. */
export interface History {
  /** Starts `git bisect` between two commits. */
  readonly start: (good: string, bad: string) => Promise<{ readonly bisection: Bisection; readonly first: BisectStep }>;
  readonly parents: (commit: string) => Promise<readonly string[]>;
  /** `tip` without the change of `culprit`, or null when it cannot be taken out. */
  readonly revert: (tip: string, culprit: string) => Promise<string | null>;
}

interface Bisection {
  readonly mark: (commit: string, term: 'good' | 'bad' | 'skip') => Promise<BisectStep>;
  readonly log: () => Promise<string>;
}

export interface CommitSearch {
  readonly ends: Ends;
  /** Signatures or verdicts that count as bad; none takes what the bad end shows. */
  readonly wanted: readonly string[];
  readonly history: History;
  /**
   * Builds and boots a commit, or knows it from earlier. `claim` is null at the ends; with one, the first boot that
   * shows what is looked for is enough.
   */
  readonly observe: (commit: string, claim: Claim | null) => Promise<Observation>;
  readonly onEnds: (claim: Claim) => void;
  readonly onStep: (step: {
    readonly tested: Tested;
    readonly left: Extract<BisectStep, { step: 'test' }>['left'];
    readonly log: string;
  }) => void | Promise<void>;
}

const TERMS = { good: 'good', bad: 'bad', unsure: 'skip' } as const;

/**
 * Bisects: both ends first, then what git asks for, then the culprit, its parents, and the bad end without it.
 * @throws InputError when an end is not as claimed
 */
export async function searchCommits(search: CommitSearch): Promise<CommitBisection> {
  const { ends, history, observe } = search;
  const bad = await observe(ends.bad.commit, null);
  const good = await observe(ends.good.commit, null);
  const claim = claimOfEnds(ends, { good: good.sightings, bad: bad.sightings }, search.wanted);
  search.onEnds(claim);
  const tested: Tested[] = [];
  const judge = async (commit: string): Promise<Tested> => {
    const known = tested.find((one) => one.commit === commit);
    if (known !== undefined) return known;
    const { sightings } = await observe(commit, claim);
    const one = { commit, ...judgeCommit(sightings, claim) };
    tested.push(one);
    return one;
  };
  // The good end may show what only it is allowed to show, so that it is good by definition.
  tested.push({ commit: ends.bad.commit, ...judgeCommit(bad.sightings, claim) });
  tested.push({ commit: ends.good.commit, ...judgeCommit(good.sightings, claim), answer: 'good' });

  const { bisection, first } = await history.start(ends.good.commit, ends.bad.commit);
  let step = first;
  while (step.step === 'test') {
    const { commit } = step;
    const one = await judge(commit);
    step = await bisection.mark(commit, TERMS[one.answer]);
    await search.onStep({ tested: one, left: step.step === 'test' ? step.left : null, log: await bisection.log() });
  }
  const result: Found =
    step.step === 'found' ? await verify(step.commit) : { found: 'suspects', suspects: step.commits };
  const failure = bad.sightings.find((sighting) => judgeCommit([sighting], claim).answer === 'bad') ?? null;
  return { claim, result, tested, failure, log: await bisection.log() };

  async function verify(culprit: string): Promise<Found> {
    const itself = await judge(culprit);
    const parents: Tested[] = [];
    for (const parent of await history.parents(culprit)) parents.push(await judge(parent));
    const commit = await history.revert(ends.bad.commit, culprit);
    const revert: RevertCheck =
      commit === null ? { revert: 'does-not-apply' } : { revert: 'tested', ...(await judge(commit)) };
    return { found: 'culprit', culprit, itself, parents, revert };
  }
}
