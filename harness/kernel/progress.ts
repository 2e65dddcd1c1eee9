/** What a long step of getting a kernel is doing; events come at most a few times a second. */
export interface KernelProgress {
  readonly phase: 'waiting' | 'downloading' | 'unpacking' | 'configuring' | 'compiling' | 'packing';
  /** What it is done to: a package, a recipe and linkage. */
  readonly subject: string;
  /** Objects made, or bytes; null where the step cannot be counted. */
  readonly done: number | null;
  /** Of how many, or null when that is not known. */
  readonly total: number | null;
  /** The total is what another build took. */
  readonly isRough: boolean;
  readonly secondsLeft: number | null;
}

/** A step that cannot be counted. */
export function uncounted(phase: KernelProgress['phase'], subject: string): KernelProgress {
  return { phase, subject, done: null, total: null, isRough: false, secondsLeft: null };
}

export type OnProgress = (progress: KernelProgress) => void;

const SHORTEST_INTERVAL_MS = 200;
/** Below this share of the work the time left cannot be told: the first objects are those of make's own tools. */
const SHARE_FOR_ESTIMATE = 0.1;

/**
 * Counts steps of one phase and reports them, with the time left, linear in the steps, where their number is known.
 */
export class StepCounter {
  readonly #report: OnProgress;
  readonly #phase: KernelProgress['phase'];
  readonly #subject: string;
  readonly #total: number | null;
  readonly #isRough: boolean;
  readonly #now: () => number;
  readonly #started: number;
  #reported = Number.NEGATIVE_INFINITY;
  #done = 0;

  constructor(
    parts: { phase: KernelProgress['phase']; subject: string; total: number | null; isRough: boolean },
    report: OnProgress,
    now: () => number = performance.now.bind(performance),
  ) {
    this.#phase = parts.phase;
    this.#subject = parts.subject;
    this.#total = parts.total;
    this.#isRough = parts.isRough;
    this.#report = report;
    this.#now = now;
    this.#started = now();
  }

  get done(): number {
    return this.#done;
  }

  advance(steps = 1): void {
    this.#done += steps;
    const now = this.#now();
    if (now - this.#reported < SHORTEST_INTERVAL_MS) return;
    this.#reported = now;
    // An estimate that turned out too low: say nothing about the end rather than something wrong.
    const total = this.#total !== null && this.#total >= this.#done ? this.#total : null;
    const share = total === null || this.#isRough ? 0 : this.#done / total;
    this.#report({
      phase: this.#phase,
      subject: this.#subject,
      done: this.#done,
      total,
      isRough: this.#isRough,
      secondsLeft: share < SHARE_FOR_ESTIMATE ? null : Math.round(((now - this.#started) * (1 - share)) / share / 1000),
    });
  }
}
