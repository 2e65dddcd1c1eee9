import { BOARD_RAM_PHYSICAL, type BoardPlan } from './board-plan.ts';

/** How a real board is laid down in QEMU's memory; addresses are QEMU's. */
export interface LaidBoard {
  readonly image: number;
  readonly deviceTree: number;
  readonly initramfs: number;
  readonly ramMib: number;
  readonly gicVersion: 2 | 3;
}

/** hw/arm/virt.c, base_memmap[VIRT_MEM]. */
const QEMU_RAM = 0x4000_0000;
const MIB = 1024 * 1024;

/** The machine that plays a board, and where in its memory the files go that the plan has a place for. */
export function laidBoard(plan: BoardPlan): LaidBoard {
  const physical = (address: number) => {
    const range = plan.ram.find((piece) => address >= piece.address && address < piece.address + piece.size);
    if (range === undefined) throw new RangeError(`0x${address.toString(16)} is not in the RAM of the board`);
    return range.physical + (address - range.address);
  };
  const end = Math.max(BOARD_RAM_PHYSICAL, ...plan.ram.map((piece) => piece.physical + piece.size));
  return {
    image: physical(plan.entry),
    deviceTree: physical(plan.deviceTree),
    initramfs: physical(plan.initramfs),
    ramMib: (end - QEMU_RAM) / MIB,
    gicVersion: plan.interruptController.version,
  };
}
