import type { Cell } from '../model/cell.ts';
import type { PlanStep } from '../model/plan.ts';

/* What is done to devices that are there: they are unbound and bound again, suspended, allowed to suspend. */

const SETTLE_MS = 1000;
const settle: PlanStep = { step: 'settle', ms: SETTLE_MS };

/** A device and the driver that bound it. */
export interface BoundDevice {
  readonly device: string;
  readonly driver: string;
}

function after(cell: Cell, steps: readonly PlanStep[]): Cell {
  return { ...cell, plan: [...cell.plan, settle, ...steps, settle] };
}

/**
 * A function that a kernel with /sys/power/pm_test has (kernel/power/main.c); without it a guest would suspend and stay
 * so.
 */
export const SUSPEND_TEST = 'pm_test_store';

/** System suspend as far as devices go, which needs CONFIG_PM_DEBUG (Documentation/power/basic-pm-debugging.rst). */
export function suspended(cell: Cell): Cell {
  return after(cell, [
    { step: 'write', path: '/sys/power/pm_test', value: 'devices' },
    { step: 'write', path: '/sys/power/state', value: 'mem' },
  ]);
}

/** Runtime PM is allowed for each device, as a distribution's rules do (Documentation/power/runtime_pm.rst, 4). */
export function allowedToSuspend(cell: Cell, devices: readonly string[]): Cell {
  return after(
    cell,
    devices.map((device): PlanStep => {
      const path = `/sys/bus/platform/devices/${device}/power/control`;
      return { step: 'write', path, value: 'auto' };
    }),
  );
}

/** All are unbound in this order and bound again in the reverse one. */
export function reboundInTurn(cell: Cell, bound: readonly BoundDevice[]): Cell {
  const unbind = bound.map((one): PlanStep => ({ step: 'unbind', ...one }));
  const bind = bound.toReversed().map((one): PlanStep => ({ step: 'bind', ...one }));
  return after(cell, [...unbind, settle, ...bind]);
}
