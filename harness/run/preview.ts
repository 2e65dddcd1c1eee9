import { join } from 'node:path';
import { KnownError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import type { LifecycleEvent } from './lifecycle.ts';
import type { RunFolder } from './results.ts';
import { Runner, type RunnerOptions } from './runner.ts';

/**
 * A boot that answers while the run's first kernel is compiled, so that there is something to see. What keeps it from
 * doing so is told and keeps nothing else.
 */
export class Preview {
  readonly #cell: Cell | null;
  readonly #options: Omit<RunnerOptions, 'folder' | 'workers'>;
  readonly #folder: RunFolder;
  readonly #ended = new AbortController();
  #boot: Promise<void> | null = null;

  constructor(cell: Cell | null, options: Omit<RunnerOptions, 'folder' | 'workers'>, folder: RunFolder) {
    this.#cell = cell;
    this.#options = options;
    this.#folder = folder;
  }

  /** Begins at the first sign that a kernel is not in the cache. */
  listen(event: LifecycleEvent): void {
    if (event.event !== 'kernel-progress' || this.#cell === null || this.#boot !== null) return;
    this.#boot = this.#ask(this.#cell);
    // Told by close(), not before.
    this.#boot.catch(() => {});
  }

  async #ask(cell: Cell): Promise<void> {
    const signal = AbortSignal.any([this.#options.signal, this.#ended.signal]);
    // Files that its guest reads are not to be written by the run's own runner meanwhile.
    const folder = { ...this.#folder, shared: join(this.#folder.shared, 'preview') };
    try {
      const runner = await Runner.open({ ...this.#options, workers: 1, folder, signal, listen: () => {} });
      try {
        const { record } = await runner.boot(cell, join(folder.shared, 'cell'));
        if (signal.aborted) return;
        // Without the package, or with another one than it was written for, it has no answer.
        this.#options.listen(
          record.asExpected
            ? { event: 'preview-finished', cell: record }
            : { event: 'preview-missed', id: cell.id, why: record.reason },
        );
      } finally {
        await runner.close();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof KnownError)) throw error;
      this.#options.listen({ event: 'preview-missed', id: cell.id, why: error.message });
    }
  }

  /** Ends the boot where it still goes on: by then there are better answers. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#boot;
  }
}
