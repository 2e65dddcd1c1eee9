import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheRoot, ensureFolder, readIfPresent, removeFolder, writeAtomic } from '../kernel/cache.ts';
import { type Lock, takeLock } from '../kernel/lock.ts';
import { type Observation, sightingSchema } from '../search/commits.ts';

const stateSchema = z.array(
  z.object({ commit: z.string(), sightings: z.array(sightingSchema).readonly(), seconds: z.number() }),
);

const STATE = 'observed.json';
const LOG = 'bisect.log';

/**
 * What a bisection has seen so far, in the cache. Each observation is written before git is told of it, as a whole or
 * not at all: a bisection that was killed at any moment is gone through again from its start, and what was seen is not
 * looked at twice.
 */
export class BisectState {
  readonly folder: string;
  readonly #lock: Lock;
  readonly #observed: Map<string, Observation>;

  private constructor(folder: string, lock: Lock, observed: readonly Observation[]) {
    this.folder = folder;
    this.#lock = lock;
    this.#observed = new Map(observed.map((one) => [one.commit, one]));
  }

  /** `identity`: everything that decides what the bisection sees; equal ones go on where the other stopped. */
  static async open(identity: unknown, onWait: () => void, signal: AbortSignal): Promise<BisectState> {
    const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
    const parent = await ensureFolder(join(cacheRoot(), 'bisect'));
    const folder = await ensureFolder(join(parent, key));
    // Beside the folder, which is removed at the end.
    const lock = await takeLock(`${folder}.lock`, onWait, signal);
    await ensureFolder(folder);
    const text = await readIfPresent(join(folder, STATE));
    return new BisectState(folder, lock, text === null ? [] : stateSchema.parse(JSON.parse(text)));
  }

  get observed(): readonly Observation[] {
    return [...this.#observed.values()];
  }

  of(commit: string): Observation | null {
    return this.#observed.get(commit) ?? null;
  }

  async add(observation: Observation): Promise<void> {
    this.#observed.set(observation.commit, observation);
    await writeAtomic(join(this.folder, STATE), JSON.stringify(this.observed));
  }

  /** Keeps `git bisect log` where a person finds it. */
  async keepLog(log: string): Promise<void> {
    await writeAtomic(join(this.folder, LOG), log);
  }

  /** The bisection has ended: the next one starts from kernels and boots in the cache. */
  async finish(): Promise<void> {
    await removeFolder(this.folder);
  }

  release(): Promise<void> {
    return this.#lock.release();
  }
}
