export interface Threshold {
  /** The smallest value found that fails: the value below it by `resolution` or less does not. */
  readonly failsFrom: number;
  /** The largest value below that border that was seen not to fail, or null where even 0 fails. */
  readonly passesAt: number | null;
  /** A larger value that does not fail, so that there is more than one border; null where none was seen. */
  readonly passesAbove: number | null;
  /** A smaller value, on the other side of one that does not, that fails as well; null where none was seen. */
  readonly failsBelow: number | null;
  readonly tests: number;
}

interface ThresholdOptions {
  /** How exact the border is to be, in the unit of the value. */
  readonly resolution?: number;
  /**
   * A value below which `fails` is known not to hold; the border is looked for upwards from there, as it is likely
   * near.
   */
  readonly least?: number;
}

/**
 * The smallest integer in [0, failing] at which `fails` holds, by bisection, given that it holds at `failing`. Up to
 * three further values, halfway above the border and a half and a quarter of the way up to it, are tried to see whether
 * the failure depends on the value in one direction only.
 */
export async function threshold(
  failing: number,
  fails: (value: number) => Promise<boolean>,
  { resolution = 1, least = 0 }: ThresholdOptions = {},
): Promise<Threshold> {
  let tests = 0;
  const ask = (value: number): Promise<boolean> => {
    tests++;
    return fails(value);
  };
  if (failing <= 0 || (least <= 0 && (await ask(0)))) {
    const middle = Math.floor(failing / 2);
    const passesAbove = middle <= 0 || (await ask(middle)) ? null : middle;
    return { failsFrom: 0, passesAt: null, passesAbove, failsBelow: null, tests };
  }
  let low = Math.max(0, least - 1);
  let high = failing;
  for (let step = 1; least > 0 && least - 1 + step < failing; step *= 2) {
    if (await ask(least - 1 + step)) {
      high = least - 1 + step;
      break;
    }
    low = least - 1 + step;
  }
  while (high - low > resolution) {
    const middle = Math.floor((low + high) / 2);
    if (await ask(middle)) high = middle;
    else low = middle;
  }
  const above = Math.ceil((high + failing) / 2);
  const passesAbove = above >= failing || above === high || (await ask(above)) ? null : above;
  let failsBelow: number | null = null;
  for (const below of [Math.floor(low / 2), Math.floor(low / 4)])
    if (failsBelow === null && below >= Math.max(1, least) && (await ask(below))) failsBelow = below;
  return { failsFrom: high, passesAt: low, passesAbove, failsBelow, tests };
}
