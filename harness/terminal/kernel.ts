import { InputError } from '../errors.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { buildKernel } from '../kernel/build.ts';
import { withProgress } from '../report/progress.ts';

/**
 * The kernel that `--kernel` names for a verb that boots none, with progress while it is fetched or built.
 * Throws {@link InputError} for one that cannot be built.
 * @param board whose subjects the kernel's linkage speaks of; null: of those of the default board
 */
export async function kernelNamed(recipe: string, board: string | null, signal: AbortSignal): Promise<KernelArtefact> {
  const kernel = await withProgress((progress) =>
    buildKernel({
      recipe,
      linkage: 'builtin',
      ...(board === null ? {} : { board }),
      signal,
      onProgress: (event) => progress.listen({ event: 'kernel-progress', kernel: recipe, progress: event }),
    }),
  );
  if (kernel.kind === 'unbuildable') throw new InputError(`kernel ${recipe}: ${kernel.reason}`);
  return kernel;
}
