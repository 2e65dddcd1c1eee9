import { type RunOptions, runCells } from '../harness/run/run.ts';

/** Options of a run of cells that tells nobody and remembers nothing. */
const QUIET: Omit<RunOptions, 'cells' | 'results'> = {
  workers: null,
  repeat: 1,
  becomesLatest: false,
  signal: new AbortController().signal,
  listen: () => {},
  knownIssues: [],
  useCache: false,
  useSnapshots: true,
  about: {
    harness: { version: 'test', commit: null },
    qemu: '',
    matrix: { file: '', hash: '', selection: [] },
    shard: null,
  },
};

/** Boots cells in a new folder under `results`, with snapshots and without the result cache unless `more` says otherwise. */
export function runQuietly(
  cells: RunOptions['cells'],
  results: string,
  more: Partial<RunOptions> = {},
): ReturnType<typeof runCells> {
  return runCells({ ...QUIET, ...more, cells, results });
}
