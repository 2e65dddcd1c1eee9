import { type DeviceLife, newLife } from '../dmesg/lives.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import { Names, supplierOf } from './why-names.ts';

/**
 * The driver of a device is called when all suppliers that the driver core has it wait for are bound
 * (device_links_check_suppliers() in really_probe(), drivers/base/dd.c): what it says proves that they are.
 */

/** The devices, with suppliers that are bound as what waited for them was probed. */
export function withProvenSuppliers(
  { links, heard, supplying, timeOverFrom, tellsProbes, inOrder }: LogSummary,
  devices: ReadonlyMap<string, DeviceLife>,
): ReadonlyMap<string, DeviceLife> {
  // Where the log has the word of each probe, what has none is not bound, and the wait for it is over.
  if (!inOrder || tellsProbes) return devices;
  return withConsumers({ links, heard, timeOverFrom }, withRegulators(supplying, devices));
}

/** A regulator's own name is as a rule that of its device, which may have the word for what it is besides. */
function nameOfRegulator(name: string): string {
  return name.toLowerCase().replaceAll(/regulator|[-_:]/g, '');
}

/** Regulators of their own, not of a chip's, that supply others or have their supply are bound. */
function withRegulators(
  supplying: LogSummary['supplying'],
  devices: ReadonlyMap<string, DeviceLife>,
): ReadonlyMap<string, DeviceLife> {
  if (supplying.size === 0) return devices;
  const lines = new Map([...supplying].map(([name, line]) => [nameOfRegulator(name), line]));
  return new Map(
    [...devices].map(([device, life]) => {
      const name = life.state === 'deferred' ? nameOfRegulator(device) : '';
      const line = name === '' ? 0 : (lines.get(name) ?? 0);
      return [device, line > life.line ? { ...life, state: 'bound', boundLine: line } : life] as const;
    }),
  );
}

function withConsumers(
  { links, heard, timeOverFrom }: Pick<LogSummary, 'links' | 'heard' | 'timeOverFrom'>,
  devices: ReadonlyMap<string, DeviceLife>,
): ReadonlyMap<string, DeviceLife> {
  const names = new Names(devices);
  /** When the time is over, suppliers without a driver hold nothing back: fw_devlink_drivers_done(), core.c. */
  const end = timeOverFrom ?? Number.POSITIVE_INFINITY;
  const suppliers = new Map<string, { readonly supplier: string; readonly line: number }[]>();
  const add = (consumer: string, supplier: string, line: number) => {
    const known = suppliers.get(consumer);
    if (known === undefined) suppliers.set(consumer, [{ supplier, line }]);
    else known.push({ supplier, line });
  };
  for (const { consumer, supplier, line } of links) add(consumer, supplier, line);
  for (const { device, by, reason, reasonLine, timedOut } of devices.values()) {
    const supplier = by === 'supplier' && !timedOut ? supplierOf(reason) : null;
    if (supplier !== null) add(device, names.supplierOf(device, supplier), reasonLine);
  }
  const all = new Map(devices);
  /** In which line the driver of each device is known to have been called last. */
  const probed = new Map<string, number>();
  for (const device of suppliers.keys()) {
    const line = Math.max(devices.get(device)?.boundLine ?? 0, heard.get(device)?.line ?? 0);
    if (line > 0) probed.set(device, line);
  }
  // The map grows while it is gone through.
  for (const [consumer, at] of probed) {
    for (const { supplier, line } of suppliers.get(consumer) ?? []) {
      if (supplier === consumer || line >= at || at >= end) continue;
      const life = all.get(supplier);
      const isOver = life === undefined || (life.state === 'deferred' && !life.pending && life.line < at);
      if (!isOver) continue;
      all.set(supplier, { ...(life ?? newLife(supplier, 'bound', at)), state: 'bound', boundLine: at });
      if (!probed.has(supplier)) probed.set(supplier, at);
    }
  }
  return all;
}
