import type { Cell } from '../model/cell.ts';
import type { PlanStep } from '../model/plan.ts';

/* What is done to devices that are there: they are unbound and bound again, suspended, let go to sleep, shut down. */

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
  return after(cell, [{ step: 'suspend', test: 'devices' }]);
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

/** A device unbound and bound again at once. */
export function rebound({ device, driver }: BoundDevice): PlanStep[] {
  return [
    { step: 'unbind', driver, device },
    { step: 'bind', driver, device },
  ];
}

/** All are unbound in this order and bound again in the reverse one. */
export function reboundInTurn(cell: Cell, bound: readonly BoundDevice[]): Cell {
  return reboundAs(cell, bound, bound.toReversed());
}

/** Devices are unbound in one order and bound again in another. */
function reboundAs(cell: Cell, out: readonly BoundDevice[], back: readonly BoundDevice[]): Cell {
  const unbind = out.map((one): PlanStep => ({ step: 'unbind', ...one }));
  const bind = back.map((one): PlanStep => ({ step: 'bind', ...one }));
  return after(cell, [...unbind, settle, ...bind]);
}

/** Each device unbound and bound again alone; then every two, unbound in either order and bound again in either. */
export function rebindOrders(cell: Cell, bound: readonly BoundDevice[]): Cell[] {
  const pairs = bound.flatMap((one, at) => bound.slice(at + 1).map((other) => [one, other] as const));
  return [
    ...bound.map((one) => reboundInTurn(cell, [one])),
    ...pairs.flatMap(([one, other]) => {
      const orders = [
        [one, other],
        [other, one],
      ];
      return orders.flatMap((out) => orders.map((back) => reboundAs(cell, out, back)));
    }),
  ];
}

/** What a search does to the devices at the end of each boot, when they have been bound in the order that was asked. */
export interface AtTheEnd {
  /** A level of pm_test to suspend to, and resume. */
  readonly suspend: Extract<PlanStep, { readonly step: 'suspend' }>['test'] | null;
  /** A bus that looks for devices again. */
  readonly rescan: string | null;
  readonly end: 'shutdown' | 'reboot' | null;
}

export const NOTHING_AT_THE_END: AtTheEnd = { suspend: null, rescan: null, end: null };

/** `plan` with that done at its end. */
export function withEnd(plan: readonly PlanStep[], { suspend, rescan, end }: AtTheEnd): PlanStep[] {
  if (suspend === null && rescan === null && end === null) return [...plan];
  return [
    ...plan,
    settle,
    ...(rescan === null ? [] : [{ step: 'rescan', bus: rescan } as const, settle]),
    ...(suspend === null ? [] : [{ step: 'suspend', test: suspend } as const, settle]),
    ...(end === null ? [] : [{ step: end } as const]),
  ];
}
