import PQueue from 'p-queue';
import { resolveBoard } from '../boards/boards.ts';
import type { KernelResult } from '../kernel/artefact.ts';
import { buildKernel } from '../kernel/build.ts';
import { formatSource, kernelTitle, loadRecipe } from '../kernel/recipe.ts';
import type { Cell } from '../model/cell.ts';
import type { LifecycleListener } from './lifecycle.ts';
import type { RunRecord } from './record.ts';

type KernelName = Pick<Cell, 'kernel' | 'linkage' | 'board'>;

/** One entry for each kernel that the cells boot, in the order of the cells. */
export function kernelsOf<C extends KernelName>(cells: readonly C[]): C[] {
  return [...new Map(cells.map((cell) => [nameOf(cell), cell])).values()];
}

/** Boards with the same subjects have the same kernels. */
function nameOf({ kernel, linkage, board }: KernelName): string {
  return JSON.stringify([kernel, linkage, resolveBoard(board).subjects]);
}

interface KernelsOptions {
  readonly signal: AbortSignal;
  readonly listen: LifecycleListener;
}

/**
 * The kernels of a run, each taken from the cache or built once. Those of one source are built in its tree, one after
 * the other; those of different sources at the same time, as much of a small rebuild is work for one core:
 * configuration, links, symbol tables. One of them goes first (make.ts).
 */
export class Kernels {
  readonly #options: KernelsOptions;
  /** One for each source. */
  readonly #builds = new Map<string, PQueue>();
  readonly #results = new Map<string, Promise<KernelResult>>();
  readonly #finished: RunRecord['kernels'][number][] = [];
  #closed = false;

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
    const result = this.#queue(wanted).then((queue) => queue.add(() => this.#build(wanted)));
    this.#results.set(name, result);
    return result;
  }

  async #queue({ kernel }: KernelName): Promise<PQueue> {
    const source = formatSource((await loadRecipe(kernel)).source);
    const queue = this.#builds.get(source) ?? new PQueue({ concurrency: 1 });
    this.#builds.set(source, queue);
    return queue;
  }

  async #build({ kernel: recipe, linkage, board }: KernelName): Promise<KernelResult> {
    const { signal, listen } = this.#options;
    signal.throwIfAborted();
    // Asked for before, but its recipe was not read yet.
    if (this.#closed) throw new Error('no more kernels are built');
    const started = performance.now();
    let built = false;
    const subject = `${kernelTitle(recipe)} ${linkage}`;
    const result = await buildKernel({
      recipe,
      linkage,
      board,
      signal,
      onProgress: (progress) => {
        built ||= progress.phase === 'compiling';
        listen({ event: 'kernel-progress', kernel: subject, progress });
      },
    });
    signal.throwIfAborted();
    const wallMs = Math.round(performance.now() - started);
    const unbuildable = result.kind === 'unbuildable' ? result.reason : null;
    const log = result.kind === 'ready' ? result.log : null;
    this.#finished.push({ recipe, linkage, built, wallMs, unbuildable, log });
    listen({ event: 'kernel-finished', subject, built, wallMs, unbuildable });
    return result;
  }

  /** Starts no more builds and waits for those that go on. */
  async close(): Promise<void> {
    this.#closed = true;
    const queues = [...this.#builds.values()];
    for (const queue of queues) queue.clear();
    await Promise.all(queues.map((queue) => queue.onIdle()));
  }
}
