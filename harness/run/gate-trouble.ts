import { DRIVER_PREFIX } from '../buses/buses.ts';
import type { DeviceLife, DeviceState } from '../dmesg/lives.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import type { GateEvent } from '../firmware/gate-log.ts';
import type { Cell } from '../model/cell.ts';
import { type Gate, type GatePlace, isPlaceGate, placeText } from '../model/gate.ts';
import type { Verdict } from '../model/verdict.ts';
import { didYouMean } from '../suggest.ts';

/* What the gates of a boot did not do. */

/** Probe states of a device that a gate on it must have seen: its bus has called its driver's probe. */
const PROBED: ReadonlySet<DeviceState> = new Set<DeviceState>(['probing', 'bound', 'failed']);

/** Why the gates make a boot say nothing about the kernel, or null. */
export function gateTrouble(
  cell: Cell,
  summary: Pick<LogSummary, 'devices' | 'plan'>,
  gates: readonly GateEvent[],
): string | null {
  for (const gate of gates) {
    if (gate.verb !== 'timed-out') continue;
    const [phase = '', until = ''] = gate.detail.split(' ');
    const isAtomic = gates.some((other) => other.verb === 'atomic' && other.device === gate.device);
    const isModule = cell.gates.some((other) => isOfModule(other, until));
    const why = isAtomic
      ? 'it stands where the kernel must not sleep, so that nothing else ran on that CPU'
      : isModule
        ? `its load has not ${phase === 'entered' ? 'begun' : 'ended with success'}`
        : isSysfsName(until) && !/[()]|^step:/.test(until)
          ? whyShut(summary.devices.get(until), phase)
          : 'that has not happened';
    const never = `the gate that holds ${gate.device} until ${until} has ${phase} never opened`;
    return why === null ? never : `${never}: ${why}`;
  }
  // The link to its driver is there from before the probe on, so that sysfs shows it as bound.
  for (const [device, moment] of heldAtEnd(gates)) {
    if (cell.watch.includes(device) && summary.devices.get(device)?.state === 'bound')
      return `the plan was over while a gate still held ${device} until ${moment}`;
  }
  const unhit = [...unhitPlaces(cell, summary, gates), ...unhitDevices(cell, summary, gates)];
  return unhit.length === 0 ? null : unhit.join('; ');
}

/** Each gate at a function or the like that was never hit. */
function unhitPlaces(cell: Cell, { devices }: Pick<LogSummary, 'devices'>, gates: readonly GateEvent[]): string[] {
  const drivers = new Set([...devices.values()].flatMap(({ driver }) => driver ?? []));
  const acted = new Set(gates.flatMap((event) => ('device' in event ? [event.device] : [])));
  // One at a function of the shutdown acts only after the firmware has counted.
  return gates.flatMap((gate) => {
    if (gate.verb !== 'missed' || acted.has(gate.place) || isForced(cell, gate.place)) return [];
    const named = `${DRIVER_PREFIX}${gate.place}`;
    if (!cell.gates.some((one) => one.gate !== 'force' && heldBy(one) === named)) return [missedText(gate)];
    const known = drivers.has(gate.place)
      ? ''
      : `: no driver of that name probed a device${didYouMean(gate.place, drivers)}`;
    return [`the gate at ${named} was never hit${known}`];
  });
}

/** What a gate stands at, in words. */
function heldBy(gate: Exclude<Gate, { gate: 'force' }>): string {
  return isPlaceGate(gate) ? placeText(gate.at) : gate.device;
}

/** Each device with a gate that its probe should have hit, and did not. */
function unhitDevices(
  cell: Cell,
  summary: Pick<LogSummary, 'devices' | 'plan'>,
  gates: readonly GateEvent[],
): string[] {
  const acted = new Set(gates.flatMap((event) => ('device' in event ? [event.device] : [])));
  const devices = new Set(cell.gates.flatMap((gate) => ('device' in gate ? [gate.device] : [])));
  return [...devices].flatMap((device) => {
    if (!isSysfsName(device) || acted.has(device)) return [];
    const life = summary.devices.get(device);
    if (life === undefined && summary.plan === 'none') return [];
    if (life === undefined) return [`the gate on ${device} was never hit: no driver probed a device of that name`];
    if (!PROBED.has(life.state)) return [];
    return [`the gate on ${device} was never hit: its bus is not instrumented (harness/buses)`];
  });
}

