import { resolveBoard } from '../board/boards.ts';
import { InputError } from '../errors.ts';
import { DEFAULT_BOARD } from '../model/board.ts';
import { type Cell, LINKAGES, type Linkage } from '../model/cell.ts';
import type { Gate } from '../model/gate.ts';
import type { PlanStep } from '../model/plan.ts';
import type { TreeEdit } from '../model/tree-edit.ts';
import { NOT_APPLICABLE } from './axes.ts';
import { type BoardDevice, FIRMWARE_NODE, SCM, SMMU } from './devices.ts';

/** What an `include` entry or a value of an axis of the file's own adds to a cell. */
export interface ExtraConditions {
  /** Words of the kernel command line. */
  readonly cmdline: readonly string[];
  readonly gates: readonly Gate[];
  readonly tree: readonly TreeEdit[];
  /** Devices watched beside the SCM and the SMMU. */
  readonly watch: readonly string[];
  /** Replaces the plan that the axes give; null keeps it. */
  readonly plan: readonly PlanStep[] | null;
}

/** The part of a cell that the kernel sees. */
export type Conditions = Pick<
  Cell,
  'kernel' | 'linkage' | 'board' | 'tree' | 'bootargs' | 'cpus' | 'shift' | 'gates' | 'plan' | 'watch'
>;

/**
 * How long, in virtual milliseconds, nothing may change before a boot counts as settled. A deferred device is retried
 * from a workqueue as soon as another device binds (drivers/base/dd.c, driver_deferred_probe_trigger), so this only
 * has to outlast one probe.
 */
const SETTLE_MS = 500;
/** How much longer than its delay a probe may take before the plan goes on without it. */
const WAIT_MARGIN_MS = 1000;

const DEVICES: Readonly<Record<string, BoardDevice>> = { scm: SCM, smmu: SMMU };

/**
 * Turns a cell's axis values into what is booted.
 *
 * @param cell name of the cell, for messages
 * @throws InputError when a value has no meaning next to the others: the boot would only repeat another cell's
 */
export function conditionsOf(
  cell: string,
  axes: ReadonlyMap<string, string>,
  extras: readonly ExtraConditions[],
): Conditions {
  const value = (axis: string) => {
    const found = axes.get(axis);
    return found === undefined || found === NOT_APPLICABLE ? null : found;
  };
  const meaningless = (axis: string, why: string) =>
    new InputError(
      `cell ${cell}: ${axis}: ${value(axis)} has no meaning ${why}`,
      `Exclude the combination, or give the axis ${axis} a \`when:\``,
    );
  const linkage = linkageOf(cell, value('linkage'));
  const modules = [
    ...(linkage === 'modules' || linkage === 'scm-module' ? [SCM] : []),
    ...(linkage === 'modules' || linkage === 'smmu-module' ? [SMMU] : []),
  ];
  const asynchronous = inOrder(value('async') === 'both' ? 'scm-smmu' : (value('async') ?? 'none'));
  const byParameter = value('async-by') === 'param';
  if (value('async-by') !== null && asynchronous.length === 0) {
    throw meaningless('async-by', 'where no probe is asynchronous');
  }
  if (byParameter && asynchronous.some((device) => !modules.includes(device))) {
    throw meaningless('async-by', 'for a driver that is built in: it has no module parameters');
  }
  if (value('load') !== null && modules.length < 2) throw meaningless('load', 'unless both drivers are modules');
  if (value('autoprobe') === 'off' && modules.length < 2) {
    throw meaningless('autoprobe', 'for a driver that is built in: it has probed before the guest can switch it off');
  }
  if (value('bind') !== null && value('autoprobe') !== 'off') {
    throw meaningless('bind', 'where the drivers probe by themselves');
  }

  const delay = Number(value('delay') ?? 0);
  const loads = modules.length < 2 ? modules : inOrder(value('load') ?? 'scm-smmu');
  const plan: PlanStep[] = [];
  if (value('autoprobe') === 'off') plan.push({ step: 'autoprobe', on: false });
  for (const device of loads) {
    // Parsed by the module loader itself, not by the driver (kernel/module/main.c, unknown_module_param_cb).
    const params = byParameter && asynchronous.includes(device) ? 'async_probe=1' : '';
    plan.push({ step: 'load', module: device.module, params });
  }
  if (value('autoprobe') === 'off') {
    // Both drivers set suppress_bind_attrs, so `bind` does not exist; drivers_probe does the same for one device.
    for (const device of inOrder(value('bind') ?? 'scm-smmu')) plan.push({ step: 'probe', device: device.device });
  }
  // Built-in drivers are done when the guest starts: kernel_init() waits for asynchronous probes (init/main.c).
  if (delay > 0 && modules.includes(SCM)) {
    plan.push({ step: 'wait', device: SCM.device, ms: delay + WAIT_MARGIN_MS });
  }
  plan.push({ step: 'settle', ms: SETTLE_MS });

  const node = value('node');
  const drivers = asynchronous.map((device) => device.driver).join(',');
  return {
    kernel: value('kernel') ?? '',
    linkage,
    board: resolveBoard(value('board') ?? DEFAULT_BOARD).name,
    tree: [
      ...(node === 'first' || node === 'last' ? [{ edit: 'move', node: FIRMWARE_NODE, to: node } as const] : []),
      ...extras.flatMap((extra) => extra.tree),
    ],
    bootargs: [
      // By the driver's name, built in or not (drivers/base/dd.c, driver_allows_async_probing).
      ...(drivers !== '' && !byParameter ? [`driver_async_probe=${drivers}`] : []),
      ...extras.flatMap((extra) => extra.cmdline),
    ],
    cpus: Number(value('cpus') ?? 1),
    shift: Number(value('shift') ?? DEFAULT_SHIFT),
    gates: [
      ...(delay > 0 ? [{ gate: 'delay', device: SCM.device, ms: delay } as const] : []),
      ...extras.flatMap((extra) => extra.gates),
    ],
    plan: extras.reduce<readonly PlanStep[]>((steps, extra) => extra.plan ?? steps, plan),
    watch: [...new Set([...DEFAULT_WATCH, ...extras.flatMap((extra) => extra.watch)])],
  };
}

/** 16 ns of virtual time an instruction. */
export const DEFAULT_SHIFT = 4;
export const DEFAULT_WATCH: readonly string[] = [SCM.device, SMMU.device];

/** `smmu-scm` as the devices in that order; words that name no device, such as `none`, give nothing. */
function inOrder(order: string): BoardDevice[] {
  return order.split('-').flatMap((name) => DEVICES[name] ?? []);
}

function linkageOf(cell: string, value: string | null): Linkage {
  const linkage = LINKAGES.find((known) => known === value);
  if (linkage === undefined)
    throw new InputError(`cell ${cell}: linkage has no value`, `Use one of ${LINKAGES.join(', ')}`);
  return linkage;
}
