import { InputError } from '../errors.ts';
import type { KernelResult } from '../kernel/artefact.ts';
import { BuildFailure } from '../kernel/make.ts';
import { RecipeMisfit } from '../kernel/recipe.ts';
import type { Cell } from '../model/cell.ts';
import { isMissing } from '../model/verdict.ts';
import type { Runner } from '../run/runner.ts';
import { type Claim, judgeCommit, type Observation, type Sighting } from '../search/commits.ts';
import { interleavings } from '../search/interleavings.ts';

/** Digits of a hash in the name of a commit's cell. */
const HASH_DIGITS = 12;
/** The shifts are the same for every commit and every run. */
const SEED = 1;

/**
 * The cell with its kernel built from another source (kernel/recipe.ts): `git:PATH@COMMIT`, `tree:PATH`. `suffix` tells
 * its cells apart.
 */
export function cellOfSource(cell: Cell, source: string, suffix: string): Cell {
  const recipe = cell.kernel.split('@', 1)[0] ?? cell.kernel;
  return { ...cell, id: `${cell.id}-${suffix}`, kernel: `${recipe}@${source}` };
}

export function cellOfCommit(cell: Cell, repository: string, commit: string): Cell {
  return cellOfSource(cell, `git:${repository}@${commit}`, commit.slice(0, HASH_DIGITS));
}

/**
 * Builds a cell's kernel and boots it at `count` icount shifts, up to the first boot that shows what `claim` looks for.
 * A source that does not compile, a recipe that does not fit it and a kernel without what the cell names are something
 * seen: nothing. Throws what is wrong with the machine.
 */
export async function observeCell(runner: Runner, cell: Cell, count: number, claim: Claim | null): Promise<Sighting[]> {
  const nothing = (reason: string): Sighting[] => [
    { saw: 'nothing', reason: reason.split('\n').slice(0, 2).join(' ') },
  ];
  let kernel: KernelResult;
  try {
    kernel = await runner.kernel(cell);
  } catch (error) {
    if (error instanceof BuildFailure || error instanceof RecipeMisfit) return nothing(error.message);
    throw error;
  }
  if (kernel.kind === 'unbuildable') return nothing(kernel.reason);
  const sightings: Sighting[] = [];
  for (const shift of interleavings(cell, count, SEED)) {
    try {
      const { record } = await runner.bootKernel({ ...cell, id: `${cell.id}-shift${shift}`, shift }, kernel);
      const { verdict, reason, notes, cached, crash } = record;
      if (isMissing(verdict)) return [...sightings, ...nothing(reason)];
      sightings.push({
        saw: 'boot',
        verdict,
        signature: crash?.signature ?? null,
        reason,
        crash: crash?.text ?? [],
        shift,
        booted: !cached,
        notes,
      });
    } catch (error) {
      if (error instanceof InputError) return [...sightings, ...nothing(error.message)];
      throw error;
    }
    if (claim !== null && judgeCommit(sightings, claim).answer === 'bad') break;
  }
  return sightings;
}

/** The same of a commit, with the time that it took. */
export async function observeCommit(
  runner: Runner,
  cell: Cell,
  commit: string,
  count: number,
  claim: Claim | null,
): Promise<Observation> {
  const started = performance.now();
  const sightings = await observeCell(runner, cell, count, claim);
  return { commit, sightings, seconds: (performance.now() - started) / 1000 };
}
