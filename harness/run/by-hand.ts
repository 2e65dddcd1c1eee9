import { join, resolve } from 'node:path';
import type { KernelArtefact, KernelResult } from '../kernel/artefact.ts';
import { buildKernel } from '../kernel/build.ts';
import { cacheRoot } from '../kernel/cache.ts';
import type { OnProgress } from '../kernel/progress.ts';
import type { Cell } from '../model/cell.ts';
import { type GuestWords, qemuArguments, renameFiles } from '../qemu/command.ts';
import { qemuVersion } from '../qemu/version.ts';
import { openCommonFiles } from './common-files.ts';
import { prepareCell } from './prepare.ts';
import { BY_HAND, cellFolder } from './results.ts';
import { symbolsOf } from './symbols.ts';

interface ByHandOptions {
  /** Folder of all runs; what is prepared stays in it. */
  readonly results: string;
  /** The plan ends with a shell on the console. */
  readonly isInteractive: boolean;
  /** TCP port on which QEMU waits for a debugger; null for none. */
  readonly debugPort: number | null;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** A guest that is ready to be started on the user's terminal. */
export interface GuestByHand {
  readonly kernel: KernelArtefact;
  /** QEMU's words. */
  readonly words: GuestWords;
  readonly folder: string;
}

/**
 * Prepares a cell's files in a folder of their own, for a guest that is left to the user. Throws what buildKernel() and
 * prepareCell() throw.
 */
export async function prepareByHand(
  cell: Cell,
  { results, isInteractive, debugPort, signal, onProgress }: ByHandOptions,
): Promise<GuestByHand | { readonly kernel: Extract<KernelResult, { readonly kind: 'unbuildable' }> }> {
  await qemuVersion();
  const { kernel: recipe, linkage, board } = cell;
  const kernel = await buildKernel({ recipe, linkage, board, signal, onProgress });
  if (kernel.kind === 'unbuildable') return { kernel };
  const own = resolve(results, BY_HAND);
  const shared = join(own, 'shared');
  const common = await openCommonFiles(shared, cacheRoot());
  const symbols = await symbolsOf(cell, kernel);
  const plan = isInteractive ? [...cell.plan, { step: 'shell' } as const] : cell.plan;
  const folder = join(own, 'cells', cellFolder(cell.id));
  const { files, machine } = await prepareCell({ ...cell, plan }, kernel, symbols, common, folder);
  return {
    kernel,
    words: (rename) =>
      qemuArguments(renameFiles({ ...files, firmwareLog: '/dev/null' }, rename), machine, {
        console: isInteractive ? 'terminal' : 'output',
        debugPort,
      }),
    folder,
  };
}
