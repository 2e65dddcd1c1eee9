import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minimise, type TestResult } from '../../harness/search/minimise.ts';
import { threshold } from '../../harness/search/threshold.ts';

describe('minimise', () => {
  const conditions = Array.from({ length: 12 }, (_, index) => index);
  const sets = fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 5 });

  it('finds exactly the conditions that a monotone failure needs', async () => {
    await fc.assert(
      fc.asyncProperty(sets, async (needed) => {
        const test = async (subset: readonly number[]): Promise<TestResult> =>
          needed.every((one) => subset.includes(one)) ? 'fail' : 'pass';
        const { minimal, irrelevant, failed } = await minimise(conditions, test);
        expect(failed).toBe(true);
        expect(minimal).toEqual(needed.toSorted((a, b) => a - b));
        expect([...minimal, ...irrelevant].toSorted((a, b) => a - b)).toEqual(conditions);
      }),
      { numRuns: 200 },
    );
  });

  it('gives a 1-minimal set whatever the failure looks like, and tests no subset twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 2, max: 9 }), async (salt, size) => {
        const seen = new Set<string>();
        const outcome = (subset: readonly number[]): TestResult => {
          if (subset.length === size) return 'fail';
          const hash = subset.reduce((sum, one) => Math.imul(sum ^ (one + 1), 0x9e3779b1) >>> 7, salt | 0);
          return (['fail', 'pass', 'unresolved'] as const)[hash % 3] ?? 'pass';
        };
        const { minimal, tests } = await minimise(conditions.slice(0, size), async (subset) => {
          expect(seen.has(subset.join())).toBe(false);
          seen.add(subset.join());
          return outcome(subset);
        });
        expect(tests).toBe(seen.size);
        expect(outcome(minimal)).toBe('fail');
        for (const one of minimal) expect(outcome(minimal.filter((other) => other !== one))).not.toBe('fail');
      }),
      { numRuns: 500 },
    );
  });

  it('says so when the whole set does not fail', async () => {
    const result = await minimise([1, 2], async () => 'pass');
    expect(result).toEqual({ minimal: [1, 2], irrelevant: [], tests: 1, failed: false });
  });

  it('needs few tests for a single culprit', async () => {
    const many = Array.from({ length: 64 }, (_, index) => index);
    const { tests } = await minimise(many, async (subset) => (subset.includes(37) ? 'fail' : 'pass'));
    expect(tests).toBeLessThanOrEqual(2 * Math.log2(64) + 2);
  });
});

describe('threshold', () => {
  it('finds the smallest failing value exactly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(10_000), fc.nat(10_000), async (border, more) => {
        const found = await threshold(border + more, async (value) => value >= border);
        expect(found.failsFrom).toBe(border);
        expect(found.passesAt).toBe(border === 0 ? null : border - 1);
        expect([found.passesAbove, found.failsBelow]).toEqual([null, null]);
        expect(found.tests).toBeLessThanOrEqual(2 * Math.ceil(Math.log(border + more + 1) / Math.log(3)) + 6);
      }),
    );
  });

  it('finds it from a value on that is known to be too small, in few tests where it is near', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(5000), fc.nat(5000), fc.nat(5000), async (least, up, more) => {
        const border = least + up;
        const found = await threshold(border + more, async (value) => value >= border, { least });
        expect(found.failsFrom).toBe(border);
        expect(found.passesAt).toBe(border === 0 ? null : border - 1);
        if (least > 0) expect(found.tests).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(up + 2)) + 12);
      }),
    );
  });

  it('finds it whatever the guess, and in six rounds where the guess is good', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(8000), fc.nat(8000), fc.integer({ min: -9000, max: 9000 }), async (border, more, off) => {
        let rounds = 0;
        const asked: number[] = [];
        const fails = async (value: number) => {
          if (asked.length === 0) queueMicrotask(() => asked.splice(0));
          if (asked.length === 0) rounds++;
          asked.push(value);
          return value >= border;
        };
        const found = await threshold(border + more, fails, { guess: async () => border + off });
        expect(found.failsFrom).toBe(border);
        expect(found.passesAt).toBe(border === 0 ? null : border - 1);
        if (Math.abs(off) < 4) expect(rounds).toBeLessThanOrEqual(6);
      }),
    );
  });

  it('notices a failure that a longer delay hides again', async () => {
    const found = await threshold(6000, async (value) => value >= 6000 || (value >= 1000 && value < 2500));
    expect(found).toMatchObject({ failsFrom: 1000, passesAt: 999, passesAbove: 3500 });
  });

  it('notices a shorter delay that fails as well', async () => {
    const found = await threshold(6000, async (value) => value >= 6000 || (value >= 1000 && value < 1600));
    expect(found).toMatchObject({ failsFrom: 6000, passesAt: 5999, failsBelow: 1499 });
  });
});
