import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { plainCell } from '../../harness/axes/plain-cell.ts';
import { DEFAULT_MATRIX, loadMatrix } from '../../harness/matrix/matrix-file.ts';
import { selectCells } from '../../harness/matrix/select.ts';
import type { Cell } from '../../harness/model/cell.ts';
import type { RunRecord } from '../../harness/run/record.ts';
import { runQuietly } from '../runs.ts';
import { cellsAMinute, median, REPETITIONS, seconds } from './figures.ts';

interface Booted {
  readonly run: RunRecord;
  /** Paths of the scripts that boot the same guests by hand. */
  readonly scripts: readonly string[];
}

interface BootsOptions {
  readonly workers: number;
  readonly useSnapshots: boolean;
  readonly useCache?: boolean;
  readonly repeat?: number;
}

/** Boots cells and keeps their folders below `results`. */
async function boots(cells: readonly Cell[], results: string, options: BootsOptions): Promise<Booted> {
  const { run, folder } = await runQuietly(cells, results, options);
  const lost = run.cells.find(({ verdict }) => verdict === 'infra-error');
  if (lost !== undefined) throw new Error(`${lost.id}: ${lost.reason}`);
  return {
    run,
    scripts: run.cells.flatMap((cell) => (cell.folder === null ? [] : [join(folder, cell.folder, 'command.sh')])),
  };
}

/**
 * Milliseconds that a bare loop needs for the same QEMU command lines on the same number of workers. The guests end by themselves at the same point: they
 * power off, or panic with -no-reboot. Their consoles go nowhere, which is the least that a loop can do with them.
 */
async function bareLoop(scripts: readonly string[], workers: number): Promise<number> {
  const started = performance.now();
  await execa('xargs', ['-P', String(workers), '-n', '1', 'sh'], {
    input: scripts.join('\n'),
    stdout: 'ignore',
    stderr: 'ignore',
    reject: false,
  });
  return performance.now() - started;
}

/**
 * Harness and bare loop in turns, so that a machine that slows down slows both; the first round only warms the page cache. `rounds`: how many count; with
 * one there is no other, as the harness, which goes first, pays for the cold cache.
 */
export async function againstBareLoop(
  name: string,
  cells: readonly Cell[],
  { rounds = REPETITIONS, ...options }: BootsOptions & { readonly rounds?: number },
) {
  return withDir(
    async ({ path }) => {
      const harnessMs: number[] = [];
      const bareMs: number[] = [];
      let fromSnapshot = 0;
      for (let round = rounds === 1 ? 1 : 0; round <= rounds; round++) {
        const { run, scripts } = await boots(cells, path, options);
        fromSnapshot = run.cells.filter((cell) => cell.forked === true).length;
        const bare = await bareLoop(scripts, options.workers);
        if (round === 0) continue;
        harnessMs.push(run.wallMs.boots);
        bareMs.push(bare);
      }
      const speedup = median(bareMs.map((ms, n) => ms / (harnessMs[n] ?? Number.NaN)));
      console.log(
        `${name}: ${cells.length} cells, ${fromSnapshot} of them from a snapshot: ${seconds(median(harnessMs))} s, ${cellsAMinute(cells.length, harnessMs)} cells a minute; ` +
          `bare loop ${seconds(median(bareMs))} s, ${cellsAMinute(cells.length, bareMs)} cells a minute; ` +
          `harness / bare ${(1 / speedup).toFixed(3)}, ${speedup.toFixed(2)} times the cells a minute`,
      );
      return { cells: cells.length, fromSnapshot, workers: options.workers, harnessMs, bareMs, speedup };
    },
    { unsafeCleanup: true },
  );
}

