export interface Threshold {
  /** The smallest tested value that fails: the value below it by `resolution` or less passes. */
  readonly failsFrom: number;
  /** The largest tested value that does not fail, or null where even 0 fails. */
  readonly passesAt: number | null;
  /** False when a value above `failsFrom` passed or one below `passesAt` failed: there is more than one border. */
  readonly monotone: boolean;
  readonly tests: number;
}

/**
 * The smallest integer in [0, failing] at which `fails` holds, by bisection, given that it holds at `failing`; exact
 * to `resolution` (in the unit of the value). Up to three further values, halfway above the border and a half and a
 * quarter of the way up to it, are tried to see whether the failure depends on the value in one direction only.
 */
export async function threshold(
  failing: number,
  fails: (value: number) => Promise<boolean>,
  resolution = 1,
): Promise<Threshold> {
  let tests = 0;
  const ask = (value: number): Promise<boolean> => {
    tests++;
    return fails(value);
  };
  if (failing <= 0 || (await ask(0))) {
    const middle = Math.floor(failing / 2);
    const monotone = middle <= 0 || (await ask(middle));
    return { failsFrom: 0, passesAt: null, monotone, tests };
  }
  let low = 0;
  let high = failing;
  while (high - low > resolution) {
    const middle = Math.floor((low + high) / 2);
    if (await ask(middle)) high = middle;
    else low = middle;
  }
  const above = Math.ceil((high + failing) / 2);
  const failsAbove = above >= failing || above === high || (await ask(above));
  let failsBelow = false;
  for (const below of [Math.floor(low / 2), Math.floor(low / 4)]) failsBelow ||= below > 0 && (await ask(below));
  return { failsFrom: high, passesAt: low, monotone: failsAbove && !failsBelow, tests };
}
