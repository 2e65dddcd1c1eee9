import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll } from 'vitest';
import { z } from 'zod';
import { formatCellFile } from '../../harness/matrix/cell-file.ts';
import type { Cell } from '../../harness/model/cell.ts';
import { type CellRecord, cellRecordSchema } from '../../harness/run/record.ts';
import { aCell } from '../cells.ts';
import { bootrace } from './cli.ts';

/** What `--repeat` adds to the record. */
const repeatedSchema = z.object({
  repeat: z.number().default(1),
  flakes: z.array(z.unknown()).default([]),
});

interface CellBoot {
  readonly record: CellRecord;
  readonly repeated: z.infer<typeof repeatedSchema>;
  readonly exitCode: number | undefined;
}

/** Boots cells from files by `bootrace cell`, in a folder that lasts as long as the tests of the file. */
export function cellBooter(base: Pick<Cell, 'bootargs' | 'watch'>) {
  let folder: Awaited<ReturnType<typeof dir>>;
  let cells = 0;
  beforeAll(async () => {
    folder = await dir({ unsafeCleanup: true });
  });
  afterAll(() => folder.cleanup());
  return async (parts: Partial<Cell>, options: readonly string[] = []): Promise<CellBoot> => {
    const cell = aCell({
      id: `gates-${cells++}`,
      plan: [{ step: 'settle', ms: 500 }],
      ...base,
      ...parts,
    });
    const file = join(folder.path, `${cell.id}.yaml`);
    await writeFile(file, formatCellFile(cell));
    const results = join(folder.path, 'results');
    const { stdout, stderr, exitCode } = await bootrace(['cell', file, '--json', '--results', results, ...options]);
    if (stdout === '') throw new Error(stderr);
    const said: unknown = JSON.parse(stdout);
    return { record: cellRecordSchema.parse(said), repeated: repeatedSchema.parse(said), exitCode };
  };
}

/** What the gates did, in their order. */
export function gateVerbs(record: CellRecord): string[] {
  return record.gates.map(({ verb, subject }) => `${verb} ${subject}`);
}