/** A matrix that was run before, by the result cache. */
export async function fromCache(cells: readonly Cell[], workers: number) {
  return withDir(
    async ({ path }) => {
      await boots(cells, path, { workers, useSnapshots: true });
      const ms: number[] = [];
      for (let repetition = 0; repetition < REPETITIONS; repetition++)
        ms.push((await boots(cells, path, { workers, useSnapshots: true, useCache: true })).run.wallMs.boots);
      console.log(
        `cache: ${cells.length} cells in ${seconds(median(ms))} s, ${cellsAMinute(cells.length, ms)} cells a minute`,
      );
      return { cells: cells.length, ms };
    },
    { unsafeCleanup: true },
  );
}

/** How cells a minute grow with workers, and the largest guest of each run. */
export async function byWorkers(cells: readonly Cell[], most: number) {
  const rows: { workers: number; useSnapshots: boolean; ms: number; guestMib: number }[] = [];
  for (const useSnapshots of [false, true]) {
    for (let workers = 1; workers <= most; workers++) {
      await withDir(
        async ({ path }) => {
          const peak = watchGuests();
          const { run } = await boots(cells, path, { workers, useSnapshots });
          rows.push({ workers, useSnapshots, ms: run.wallMs.boots, guestMib: peak() });
        },
        { unsafeCleanup: true },
      );
    }
  }
  for (const { workers, useSnapshots, ms, guestMib } of rows)
    console.log(
      `workers: ${workers} ${useSnapshots ? 'with snapshots' : 'from reset'}: ${cellsAMinute(cells.length, [ms])} cells a minute, a guest's QEMU has at most ${guestMib} MiB`,
    );
  return rows;
}

const LOOK_MS = 20;

/** Watches this process's children until it is called: the largest resident size of one of them, in MiB (proc(5), VmHWM). */
function watchGuests(): () => number {
  let peakKib = 0;
  const look = () => {
    for (const task of readdirSync('/proc/self/task')) {
      try {
        for (const pid of readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' ')) {
          const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
          peakKib = Math.max(peakKib, Number(kib ?? 0));
        }
      } catch {
        // It has ended between two looks.
      }
    }
  };
  const looking = setInterval(look, LOOK_MS);
  return () => {
    clearInterval(looking);
    return Math.round(peakKib / 1024);
  };
}

async function baseCell(only: readonly string[]): Promise<Cell> {
  const [cell] = selectCells(await loadMatrix(DEFAULT_MATRIX), only);
  if (cell === undefined) throw new Error(`the default matrix has no cell for ${only.join(' ')}`);
  return cell;
}

/** Cells of the default matrix, built in and modules. */
export async function matrixCells(): Promise<readonly Cell[]> {
  return selectCells(await loadMatrix(DEFAULT_MATRIX), ['kernel=6.1,6.1-unfixed', 'linkage=builtin,modules']);
}

const SCM = 'firmware:scm';
const ASYNC = 'async_probe=1';

/** Orders of two modules: which of their probes is asynchronous, and how long the first one takes. */
export async function moduleCells(): Promise<readonly Cell[]> {
  const base = await baseCell(['kernel=6.1-unfixed', 'linkage=modules', 'async=none', 'delay=0', 'autoprobe=on']);
  const delays = Array.from({ length: 15 }, (_, n) => n * 500);
  const params = [
    ['', ''],
    [ASYNC, ''],
    ['', ASYNC],
    [ASYNC, ASYNC],
  ] as const;
  return params.flatMap(([scm, smmu], combination) =>
    delays.map((ms) => ({
      ...base,
      id: `bench-modules-${combination}-${ms}`,
      gates: ms === 0 ? [] : [{ gate: 'delay', device: SCM, ms } as const],
      plan: [
        { step: 'load', module: 'qcom_scm', params: scm },
        { step: 'load', module: 'arm_smmu', params: smmu },
        { step: 'settle', ms: 500 },
      ] as const,
    })),
  );
}

/** Three drivers that are modules in Debian's 6.1, and the device that each probes on the full board. */
const STOCK = [
  { module: 'nvmem_qfprom', device: '5e070000.qfprom' },
  { module: 'qcom_apcs_ipc_mailbox', device: '5e060000.mailbox' },
  { module: 'extcon_usb_gpio', device: 'extcon-usb' },
] as const;
const STOCK_ORDERS = 100;

