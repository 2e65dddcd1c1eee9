import type { KernelProgress } from '../kernel/progress.ts';
import type { CellRecord } from './record.ts';

/** What happens in a run, in order of time, for whoever wants to tell the user about it while it goes on. */
export type LifecycleEvent =
  | { readonly event: 'run-started'; readonly cells: number; readonly workers: number; readonly kernels: number }
  | { readonly event: 'kernel-progress'; readonly progress: KernelProgress }
  | {
      readonly event: 'kernel-finished';
      /** Recipe and linkage. */
      readonly subject: string;
      /** False where the cache had it. */
      readonly built: boolean;
      readonly wallMs: number;
      /** Kconfig's reason where there can be no such kernel. */
      readonly unbuildable: string | null;
    }
  | { readonly event: 'cell-started'; readonly id: string }
  | { readonly event: 'cell-finished'; readonly cell: CellRecord }
  | { readonly event: 'run-finished' };

export type LifecycleListener = (event: LifecycleEvent) => void;
