import type { Gate } from './gate.ts';
import type { PlanStep } from './plan.ts';
import type { TreeEdit } from './tree-edit.ts';
import type { Verdict } from './verdict.ts';

/** Value of an axis that has no meaning for a cell: the load order of built-in drivers, for one. */
export const NOT_APPLICABLE = '-';

export interface Expectation {
  /** Any of these is as expected. */
  readonly verdicts: readonly Verdict[];
  /** Where given, the function that the crash is blamed on. */
  readonly function?: string;
  /** Where given, the virtual address of the fault, hexadecimal without leading zeros: `0x0`. */
  readonly address?: string;
  /** Why this is expected; shown next to a cell that differs. */
  readonly reason?: string;
}

/**
 * What one boot is made of. Everything that can change the outcome of a boot is in here or in the files
 * that the kernel recipe names, so that a cell can be replayed, cached, bisected and compared.
 */
export interface Cell {
  /** Stable name, made of the axis values: `[a-z0-9._+=-]+`. Never used as a path without a check. */
  readonly id: string;
  /** Row of the problem statement that the cell answers: `T8`. */
  readonly row: string | null;
  readonly claim: string | null;
  /** Axis values as the matrix file names them, in the file's order. */
  readonly axes: Readonly<Record<string, string>>;
  /** Recipe in kernel-configs/, or `debian-stock:6.1`, `image:PATH`. */
  readonly kernel: string;
  /**
   * Which of the drivers of the board's subjects are modules: `builtin`, `modules`, `smmu-module` (axes/linkage.ts).
   */
  readonly linkage: string;
  /** Folder of a board, or the name or path of a .dtb (harness/boards/boards.ts). */
  readonly board: string;
  readonly tree: readonly TreeEdit[];
  /** Words added to the kernel command line. */
  readonly bootargs: readonly string[];
  readonly cpus: number;
  /** QEMU `-icount shift=N`: one guest instruction takes 2^N ns of virtual time. Each value is another interleaving. */
  readonly shift: number;
  readonly gates: readonly Gate[];
  readonly plan: readonly PlanStep[];
  /** Devices whose binding decides between bound, deferred and stuck; by device name, `5f000000.iommu`. */
  readonly watch: readonly string[];
  readonly expect: Expectation;
}
