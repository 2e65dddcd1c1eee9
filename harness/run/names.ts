import { busesOf } from '../buses/buses.ts';
import { devicesOf } from '../devicetree/devices.ts';
import { findNode } from '../devicetree/lookup.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { InputError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { type Gate, type GatePlace, isPlaceGate, type Moment } from '../model/gate.ts';
import type { PlanStep } from '../model/plan.ts';
import { editDistance } from '../suggest.ts';

/** A name that is further from every known one is taken for a device that a driver creates, which no tree has. */
const TYPO_EDITS = 2;

/**
 * Refuses a device of the cell's gates, plan or watch list that its board's tree does not have and that looks like a
 * misspelt one of it, and a node that the tree does not have.
 * @throws InputError with the name that was meant
 */
export function checkDeviceNames(cell: Cell, tree: DeviceTree): void {
  const known = [...devicesOf(tree).keys()];
  const named = [
    ...cell.gates.flatMap(gateDevices).map((device) => ({ device, place: 'a gate' })),
    ...cell.plan.flatMap(stepDevices).map((device) => ({ device, place: 'a step of the plan' })),
    ...cell.watch.map((device) => ({ device, place: 'the watch list' })),
  ];
  for (const { device, place } of named) {
    if (known.includes(device) || isOfBus(device) || known.some((parent) => isChild(device, parent))) continue;
    if (device.startsWith('/')) {
      findNode(tree, device);
      continue;
    }
    const near = known.find((other) => editDistance(device, other) <= TYPO_EDITS);
    if (near !== undefined)
      throw new InputError(
        `cell ${cell.id}: ${place} names ${device}, which the ${cell.board} board does not have, did you mean ${near}?`,
      );
  }
}

/** Whether its bus numbers such a device: none is named so by its node. */
function isOfBus(device: string): boolean {
  return busesOf(device).every(({ names }) => names !== null);
}

/** Whether a driver has named it after the device that it lies in: `ae94000.dsi.0`, `5e080000.rsc:clock-controller`. */
function isChild(device: string, parent: string): boolean {
  return device.startsWith(`${parent}.`) || device.startsWith(`${parent}:`);
}

function gateDevices(gate: Gate): string[] {
  if (isPlaceGate(gate)) return [...named(gate.at), ...(gate.gate === 'hold' ? named(gate.until) : [])];
  if (gate.gate === 'force') return [];
  return gate.gate === 'hold' ? [gate.device, gate.until] : [gate.device];
}

function named(place: GatePlace | Moment): string[] {
  if ('probe' in place) return [place.probe];
  if ('entered' in place) return [place.entered];
  if ('finished' in place) return [place.finished];
  return 'entry' in place || 'return' in place ? [place.of ?? [], place.during ?? []].flat() : [];
}

function stepDevices(step: PlanStep): string[] {
  return 'device' in step ? [step.device] : [];
}
