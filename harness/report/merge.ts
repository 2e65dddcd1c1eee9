import { InputError } from '../errors.ts';
import { commandLine } from '../invocation.ts';
import type { RunRecord } from '../run/record.ts';

/** A shard's run and where it was found, for messages. */
export interface Part {
  readonly from: string;
  readonly run: RunRecord;
}

/** What has to be the same in all parts, or their cells cannot stand in one table. */
const SAME: readonly (readonly [string, (run: RunRecord) => string])[] = [
  ['matrix', (run) => run.matrix.hash],
  ['selection', (run) => run.matrix.selection.join(' ')],
  ['number of shards', (run) => String(run.shard?.of)],
  ['number of repetitions', (run) => String(run.repeat)],
  ['harness', (run) => `${run.harness.version} ${run.harness.commit ?? ''}`],
  ['QEMU', (run) => run.qemu],
];

/**
 * Joins the shards of one matrix into one run; `name` is the new run's. Shards that are missing are named in it, not
 * invented.
 * @throws InputError for parts that are not shards, or not of the same matrix, harness and QEMU, and for a shard or
 * cell that is there twice
 */
export function mergeRuns(parts: readonly Part[], name: string): RunRecord {
  const [first, ...others] = parts;
  if (first === undefined) throw new InputError('there is nothing to merge', 'give the folders of the shards');
  const byIndex = new Map<number, Part>();
  for (const part of parts) {
    const shard = part.run.shard;
    if (shard === null) {
      throw new InputError(
        `${part.from} is a whole run, not a shard`,
        `shards come from \`${commandLine(['matrix', '--shard', 'I/N'])}\``,
      );
    }
    const twin = byIndex.get(shard.index);
    if (twin !== undefined) {
      throw new InputError(
        `${twin.from} and ${part.from} are both shard ${shard.index}/${shard.of}`,
        'give each shard once',
      );
    }
    byIndex.set(shard.index, part);
  }
  for (const part of others) {
    const differing = SAME.find(([, of]) => of(part.run) !== of(first.run));
    if (differing === undefined) continue;
    const [what, of] = differing;
    throw new InputError(
      `${first.from} and ${part.from} differ in their ${what}: ${of(first.run)} and ${of(part.run)}`,
      'merge only shards of one matrix, made by the same bootrace and the same QEMU',
    );
  }
  return { ...join(parts, first.run, name), missing: missingShards(byIndex, first.run.shard?.of ?? 0) };
}

function missingShards(given: ReadonlyMap<number, Part>, of: number): RunRecord['missing'] {
  const shards = Array.from({ length: of }, (_, index) => index + 1).filter((index) => !given.has(index));
  return shards.length === 0 ? null : { shards, of };
}

function join(parts: readonly Part[], first: RunRecord, name: string): RunRecord {
  const runs = parts.map((part) => part.run);
  const owner = new Map<string, string>();
  for (const { from, run } of parts) {
    for (const { id } of run.cells) {
      const other = owner.get(id);
      if (other !== undefined)
        throw new InputError(`cell ${id} is in ${other} and in ${from}`, 'are these shards of one run?');
      owner.set(id, from);
    }
  }
  const kernels = new Map<string, RunRecord['kernels'][number]>();
  for (const kernel of runs.flatMap((run) => run.kernels)) {
    const key = `${kernel.recipe} ${kernel.linkage}`;
    const known = kernels.get(key);
    if (known === undefined || (kernel.built && !known.built)) kernels.set(key, kernel);
  }
  // Shards run side by side: the whole took as long as the longest.
  const longest = (of: (run: RunRecord) => number) => Math.max(...runs.map(of));
  const times = (of: (run: RunRecord) => string) => runs.map(of).sort();
  return {
    ...first,
    run: name,
    startedAt: times((run) => run.startedAt)[0] ?? first.startedAt,
    finishedAt: times((run) => run.finishedAt).at(-1) ?? first.finishedAt,
    workers: runs.reduce((sum, run) => sum + run.workers, 0),
    shard: null,
    wallMs: {
      kernels: longest((run) => run.wallMs.kernels),
      boots: longest((run) => run.wallMs.boots),
      total: longest((run) => run.wallMs.total),
    },
    kernels: [...kernels.values()],
    // The matrix's own order is not recorded: the same order whatever the shards were.
    cells: runs.flatMap((run) => run.cells).sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true })),
    flakes: runs.flatMap((run) => run.flakes),
    clockRaces: runs.flatMap((run) => run.clockRaces),
  };
}
