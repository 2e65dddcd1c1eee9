const MULTIPLIER = 1_664_525;
const INCREMENT = 1_013_904_223;
const MODULUS = 2 ** 32;

/**
 * Numbers from 0 up to but not including 1, the same ones for the same `BOOTRACE_TEST_SEED`. Without it the clock is the seed;
 * either way the seed is printed, so that a failure can be repeated. A linear congruential generator (Numerical Recipes, "ranqd1").
 */
export function seededRandom(what: string): () => number {
  const given = process.env.BOOTRACE_TEST_SEED;
  const seed = given === undefined ? Date.now() % MODULUS : Number(given);
  if (!Number.isSafeInteger(seed) || seed < 0 || seed >= MODULUS)
    throw new Error(`BOOTRACE_TEST_SEED=${given} is not a 32-bit number`);
  console.info(`${what}: BOOTRACE_TEST_SEED=${seed}`);
  let state = seed;
  return () => {
    // The product stays exact: 32 bits by 21 bits.
    state = (state * MULTIPLIER + INCREMENT) % MODULUS;
    return state / MODULUS;
  };
}
