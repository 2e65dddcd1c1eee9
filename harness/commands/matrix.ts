import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { DEFAULT_MATRIX, loadMatrix } from '../matrix/load.ts';
import { listCells, selectCells } from '../matrix/select.ts';
import { qemuVersion } from '../qemu/version.ts';
import { wantsColour } from '../report/paint.ts';
import { renderProgress } from '../report/progress.ts';
import { formatTable } from '../report/table.ts';
import { harnessVersion } from '../run/about.ts';
import { exitCodeOf } from '../run/record.ts';
import { runCells } from '../run/run.ts';

interface MatrixOptions {
  readonly matrix?: string;
  readonly only?: readonly string[];
  readonly list?: true;
  readonly workers?: number;
  readonly repeat: number;
  readonly results: string;
  readonly json?: true;
}

/** `bootrace matrix`: returns the exit code. */
export async function matrix(options: MatrixOptions, signal: AbortSignal): Promise<number> {
  const file = options.matrix ?? DEFAULT_MATRIX;
  const selection = options.only ?? [];
  const cells = selectCells(await loadMatrix(file), selection);
  if (options.list === true) {
    process.stdout.write(listCells(cells));
    return 0;
  }
  const progress = renderProgress(process.stderr);
  try {
    const { run, folder } = await runCells({
      cells,
      workers: options.workers ?? null,
      repeat: options.repeat,
      results: options.results,
      signal,
      listen: progress.listen,
      knownIssues: [],
      becomesLatest: true,
      about: {
        harness: await harnessVersion(),
        qemu: await qemuVersion(),
        matrix: {
          file,
          hash: createHash('sha256')
            .update(await readFile(file))
            .digest('hex'),
          selection: [...selection],
        },
      },
    });
    progress.close();
    process.stdout.write(
      options.json === true
        ? `${JSON.stringify(run, null, 1)}\n`
        : formatTable(run, {
            width: process.stdout.columns ?? 120,
            colour: wantsColour(process.stdout.isTTY, process.env),
            folder: relative(process.cwd(), folder),
          }),
    );
    return exitCodeOf(run);
  } finally {
    progress.close();
  }
}
