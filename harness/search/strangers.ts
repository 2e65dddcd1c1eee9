import type { Cell } from '../model/cell.ts';
import { causeOf } from './cause.ts';
import type { Stranger } from './exploration.ts';
import type { Outcome } from './outcome.ts';

/**
 * Devices that crashed without being asked about. Each is told once and taken out, as its crash hides what is asked.
 */
export class Strangers {
  readonly #devices: readonly string[];
  readonly #nodeOf: (device: string) => string | null;
  /** Nodes of the devices that are searched. */
  readonly #nodes: readonly string[];
  readonly #known = new Map<string, Stranger>();

  constructor(devices: readonly string[], nodeOf: (device: string) => string | null) {
    this.#devices = devices;
    this.#nodeOf = nodeOf;
    this.#nodes = devices.flatMap((device) => nodeOf(device) ?? []);
  }

  get all(): Stranger[] {
    return [...this.#known.values()];
  }

  /** The device that crashed in a boot of `cell`, where it is neither asked about, nor below one that is, nor known. */
  in(cell: Cell, outcome: Outcome): string | null {
    if (outcome.signature === null) return null;
    const { probing } = causeOf(outcome, this.#devices, cell.gates);
    if (probing === null || this.#devices.includes(probing.device) || this.#known.has(probing.device)) return null;
    const node = this.#nodeOf(probing.device);
    const isBelow = node !== null && this.#nodes.some((target) => node.startsWith(`${target}/`));
    return isBelow ? null : probing.device;
  }

  /** Disables the node of a device from now on; false, with the reason kept, where that cannot be done. */
  disable(device: string, signature: string): boolean {
    const node = this.#nodeOf(device);
    if (node === null) return this.keep(device, signature, 'no node of the device tree makes it');
    if (this.#nodes.some((target) => target.startsWith(`${node}/`)))
      return this.keep(device, signature, 'devices that are searched are below it');
    this.#known.set(device, { device, signature, disabled: node, kept: null, warns: false });
    return true;
  }

  /** Leaves a device where it is, and says why. Always false. */
  keep(device: string, signature: string, why: string): false {
    this.#known.set(device, { device, signature, disabled: null, kept: why, warns: false });
    return false;
  }

  /** Tells of a device that only warned. */
  tell(device: string, signature: string): void {
    this.#known.set(device, { device, signature, disabled: null, kept: null, warns: true });
  }

  isKnown(device: string): boolean {
    return this.#known.has(device);
  }

  /** `cell` without the devices that are taken out. */
  leaveOut(cell: Cell): Cell {
    const edits = this.all.flatMap(({ disabled }) =>
      disabled === null ? [] : [{ edit: 'disable', node: disabled } as const],
    );
    return edits.length === 0 ? cell : { ...cell, tree: [...cell.tree, ...edits] };
  }
}
