/** What is asked about: a device's probe that crashes, is held back or defers while other devices are not bound. */
interface Case {
  /** Devices whose absence is known to do no harm. */
  readonly cleared: Set<string>;
  /** Each set was absent once when it went wrong, so that at least one of its members is to blame. */
  readonly suspects: Set<string>[];
  readonly convicted: Set<string>;
}

/**
 * Finds by elimination which absent devices make something go wrong, from any boots, in any order: when it went well
 * the absent ones are cleared, when it went wrong one of them is to blame. A set with one member left is a conviction.
 * Supposes that each culprit's absence is enough by itself.
 */
export class Culprits {
  readonly #cases = new Map<string, Case>();

  #open(key: string): Case {
    const known = this.#cases.get(key);
    if (known !== undefined) return known;
    const opened = { cleared: new Set<string>(), suspects: [], convicted: new Set<string>() };
    this.#cases.set(key, opened);
    return opened;
  }

  /** It went well although `absent` were not there. */
  acquit(key: string, absent: Iterable<string>): void {
    const { cleared } = this.#open(key);
    for (const device of absent) cleared.add(device);
    this.#conclude(key);
  }

  /** It went wrong, and `absent` were not there. */
  accuse(key: string, absent: Iterable<string>): void {
    this.#open(key).suspects.push(new Set(absent));
    this.#conclude(key);
  }

  #conclude(key: string): void {
    const { cleared, suspects, convicted } = this.#open(key);
    for (const set of suspects) for (const device of cleared) set.delete(device);
    for (const set of suspects) {
      const [only] = set;
      if (set.size === 1 && only !== undefined) convicted.add(only);
    }
    // A set with a known culprit is explained; an empty one says that the blame lies elsewhere; a larger one adds nothing.
    const open = suspects.filter((set) => set.size > 1 && ![...set].some((device) => convicted.has(device)));
    const smallest = open.reduce<Set<string> | null>(
      (least, set) => (least === null || set.size < least.size ? set : least),
      null,
    );
    suspects.splice(0, suspects.length, ...(smallest === null ? [] : [smallest]));
  }

  convicted(key: string): string[] {
    return [...(this.#cases.get(key)?.convicted ?? [])];
  }

  isCleared(key: string, device: string): boolean {
    return this.#cases.get(key)?.cleared.has(device) ?? false;
  }

  /** Two or more devices of which at least one is to blame, or none when nothing is open. */
  suspects(key: string): string[] {
    return [...(this.#cases.get(key)?.suspects[0] ?? [])];
  }

  keys(): string[] {
    return [...this.#cases.keys()];
  }
}
