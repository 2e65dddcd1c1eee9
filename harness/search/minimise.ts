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
 * Reduces `conditions` to a 1-minimal failing set. Knows nothing of what they mean. Two steps: QuickXplain (Junker,
 * AAAI 2004) finds k culprits among n in about 2k log2(n/k) + 2k tests where more conditions never hide a failure; then
 * ddmin (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002) makes sure
 * of the result, and does the whole work where they do. `unresolved` counts as not failing. Every distinct subset is
 * tested once.
 *
 * Few conditions are left out one at a time instead, all of them at once: that takes about as many tests, and the tests
 * need not wait for each other.
 */
export async function minimise<C>(
  conditions: readonly C[],
  test: (subset: readonly C[]) => Promise<TestResult>,
): Promise<Minimised<C>> {
  const known = new Map<string, Promise<TestResult>>();
  const fails: Fails = async (kept) => {
    const key = kept.toSorted((a, b) => a - b).join(',');
    const result = known.get(key) ?? test(conditions.filter((_, index) => kept.includes(index)));
    known.set(key, result);
    return (await result) === 'fail';
  };

  const all = conditions.map((_, index) => index);
  if (!(await fails(all))) return { minimal: conditions, irrelevant: [], tests: known.size, failed: false };
  const kept = await reduced(all, fails);
  return {
    minimal: conditions.filter((_, index) => kept.includes(index)),
    irrelevant: conditions.filter((_, index) => !kept.includes(index)),
    tests: known.size,
    failed: true,
  };
}

/** Above this, leaving out one at a time takes more tests than {@link quickXplain} for few culprits. */
const FEW = 6;

async function reduced(all: readonly number[], fails: Fails): Promise<readonly number[]> {
  if (await fails([])) return [];
  const guess = all.length > FEW ? await quickXplain([], false, all, fails) : await neededIn(all, fails);
  const failing = (await fails(guess)) ? guess : all;
  return failing.length <= FEW && (await neededIn(failing, fails)).length === failing.length
    ? failing
    : ddmin(failing, fails);
}

/** The members of a failing set without any one of which it does not fail. */
async function neededIn(failing: readonly number[], fails: Fails): Promise<number[]> {
  const without = await Promise.all(failing.map((one) => fails(failing.filter((other) => other !== one))));
  return failing.filter((_, index) => without[index] === false);
}

type Fails = (kept: readonly number[]) => Promise<boolean>;

/**
 * The part of `candidates` that fails together with `background`; `grown` says that `background` was not tested yet.
 */
async function quickXplain(
  background: readonly number[],
  grown: boolean,
  candidates: readonly number[],
  fails: Fails,
): Promise<number[]> {
  if (grown && (await fails(background))) return [];
  if (candidates.length <= 1) return [...candidates];
  const middle = Math.floor(candidates.length / 2);
  const first = candidates.slice(0, middle);
  const second = candidates.slice(middle);
  const inSecond = await quickXplain([...background, ...first], true, second, fails);
  const inFirst = await quickXplain([...background, ...inSecond], inSecond.length > 0, first, fails);
  return [...inFirst, ...inSecond];
}

async function ddmin(failing: readonly number[], fails: Fails): Promise<readonly number[]> {
  let kept = failing;
  let parts = 2;
  while (kept.length >= 2) {
    const chunks = split(kept, parts);
    const smaller = await firstFailing(chunks, fails);
    if (smaller !== null) {
      kept = smaller;
      parts = 2;
      continue;
    }
    const whole = kept;
    const complements = parts === 2 ? [] : chunks.map((chunk) => whole.filter((index) => !chunk.includes(index)));
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
  return kept;
}

async function firstFailing(subsets: readonly (readonly number[])[], fails: Fails): Promise<number[] | null> {
  for (const subset of subsets) if (await fails(subset)) return [...subset];
  return null;
}

/** `items` in `parts` runs of nearly equal length. */
function split(items: readonly number[], parts: number): number[][] {
  return Array.from({ length: parts }, (_, part) =>
    items.slice(Math.floor((part * items.length) / parts), Math.floor(((part + 1) * items.length) / parts)),
  ).filter((chunk) => chunk.length > 0);
}
