import type { KernelProgress } from '../kernel/progress.ts';
import type { CellRecord } from './record.ts';

/** What happens in a run, in order of time, for whoever wants to tell the user about it while it goes on. */
export type LifecycleEvent =
  | {
      readonly event: 'run-started';
      readonly cells: number;
      /** Boots of each cell. */
      readonly repeat: number;
      readonly workers: number;
      readonly kernels: number;
    }
  /** A search, which decides as it goes what it boots. */
  | { readonly event: 'search-started'; readonly workers: number; readonly mostBoots: number | null }
  /** `kernel`: recipe and linkage. */
  | { readonly event: 'kernel-progress'; readonly kernel: string; readonly progress: KernelProgress }
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
  | { readonly event: 'boot-started'; readonly id: string }
  | { readonly event: 'boot-finished'; readonly id: string }
  /** A boot was made once more, and agreed then: QEMU's clock alone had been off (run/repetitions.ts). */
  | { readonly event: 'clock-race'; readonly id: string; readonly microseconds: number }
  /** All boots of a cell of a run are done. */
  | { readonly event: 'cell-finished'; readonly cell: CellRecord }
  /** A boot of a kernel that needs no compiler, while the run's own are compiled; not a cell of the run. */
  | { readonly event: 'preview-finished'; readonly cell: CellRecord }
  /** It could not be booted, or came to something that says nothing. */
  | { readonly event: 'preview-missed'; readonly id: string; readonly why: string }
  | { readonly event: 'run-finished' };

export type LifecycleListener = (event: LifecycleEvent) => void;
