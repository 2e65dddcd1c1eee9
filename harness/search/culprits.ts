/**
 * One time that it went wrong: at least one of the absent devices is to blame, if any device that is asked about is.
 */
interface Suspicion {
  readonly absent: ReadonlySet<string>;
  readonly proven: boolean;
}

interface Case {
  /** Devices whose absence is known to do no harm. */
  readonly cleared: Set<string>;
  /** By their members, so that what repeats counts once. */
  readonly suspicions: Map<string, Suspicion>;
}

/**
 * Finds by elimination which absent devices make something go wrong: a crash, a deferral. Any boots serve, in any
 * order: when it went well the absent ones are cleared, when it went wrong one of them may be to blame. Supposes that
 * each culprit's absence is enough by itself. A verdict is revised when later boots clear a device.
 */
export class Culprits {
  readonly #cases = new Map<string, Case>();

  #open(key: string): Case {
    const known = this.#cases.get(key);
    if (known !== undefined) return known;
    const opened = { cleared: new Set<string>(), suspicions: new Map<string, Suspicion>() };
    this.#cases.set(key, opened);
    return opened;
  }

  /** It went well although `absent` were not there. */
  clear(key: string, absent: Iterable<string>): void {
    const { cleared } = this.#open(key);
    for (const device of absent) cleared.add(device);
  }

  /**
   * It went wrong, and `absent` were not there. `proven` where nothing else can be to blame; otherwise something that
   * nobody asks about may have been absent too, and it takes a proven suspicion of the same device to name it.
   */
  suspect(key: string, absent: readonly string[], proven: boolean): void {
    const { suspicions } = this.#open(key);
    const name = absent.toSorted().join(' ');
    suspicions.set(name, { absent: new Set(absent), proven: proven || (suspicions.get(name)?.proven ?? false) });
  }

  /** What is left of each suspicion, without the empty ones: there the blame lies elsewhere. */
  #remaining(key: string): { left: string[]; proven: boolean }[] {
    const found = this.#cases.get(key);
    if (found === undefined) return [];
    return [...found.suspicions.values()]
      .map(({ absent, proven }) => ({ left: [...absent].filter((device) => !found.cleared.has(device)), proven }))
      .filter(({ left }) => left.length > 0);
  }

  /** Devices whose absence is to blame, as far as the boots so far tell. */
  known(key: string): string[] {
    const remaining = this.#remaining(key);
    const alone = remaining.flatMap(({ left }) => (left.length === 1 ? left : []));
    return [...new Set(alone)].filter((device) =>
      remaining.some(({ left, proven }) => proven && left.includes(device)),
    );
  }

  isCleared(key: string, device: string): boolean {
    return this.#cases.get(key)?.cleared.has(device) ?? false;
  }

  /** The smallest proven set of two or more devices with a culprit among them that is not known, or none. */
  suspects(key: string): string[] {
    const known = new Set(this.known(key));
    const open = this.#remaining(key)
      .flatMap(({ left, proven }) => (proven ? [left] : []))
      .filter((left) => left.length > 1 && !left.some((device) => known.has(device)));
    return open.reduce<string[]>(
      (least, left) => (least.length === 0 || left.length < least.length ? left : least),
      [],
    );
  }

  keys(): string[] {
    return [...this.#cases.keys()];
  }
}