/**
 * What the reason of a verdict has to add: forced functions that were never called and, where the boot did not come to
 * its end, gates that were never hit and calls that one still holds.
 */
export function gateRemarks(cell: Cell, gates: readonly GateEvent[], verdict: Verdict): string[] {
  const forced = uncalled(cell, gates);
  if (verdict !== 'hang') return forced;
  const unhit = cell.gates.flatMap((gate) => {
    if (gate.gate === 'force') return [];
    const place = heldBy(gate);
    // The log has the names of devices, not of their nodes and drivers.
    if (!isSysfsName(place)) return [];
    return gates.some((event) => 'device' in event && event.device === place)
      ? []
      : [`the gate at ${place} was not hit before that`];
  });
  const waits = [...heldAtEnd(gates)].map(([device, moment]) => `a gate holds ${device} until ${moment}`);
  return [...forced, ...unhit, ...waits];
}

/** What each device, function or module that is held when the log ends waits for. */
function heldAtEnd(gates: readonly GateEvent[]): Map<string, string> {
  const held = new Map<string, string>();
  for (const event of gates) {
    if (!('device' in event)) continue;
    const [phase = '', until = ''] = event.detail.split(' ');
    if (event.verb === 'held') held.set(event.device, `${until} has ${phase}`);
    else if (event.verb !== 'atomic') held.delete(event.device);
  }
  return held;
}

/** A device as sysfs names it, and not the path of a node or a driver. */
function isSysfsName(device: string): boolean {
  return !device.startsWith('/') && !device.startsWith(DRIVER_PREFIX);
}

function isForced(cell: Cell, place: string): boolean {
  return cell.gates.some((gate) => gate.gate === 'force' && placeText(forcedPlace(gate)) === place);
}

function forcedPlace(gate: Extract<Gate, { gate: 'force' }>): GatePlace {
  return 'at' in gate ? gate.at : { entry: gate.symbol };
}

function missedText({ place, calls, late }: Extract<GateEvent, { verb: 'missed' }>): string {
  const count = calls === 0 ? '' : ` (it saw ${calls} ${calls === 1 ? 'call' : 'calls'})`;
  const since = late ? ' after driver_init(), until which only the first gates of the list are there' : '';
  return `the gate at ${place} was never hit${since}${count}`;
}

/** Forced functions that were never called: they make no difference, which is not what was meant. */
function uncalled(cell: Cell, gates: readonly GateEvent[]): string[] {
  return cell.gates.flatMap((gate) => {
    if (gate.gate !== 'force') return [];
    const place = forcedPlace(gate);
    const name = 'entry' in place ? place.entry : 'return' in place ? place.return : '';
    if (gates.some((event) => event.verb === 'forced' && event.symbol === name)) return [];
    const missed = gates.find((event) => event.verb === 'missed' && event.place === placeText(place));
    return [missed?.verb === 'missed' ? missedText(missed) : `the gate at ${placeText(place)} was never hit`];
  });
}

/** Whether the gate waits for the load of a module of this name. */
function isOfModule(gate: Gate, module: string): boolean {
  if (gate.gate !== 'hold' || !isPlaceGate(gate)) return false;
  return (
    ('load' in gate.until && gate.until.load === module) || ('loaded' in gate.until && gate.until.loaded === module)
  );
}

/** What became of the device that a hold waited for in vain, where the log tells. */
function whyShut(life: DeviceLife | undefined, phase: string): string | null {
  if (life?.state === 'failed') return `its probe failed${life.error === null ? '' : ` with error ${-life.error}`}`;
  if (life === undefined || !(PROBED.has(life.state) || life.deferrals > 0))
    return 'no driver probed a device of that name';
  if (life.deferrals > 0) return `its probe was deferred${life.reason === null ? '' : ` (${life.reason})`}`;
  if (life.state === 'probing') return phase === 'finished' ? 'its probe has not returned' : null;
  return 'it was probed only when the hold timed out; a probe that is held and not asynchronous holds up all after it';
}
