/**
 * A function of the kernel image, or `module:function`; it must be global, or static and not inlined. `nth`: only that
 * call, from 1. `of`: only calls with this device, by its name in sysfs, among their first four arguments (or within
 * what one of them points to). `during`: only calls by the task that is in the probe of this device.
 */
interface Calls {
  readonly nth?: number;
  readonly of?: string;
  readonly during?: string;
}
export type FunctionPlace = (Calls & { readonly entry: string }) | (Calls & { readonly return: string });

/**
 * Devices are named as sysfs names them (`5f000000.iommu`, `0-0048`), by the full path of their node, or as
 * `driver=NAME`: whichever that driver probes.
 */
type DevicePlace = { readonly probe: string };

/** Where a gate stands: a call of a function, a device's probe, or a module that is about to run its init. */
export type GatePlace = FunctionPlace | DevicePlace | { readonly load: string };

/**
 * What a hold waits for: the first (or nth) such call, a device's probe, a module's load (begun, or over with success),
 * or the n-th step of the plan.
 */
export type Moment =
  | FunctionPlace
  | { readonly entered: string }
  | { readonly finished: string }
  | { readonly load: string }
  | { readonly loaded: string }
  | { readonly step: number };

/** Order put on a boot without a change to the kernel; executed by the EL2 firmware (`firmware`). */
export type Gate = DeviceGate | PlaceGate;

/** At a device's probe, and functions that are forced: the short forms, which most cells need. */
export type DeviceGate =
  /** The probe of `device` sleeps `ms` of virtual time in msleep() at every attempt, before its driver's probe runs. */
  | { readonly gate: 'delay'; readonly device: string; readonly ms: number }
  /**
   * The probe of `device` is held at its entry until the first probe of `until` was entered or has returned success.
   */
  | { readonly gate: 'hold'; readonly device: string; readonly until: string; readonly phase: 'entered' | 'finished' }
  /** Function `symbol` returns `value` at once. */
  | { readonly gate: 'force'; readonly symbol: string; readonly value: number };

/** The same anywhere. */
export type PlaceGate =
  /** Every call there takes `ms` longer. */
  | { readonly gate: 'delay'; readonly at: GatePlace; readonly ms: number }
  /** A call there is held until `until` has happened. */
  | { readonly gate: 'hold'; readonly at: GatePlace; readonly until: Moment }
  /**
   * At an entry the function returns `value` and does nothing else; at a return, `value` takes the place of what it
   * returns.
   */
  | { readonly gate: 'force'; readonly at: FunctionPlace; readonly value: number };

export function isPlaceGate(gate: Gate): gate is PlaceGate {
  return 'at' in gate;
}

/**
 * `name()` of a call's entry, `name():return`, a device, `load:MODULE`, `loaded:MODULE`, `step:N`: as the firmware's
 * log and messages say it.
 */
export function placeText(place: GatePlace | Moment): string {
  if ('entry' in place) return `${place.entry}()`;
  if ('return' in place) return `${place.return}():return`;
  if ('probe' in place) return place.probe;
  if ('entered' in place) return place.entered;
  if ('finished' in place) return place.finished;
  if ('load' in place) return place.load;
  return 'loaded' in place ? place.loaded : `step:${place.step}`;
}

/** Whether a gate is one of these in its short form, on a device or of a forced function. */
export function isShort<Kind extends DeviceGate['gate']>(
  gate: Gate,
  kind: Kind,
): gate is Extract<DeviceGate, { readonly gate: Kind }> {
  return gate.gate === kind && !isPlaceGate(gate);
}
