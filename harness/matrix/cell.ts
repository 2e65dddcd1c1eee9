/**
 * What one boot is made of. Everything that can change the outcome of a boot is in here or in the files
 * that the kernel recipe names, so that a cell can be replayed, cached, bisected and compared.
 */

/** Verdicts from best to worst: where several apply, the last one wins (DESIGN.md, Contracts). */
export const VERDICTS = [
  'bound',
  'deferred-then-bound',
  'stuck-deferred',
  'probe-failed',
  'module-rejected',
  'warning',
  'hang',
  'oops',
  'null-deref',
  'panic',
  'unbuildable',
  'infra-error',
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Which of the two drivers are built in and which are modules. */
export const LINKAGES = ['builtin', 'modules', 'smmu-module', 'scm-module'] as const;
export type Linkage = (typeof LINKAGES)[number];

/** One typed edit of the base device tree. Nodes are named by full path, `/firmware/scm`, or by `&label`. */
export type TreeEdit =
  | { readonly edit: 'move'; readonly node: string; readonly to: 'first' | 'last'; readonly parent?: string }
  | { readonly edit: 'delete'; readonly node: string }
  | { readonly edit: 'disable'; readonly node: string }
  | { readonly edit: 'set'; readonly node: string; readonly property: string; readonly value: PropertyValue }
  | { readonly edit: 'unset'; readonly node: string; readonly property: string };

/** Strings become a string list, numbers become 32-bit cells, `bytes` is raw hex, `true` is an empty property. */
export type PropertyValue = string | readonly string[] | readonly number[] | { readonly bytes: string } | true;

/** Order put on a boot without a change to the kernel; executed by the EL2 firmware (`firmware`). */
export type Gate =
  /** The probe of `device` sleeps `ms` of virtual time in msleep() at every attempt, before its driver's probe runs. */
  | { readonly gate: 'delay'; readonly device: string; readonly ms: number }
  /** The probe of `device` is held at its entry until the first probe of `until` was entered or has returned success. */
  | { readonly gate: 'hold'; readonly device: string; readonly until: string; readonly phase: 'entered' | 'finished' }
  /** Function `symbol` returns `value` at once. The symbol must be global or static but not inlined. */
  | { readonly gate: 'force'; readonly symbol: string; readonly value: number };

/** One step of what the guest's init does; executed in order. Times are milliseconds of virtual time. */
export type PlanStep =
  /** finit_module() of NAME (as in modinfo, dashes folded to underscores) with a parameter string. */
  | { readonly step: 'load'; readonly module: string; readonly params: string }
  | { readonly step: 'unload'; readonly module: string }
  /** /sys/bus/platform/drivers_autoprobe */
  | { readonly step: 'autoprobe'; readonly on: boolean }
  /** /sys/bus/platform/drivers_probe: bind one device by hand, also where the driver suppresses `bind`. */
  | { readonly step: 'probe'; readonly device: string }
  | { readonly step: 'bind'; readonly driver: string; readonly device: string }
  | { readonly step: 'unbind'; readonly driver: string; readonly device: string }
  | { readonly step: 'write'; readonly path: string; readonly value: string }
  /** Wait until `device` is bound, at most `ms`. */
  | { readonly step: 'wait'; readonly device: string; readonly ms: number }
  /** Wait until no probe is under way and the set of bound and deferred devices has not changed for `ms`. */
  | { readonly step: 'settle'; readonly ms: number }
  /** Report the addresses of these kernel symbols, for a kernel without its System.map. */
  | { readonly step: 'symbols'; readonly names: readonly string[] }
  /** A command loop on the guest's console, for a person; the plan goes on when it ends. */
  | { readonly step: 'shell' };

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

/** Which device tree of the stand-in SoC; soc/board.ts says what is on them. */
export const BOARD_NAMES = ['small', 'full'] as const;
export type BoardName = (typeof BOARD_NAMES)[number];

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
  readonly linkage: Linkage;
  readonly board: BoardName;
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
