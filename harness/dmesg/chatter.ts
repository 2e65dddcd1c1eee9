/** More than a driver says in one attempt, and more devices than a log speaks of: later ones are not kept. */
const MOST_WORDS = 64;
const MOST_DEVICES = 10_000;
/** Words of a message that tell it from the driver's others; the rest are names and numbers. */
const FIRST = 3;

/** What drivers say in each attempt to probe a device up to its deferral: said again, it tells of no success. */
export class Chatter {
  readonly #of = new Map<string, { readonly before: Set<string>; readonly since: Set<string> }>();

  /** Takes what was said of a device; returns whether it was not said up to an earlier deferral. */
  isNew(device: string, words: string): boolean {
    const known = this.#of.get(device) ?? { before: new Set<string>(), since: new Set<string>() };
    if (!this.#of.has(device) && this.#of.size >= MOST_DEVICES) return true;
    this.#of.set(device, known);
    const key = words.replaceAll(/\d+/g, '').split(/\s+/).slice(0, FIRST).join(' ').toLowerCase();
    if (known.since.size < MOST_WORDS) known.since.add(key);
    // A log may end in the middle of a message.
    return ![...known.before].some((said) => said.startsWith(key));
  }

  /** The device is deferred, with these words: what was said up to here is of the attempt that ends so. */
  endAttempt(device: string, words: string | null): void {
    if (words !== null) this.isNew(device, words);
    const known = this.#of.get(device);
    if (known === undefined) return;
    for (const key of known.since) if (known.before.size < MOST_WORDS) known.before.add(key);
    known.since.clear();
  }
}
