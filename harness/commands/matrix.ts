import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { EXIT } from '../errors.ts';
import { DEFAULT_MATRIX, loadMatrix, loadPreview } from '../matrix/matrix-file.ts';
import { listCells, selectCells } from '../matrix/select.ts';
import { cellsOfShard, parseShard } from '../matrix/shard.ts';
import type { Cell } from '../model/cell.ts';
import { qemuVersion } from '../qemu/version.ts';
import { withProgress } from '../report/progress.ts';
import { parseReporter, writeReports } from '../report/reporters.ts';
import { harnessVersion } from '../run/about.ts';
import { Kernels, kernelsOf } from '../run/kernels.ts';
import { exitCodeOf } from '../run/record.ts';
import { runCells } from '../run/run.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { readKnownIssues } from '../terminal/known-issues.ts';
import { print, standardOutput, tell } from '../terminal/output.ts';
import type { MatrixOptions } from './matrix.options.ts';

/** `bootrace matrix`: returns the exit code. */
export async function matrix(options: MatrixOptions, signal: AbortSignal): Promise<number> {
  const file = options.matrix ?? DEFAULT_MATRIX;
  const selection = options.only ?? [];
  const shard = options.shard === undefined ? null : parseShard(options.shard);
  const requests = (options.reporter ?? [options.json === true ? 'json' : 'table']).map(parseReporter);
  const knownIssues = await readKnownIssues(options.knownIssues);
  const selected = selectCells(await loadMatrix(file), selection);
  const cells = shard === null ? selected : cellsOfShard(selected, shard);
  if (options.list === true) {
    print(listCells(cells));
    return 0;
  }
  await requireTools();
  if (options.buildOnly === true) return withProgress(({ listen }) => buildKernels(cells, { signal, listen }));
  const finished = await withProgress(async ({ listen }) =>
    runCells({
      cells,
      preview: shard === null ? await loadPreview(file) : null,
      workers: options.workers ?? null,
      repeat: options.repeat,
      results: options.results,
      signal,
      listen,
      knownIssues,
      useCache: options.cache,
      useSnapshots: options.snapshots && options.fork,
      ...(options.matrix === undefined ? {} : { replay: (cell: Cell) => [cell.id, '--matrix', file] }),
      becomesLatest: true,
      about: {
        harness: await harnessVersion(),
        qemu: await qemuVersion(),
        matrix: {
          file: relative(process.cwd(), file),
          hash: createHash('sha256')
            .update(await readFile(file))
            .digest('hex'),
          selection: [...selection],
        },
        shard,
      },
    }),
  );
  for (const written of await writeReports(requests, finished, standardOutput())) tell(`wrote ${written}\n`);
  return exitCodeOf(finished.run);
}

/** Fills the cache with the kernels of the cells, for shards that share it, and prints a line for each. */
async function buildKernels(
  cells: readonly Cell[],
  options: ConstructorParameters<typeof Kernels>[0],
): Promise<number> {
  const kernels = new Kernels(options);
  const build = async (wanted: Parameters<Kernels['get']>[0]) => {
    const result = await kernels.get(wanted);
    const what = result.kind === 'ready' ? result.release : 'unbuildable';
    print(`${wanted.kernel} ${wanted.linkage}: ${what}\n`);
  };
  try {
    await Promise.all(kernelsOf(cells).map(build));
  } finally {
    await kernels.close();
  }
  return EXIT.expected;
}
