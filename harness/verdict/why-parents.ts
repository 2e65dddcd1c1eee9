import { type DeviceLife, newLife } from '../dmesg/lives.ts';
import { isOwnParent, type Names, supplierOf } from './why-names.ts';
import type { Found, MadeBy, Why } from './why-roots.ts';

/**
 * fw_devlink has a device wait for its supplier also where that is the one that makes it in its own probe, which it may
 * not wait for (drivers/base/core.c, up to 5.15; since bcbf94e4ba0c a driver may say so).
 */

/** Says of roots that they are the parents of all that waits for them, where nothing else is known of them. */
export function nameParents(roots: ReadonlyMap<string, Found>): void {
  for (const [name, root] of roots) {
    const { cause } = root;
    const isOpen = cause.cause === 'never-probed' || cause.cause === 'no-bus' || cause.cause === 'spoken-of';
    const own = [...root.waiting].filter(([, supplier]) => supplier === name);
    if (!isOpen || own.length === 0 || !own.every(([device]) => isOwnParent(device, name))) continue;
    root.cause = { cause: 'own-parent', driver: cause.cause === 'spoken-of' ? cause.driver : null };
  }
}

/** Parts what is bound since into what had waited for its own parent, and the rest. */
export function withoutMade(
  bound: Why['bound'],
  devices: ReadonlyMap<string, DeviceLife>,
  names: Names,
): Pick<Why, 'bound' | 'madeBy'> {
  const made = new Map<string, { parent: string; children: string[]; driver: string | null; line: number }>();
  const others = bound.filter(({ device, line }) => {
    const { reason, driver } = devices.get(device) ?? newLife(device, 'bound', line);
    const named = supplierOf(reason);
    const parent = named === null ? null : names.supplierOf(device, named);
    if (parent === null || !isOwnParent(device, parent)) return true;
    const key = `${parent}\n${driver}`;
    const known: MadeBy & { children: string[] } = made.get(key) ?? { parent, children: [], driver, line };
    known.children.push(device);
    made.set(key, known);
    return false;
  });
  return { bound: others, madeBy: [...made.values()] };
}
