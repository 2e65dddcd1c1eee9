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
  /** Where the border is likely to be, or null; asked for after `fails` has been tried at 0. */
  readonly guess?: () => Promise<number | null>;
}

/** How far a guess is first taken to be off, in the unit of the value, and how much further with every miss. */
const GUESS_MARGIN = 4;
const MISS_FACTOR = 8;

/**
 * The smallest integer in [0, failing] at which `fails` holds, by bisection, given that it holds at `failing`. Up to
 * three further values, halfway above the border and a half and a quarter of the way up to it, are tried to see whether
 * the failure depends on the value in one direction only. Values are asked two at a time, however many boots can run:
 * two boots take hardly longer than one, and what is found does not depend on the machine.
 */
export async function threshold(
  failing: number,
  fails: (value: number) => Promise<boolean>,
  { resolution = 1, least = 0, guess = async () => null }: ThresholdOptions = {},
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
  let passesAbove: number | null = null;
  const narrow = async (points: readonly number[]): Promise<void> => {
    const inside = [...new Set(points)].filter((point) => point > low && point < high).sort((a, b) => a - b);
    const answers = await Promise.all(inside.map(ask));
    const first = answers.indexOf(true);
    if (answers.includes(false) && answers.lastIndexOf(false) > first && first !== -1)
      passesAbove = inside[answers.lastIndexOf(false)] ?? null;
    low = inside[(first === -1 ? inside.length : first) - 1] ?? low;
    high = first === -1 ? high : (inside[first] ?? high);
  };
  const near = (await guess()) ?? (least > 0 ? least : null);
  for (let margin = GUESS_MARGIN; near !== null && margin < failing; margin *= MISS_FACTOR) {
    const [below, above] = [near - margin, near + margin];
    if (low >= below && high <= above) break;
    await narrow([below, above]);
  }
  while (high - low > resolution) {
    const third = Math.max(1, Math.floor((high - low) / 3));
    await narrow([low + third, high - third]);
  }
  const above = Math.ceil((high + failing) / 2);
  const below = [Math.floor(low / 2), Math.floor(low / 4)].filter((value) => value >= Math.max(1, least));
  const [isAbove, ...areBelow] = await Promise.all([
    above >= failing || above === high || ask(above),
    ...[...new Set(below)].map(ask),
  ]);
  if (!isAbove) passesAbove = above;
  const failsBelow = below[areBelow.indexOf(true)] ?? null;
  return { failsFrom: high, passesAt: low, passesAbove, failsBelow, tests };
}
