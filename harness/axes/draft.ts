import type { Board, Subject } from '../model/board.ts';
import type { Cell } from '../model/cell.ts';
import type { Gate } from '../model/gate.ts';
import type { PlanStep } from '../model/plan.ts';
import type { TreeEdit } from '../model/tree-edit.ts';

/** The part of a cell that the kernel sees. */
export type DraftedBoot = Pick<
  Cell,
  'kernel' | 'linkage' | 'board' | 'tree' | 'bootargs' | 'cpus' | 'shift' | 'gates' | 'plan' | 'watch'
>;

/** What a cell boots, while its axes are applied one after the other. */
export interface Draft {
  readonly board: Board;
  readonly kernel: string;
  readonly linkage: string;
  /** Subjects whose drivers are modules, in the order in which they are loaded. */
  readonly modules: readonly Subject[];
  /** Subjects whose probe is asynchronous, and who asked for that: the kernel command line, or a module parameter. */
  readonly asynchronous: readonly Subject[];
  readonly asyncBy: 'cmdline' | 'param';
  /** Subjects whose probe sleeps, and for how many milliseconds of virtual time. */
  readonly delays: readonly { readonly subject: Subject; readonly ms: number }[];
  readonly autoprobe: boolean;
  /**
   * Where autoprobe is off, which subjects are probed by hand in which order; null for each once, in the board's order.
   */
  readonly binds: readonly Subject[] | null;
  readonly tree: readonly TreeEdit[];
  /** Words of the kernel command line, beside those for asynchronous probes. */
  readonly bootargs: readonly string[];
  /** Gates beside those of `delays`. */
  readonly gates: readonly Gate[];
  /** QEMU `-smp`. */
  readonly cpus: number;
  /** QEMU `-icount shift=`. */
  readonly shift: number;
}

/** 16 ns of virtual time an instruction. */
export const DEFAULT_SHIFT = 4;

/**
 * How long, in virtual milliseconds, nothing may change before a boot counts as settled. A deferred device is retried
 * from a workqueue as soon as another device binds (drivers/base/dd.c, driver_deferred_probe_trigger), so this only
 * has to outlast one probe.
 */
const SETTLE_MS = 500;
/** How much longer than its delay a probe may take before the plan goes on without it. */
const WAIT_MARGIN_MS = 1000;

/** Nothing decided yet: what a cell is that gives no axis a value. */
export function emptyDraft(board: Board): Draft {
  return {
    board,
    kernel: '',
    linkage: 'builtin',
    modules: [],
    asynchronous: [],
    asyncBy: 'cmdline',
    delays: [],
    autoprobe: true,
    binds: null,
    tree: [],
    bootargs: [],
    gates: [],
    cpus: 1,
    shift: DEFAULT_SHIFT,
  };
}

/**
 * What is booted.
 *
 * The fields are taken out by name, and the compiler refuses a field that is left over, or taken out and not used: an
 * axis whose decision nobody reads would boot the same cell again and again.
 */
export function bootOfDraft(draft: Draft): DraftedBoot {
  const { board, kernel, linkage, tree, cpus, shift, gates, bootargs, delays, asynchronous, asyncBy, ...rest } = draft;
  const { modules, autoprobe, binds, ...unread } = rest;
  unread satisfies Readonly<Record<string, never>>;

  const plan: PlanStep[] = [];
  if (!autoprobe) plan.push({ step: 'autoprobe', on: false });
  for (const subject of modules) {
    // Parsed by the module loader itself, not by the driver (kernel/module/main.c, unknown_module_param_cb).
    const params = asyncBy === 'param' && asynchronous.includes(subject) ? 'async_probe=1' : '';
    plan.push({ step: 'load', module: subject.module, params });
  }
  // A driver may set suppress_bind_attrs, so that `bind` does not exist; drivers_probe does the same for one device.
  if (!autoprobe) for (const { device } of binds ?? board.subjects) plan.push({ step: 'probe', device });
  // Built-in drivers are done when the guest starts: kernel_init() waits for asynchronous probes (init/main.c).
  for (const { subject, ms } of delays) {
    if (modules.includes(subject)) plan.push({ step: 'wait', device: subject.device, ms: ms + WAIT_MARGIN_MS });
  }
  plan.push({ step: 'settle', ms: SETTLE_MS });

  // By the driver's name, built in or not (drivers/base/dd.c, driver_allows_async_probing).
  const drivers = asyncBy === 'param' ? [] : asynchronous.map(({ driver }) => driver);
  return {
    kernel,
    linkage,
    board: board.name,
    tree,
    bootargs: [...(drivers.length > 0 ? [`driver_async_probe=${drivers.join(',')}`] : []), ...bootargs],
    cpus,
    shift,
    gates: [...delays.map(({ subject, ms }) => ({ gate: 'delay', device: subject.device, ms }) as const), ...gates],
    plan,
    watch: board.subjects.map(({ device }) => device),
  };
}
