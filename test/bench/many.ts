/** Very many cells in one run: what the harness needs for them, and what is left of it. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDir } from 'tmp-promise';
import { plainCell } from '../../harness/axes/plain-cell.ts';
import type { Cell } from '../../harness/model/cell.ts';
import type { PlanStep } from '../../harness/model/plan.ts';
import { qemuChildren } from '../children.ts';
import { runQuietly } from '../runs.ts';

const MIB = 1024 * 1024;
const SAMPLE_MS = 100;
/** A socket that was closed is gone when the event loop has been round. */
const SETTLE_MS = 200;
const SHARED_MEMORY = '/dev/shm';

export interface ManyCells {
  readonly cells: number;
  readonly fromSnapshot: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly wallMs: number;
  /** Of the harness itself, in MiB. */
  readonly residentMb: { readonly before: number; readonly most: number; readonly after: number };
  readonly most: { readonly descriptors: number; readonly guests: number };
  readonly left: {
    /** More open descriptors than before. */
    readonly descriptors: number;
    readonly guests: number;
    /** New names in shared memory and in the folder of temporary files. */
    readonly files: readonly string[];
  };
}

/** Different plans of one kernel, each another boot: four load orders with as many times to settle as it takes. */
function manyCells(count: number): Cell[] {
  const load = (module: string, params = ''): PlanStep => ({ step: 'load', module, params });
  const orders = [
    [load('qcom_scm'), load('arm_smmu')],
    [load('arm_smmu'), load('qcom_scm')],
    [load('qcom_scm', 'async_probe=1'), load('arm_smmu', 'async_probe=1')],
    [load('qcom_scm')],
  ];
  const FIRST_MS = 500;
  return Array.from({ length: count }, (_, n) => ({
    ...plainCell(`many-${n}`, '6.1', { linkage: 'modules' }),
    plan: [...(orders[n % orders.length] ?? []), { step: 'settle', ms: FIRST_MS + n }],
    expect: { verdicts: ['bound', 'module-rejected', 'probe-failed'] },
  }));
}

const descriptors = () => readdirSync('/proc/self/fd').length;
const temporary = () =>
  [SHARED_MEMORY, tmpdir()].flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`));
const resident = () => process.memoryUsage.rss() / MIB;

/** Boots so many cells in one run, with a temporary folder of its own: other processes use the machine's as well. */
export async function bootMany(count: number): Promise<ManyCells> {
  const usual = process.env.TMPDIR;
  return withDir(
    async ({ path }) => {
      process.env.TMPDIR = path;
      try {
        return await measured(count);
      } finally {
        if (usual === undefined) delete process.env.TMPDIR;
        else process.env.TMPDIR = usual;
      }
    },
    { unsafeCleanup: true },
  );
}

async function measured(count: number): Promise<ManyCells> {
  const before = { descriptors: descriptors(), files: new Set(temporary()), resident: resident() };
  const most = { resident: before.resident, descriptors: before.descriptors, guests: 0 };
  const sampling = setInterval(() => {
    most.resident = Math.max(most.resident, resident());
    most.descriptors = Math.max(most.descriptors, descriptors());
    most.guests = Math.max(most.guests, qemuChildren().length);
  }, SAMPLE_MS);
  const run = await withDir(
    async ({ path }) => {
      const finished = await runQuietly(manyCells(count), path);
      return finished.run;
    },
    { unsafeCleanup: true },
  );
  clearInterval(sampling);
  await sleep(SETTLE_MS);
  const verdicts: Record<string, number> = {};
  for (const { verdict } of run.cells) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  return {
    cells: run.cells.length,
    fromSnapshot: run.cells.filter(({ forked }) => forked === true).length,
    verdicts,
    wallMs: run.wallMs.boots,
    residentMb: { before: before.resident, most: most.resident, after: resident() },
    most: { descriptors: most.descriptors, guests: most.guests },
    left: {
      descriptors: descriptors() - before.descriptors,
      guests: qemuChildren().length,
      files: temporary().filter((name) => !before.files.has(name)),
    },
  };
}
