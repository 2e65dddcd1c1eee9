/** The board of cells that name none. */
export const DEFAULT_BOARD = 'small';

/** A device whose probe a matrix speaks of, and the driver that binds to it. */
export interface Subject {
  /** As the values of axes name it: `scm`. */
  readonly name: string;
  /** Path of its node. */
  readonly node: string;
  /**
   * Name of the device: parent and node name for a node without an address, unit address and name otherwise
   * (drivers/of/platform.c, of_device_make_bus_id).
   */
  readonly device: string;
  /** Name of the driver, as `driver_async_probe=` wants it. */
  readonly driver: string;
  /** Name of the driver's module, dashes folded to underscores. */
  readonly module: string;
  /** Kconfig option that brings the driver in, without `CONFIG_`. */
  readonly option: string;
  /**
   * For an option without a prompt: it becomes built in only where something built in selects it. `subject` does where
   * it is built in itself; `otherwise` is an option that does, too. Null for an option that can be set.
   */
  readonly selectedBy: { readonly subject: string; readonly otherwise: string } | null;
}

/** RAM that stands in for a register file, or for what the boot loader leaves in memory. */
export interface RegisterFile {
  readonly name: string;
  /** Device model whose reset image it holds (harness/devices). */
  readonly model: string;
  readonly address: number;
}

interface BoardFacts {
  /** As cells name it: a folder of boards/ or the path of one, or the name or path of a .dtb. */
  readonly name: string;
  /** Devices that matrices speak of, suppliers before their consumers. */
  readonly subjects: readonly Subject[];
  /** Node that the axis `node` moves among its siblings; null where that axis has no meaning. */
  readonly moves: string | null;
  /** Milliseconds that a boot takes on one core; only compared with those of other boards. */
  readonly bootMs: number;
}

/**
 * Where cells boot. `standin`: a tree of our own for QEMU's virt machine, with RAM in place of register files. `dtb`:
 * the compiled device tree of a real board, looked up and laid down on the virt machine by harness/board.
 */
export type Board =
  | (BoardFacts & {
      readonly kind: 'standin';
      /** Path of the device tree source. */
      readonly source: string;
      readonly registers: readonly RegisterFile[];
    })
  | (BoardFacts & {
      readonly kind: 'dtb';
      /** A path where it holds a `/`, else the name of one of the kernel's own. */
      readonly dtb: string;
    });

/** The file in a run's `shared` folder that holds the tree of a board, for reports: what a cell's tree differs from. */
export function boardTreeFile(name: string): `board-${string}.dtb` {
  return `board-${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.dtb`;
}
