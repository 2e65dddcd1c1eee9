import type { Cell } from '../model/cell.ts';
import type { Boot, Outcome } from './outcome.ts';

interface BootMemory {
  readonly boot: Boot;
  /** Distinct boots so far. */
  readonly boots: () => number;
  /** The driver that any boot so far named for a device: a crash may come before the log names it. */
  readonly driverOf: (device: string) => string | null;
}

/** Boots are repeatable, so a cell asked for twice is booted once. */
export function rememberBoots(boot: Boot): BootMemory {
  const known = new Map<string, Promise<Outcome>>();
  const drivers = new Map<string, string>();
  return {
    boot: async (cell) => {
      const key = contentKey(cell);
      // Boots that run at the same time leave their files in different folders.
      const pending = known.get(key) ?? boot(known.size === 0 ? cell : { ...cell, id: `${cell.id}-${known.size + 1}` });
      known.set(key, pending);
      const outcome = await pending;
      for (const event of outcome.events) {
        if ('device' in event && event.driver !== null) drivers.set(event.device, event.driver);
      }
      return outcome;
    },
    boots: () => known.size,
    driverOf: (device) => drivers.get(device) ?? null,
  };
}

/** Everything that can change a boot; the name, the row and the expectation of a cell cannot. */
export function contentKey(cell: Cell): string {
  const { kernel, linkage, board, tree, bootargs, cpus, shift, gates, plan, watch } = cell;
  return JSON.stringify([kernel, linkage, board, tree, bootargs, cpus, shift, gates, plan, watch]);
}