function permutations<T>(items: readonly T[]): T[][] {
  return items.length === 0
    ? [[]]
    : items.flatMap((first) => permutations(items.filter((item) => item !== first)).map((rest) => [first, ...rest]));
}

/** A distribution's kernel in a hundred orders of three probes: each is held until the one before it has begun, or has finished, and the first takes its time. */
export async function stockCells(): Promise<readonly Cell[]> {
  const base = await baseCell(['kernel=6.1', 'linkage=builtin', 'async=none', 'delay=0']);
  const phases = ['entered', 'finished'] as const;
  const phasesOfTwo = phases.flatMap((a) => phases.map((b) => [a, b] as const));
  const delays = [0, 10, 50, 200, 1000];
  return permutations(STOCK.map(({ device }) => device))
    .flatMap((order) => phasesOfTwo.flatMap((phase) => delays.map((ms) => ({ order, phase, ms }))))
    .slice(0, STOCK_ORDERS)
    .map(({ order, phase, ms }, n) => ({
      ...base,
      id: `bench-stock-${n}`,
      kernel: 'debian-stock:6.1',
      board: 'full',
      tree: [],
      gates: [
        ...order.slice(0, 1).map((device) => ({ gate: 'delay', device, ms }) as const),
        ...order.slice(1).map((device, place) => ({
          gate: 'hold' as const,
          device,
          until: order[place] ?? device,
          phase: phase[place] ?? 'entered',
        })),
      ],
      plan: [
        ...STOCK.map(({ module }) => ({ step: 'load', module, params: ASYNC }) as const),
        { step: 'settle', ms: 500 },
      ],
      watch: [...order],
    }));
}

const DB845C = { board: 'sdm845-db845c.dtb', kernel: 'debian-stock:6.12' } as const;
/** Modules of Debian's that bind to devices of the DB845C and partly need each other's: memory, its lock, fuses and a PHY that reads them. */
const DB845C_MODULES = ['smem', 'qcom_hwspinlock', 'nvmem_qfprom', 'phy_qcom_qusb2', 'qcom_rng'];
const BOARD_ORDERS = 100;

/** Orders of module loads on a real board with its own device tree. */
export function boardCells(): readonly Cell[] {
  return permutations(DB845C_MODULES)
    .slice(0, BOARD_ORDERS)
    .map((order, n) => ({
      ...plainCell(`bench-board-${n}`, DB845C.kernel, { linkage: 'builtin' }),
      board: DB845C.board,
      plan: [...order.map((module) => ({ step: 'load', module, params: '' }) as const), { step: 'settle', ms: 500 }],
      watch: ['86000000.smem', '1f40000.hwlock'],
    }));
}

/** So many boots from snapshots are compared with boots from reset. */
const SAMPLE = 5;

/** Throws where a boot from reset says another byte than a boot of the same cell from a snapshot. */
export async function sameAsFromReset(cells: readonly Cell[], workers: number): Promise<void> {
  const step = Math.max(1, Math.floor(cells.length / SAMPLE));
  const sample = cells.filter((_, n) => n % step === 0);
  await withDir(
    async ({ path }) => {
      const shared = await boots(sample, path, { workers, useSnapshots: true });
      const resets = await boots(sample, path, { workers, useSnapshots: false });
      for (const [n, { id, consoleHash, forked }] of shared.run.cells.entries())
        if (consoleHash !== resets.run.cells[n]?.consoleHash)
          throw new Error(
            `${id}: ${forked === true ? 'the snapshot' : 'a boot'} does not say what a boot from reset says`,
          );
      const fromSnapshot = shared.run.cells.filter((cell) => cell.forked === true).length;
      console.log(
        `${sample.length} cells, ${fromSnapshot} of them from a snapshot, say byte for byte what boots from reset say`,
      );
    },
    { unsafeCleanup: true },
  );
}
