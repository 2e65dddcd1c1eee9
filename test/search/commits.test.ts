import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BisectStep } from '../../harness/kernel/worktree.ts';
import { claimOfEnds, type Ends, judgeCommit, judgeExpected, type Sighting } from '../../harness/search/commits.ts';
import { formatCommitReport, isVerified } from '../../harness/search/commits-report.ts';
import { type CommitSearch, type History, searchCommits } from '../../harness/search/commits-search.ts';

type Boot = Extract<Sighting, { saw: 'boot' }>;

function boot(verdict: Boot['verdict'], signature: string | null = null): Boot {
  const crash = signature === null ? [] : [`crash: ${signature}`];
  return { saw: 'boot', verdict, signature, reason: verdict, crash, shift: 4, booted: true, notes: [] };
}
const NULL_DEREF = 'null-deref: in wait_safe_toggle';
const GOOD = boot('bound');
const BAD = boot('null-deref', NULL_DEREF);
const OTHER = boot('oops', 'bug: in scm_probe');
const BROKEN: Sighting = { saw: 'nothing', reason: 'does not build' };
const CLAIM = { bad: [NULL_DEREF], good: [] };

describe('good, bad or unsure', () => {
  it.each<[string, Sighting[], string]>([
    ['works', [GOOD], 'good'],
    ['works after a deferral', [boot('deferred-then-bound')], 'good'],
    ['shows what is looked for', [BAD], 'bad'],
    ['crashes elsewhere', [OTHER], 'unsure'],
    ['crashes elsewhere with the same verdict', [boot('null-deref', 'null-deref: in memcpy')], 'unsure'],
    ['never binds', [boot('stuck-deferred')], 'unsure'],
    ['does not build', [BROKEN], 'unsure'],
    ['was not booted', [], 'unsure'],
    ['shows it at one interleaving only', [GOOD, OTHER, BAD], 'bad'],
    ['works at all interleavings but one', [GOOD, OTHER], 'unsure'],
  ])('a commit that %s', (_, sightings, answer) => {
    expect(judgeCommit(sightings, CLAIM).answer).toBe(answer);
  });

  it('takes a verdict for bad where that is asked for, whatever the crash', () => {
    const claim = { bad: ['null-deref', 'stuck-deferred'], good: [] };
    expect(judgeCommit([boot('null-deref', 'null-deref: in memcpy')], claim).answer).toBe('bad');
    expect(judgeCommit([boot('stuck-deferred')], claim)).toEqual({ answer: 'bad', shown: 'stuck-deferred' });
  });

  it('goes by what the cell expects where there is no bad end', () => {
    expect(judgeExpected([BAD], ['null-deref']).answer).toBe('good');
    expect(judgeExpected([GOOD], ['null-deref'])).toEqual({ answer: 'bad', shown: 'bound' });
    expect(judgeExpected([BROKEN], ['bound']).answer).toBe('unsure');
    expect(judgeExpected([], ['bound']).answer).toBe('unsure');
  });
});

const ENDS: Ends = { good: { name: 'v1', commit: '0' }, bad: { name: 'v2', commit: '9' } };

describe('the ends', () => {
  it('say what is looked for', () => {
    expect(claimOfEnds(ENDS, { good: [GOOD], bad: [GOOD, BAD] }, [])).toEqual({ bad: [NULL_DEREF], good: ['bound'] });
    expect(claimOfEnds(ENDS, { good: [GOOD], bad: [BAD] }, ['null-deref']).bad).toEqual(['null-deref']);
  });

  it('may be a change from one way of not working to another', () => {
    const claim = claimOfEnds(ENDS, { good: [boot('stuck-deferred')], bad: [BAD] }, []);
    expect(judgeCommit([boot('stuck-deferred')], claim).answer).toBe('good');
  });

  it.each<[string, Sighting, Sighting, string[], string]>([
    ['a bad end that works', GOOD, GOOD, [], 'the bad end v2 is good: it shows bound'],
    ['a bad end without a kernel', GOOD, BROKEN, [], 'the bad end v2 cannot be judged: does not build'],
    ['a bad end with another crash', GOOD, OTHER, [NULL_DEREF], 'the bad end v2 does not show null-deref'],
    ['a good end that shows it', BAD, BAD, [], 'the good end v1 is bad: it shows null-deref'],
    ['a good end with another crash', OTHER, BAD, [], 'the good end v1 is neither good nor bad: it shows bug'],
    [
      'a good end without a kernel',
      BROKEN,
      BAD,
      [],
      'the good end v1 is neither good nor bad: it shows does not build',
    ],
  ])('are refused: %s', (_, good, bad, wanted, message) => {
    expect(() => claimOfEnds(ENDS, { good: [good], bad: [bad] }, wanted)).toThrow(message);
  });
});

/** A history without branches, bisected as git would, without skips. Commit n is the child of n - 1. */
function linear(revert: History['revert']): History {
  return {
    start: async (from, to) => {
      let [good, bad] = [Number(from), Number(to)];
      const next = (): BisectStep => {
        if (bad - good === 1) return { step: 'found', commit: String(bad) };
        const commit = String(Math.floor((good + bad) / 2));
        return { step: 'test', commit, left: { commits: bad - good - 1, steps: 1 } };
      };
      const mark = async (commit: string, term: 'good' | 'bad' | 'skip') => {
        if (term === 'good') good = Number(commit);
        if (term === 'bad') bad = Number(commit);
        return next();
      };
      return { bisection: { mark, log: async () => 'git bisect start' }, first: next() };
    },
    parents: async (commit) => [String(Number(commit) - 1)],
    revert,
  };
}

