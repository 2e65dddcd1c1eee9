/** A source of repeatable numbers: the same seed gives the same numbers on every machine. */
export interface Random {
  /** Uniform integer in [0, bound). */
  readonly below: (bound: number) => number;
  /** Uniform number in [0, 1), 32 bits of resolution. */
  readonly unit: () => number;
}

const WORDS = 0x1_0000_0000;
/** Increment of SplitMix: 2^32 divided by the golden ratio, made odd (Steele, Lea, Flood, OOPSLA 2014). */
const GOLDEN_GAMMA = 0x9e37_79b9;

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** One step of a 32-bit SplitMix with the finaliser of MurmurHash3; spreads a small seed over the whole state. */
function splitMix(state: number): number {
  let word = state | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2_ae35);
  return word ^ (word >>> 16);
}

/**
 * xoshiro128** 1.1 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47, 2021), seeded
 * from `seed` (taken modulo 2^32) by SplitMix as its authors advise. Not for secrets.
 */
export function createRandom(seed: number): Random {
  const word = (step: number): number => splitMix(seed + Math.imul(step, GOLDEN_GAMMA));
  let [a, b, c, d] = [word(1), word(2), word(3), word(4)];
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
  // The bias of the multiplication is below bound / 2^32, which does not matter for a search.
  return { below: (bound) => Math.floor((next() / WORDS) * bound), unit: () => next() / WORDS };
}

/** A copy of `items` in a random order. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const keyed = items.map((item) => ({ item, key: random.unit() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
