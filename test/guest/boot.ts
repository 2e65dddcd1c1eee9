import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import type { KernelArtefact } from '../../harness/kernel/artefact.ts';
import { buildKernel } from '../../harness/kernel/build.ts';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import type { Cell } from '../../harness/model/cell.ts';
import { boot } from '../../harness/run/boot.ts';
import { openCommonFiles } from '../../harness/run/common-files.ts';
import { prepareCell } from '../../harness/run/prepare.ts';
import { symbolsOf } from '../../harness/run/symbols.ts';

/** Time for a kernel that is not in the cache yet. */
export const FIRST_BUILD_MS = 900_000;
/** Two boots on a machine that is busy with other tests. */
export const BOOTS_MS = 120_000;

export const SCM = 'firmware:scm';
export const SMMU = '5f000000.iommu';

type Order = Partial<Pick<Cell, 'plan' | 'gates' | 'bootargs'>>;

/** A kernel whose two drivers are modules, ready to be booted with any plan. */
export interface GuestRoom {
  readonly kernel: KernelArtefact;
  /** Boots and returns the console. `damage` replaces the encoded plan. */
  readonly boot: (order: Order, damage?: Uint8Array) => Promise<string>;
  readonly close: () => Promise<void>;
}

export async function openGuestRoom(recipe: string): Promise<GuestRoom> {
  const folder = await dir({ unsafeCleanup: true });
  const common = await openCommonFiles(join(folder.path, 'shared'), cacheRoot());
  const kernel = await buildKernel({ recipe, linkage: 'modules' });
  if (kernel.kind !== 'ready') throw new Error(kernel.reason);
  const { signal } = new AbortController();
  let boots = 0;
  return {
    kernel,
    close: folder.cleanup,
    boot: async ({ plan = [], gates = [], bootargs = [] }, damage) => {
      const cell: Cell = {
        id: 'guest',
        row: null,
        claim: null,
        axes: {},
        kernel: recipe,
        linkage: 'modules',
        board: 'small',
        tree: [],
        bootargs,
        cpus: 1,
        shift: 4,
        gates,
        plan,
        watch: [SCM, SMMU, 'nonesuch'],
        expect: { verdicts: ['bound'] },
      };
      const own = join(folder.path, `boot-${boots++}`);
      const symbols = await symbolsOf(cell, kernel);
      const prepared = await prepareCell(cell, kernel, symbols, common, own);
      const undamaged = await readFile(prepared.files.plan);
      if (damage !== undefined) await writeFile(prepared.files.plan, damage);
      const { console } = await boot(prepared, { signal });
      // Other boots may have the same plan.
      await writeFile(prepared.files.plan, undamaged);
      return console.toString('latin1');
    },
  };
}

/** What the init said, without time stamps. */
export function said(console: string): string[] {
  return [...console.matchAll(/\] bootrace: (.*?)\r?\n/g)].map((match) => match[1] ?? '');
}