function searchOver(
  sees: (commit: string) => Sighting,
  last: number,
  revert: History['revert'],
): { search: CommitSearch; looked: string[] } {
  const looked: string[] = [];
  const search: CommitSearch = {
    ends: { good: { name: 'v1', commit: '0' }, bad: { name: 'v2', commit: String(last) } },
    wanted: [],
    history: linear(revert),
    observe: async (commit) => {
      looked.push(commit);
      return { commit, sightings: [sees(commit)], seconds: 1 };
    },
    onEnds: () => {},
    onStep: () => {},
  };
  return { search, looked };
}

describe('the search', () => {
  it('finds any commit and verifies it, looking at no commit twice and at few', async () => {
    const lengths = fc
      .integer({ min: 1, max: 300 })
      .chain((last) => fc.tuple(fc.constant(last), fc.integer({ min: 1, max: last })));
    await fc.assert(
      fc.asyncProperty(lengths, async ([last, culprit]) => {
        const sees = (commit: string) => (commit === 'reverted' || Number(commit) < culprit ? GOOD : BAD);
        const { search, looked } = searchOver(sees, last, async () => 'reverted');
        const { result } = await searchCommits(search);
        expect(result).toMatchObject({ found: 'culprit', culprit: String(culprit), revert: { answer: 'good' } });
        expect(isVerified(result)).toBe(true);
        expect(new Set(looked).size).toBe(looked.length);
        expect(looked.length).toBeLessThanOrEqual(Math.ceil(Math.log2(last)) + 4);
      }),
    );
  });

  it('tells git which commits are good, which are bad, and to skip those that tell nothing', async () => {
    const seen: Readonly<Record<string, Sighting>> = {
      '0': GOOD,
      '1': BROKEN,
      '2': OTHER,
      '3': GOOD,
      '4': BAD,
      '5': BAD,
    };
    const { search } = searchOver(
      (commit) => seen[commit] ?? GOOD,
      5,
      async () => null,
    );
    const told: [string, string][] = [];
    const asked = ['1', '2', '3', '4'];
    const next = (): BisectStep => {
      const commit = asked.shift();
      return commit === undefined ? { step: 'found', commit: '4' } : { step: 'test', commit, left: null };
    };
    const mark = async (commit: string, term: 'good' | 'bad' | 'skip') => {
      told.push([commit, term]);
      return next();
    };
    const start: History['start'] = async () => ({ bisection: { mark, log: async () => '' }, first: next() });
    await searchCommits({ ...search, history: { ...search.history, start } });
    expect(told).toEqual([
      ['1', 'skip'],
      ['2', 'skip'],
      ['3', 'good'],
      ['4', 'bad'],
    ]);
  });

  it('says so when the revert changes nothing, and when it does not apply', async () => {
    const sees = (commit: string) => (Number(commit) < 5 ? GOOD : BAD);
    const stays = await searchCommits(searchOver(sees, 9, async () => 'reverted').search);
    expect(isVerified(stays.result)).toBe(false);
    const refused = await searchCommits(searchOver(sees, 9, async () => null).search);
    expect(refused.result).toMatchObject({ revert: { revert: 'does-not-apply' } });
    expect(isVerified(refused.result)).toBe(true);
  });

  it('asks about the two ends alone when one is not as claimed', async () => {
    const { search, looked } = searchOver(
      () => BAD,
      100,
      async () => null,
    );
    await expect(searchCommits(search)).rejects.toThrow('the good end v1 is bad');
    expect(looked).toHaveLength(2);
  });
});

describe('the report', () => {
  it('has the culprit, the crash, the checks and how to see it again', async () => {
    const { search } = searchOver(
      (commit) => (commit === 'reverted' || Number(commit) < 5 ? GOOD : BAD),
      9,
      async () => 'reverted',
    );
    const described = ['0', '5', '9'].map((hash) => ({
      hash,
      subject: `change ${hash}`,
      author: 'A U Thor <author@example.com>',
      date: 'Fri, 30 Oct 2020 00:00:00 +0000',
      message: `change ${hash}\n\nBecause.`,
      stat: ' a.c | 1 -',
    }));
    const text = formatCommitReport({
      ...{ tree: '/linux', cell: 'T8', ends: search.ends, commits: 9, boots: 6, interleavings: 1, described },
      bisection: await searchCommits(search),
      notes: [],
      reproduce: ['bootrace cell bad.yaml'],
    });
    expect(text).toBe(`Found: 5 ("change 5") brought ${NULL_DEREF}

Summary:
  Tree:   /linux
  Good:   0  v1  change 0
  Bad:    9  v2  change 9
  Cell:   T8
  Shows:  ${NULL_DEREF}
  Range:  9 commits, 6 looked at, 6 boots

Crash:
  crash: ${NULL_DEREF}

Checks:
  PASS  first bad commit 5: bad, it shows ${NULL_DEREF}
  PASS  its parent 4: good, it shows bound
  PASS  reverted on the bad end: good, it shows bound

Culprit:
  commit 5
  Author: A U Thor <author@example.com>
  Date:   Fri, 30 Oct 2020 00:00:00 +0000

      change 5

      Because.

   a.c | 1 -

To see it again:
  bootrace cell bad.yaml

Git bisection log:
  git bisect start
`);
  });
});
