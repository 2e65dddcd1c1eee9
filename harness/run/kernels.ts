import PQueue from 'p-queue';
import type { KernelResult } from '../kernel/artefact.ts';
import { buildKernel } from '../kernel/build.ts';
import { kernelTitle } from '../kernel/recipe.ts';
import type { Cell } from '../matrix/cell.ts';
import type { LifecycleListener } from './lifecycle.ts';
import type { RunRecord } from './record.ts';

type KernelName = Pick<Cell, 'kernel' | 'linkage'>;

/** One entry for each kernel that the cells boot, in the order of the cells. */
export function kernelsOf(cells: readonly KernelName[]): KernelName[] {
  return [...new Map(cells.map((cell) => [nameOf(cell), cell])).values()];
}

function nameOf({ kernel, linkage }: KernelName): string {
  return `${kernel} ${linkage}`;
}

interface KernelsOptions {
  readonly signal: AbortSignal;
  readonly listen: LifecycleListener;
}

/** The kernels of a run, each taken from the cache or built once. A build uses all cores, so that one after the other is as fast and takes less memory. */
export class Kernels {
  readonly #options: KernelsOptions;
  readonly #builds = new PQueue({ concurrency: 1 });
  readonly #results = new Map<string, Promise<KernelResult>>();
  readonly #finished: RunRecord['kernels'][number][] = [];

  constructor(options: KernelsOptions) {
    this.#options = options;
  }

  /** Kernels that were asked for so far, in the order in which they were ready. */
  get finished(): RunRecord['kernels'] {
    return [...this.#finished];
  }

  /** The kernel of a cell, built if need be. Throws what buildKernel() throws. */
  get(wanted: KernelName): Promise<KernelResult> {
    const name = nameOf(wanted);
    const known = this.#results.get(name);
    if (known !== undefined) return known;
    const result = this.#builds.add(() => this.#build(wanted));
    this.#results.set(name, result);
    return result;
  }

  async #build({ kernel: recipe, linkage }: KernelName): Promise<KernelResult> {
    const { signal, listen } = this.#options;
    signal.throwIfAborted();
    const started = performance.now();
    let built = false;
    const result = await buildKernel({
      recipe,
      linkage,
      signal,
      onProgress: (progress) => {
        built ||= progress.phase === 'compiling';
        listen({ event: 'kernel-progress', progress });
      },
    });
    signal.throwIfAborted();
    const wallMs = Math.round(performance.now() - started);
    const unbuildable = result.kind === 'unbuildable' ? result.reason : null;
    const log = result.kind === 'ready' ? result.log : null;
    this.#finished.push({ recipe, linkage, built, wallMs, unbuildable, log });
    listen({ event: 'kernel-finished', subject: `${kernelTitle(recipe)} ${linkage}`, built, wallMs, unbuildable });
    return result;
  }

  /** Starts no more builds and waits for the one that goes on. */
  async close(): Promise<void> {
    this.#builds.clear();
    await this.#builds.onIdle();
  }
}
