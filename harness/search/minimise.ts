export type TestResult = 'fail' | 'pass' | 'unresolved';

export interface Minimised<C> {
  /** A set that still fails and fails no longer when any one of its members is left out. */
  readonly minimal: readonly C[];
  /** What was left out, in the given order. */
  readonly irrelevant: readonly C[];
  /** Tests that were run; repeated questions are answered from memory. */
  readonly tests: number;
  /** False when the whole set did not fail, so that there was nothing to reduce. */
  readonly failed: boolean;
}

/**
 * Delta debugging: the ddmin algorithm of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
 * IEEE TSE 28(2), 2002. Knows nothing of what the conditions mean. The result is 1-minimal with respect to `test`;
 * `unresolved` counts as not failing. Every distinct subset is tested once. At most about n^2 + 3n tests, and about
 * 2 log2(n) when a single condition is to blame.
 */
export async function minimise<C>(
  conditions: readonly C[],
  test: (subset: readonly C[]) => Promise<TestResult>,
): Promise<Minimised<C>> {
  const known = new Map<string, TestResult>();
  let tests = 0;
  const fails = async (kept: readonly number[]): Promise<boolean> => {
    const key = kept.join(',');
    let result = known.get(key);
    if (result === undefined) {
      tests++;
      result = await test(conditions.filter((_, index) => kept.includes(index)));
      known.set(key, result);
    }
    return result === 'fail';
  };

  let kept = conditions.map((_, index) => index);
  if (!(await fails(kept))) return { minimal: conditions, irrelevant: [], tests, failed: false };
  if (kept.length > 0 && (await fails([]))) kept = [];
  let parts = 2;
  while (kept.length >= 2) {
    const chunks = split(kept, parts);
    const smaller = await firstFailing(chunks, fails);
    if (smaller !== null) {
      kept = smaller;
      parts = 2;
      continue;
    }
    const complements = parts === 2 ? [] : chunks.map((chunk) => kept.filter((index) => !chunk.includes(index)));
    const complement = await firstFailing(complements, fails);
    if (complement !== null) {
      kept = complement;
      parts = Math.max(parts - 1, 2);
    } else if (parts < kept.length) {
      parts = Math.min(parts * 2, kept.length);
    } else {
      break;
    }
  }
  return {
    minimal: conditions.filter((_, index) => kept.includes(index)),
    irrelevant: conditions.filter((_, index) => !kept.includes(index)),
    tests,
    failed: true,
  };
}

async function firstFailing(
  subsets: readonly (readonly number[])[],
  fails: (kept: readonly number[]) => Promise<boolean>,
): Promise<number[] | null> {
  for (const subset of subsets) if (await fails(subset)) return [...subset];
  return null;
}

/** `items` in `parts` runs of nearly equal length. */
function split(items: readonly number[], parts: number): number[][] {
  return Array.from({ length: parts }, (_, part) =>
    items.slice(Math.floor((part * items.length) / parts), Math.floor(((part + 1) * items.length) / parts)),
  ).filter((chunk) => chunk.length > 0);
}
