/** What a long step of getting a kernel is doing; events come at most a few times a second. */
export interface KernelProgress {
  readonly phase: 'waiting' | 'downloading' | 'unpacking' | 'configuring' | 'compiling' | 'packing';
  /** What it is done to: a package, a recipe and linkage. */
  readonly subject: string;
  /** Objects made, or bytes; null where the step cannot be counted. */
  readonly done: number | null;
  /** Of how many, or null when that is not known. */
  readonly total: number | null;
  readonly secondsLeft: number | null;
}

export type OnProgress = (progress: KernelProgress) => void;

const SHORTEST_INTERVAL_MS = 200;
/** Below this share of the work an estimate of the time left is noise. */
const SHARE_FOR_ESTIMATE = 0.03;

/** Counts steps of one phase and reports them with the time left, which is linear in the steps. */
export class StepCounter {
  readonly #report: OnProgress;
  readonly #phase: KernelProgress['phase'];
  readonly #subject: string;
  readonly #total: number | null;
  readonly #now: () => number;
  readonly #started: number;
  #reported = Number.NEGATIVE_INFINITY;
  #done = 0;

  constructor(
    parts: { phase: KernelProgress['phase']; subject: string; total: number | null },
    report: OnProgress,
    now: () => number = performance.now.bind(performance),
  ) {
    this.#phase = parts.phase;
    this.#subject = parts.subject;
    this.#total = parts.total;
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
    const share = total === null ? 0 : this.#done / total;
    this.#report({
      phase: this.#phase,
      subject: this.#subject,
      done: this.#done,
      total,
      secondsLeft: share < SHARE_FOR_ESTIMATE ? null : Math.round(((now - this.#started) * (1 - share)) / share / 1000),
    });
  }
}
