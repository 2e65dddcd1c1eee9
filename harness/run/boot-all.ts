import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cell } from '../model/cell.ts';
import { CONSOLE_LOG } from './boot.ts';
import { kernelsOf } from './kernels.ts';
import type { LifecycleListener } from './lifecycle.ts';
import type { CellRecord, RunRecord } from './record.ts';
import { type Boot, type Repetition, recordOfBoots } from './repetitions.ts';
import type { RunFolder } from './results.ts';
import type { Runner } from './runner.ts';

/** What is asked of a runner. */
interface Booter extends Pick<Runner, 'expect'> {
  kernel(cell: Cell): Promise<unknown>;
  boot(cell: Cell, path: string): Promise<Pick<Boot, 'record'>>;
}

interface BootedCells extends Pick<RunRecord, 'flakes' | 'clockRaces'> {
  readonly records: CellRecord[];
  /** When the last kernel was ready (performance.now()). */
  readonly kernelsReady: number;
}

/** A console whose time stamps QEMU's race has put off, beside that of the boot that was made in its place. */
const RACED_LOG = 'console.raced.log';

/**
 * Boots each cell `repeat` times, as soon as its own kernel is there, and tells each that is decided. Throws what the
 * runner throws.
 */
export async function bootAll(
  cells: readonly Cell[],
  repeat: number,
  runner: Booter,
  folder: Pick<RunFolder, 'cell'>,
  listen: LifecycleListener,
): Promise<BootedCells> {
  const flakes: RunRecord['flakes'][number][] = [];
  const clockRaces: RunRecord['clockRaces'][number][] = [];
  runner.expect(cells);
  const kernels = Promise.all(inOrderOfUse(cells).map((cell) => runner.kernel(cell)));
  const ready = kernels.then(() => performance.now());
  const bootCell = async (cell: Cell) => {
    // A cell takes a worker only when its kernel is there.
    await runner.kernel(cell);
    const path = folder.cell(cell.id);
    const paths = Array.from({ length: repeat }, (_, n) => (n === 0 ? path : join(path, `repeat-${n + 1}`)));
    const told = await recordOfBoots(await Promise.all(paths.map((place) => repetition(cell, place, runner))));
    flakes.push(...told.flakes);
    clockRaces.push(...told.clockRaces);
    for (const { id, microseconds } of told.clockRaces) listen({ event: 'clock-race', id, microseconds });
    listen({ event: 'cell-finished', cell: told.record });
    return told.record;
  };
  const [kernelsReady, records] = await Promise.all([ready, Promise.all(cells.map(bootCell))]);
  return { records, flakes, clockRaces, kernelsReady };
}

async function repetition(cell: Cell, path: string, runner: Booter): Promise<Repetition> {
  const log = join(path, CONSOLE_LOG);
  const boot = async (kept: () => string): Promise<Boot> => {
    const { record } = await runner.boot(cell, path);
    // Without a kernel there is no console.
    return { record, console: () => (record.consoleHash === null ? Buffer.alloc(0) : readFileSync(kept())) };
  };
  let firstLog = log;
  return {
    boot: await boot(() => firstLog),
    async again() {
      firstLog = join(path, RACED_LOG);
      await rename(log, firstLog);
      return boot(() => log);
    },
  };
}

/** The kernels of most rows first: a reader waits for those. */
function inOrderOfUse(cells: readonly Cell[]): Cell[] {
  const rows = (wanted: Pick<Cell, 'kernel' | 'linkage'>) =>
    cells.filter(({ kernel, linkage, row }) => row !== null && kernel === wanted.kernel && linkage === wanted.linkage)
      .length;
  return kernelsOf(cells).sort((a, b) => rows(b) - rows(a));
}
