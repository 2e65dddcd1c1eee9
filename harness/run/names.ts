import { devicesOf } from '../devicetree/devices.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { InputError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import type { Gate } from '../model/gate.ts';
import type { PlanStep } from '../model/plan.ts';
import { editDistance } from '../suggest.ts';

/** A name that is further from every known one is taken for a device that a driver creates, which no tree has. */
const TYPO_EDITS = 2;

/**
 * Refuses a device of the cell's gates, plan or watch list that its board's tree does not have and that looks like a
 * misspelt one of it.
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
    if (known.includes(device)) continue;
    const near = known.find((other) => editDistance(device, other) <= TYPO_EDITS);
    if (near !== undefined)
      throw new InputError(
        `cell ${cell.id}: there is no device ${device} on the ${cell.board} board, which ${place} names, did you mean ${near}?`,
      );
  }
}

function gateDevices(gate: Gate): string[] {
  return [
    ...('device' in gate && typeof gate.device === 'string' ? [gate.device] : []),
    ...('until' in gate && typeof gate.until === 'string' ? [gate.until] : []),
  ];
}

function stepDevices(step: PlanStep): string[] {
  return 'device' in step ? [step.device] : [];
}
